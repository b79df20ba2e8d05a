/**
 * Taking back what a change did to one field. Each type inverts its own ops, as far as
 * they are current; then the field must show as the type that it showed as before, or
 * not at all.
 */
import { HLC_MAX, stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';
import type { FieldPath, Op } from '../core/op.js';
import { register, unset } from '../crdt/register.js';
import {
  applyField,
  emptyFields,
  fieldState,
  FIELD_TYPES,
  pathKey,
  shownFields,
  type AnyFieldType,
  type FieldsState,
} from '../crdt/registry.js';
import { opsOn } from '../repo/nodeops.js';
import type { Replica } from '../repo/replica.js';
import { op } from './fieldops.js';
import { showType } from './fieldsettle.js';
import type { ChangeOp } from './inverse.js';

type FieldChange = ChangeOp<Extract<Op, { op: 'field' }>>;

export interface FieldInverse {
  readonly ops: readonly Op[];
  /** Some of it is not current any more. */
  readonly missed: boolean;
}

/** Later than any op that is: what the ops to come will be, once committed. */
const LATEST = stamp(HLC_MAX, 'f'.repeat(32));

/** `changes`: all ops of the change on this field, in order. */
export function inverseField(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  changes: readonly FieldChange[],
): FieldInverse {
  const [first] = changes;
  const [was] = first === undefined ? [] : shownFields(fieldBefore(replica, node, path, first));
  const shownType = was?.value === undefined ? register : was.type;
  // The last op written picks the type that shows.
  const types = [...FIELD_TYPES].sort((a, b) => Number(a.number === shownType.number) - Number(b.number === shownType.number));
  const ops: Op[] = [];
  let missed = false;
  let last: { readonly type: AnyFieldType; readonly isBlank: boolean } | null = null;
  for (const type of types) {
    const own = changes.filter((change) => change.op.type === type.number);
    let state = fieldState(replica.view.record(node).fields, path, type);
    for (const { arg, at, before } of inversions(replica, node, path, type, own)) {
      const inverse = type.invert(arg, at, before, state);
      if (inverse === undefined) {
        missed ||= !sameValue(type, before, type.apply(before, arg, at));
        continue;
      }
      ops.push(op(replica, node, path, type, inverse));
      state = type.apply(state, inverse, LATEST);
      last = { type, isBlank: type.isEmpty(state) };
    }
  }
  if (last === null || last.type.number === shownType.number) return { ops, missed };
  if (was?.value !== undefined) return { ops: [...ops, showType(replica, node, path, was.type)], missed };
  return { ops: last.isBlank ? [...ops, unsetOp(replica, node, path)] : ops, missed };
}

interface Inversion {
  readonly arg: unknown;
  readonly at: string;
  readonly before: unknown;
}

/** What to invert, last first. Writes of a register are one: the last replaced the others. */
function inversions(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  type: AnyFieldType,
  own: readonly FieldChange[],
): readonly Inversion[] {
  const stateBefore = (change: FieldChange): unknown =>
    fieldState(fieldBefore(replica, node, path, change), path, type);
  const inversion = (change: FieldChange, before: FieldChange): Inversion => ({
    arg: type.decode(change.op.arg, change.ref.log),
    at: change.at,
    before: stateBefore(before),
  });
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (type.number === register.number) return [inversion(last, first)];
  return own.toReversed().map((change) => inversion(change, change));
}

/** The field as the author of an op saw it. */
function fieldBefore(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  { ref, index }: FieldChange,
): FieldsState {
  const name = pathKey(path);
  let fields = emptyFields();
  for (const each of opsOn(replica, node)) {
    const same = each.ref.log === ref.log && each.ref.seq === ref.seq;
    const seen = same ? each.index < index : replica.history.inPast(each.ref, ref);
    if (!seen || each.op.op !== 'field' || pathKey(each.op.path) !== name) continue;
    fields = applyField(fields, path, each.op.type, each.op.arg, each.ref.log, each.at) ?? fields;
  }
  return fields;
}

function sameValue(type: AnyFieldType, a: unknown, b: unknown): boolean {
  const [left, right] = [type.value(a), type.value(b)];
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

function unsetOp(replica: Replica, node: NodeId, path: FieldPath): Op {
  const state = fieldState(replica.view.record(node).fields, path, register);
  return op(replica, node, path, register, unset(state));
}
