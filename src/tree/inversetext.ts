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
import type { CommitRef } from '../repo/history.js';
import type { Replica } from '../repo/replica.js';
import type { ChangeOp } from './inverse.js';
import { textOps } from './record.js';

type TextChange = ChangeOp<Extract<Op, { op: 'text' }>>;

/**
 * `changes`: all ops of the change on this document, in order. Where commits since that
 * are passed over come to the same text, the inverse is typed on the last of them: what
 * they took out and put back are new letters.
 */
export function inverseText(
  replica: Replica,
  node: NodeId,
  changes: readonly TextChange[],
  isPassedOver: (ref: CommitRef) => boolean,
): readonly Op[] {
  const { documents } = replica.fold;
  const { document } = replica.view.record(node);
  const [first, last] = [changes[0], changes.at(-1)];
  if (document === null || first === undefined || last === undefined) return [];
  const textAt = (heads: readonly Head[]): string => documents.textAt(node, document, heads);
  const all = [...documents.ops(node, document)];
  const base = all.find((op) => sameOp(op, headOf(first)))?.base ?? [];
  const [before, after] = [textAt(base), textAt([headOf(last)])];
  const newest = all.findLast(isPassedOver);
  const back = newest !== undefined && textAt([nameOf(newest)]) === after;
  const left = [back ? nameOf(newest) : headOf(last)];
  const runs = exactInverse(before, after, changes) ?? diffText(after, before);
  return runs.length === 0 ? [] : textOps(replica, node, left, runs);
}

function headOf({ ref, index }: TextChange): Head {
  return { log: ref.log, seq: ref.seq, index };
}

function nameOf({ log, seq, index }: Head): Head {
  return { log, seq, index };
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
