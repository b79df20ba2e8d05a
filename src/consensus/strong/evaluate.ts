/**
 * The outcome of an entry: computed, never proposed, a function of the log up to it and of
 * nothing else, so that every voter and everybody later finds the same. Total: there are
 * no bytes that it can't tell the outcome of. The order of the checks is part of the
 * format (docs/CONSENSUS.md, section 3). Leaves out signing what came of it.
 */
import { toHex } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';
import { hlcMs, type Hlc } from '../../core/hlc.js';
import type { DeviceId } from '../../core/ids.js';
import { CLOCK_AHEAD_MAX_MS, STRONG_STAMP_AGE_MAX_MS } from '../../core/limits.js';
import { isForgotten, NO_MEMORY, remember } from './answered.js';
import { heldCap, homesOf, mayVote, rightsFault } from './authority.js';
import { claim, expire, renew, unclaim } from './claims.js';
import { changed, isJoint, left } from './configuration.js';
import { decodeEntryData, entryHash, firstHash, treeLeaf, type Leaf } from './entry.js';
import { failedExpectation } from './expectations.js';
import { appended, EMPTY_TREE } from './merkle.js';
import { outcomeHash } from './outcome.js';
import { configures, decodeRequest, isSignedBy, requestIdBytes } from './request.js';
import { Trie } from './trie.js';
import type { StrongState } from './state.js';
import type {
  Change,
  Configuration,
  Effect,
  Group,
  Outcome,
  Reason,
  Request,
  RequestId,
  SignedRequest,
  StrongEntry,
} from './types.js';
import {
  create,
  reject,
  release,
  remove,
  write,
  type Acting,
  type Rejection,
  type Step,
} from './worknodes.js';

export interface Evaluation {
  readonly state: StrongState;
  readonly outcome: Outcome;
  /** What it is in the tree. */
  readonly leaf: Leaf;
  /** What the tree gained: see `merkle.ts`. */
  readonly hashes: readonly Uint8Array[];
  readonly asked: Asked | null;
}

/** Whose request it was; null where the entry holds none, or not who it says. */
export interface Asked {
  readonly request: RequestId;
  readonly author: DeviceId;
  /** Null for a repeat, which isn't read. */
  readonly hlc: Hlc | null;
}

/** Before the first entry. */
export function initialState(group: Group): StrongState {
  return {
    group,
    index: 0,
    term: 0,
    entryHash: firstHash(group.id),
    timeMs: 0,
    tree: EMPTY_TREE,
    configuration: group.first,
    configurations: [],
    nextMember: 2,
    nodes: Trie.empty(),
    ...NO_MEMORY,
  };
}

/** `entry` is the one behind `state`'s last; whatever it holds, nothing is thrown. */
export function evaluate(state: StrongState, entry: StrongEntry): Evaluation {
  assert(entry.index === state.index + 1, 'an entry out of its place');
  const { state: judged, outcome, asked = null } = judge(state, entry);
  const hash = entryHash(state.group.id, entry, state.entryHash);
  const leaf = { entry: hash, outcome: outcomeHash(outcome) };
  const { tree, hashes } = appended(state.tree, treeLeaf(leaf));
  const { index, term } = entry;
  return { state: { ...judged, index, term, entryHash: hash, tree }, outcome, leaf, hashes, asked };
}

interface Judged {
  readonly state: StrongState;
  readonly outcome: Outcome;
  readonly asked?: Asked;
}

function accepted(state: StrongState, effects: readonly Effect[]): Judged {
  return { state, outcome: { outcome: 'accepted', effects } };
}

function rejected(state: StrongState, { reason, winner }: Rejection): Judged {
  return { state, outcome: { outcome: 'rejected', reason, winner } };
}

function judge(state: StrongState, entry: StrongEntry): Judged {
  if (entry.data.byteLength === 0) {
    return entry.type === 'normal' ? accepted(state, []) : leave(state, entry.index);
  }
  const read = readOrNull(() => decodeEntryData(entry.data));
  if (read === null) return rejected(state, reject('malformed'));
  if (read.timeMs < state.timeMs) return rejected(state, reject('time'));
  return judgeSigned({ ...state, timeMs: read.timeMs }, entry, read.signed);
}

/** Raft's own entry, which ends a joint configuration. */
function leave(state: StrongState, index: number): Judged {
  if (!isJoint(state.configuration)) return rejected(state, reject('joint'));
  return configured(state, left(state.configuration, index));
}

function configured(state: StrongState, configuration: Configuration): Judged {
  const configurations = [...state.configurations, configuration.index];
  return accepted({ ...state, configuration, configurations }, [
    { effect: 'configured', configuration },
  ]);
}

function judgeSigned(state: StrongState, entry: StrongEntry, signed: SignedRequest): Judged {
  const idBytes = requestIdBytes(signed.bytes);
  const id = toHex(idBytes);
  const before = state.answered.get(id);
  if (before !== undefined) {
    const asked = { request: id, author: before.author, hlc: null };
    return { state, outcome: { outcome: 'repeat', first: before.index }, asked };
  }
  const request = readOrNull(() => decodeRequest(signed.bytes));
  if (request === null) return rejected(state, reject('malformed'));
  const isConfChange = entry.type === 'confChange';
  if (isConfChange !== configures(request)) return rejected(state, reject('type'));
  if (!isSignedBy(request.author, idBytes, signed)) return rejected(state, reject('signature'));
  const asked = { request: id, author: request.author, hlc: request.hlc };
  const stampMs = hlcMs(request.hlc);
  const late = untimely(state, request, stampMs);
  if (late !== null) return { ...rejected(state, reject(late)), asked };
  // From here on the answer is final: the same request again gets it, whatever has changed.
  const { timeMs } = state;
  const item = { key: id, index: entry.index, timeMs, author: request.author, hlcMs: stampMs };
  const remembering = { ...state, ...remember(state, item) };
  return { ...judgeRequest(remembering, entry.index, request), asked };
}

/** Why a request doesn't belong here and now; null if it does. */
function untimely(state: StrongState, { group, author }: Request, stampMs: number): Reason | null {
  if (group !== state.group.id) return 'group';
  if (stampMs < state.timeMs - STRONG_STAMP_AGE_MAX_MS) return 'stale';
  if (stampMs > state.timeMs + CLOCK_AHEAD_MAX_MS) return 'ahead';
  return isForgotten(state, author, stampMs) ? 'forgotten' : null;
}

function judgeRequest(state: StrongState, index: number, request: Request): Judged {
  const { group, timeMs } = state;
  const cap = heldCap(group, request.author, request.cap, request.caps, timeMs);
  if (cap === null) return rejected(state, reject('capability'));
  const rights = { cap, homes: homesOf(group, request) };
  const fault = rightsFault(group, rights, request);
  if (fault !== null) return rejected(state, reject(fault));
  const failed = failedExpectation(state.nodes, request.expects);
  if (failed !== null) return rejected(state, failed);
  const [first] = request.actions;
  if (first?.action === 'configure') return configure(state, index, first.changes);
  return act(state, { index, timeMs, request, rights });
}

function configure(state: StrongState, index: number, changes: readonly Change[]): Judged {
  if (isJoint(state.configuration)) return rejected(state, reject('joint'));
  if (!mayVote(state.group, changes, state.timeMs)) return rejected(state, reject('capability'));
  const change = changed(state.configuration, changes, index, state.nextMember);
  if (change === null) return rejected(state, reject('member'));
  return configured({ ...state, nextMember: change.nextMember }, change.configuration);
}

/** All actions, or none. */
function act(state: StrongState, acting: Acting): Judged {
  let { nodes } = state;
  const effects: Effect[] = [];
  for (const place of acting.request.actions.keys()) {
    const step = stepOf({ ...state, nodes }, place, acting);
    if (!step.ok) return rejected(state, step);
    nodes = step.nodes;
    effects.push(...step.effects);
  }
  return accepted({ ...state, nodes }, effects);
}

function stepOf({ nodes, configuration }: StrongState, place: number, acting: Acting): Step {
  const action = acting.request.actions[place];
  assert(action !== undefined, 'an action that is not there');
  switch (action.action) {
    case 'set':
      return write(nodes, action, acting);
    case 'create':
      return create(nodes, action, place, acting);
    case 'delete':
      return remove(nodes, action, acting);
    case 'release':
      return release(nodes, action);
    case 'claim':
      return claim(nodes, action, acting);
    case 'renew':
      return renew(nodes, action, acting);
    case 'unclaim':
      return unclaim(nodes, action, acting);
    case 'expire':
      return expire(nodes, action, acting, configuration);
    case 'configure':
      return reject('malformed'); // it stands alone, or its request couldn't be read
  }
}

function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof WnError && error.code === 'invalid') return null;
    throw error;
  }
}
