/**
 * Operations after which a field shows one value and nothing stands beside it, whatever
 * was written there under whichever type. For settling a conflict, and for taking an
 * operation back.
 */
import type { NodeId } from '../core/ids.js';
import type { FieldPath, Op } from '../core/op.js';
import { counter, increment } from '../crdt/counter.js';
import { register, unset, write } from '../crdt/register.js';
import { fieldState, FIELD_TYPES, type AnyFieldType } from '../crdt/registry.js';
import { add, set } from '../crdt/set.js';
import type { Value } from '../crdt/value.js';
import type { Replica } from '../repo/replica.js';
import { changeSet, op } from './fieldops.js';

/** `value` undefined takes the field away. */
export function settleField(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  type: AnyFieldType,
  value: Value | undefined,
): readonly Op[] {
  const others = FIELD_TYPES.filter((other) => other.number !== type.number);
  const emptied = others.flatMap((other) => emptyOps(replica, node, path, other));
  return [...emptied, ...writeOps(replica, node, path, type, value)];
}

/** Leaves nothing in what a type holds at the path. */
function emptyOps(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  type: AnyFieldType,
): readonly Op[] {
  const { fields } = replica.view.record(node);
  if (type.isEmpty(fieldState(fields, path, type))) return [];
  return writeOps(replica, node, path, type, undefined);
}

function writeOps(
  replica: Replica,
  node: NodeId,
  path: FieldPath,
  type: AnyFieldType,
  value: Value | undefined,
): readonly Op[] {
  const { fields } = replica.view.record(node);
  if (type.number === set.number) {
    const had = set.value(fieldState(fields, path, set)) ?? [];
    const changed = changeSet(replica, node, path, had, (value ?? []) as readonly Value[]);
    return changed.length > 0 ? changed : [showType(replica, node, path, type)];
  }
  if (type.number === counter.number) {
    const sum = Number(counter.value(fieldState(fields, path, counter)) ?? 0);
    return [op(replica, node, path, counter, increment(Number(value ?? 0) - sum))];
  }
  const state = fieldState(fields, path, register);
  const arg = value === undefined ? unset(state) : write(state, value);
  register.check(state, arg);
  return [op(replica, node, path, register, arg)];
}

/** The newest write picks the type that shows; this one changes nothing else. */
export function showType(replica: Replica, node: NodeId, path: FieldPath, type: AnyFieldType): Op {
  if (type.number === set.number) return op(replica, node, path, set, add([]));
  if (type.number === counter.number) return op(replica, node, path, counter, increment(0));
  const state = fieldState(replica.view.record(node).fields, path, register);
  const value = register.value(state);
  return op(
    replica,
    node,
    path,
    register,
    value === undefined ? unset(state) : write(state, value),
  );
}
