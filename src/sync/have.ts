/**
 * Vectors: what a replica holds, as the newest head of each log. Pure set arithmetic,
 * the same on both sides, so that a vector can be named by its hash and told as a
 * difference. Heads are cut to 8 bytes: enough to tell a fork, not to prove one.
 */
import { encodeCanonical, type Canonical } from '../core/canonical.js';
import { fromHex } from '../core/bytes.js';
import { hash } from '../core/crypto.js';
import type { DeviceId, Epoch } from '../core/ids.js';
import { SYNC_BRANCHES_MAX } from '../core/limits.js';
import type { HaveEntry, SyncReads } from './store.js';

export const DEVICE_BYTES = 32;
export const EPOCH_BYTES = 8;
export const HEAD_BYTES = 8;

export interface Head {
  readonly seq: number;
  /** Hex of the first 8 bytes of the commit's id. */
  readonly head: string;
}

/** The heads of one log: one, several where it is forked, none where a difference says so. */
export interface LogHeads {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly heads: readonly Head[];
}

/** In ascending order of key, each log once. */
export type Vector = ReadonlyMap<string, LogHeads>;

export const EMPTY_VECTOR: Vector = new Map();

export function logKey(log: { readonly dev: DeviceId; readonly epoch: Epoch }): string {
  return log.dev + log.epoch;
}

/** Descending: the newest head comes first and survives the bound on branches. */
export function compareHeads(a: Head, b: Head): number {
  return b.seq - a.seq || (a.head < b.head ? -1 : a.head > b.head ? 1 : 0);
}

function inOrder(logs: Iterable<LogHeads>): Vector {
  const sorted = [...logs].map((log) => [logKey(log), log] as const);
  return new Map(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function vectorOf(entries: readonly HaveEntry[]): Vector {
  const logs = new Map<string, LogHeads & { heads: Head[] }>();
  for (const { dev, epoch, seq, head } of entries) {
    const key = logKey({ dev, epoch });
    const log = logs.get(key) ?? { dev, epoch, heads: [] };
    log.heads.push({ seq, head: head.slice(0, 2 * HEAD_BYTES) });
    logs.set(key, log);
  }
  const bounded = [...logs.values()].map((log) => ({
    ...log,
    heads: log.heads.sort(compareHeads).slice(0, SYNC_BRANCHES_MAX),
  }));
  return inOrder(bounded);
}

export function entriesOf(vector: Vector): readonly HaveEntry[] {
  return [...vector.values()].flatMap(({ dev, epoch, heads }) =>
    heads.map(({ seq, head }) => ({ dev, epoch, seq, head })),
  );
}

/** How a log's heads stand in messages and in the hash of a vector. */
export function encodeLogHeads(log: LogHeads): Canonical {
  return [
    fromHex(log.dev),
    fromHex(log.epoch),
    log.heads.map(({ seq, head }): Canonical => [seq, fromHex(head)]),
  ];
}

/** 32 bytes that name a vector: equal vectors, equal hash. */
export function vectorHash(vector: Vector): Uint8Array {
  return hash('wn/frontier/1', encodeCanonical([...vector.values()].map(encodeLogHeads)));
}

function sameHeads(a: readonly Head[], b: readonly Head[]): boolean {
  return (
    a.length === b.length &&
    a.every((head, at) => head.seq === b[at]?.seq && head.head === b[at]?.head)
  );
}

/** The logs of `vector` that `basis` says otherwise or not, and, without heads, those it lacks. */
export function difference(vector: Vector, basis: Vector): Vector {
  const changed = [...vector].flatMap(([key, log]) =>
    sameHeads(log.heads, basis.get(key)?.heads ?? []) ? [] : [log],
  );
  const gone = [...basis].flatMap(([key, log]) => (vector.has(key) ? [] : [{ ...log, heads: [] }]));
  return inOrder([...changed, ...gone]);
}

/** The vector that differs from `basis` by `delta`. */
export function applied(basis: Vector, delta: Vector): Vector {
  const logs = new Map([...basis, ...delta]);
  return inOrder([...logs.values()].filter((log) => log.heads.length > 0));
}

/** Heads, and logs without any: what a page and a vector are measured by. */
export function weight(logs: Iterable<LogHeads>): number {
  let sum = 0;
  for (const { heads } of logs) sum += Math.max(1, heads.length);
  return sum;
}

export function without(vector: Vector, keys: ReadonlySet<string>): Vector {
  return new Map([...vector].filter(([key]) => !keys.has(key)));
}

/** Whether who holds `a` holds all of `b`, as far as vectors tell: branches only count if named. */
export function covers(a: Vector, b: Vector): boolean {
  return [...b].every(([key, log]) => {
    const ours = a.get(key)?.heads ?? [];
    if (sameHeads(ours, log.heads)) return true;
    const [mine, theirs] = [ours[0], log.heads[0]];
    if (mine === undefined || theirs === undefined) return log.heads.length === 0;
    return ours.length === 1 && log.heads.length === 1 && mine.seq > theirs.seq;
  });
}

/**
 * What both hold after each has got what the other had. A log whose branches differ is
 * left out: the vector is a basis for differences, so it may say less than is true.
 */
export function merged(a: Vector, b: Vector): Vector {
  const logs: LogHeads[] = [];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [mine, theirs] = [a.get(key), b.get(key)];
    const either = mine ?? theirs;
    if (either === undefined) continue;
    if (mine === undefined || theirs === undefined || sameHeads(mine.heads, theirs.heads)) {
      logs.push(either);
      continue;
    }
    const [first, second] = [mine.heads[0], theirs.heads[0]];
    const single = mine.heads.length === 1 && theirs.heads.length === 1;
    if (!single || first === undefined || second === undefined || first.seq === second.seq)
      continue;
    logs.push(first.seq > second.seq ? mine : theirs);
  }
  return inOrder(logs);
}

/** A peer holds another commit than we do at this place: one of them forked the log. */
export interface ForkEvidence {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly held: readonly string[];
  /** The first 8 bytes of the peer's. */
  readonly claimed: string;
}

/** What a peer's vector says against ours: forks, and whether we hold all of it. */
export function compare(
  store: Pick<SyncReads, 'headsAt'>,
  peer: Vector,
): { readonly forks: readonly ForkEvidence[]; readonly allHeld: boolean } {
  const forks: ForkEvidence[] = [];
  let allHeld = true;
  for (const { dev, epoch, seq, head } of entriesOf(peer)) {
    const held = store.headsAt(dev, epoch, seq);
    if (held.some((id) => id.startsWith(head))) continue;
    allHeld = false;
    if (held.length > 0) forks.push({ dev, epoch, seq, held, claimed: head });
  }
  return { forks, allHeld };
}
