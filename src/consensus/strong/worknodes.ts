/**
 * Worknodes as the strong log knows them: who owns which field, which are deleted for
 * good. A write takes ownership; a release keeps the value and gives it up. Leaves out
 * claims (`claims.ts`) and rights (`authority.ts`).
 */
import { equalBytes } from '../../core/bytes.js';
import { encodeCanonical, type Canonical } from '../../core/canonical.js';
import { hash } from '../../core/crypto.js';
import type { NodeId } from '../../core/ids.js';
import {
  STRONG_FIELDS_PER_NODE_MAX,
  STRONG_VALUE_KEPT_BYTES,
  WORKNODES_MAX,
} from '../../core/limits.js';
import type { FieldPath } from '../../core/op.js';
import type { Rights } from './authority.js';
import { createdId } from './request.js';
import type { Trie } from './trie.js';
import type { KeptValue, NodeState, Owned } from './state.js';
import type { Action, Effect, Reason, Request, Winner } from './types.js';

export type Nodes = Trie<NodeState>;

/** The request that acts, and the entry that it stands in. */
export interface Acting {
  readonly index: number;
  readonly timeMs: number;
  readonly request: Request;
  readonly rights: Rights;
}

export interface Rejection {
  readonly ok: false;
  readonly reason: Reason;
  readonly winner: Winner | null;
}

/** What one action makes of the worknodes. */
export type Step =
  { readonly ok: true; readonly nodes: Nodes; readonly effects: readonly Effect[] } | Rejection;

type ActionOf<Kind extends Action['action']> = Extract<Action, { readonly action: Kind }>;

export const UNTOUCHED: NodeState = {
  created: null,
  deleted: null,
  fields: new Map(),
  claim: null,
};

export function reject(reason: Reason, winner: Winner | null = null): Rejection {
  return { ok: false, reason, winner };
}

export function nodeOf(nodes: Nodes, node: NodeId): NodeState {
  return nodes.get(node) ?? UNTOUCHED;
}

/** One of which nothing is left to know is forgotten. `most`: how many a group may hold. */
export function changedNode(
  nodes: Nodes,
  node: NodeId,
  state: NodeState,
  effects: readonly Effect[],
  most = WORKNODES_MAX,
): Step {
  if (nodes.size >= most && nodes.get(node) === undefined) return reject('full');
  const { created, deleted, fields, claim } = state;
  const isBlank = created === null && deleted === null && fields.size === 0 && claim === null;
  return { ok: true, nodes: isBlank ? nodes.without(node) : nodes.with(node, state), effects };
}

/** Equal paths, equal keys. */
export function fieldKey(path: FieldPath): string {
  return JSON.stringify(path);
}

/** The field's last accepted write; null if nobody ever owned it. */
export function ownedField(nodes: Nodes, node: NodeId, path: FieldPath): Owned | null {
  return nodes.get(node)?.fields.get(fieldKey(path)) ?? null;
}

export function write(nodes: Nodes, action: ActionOf<'set'>, acting: Acting): Step {
  const { node, path, type, value } = action;
  const state = nodeOf(nodes, node);
  if (state.deleted !== null) return reject('deleted', state.deleted);
  const key = fieldKey(path);
  if (state.fields.size >= STRONG_FIELDS_PER_NODE_MAX && !state.fields.has(key)) {
    return reject('full');
  }
  const { index, timeMs, request } = acting;
  const origin = { index, author: request.author, timeMs, released: false };
  const owned: Owned = { path, type, value: keptValue(value), ...origin };
  const fields = new Map(state.fields).set(key, owned);
  return changedNode(nodes, node, { ...state, fields }, [
    { effect: 'set', node, path, type, value },
  ]);
}

export function release(nodes: Nodes, { node, path }: ActionOf<'release'>): Step {
  const state = nodeOf(nodes, node);
  if (state.deleted !== null) return reject('deleted', state.deleted);
  const key = fieldKey(path);
  const owned = state.fields.get(key);
  if (owned === undefined || owned.released) return reject('unowned');
  const fields = new Map(state.fields).set(key, { ...owned, released: true });
  return changedNode(nodes, node, { ...state, fields }, [{ effect: 'released', node, path }]);
}

/** `place`: of the action in its request. */
export function create(
  nodes: Nodes,
  { parent, name, type }: ActionOf<'create'>,
  place: number,
  acting: Acting,
): Step {
  const above = nodeOf(nodes, parent);
  if (above.deleted !== null) return reject('deleted', above.deleted);
  const node = createdId(acting.request, place, parent);
  if (!acting.rights.homes.has(node)) return reject('home');
  const state = nodeOf(nodes, node);
  if (state.deleted !== null || state.created !== null) return reject('exists', state.deleted);
  return changedNode(nodes, node, { ...state, created: acting.index }, [
    { effect: 'created', node, parent, name, type },
  ]);
}

/** For good: what was owned or claimed of the worknode goes with it. */
export function remove(nodes: Nodes, { node }: ActionOf<'delete'>, acting: Acting): Step {
  const state = nodeOf(nodes, node);
  if (state.deleted !== null) return reject('deleted', state.deleted);
  const { index, timeMs, request } = acting;
  const deleted = { index, author: request.author, value: null, timeMs };
  const effects: Effect[] = [{ effect: 'deleted', node }];
  if (state.claim !== null) effects.push({ effect: 'ended', node, token: state.claim.token });
  return changedNode(nodes, node, { ...UNTOUCHED, created: state.created, deleted }, effects);
}

/** The last writer of a field, as a rejection names it. */
export function winnerOf({ index, author, timeMs, value }: Owned): Winner {
  return { index, author, timeMs, value: value.kept === 'whole' ? value.value : null };
}

export function keptValue(value: Canonical | undefined): KeptValue {
  if (value === undefined) return { kept: 'unset' };
  if (isShort(value)) return { kept: 'whole', value };
  const bytes = encodeCanonical(value);
  return bytes.byteLength <= STRONG_VALUE_KEPT_BYTES
    ? { kept: 'whole', value }
    : { kept: 'hash', hash: hash('wn/strong-value/1', bytes) };
}

/** Bytes of a UTF-16 unit, and of a text's head. */
const [UTF8_BYTES_MAX, HEAD_BYTES] = [3, 9];

/** Surely within the bound, without a look at the encoding. */
function isShort(value: Canonical): boolean {
  if (typeof value === 'string') {
    return value.length * UTF8_BYTES_MAX + HEAD_BYTES <= STRONG_VALUE_KEPT_BYTES;
  }
  return value === null || typeof value !== 'object';
}

export function sameValue(a: KeptValue, b: KeptValue): boolean {
  if (a.kept === 'whole' && b.kept === 'whole') {
    return a.value === b.value || equalBytes(encodeCanonical(a.value), encodeCanonical(b.value));
  }
  if (a.kept === 'hash' && b.kept === 'hash') return equalBytes(a.hash, b.hash);
  return a.kept === b.kept;
}
