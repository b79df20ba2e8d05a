/**
 * What the strong log says of one worknode, as the fold lays it over what merged: fields
 * that it owns, a create or delete of its own, who has claimed it. Owned fields fold
 * without deps: while the log owns one, no other write to it counts; once it was released,
 * those do whose author had the release in his past. So the order in which strong and
 * eventual changes arrive doesn't matter. Leaves out how the log decides: see `consensus`.
 */
import {
  asArray,
  asText,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { fromHex, toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { stamp, type Stamp } from '../../core/hlc.js';
import type { DeviceId, LogId } from '../../core/ids.js';
import { ATTRIBUTE, type FieldPath, type NodeType } from '../../core/op.js';
import {
  FieldStates,
  fieldType,
  pathKey,
  type AnyFieldType,
  type FieldsState,
  type PathKey,
} from '../../crdt/registry.js';
import type { Placement } from '../../crdt/tree.js';
import type { StrongChange, StrongEffect } from '../../core/strong.js';

/** In place of a log's id in the stamps of strong writes: no log has this name. */
export const STRONG_LOG: LogId = '0'.repeat(32);

export interface StrongField {
  readonly path: FieldPath;
  /** The entry that wrote it last. */
  readonly index: number;
  readonly at: Stamp;
  /** Number of the field type. */
  readonly type: number;
  /** A whole value; undefined: unset. */
  readonly value: Canonical | undefined;
  /** The entry that released it; null: owned. */
  readonly released: number | null;
  /** Eventual writes came after it that don't count. */
  readonly ignored: boolean;
}

export interface Claim {
  readonly token: number;
  readonly owner: DeviceId;
  readonly leaseMs: number;
  readonly renewal: number;
  /** Of the entry that made or renewed it, milliseconds by the leader's wall clock: to be shown only. */
  readonly sinceMs: number;
}

export interface StrongNode {
  readonly created: (Placement & { readonly type: NodeType; readonly index: number }) | null;
  readonly deleted: boolean;
  readonly fields: ReadonlyMap<PathKey, StrongField>;
  readonly claim: Claim | null;
}

export const NO_STRONG: StrongNode = {
  created: null,
  deleted: false,
  fields: new Map(),
  claim: null,
};

/** The stamp of what an accepted entry writes. */
export function strongStamp({ hlc }: Pick<StrongChange, 'hlc'>): Stamp {
  return stamp(hlc, STRONG_LOG);
}

/** The worknode after one more effect on it. */
export function withEffect(node: StrongNode, effect: StrongEffect, at: StrongChange): StrongNode {
  switch (effect.effect) {
    case 'set':
      return withField(node, {
        path: effect.path,
        index: at.index,
        at: strongStamp(at),
        type: effect.type,
        value: effect.value,
        released: null,
        ignored: false,
      });
    case 'created': {
      const { parent, name, type } = effect;
      return { ...node, created: { at: strongStamp(at), parent, name, type, index: at.index } };
    }
    case 'deleted':
      return { ...node, deleted: true };
    case 'released': {
      const field = node.fields.get(pathKey(effect.path));
      if (field === undefined) return node;
      return withField(node, { ...field, released: at.index });
    }
    case 'claimed': {
      const { token, owner, leaseMs, renewal } = effect;
      return { ...node, claim: { token, owner, leaseMs, renewal, sinceMs: at.timeMs } };
    }
    case 'ended':
      return node.claim?.token === effect.token ? { ...node, claim: null } : node;
  }
}

function withField(node: StrongNode, field: StrongField): StrongNode {
  return { ...node, fields: new Map(node.fields).set(pathKey(field.path), field) };
}

/** Whether anything of the worknode is the strong log's: it isn't hidden by other deletes then. */
export function ownsAny({ created, fields }: StrongNode): boolean {
  if (created !== null) return true;
  for (const field of fields.values()) if (field.released === null) return true;
  return false;
}

/**
 * Whether an eventual write to a path counts, whose author had folded the strong log up to
 * `seen()` at least.
 */
export function counts(node: StrongNode, path: FieldPath, seen: () => number): boolean {
  if (node.fields.size === 0) return true;
  const field = node.fields.get(pathKey(path));
  if (field === undefined) return true;
  return field.released !== null && seen() >= field.released;
}

/** The newest entry that an op on a worknode may rest on; 0 for none. */
export function restsOn(node: StrongNode | null): number {
  if (node === null) return 0;
  let index = node.created?.index ?? 0;
  for (const { released } of node.fields.values()) index = Math.max(index, released ?? 0);
  return index;
}

/** Whether the strong log owns a path. */
export function isOwned(node: StrongNode | null, path: FieldPath): boolean {
  if (node === null || node.fields.size === 0) return false;
  return node.fields.get(pathKey(path))?.released === null;
}

/** Notes that a write which doesn't count came after the one that does. */
export function withIgnored(node: StrongNode, path: FieldPath, at: Stamp): StrongNode {
  const field = node.fields.get(pathKey(path));
  if (field === undefined || field.ignored || at <= field.at) return node;
  return withField(node, { ...field, ignored: true });
}

/** Strong fields as the states that eventual writes are applied to. */
export function strongFields({ fields }: StrongNode, under: FieldsState): FieldsState {
  if (fields.size === 0) return under;
  const all = new Map(under);
  for (const [key, field] of fields) all.set(key, statesOf(field));
  const body = fields.get(BODY_KEY);
  if (body?.value instanceof Uint8Array || Array.isArray(body?.value)) {
    const format = { ...body, path: FORMAT, type: REGISTER, value: 'whole' };
    all.set(pathKey(FORMAT), statesOf(format));
  }
  return all;
}

const REGISTER = 0;
const SET = 1;
const BODY_KEY = pathKey([ATTRIBUTE.body]);
const FORMAT = [ATTRIBUTE.format];

/** A whole value as the one write there ever was. */
function statesOf(field: StrongField): FieldStates {
  const none = new FieldStates(field.path, []);
  const type = fieldType(field.type);
  if (type === undefined) return none;
  const state = wholeState(type, field);
  return state === null ? none : none.with(type, state);
}

/** Null for a value that its type can't hold: such a write shows nothing. */
function wholeState(type: AnyFieldType, { value, at }: StrongField): unknown {
  try {
    const arg = type.decode(wholeArg(type, value), STRONG_LOG);
    return type.apply(type.empty(), arg, at);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

function wholeArg(type: AnyFieldType, value: Canonical | undefined): Canonical {
  if (type.number === REGISTER) return value === undefined ? [[]] : [[], value];
  if (type.number === SET) {
    return [value ?? [], []];
  }
  return value ?? 0;
}

// In the index

export function encodeStrong(node: StrongNode | null): Canonical {
  if (node === null) return null;
  const { created, deleted, fields, claim } = node;
  return [
    created === null
      ? null
      : [
          created.at,
          fromHex(created.parent),
          created.name,
          NODE_TYPES.indexOf(created.type),
          created.index,
        ],
    deleted,
    [...fields.values()].map((field): Canonical => [
      encodeCanonical(field.path),
      field.index,
      field.at,
      field.type,
      field.value === undefined ? [] : [field.value],
      field.released,
      field.ignored,
    ]),
    claim === null
      ? null
      : [claim.token, fromHex(claim.owner), claim.leaseMs, claim.renewal, claim.sinceMs],
  ];
}

const NODE_TYPES: readonly NodeType[] = ['folder', 'file', 'symlink'];

export function decodeStrong(value: Canonical): StrongNode | null {
  if (value === null) return null;
  const [created, deleted, fields, claim] = asArray(value, 'strong part of a worknode', 4);
  return {
    created: created === null || created === undefined ? null : createdOf(created),
    deleted: deleted === true,
    fields: new Map(
      asArray(fields, 'strong fields').map((part) => {
        const field = fieldOf(part);
        return [pathKey(field.path), field] as const;
      }),
    ),
    claim: claim === null || claim === undefined ? null : claimOf(claim),
  };
}

function createdOf(value: Canonical): NonNullable<StrongNode['created']> {
  const [at, parent, name, type, index] = asArray(value, 'strong create', 5);
  return {
    at: asText(at, 'stamp'),
    parent: toHex(parent as Uint8Array),
    name: asText(name, 'name'),
    type: NODE_TYPES[asUint(type, 'type')] ?? 'file',
    index: asUint(index, 'index'),
  };
}

function fieldOf(part: Canonical): StrongField {
  const [path, index, at, type, held, released, ignored] = asArray(part, 'strong field', 7);
  return {
    path: decodeCanonical(path as Uint8Array) as FieldPath,
    index: asUint(index, 'index'),
    at: asText(at, 'stamp'),
    type: asUint(type, 'type of a field'),
    value: asArray(held, 'value')[0],
    released: released === null ? null : asUint(released, 'index'),
    ignored: ignored === true,
  };
}

function claimOf(value: Canonical): Claim {
  const [token, owner, leaseMs, renewal, sinceMs] = asArray(value, 'claim', 5);
  return {
    token: asUint(token, 'token'),
    owner: toHex(owner as Uint8Array),
    leaseMs: asUint(leaseMs, 'lease'),
    renewal: asUint(renewal, 'renewal'),
    sinceMs: asUint(sinceMs, 'time'),
  };
}
