/**
 * The state that the strong log comes to, as data. Immutable: it may be kept, forked at any
 * entry and dropped at no cost. Leaves out how an entry changes it (`evaluate.ts`).
 */
import type { Canonical } from '../../core/canonical.js';
import type { DeviceId } from '../../core/ids.js';
import type { FieldPath } from '../../core/op.js';
import type { Frontier } from './merkle.js';
import type { Trie } from './trie.js';
import type { Configuration, Group, MemberId, RequestId, Token, Winner } from './types.js';

/** The last accepted write of one field. */
export interface Owned {
  readonly path: FieldPath;
  readonly type: number;
  readonly value: KeptValue;
  readonly index: number;
  readonly author: DeviceId;
  readonly timeMs: number;
  readonly released: boolean;
}

/** A long value is kept as its hash: the ledger has it at the index of its write. */
export type KeptValue =
  | { readonly kept: 'whole'; readonly value: Canonical }
  | { readonly kept: 'hash'; readonly hash: Uint8Array }
  | { readonly kept: 'unset' };

export interface Claim {
  readonly token: Token;
  readonly owner: DeviceId;
  readonly leaseMs: number;
  readonly renewal: number;
  /** When it was made. */
  readonly timeMs: number;
}

export interface NodeState {
  /** Index of the entry that created it; null if it was born outside the strong log. */
  readonly created: number | null;
  readonly deleted: Winner | null;
  /** By `fieldKey`. */
  readonly fields: ReadonlyMap<string, Owned>;
  readonly claim: Claim | null;
}

/** A request that was answered: the same one again is a repeat. */
export interface Answered {
  /** The request's id. */
  readonly key: RequestId;
  readonly index: number;
  readonly timeMs: number;
  readonly author: DeviceId;
  readonly hlcMs: number;
}

/**
 * What the log up to `index` comes to. Equal states have equal bytes (`snapshot.ts`).
 */
export interface StrongState {
  readonly group: Group;
  /** Of the last entry evaluated; 0 before the first. */
  readonly index: number;
  readonly term: number;
  readonly entryHash: Uint8Array;
  /** The last entry's; it never goes back. */
  readonly timeMs: number;
  /** Over the leaves of all entries up to `index`. */
  readonly tree: Frontier;
  /** The one that the next entry is certified under. */
  readonly configuration: Configuration;
  /** Indexes of the entries that made one, ascending. */
  readonly configurations: readonly number[];
  readonly nextMember: MemberId;
  readonly nodes: Trie<NodeState>;
  readonly answered: Trie<Answered>;
  /** The same in the order of their entries: the oldest are forgotten first. */
  readonly remembered: Remembered;
  /** By author: the greatest stamp (ms) of its requests that were forgotten for want of room. */
  readonly floors: Trie<number>;
}

/** A persistent queue (Okasaki 1998, §5.2): `back` is the newest first. */
export interface Remembered {
  readonly front: Cell | null;
  readonly back: Cell | null;
}

export interface Cell {
  readonly item: Answered;
  readonly next: Cell | null;
}
