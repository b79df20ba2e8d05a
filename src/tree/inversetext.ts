/**
 * Taking back what a change did to a text: the inverse of its runs, typed on the version
 * that it left. So only its own letters go and come, whatever was typed since.
 */
import { WnError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { Op, Run } from '../core/op.js';
import { applyRuns, invertRuns } from '../crdt/text/buffer.js';
import { diffText } from '../crdt/text/diff.js';
import { sameOp, type Head } from '../crdt/text/op.js';
import type { Replica } from '../repo/replica.js';
import type { ChangeOp } from './inverse.js';
import { textOps } from './record.js';

type TextChange = ChangeOp<Extract<Op, { op: 'text' }>>;

/** `changes`: all ops of the change on this document, in order. */
export function inverseText(
  replica: Replica,
  node: NodeId,
  changes: readonly TextChange[],
): readonly Op[] {
  const { documents } = replica.fold;
  const { document } = replica.view.record(node);
  const [first, last] = [changes[0], changes.at(-1)];
  if (document === null || first === undefined || last === undefined) return [];
  const left: readonly Head[] = [headOf(last)];
  const base = baseOf(replica, node, headOf(first));
  const before = documents.textAt(node, document, base);
  const after = documents.textAt(node, document, left);
  const runs = exactInverse(before, after, changes) ?? diffText(after, before);
  return runs.length === 0 ? [] : textOps(replica, node, left, runs);
}

function headOf({ ref, index }: TextChange): Head {
  return { log: ref.log, seq: ref.seq, index };
}

function baseOf({ view, fold }: Replica, node: NodeId, at: Head): readonly Head[] {
  const { document } = view.record(node);
  if (document === null) return [];
  for (const op of fold.documents.ops(node, document)) if (sameOp(op, at)) return op.base;
  return [];
}

/** Null where the runs don't lead from one text to the other: dead ops, or a merge between. */
function exactInverse(
  before: string,
  after: string,
  changes: readonly TextChange[],
): readonly Run[] | null {
  const inverse: Run[] = [];
  let text = before;
  try {
    for (const { op } of changes) {
      inverse.unshift(...invertRuns(text, op.runs));
      text = applyRuns(text, op.runs);
    }
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
  return text === after ? inverse : null;
}
