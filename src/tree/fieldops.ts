/**
 * From changed fields to operations. What a writer saw is what his write replaces: a
 * value that arrived unseen stays beside it as a conflict.
 */
import type { Canonical } from '../core/canonical.js';
import type { NodeId } from '../core/ids.js';
import type { FieldPath, Op } from '../core/op.js';
import { counter, increment } from '../crdt/counter.js';
import { register, type RegisterState } from '../crdt/register.js';
import { fieldState } from '../crdt/registry.js';
import { add, remove, set, type SetArg } from '../crdt/set.js';
import type { FieldType } from '../crdt/types.js';
import { sameValue, valueKey, type Value } from '../crdt/value.js';
import type { Replica } from '../repo/replica.js';
import type { Field, FieldShown } from './field.js';
import type { FieldEdits } from './readback.js';

/** Operations that make fields what `edits` says, for someone who saw `seen`. */
export function fieldOps(
  replica: Replica,
  node: NodeId,
  seen: ReadonlyMap<string, FieldShown>,
  edits: FieldEdits,
): readonly Op[] {
  const ops: Op[] = [];
  for (const [name, field] of edits.set)
    ops.push(...setOps(replica, node, name, field, seen.get(name)));
  for (const name of edits.unset) ops.push(...unsetOps(replica, node, name, seen.get(name)));
  return ops;
}

function setOps(
  replica: Replica,
  node: NodeId,
  name: string,
  field: Field,
  seen: FieldShown | undefined,
): readonly Op[] {
  switch (field.crdt) {
    case 'register':
      return [writeRegister(replica, node, [name], field.value, seenValue(seen))];
    case 'counter': {
      const before =
        seen !== undefined && seen !== 'unset' && seen.crdt === 'counter' ? seen.value : 0;
      const delta = field.value - before;
      return delta === 0 && seen !== undefined
        ? []
        : [op(replica, node, [name], counter, increment(delta))];
    }
    case 'set': {
      const before =
        seen !== undefined && seen !== 'unset' && seen.crdt === 'set' ? seen.value : [];
      return changeSet(replica, node, [name], before, field.value);
    }
  }
}

/** Undefined: the writer saw no value. */
function seenValue(seen: FieldShown | undefined): Value | undefined {
  return seen === undefined || seen === 'unset' ? undefined : seen.value;
}

/** A write that replaces what showed as `seen`; `value` undefined takes it away. */
export function writeRegister(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  value: Value | undefined,
  seen: Value | undefined,
): Op {
  const state: RegisterState = fieldState(replica.view.record(node).fields, path, register);
  const [winner] = state.entries;
  const sawAll = winner === undefined || sameValue(winner.value, seen);
  const replaced = sawAll
    ? state.entries
    : state.entries.filter((entry) => sameValue(entry.value, seen));
  const arg = { replaces: replaced.map((entry) => entry.at), value };
  register.check(state, arg);
  return op(replica, node, path, register, arg);
}

/** Adds and removes what differs between two sets of elements. */
export function changeSet(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  before: readonly Value[],
  after: readonly Value[],
): readonly Op[] {
  const [had, has] = [new Set(before.map(valueKey)), new Set(after.map(valueKey))];
  const state = fieldState(replica.view.record(node).fields, path, set);
  const arg: SetArg = {
    adds: add(after.filter((value) => !had.has(valueKey(value)))).adds,
    removes: remove(
      state,
      before.filter((value) => !has.has(valueKey(value))),
    ).removes,
  };
  if (arg.adds.length === 0 && arg.removes.length === 0) return [];
  set.check(state, arg);
  return [op(replica, node, path, set, arg)];
}

/** Takes a field away: empties what its type holds, so that nothing hidden is left behind. */
function unsetOps(
  replica: Replica,
  node: NodeId,
  name: string,
  seen: FieldShown | undefined,
): readonly Op[] {
  if (seen === undefined || seen === 'unset') return [];
  if (seen.crdt === 'register')
    return [writeRegister(replica, node, [name], undefined, seenValue(seen))];
  const emptied =
    seen.crdt === 'set'
      ? changeSet(replica, node, [name], seen.value, [])
      : [op(replica, node, [name], counter, increment(-seen.value))];
  return [...emptied, writeRegister(replica, node, [name], undefined, undefined)];
}

export function op<State, Arg>(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  type: FieldType<State, Arg>,
  arg: Arg,
): Op {
  const encoded: Canonical = type.encode(arg, replica.author.writingLog());
  return { op: 'field', node, path, type: type.number, arg: encoded };
}
