/**
 * Taking back what a change did to one field. Each type inverts its own ops, as far as
 * they are current; then the field must show as the type that it showed as before, or
 * not at all.
 */
import { WnError } from '../core/errors.js';
import { HLC_MAX, stamp, type Stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { register, unset, write, type RegisterArg } from '../crdt/register.js';
import {
  applyField,
  emptyFields,
  fieldState,
  fieldType,
  FIELD_TYPES,
  pathKey,
  shownFields,
  type AnyFieldType,
  type FieldsState,
} from '../crdt/registry.js';
import { set, type SetArg } from '../crdt/set.js';
import { valueKey, type Value } from '../crdt/value.js';
import { commitOf } from '../repo/frontier.js';
import type { CommitRef } from '../repo/history.js';
import { opsOn } from '../repo/nodeops.js';
import type { Replica } from '../repo/replica.js';
import type { FieldValue } from './field.js';
import { op } from './fieldops.js';
import { showType } from './fieldsettle.js';
import type { ChangeOp } from './inverse.js';
import { valuesInText } from './unclaimed.js';

type FieldChange = ChangeOp<Extract<Op, { op: 'field' }>>;

export interface FieldInverse {
  readonly ops: readonly Op[];
  /** Some of it is not current any more. */
  readonly missed: boolean;
}

/** All ops of the change on one field, in order. */
interface Wish {
  readonly replica: Replica;
  readonly node: NodeId;
  readonly changes: readonly [FieldChange, ...FieldChange[]];
  /** The change left the document itself alone. */
  readonly textStays: boolean;
  /** Commits that count as not made: the change itself, and what comes to nothing since. */
  readonly isPassedOver: (ref: CommitRef) => boolean;
}

/** Later than any op that is: what the ops to come will be, once committed. */
const LATEST = stamp(HLC_MAX, 'f'.repeat(32));

export function inverseField(wish: Wish): FieldInverse {
  const { replica, node, changes } = wish;
  const { path } = changes[0].op;
  const [was] = shownFields(fieldBefore(wish, changes[0]));
  const shownType = was?.value === undefined ? register : was.type;
  const ops: Op[] = [];
  let missed = false;
  let left: { readonly type: AnyFieldType; readonly isBlank: boolean } | null = null;
  for (const type of withLast(shownType)) {
    let state = fieldState(replica.view.record(node).fields, path, type);
    for (const inversion of inversions(wish, type)) {
      const { arg, before } = inversion;
      let isCurrent = changesNothing(type, inversion);
      for (const at of standIns(wish, type, inversion)) {
        const inverse = type.invert(arg, at, before, state);
        if (inverse === undefined) continue;
        isCurrent = true;
        ops.push(op(replica, node, path, type, inverse));
        state = type.apply(state, inverse, LATEST);
        left = { type, isBlank: type.isEmpty(state) };
      }
      missed ||= !isCurrent;
    }
  }
  if (left === null) return { ops, missed };
  const inText = was === undefined ? valueInText(wish) : undefined;
  if (inText !== undefined && left.isBlank) {
    return { ops: [...ops, writeOp(wish, inText)], missed };
  }
  if (left.type.number === shownType.number) return { ops, missed };
  if (was?.value !== undefined)
    return { ops: [...ops, showType(replica, node, path, was.type)], missed };
  return { ops: left.isBlank ? [...ops, unsetOp(wish)] : ops, missed };
}

/** The type that is written last is the one that shows. */
function withLast(last: { readonly number: number }): readonly AnyFieldType[] {
  const others = FIELD_TYPES.filter((type) => type.number !== last.number);
  return [...others, ...FIELD_TYPES.filter((type) => type.number === last.number)];
}

interface Inversion {
  readonly arg: unknown;
  readonly at: Stamp;
  /** The state that its author saw. */
  readonly before: unknown;
}

/** What to invert, last first. Writes of a register are one: the last replaced the others. */
function inversions(wish: Wish, type: AnyFieldType): readonly Inversion[] {
  const own = wish.changes.filter(
    (change) => change.op.type === type.number && isReadable(type, change),
  );
  const inversion = (change: FieldChange, first: FieldChange): Inversion => ({
    arg: type.decode(change.op.arg, change.ref.log),
    at: change.at,
    before: fieldState(fieldBefore(wish, first), change.op.path, type),
  });
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (type.number === register.number) return [inversion(last, first)];
  return own.toReversed().map((change) => inversion(change, change));
}

/** An argument that its type can't read counts as nothing. */
function isReadable(
  type: AnyFieldType,
  { op: { arg }, ref }: Pick<FieldChange, 'op' | 'ref'>,
): boolean {
  try {
    type.decode(arg, ref.log);
    return true;
  } catch (error) {
    if (error instanceof WnError) return false;
    throw error;
  }
}

function changesNothing(type: AnyFieldType, { arg, at, before }: Inversion): boolean {
  const [was, is] = [type.value(before), type.value(type.apply(before, arg, at))];
  return sameValue(was, is);
}

function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  return a === undefined || b === undefined ? a === b : valueKey(a) === valueKey(b);
}

/** The op's stamp, and those of ops that put back what it had written: undos of later changes. */
function standIns(wish: Wish, type: AnyFieldType, { arg, at }: Inversion): readonly Stamp[] {
  const { replica, node, changes, isPassedOver } = wish;
  const { fields } = replica.view.record(node);
  const { path } = changes[0].op;
  const since = (other: Stamp): boolean => {
    const ref = other === at ? null : commitOf(replica.history, other);
    return ref !== null && isPassedOver(ref);
  };
  if (type.number === register.number) {
    const [shown] = fieldState(fields, path, register).entries;
    const same = shown !== undefined && sameValue(shown.value, (arg as RegisterArg).value);
    return same && since(shown.at) ? [at, shown.at] : [at];
  }
  if (type.number !== set.number) return [at];
  const { elements } = fieldState(fields, path, set);
  const tags = (arg as SetArg).adds.flatMap((value) => [
    ...(elements.get(valueKey(value))?.tags.values() ?? []),
  ]);
  return [at, ...new Set(tags.filter(since))];
}

/** The field as the author of an op saw it. */
function fieldBefore({ replica, node }: Wish, { op: own, ref, index }: FieldChange): FieldsState {
  const name = pathKey(own.path);
  let fields = emptyFields();
  for (const each of opsOn(replica, node)) {
    const { op: other, at } = each;
    const same = each.ref.log === ref.log && each.ref.seq === ref.seq;
    const seen = same ? each.index < index : replica.history.inPast(each.ref, ref);
    if (!seen || other.op !== 'field' || pathKey(other.path) !== name) continue;
    const type = fieldType(other.type);
    if (type === undefined || !isReadable(type, { op: other, ref: each.ref })) continue;
    fields = applyField(fields, own.path, other.type, other.arg, each.ref.log, at) ?? fields;
  }
  return fields;
}

/** What the front matter itself says where no field had claimed its key: that shows again. */
function valueInText({ replica, node, changes, textStays }: Wish): FieldValue | undefined {
  const [key, ...nested] = changes[0].op.path;
  if (!textStays || typeof key !== 'string' || nested.length > 0) return undefined;
  return valuesInText(replica, node, [key]).get(key);
}

function writeOp({ replica, node, changes }: Wish, value: Value): Op {
  const { path } = changes[0].op;
  const state = fieldState(replica.view.record(node).fields, path, register);
  return op(replica, node, path, register, write(state, value));
}

function unsetOp({ replica, node, changes }: Wish): Op {
  const { path } = changes[0].op;
  const state = fieldState(replica.view.record(node).fields, path, register);
  return op(replica, node, path, register, unset(state));
}
