/**
 * The words of strong commits that every part shares: the group and its members, requests,
 * outcomes, certificates, receipts, ledger records. Data only; the byte formats are
 * docs/CONSENSUS.md's, and who reads or writes one stands in the file named after it.
 * Leaves out Raft's own words (`../raft/types.ts`).
 */
import type { SignedCap } from '../../caps/cap.js';
import type { Canonical } from '../../core/canonical.js';
import type { Hlc } from '../../core/hlc.js';
import type { CapId, DeviceId, NodeId, WorkspaceId } from '../../core/ids.js';
import type { FieldPath, NodeType } from '../../core/op.js';
import type { StrongEffect } from '../../core/strong.js';

/** 32 bytes, hex: `H("wn/strong/1", ws)`. */
export type GroupId = string;
/** 32 bytes, hex: `H("wn/request/1", request)`. */
export type RequestId = string;
/** 8 bytes, hex: a data directory that may vote. The founder's is the epoch of genesis. */
export type Seat = string;
/** Of a member of the group; Raft's id for it too. Counts from 1, never given twice. */
export type MemberId = number;
/** The index of the entry that made a claim. */
export type Token = number;

/** What a workspace's first commit says about its group. */
export interface Genesis {
  readonly ws: WorkspaceId;
  readonly creator: DeviceId;
  readonly seat: Seat;
  /** The recovery key that genesis names. */
  readonly recovery: DeviceId | null;
  /** Canonical bytes of the genesis commit's header: their hash is `ws`. */
  readonly header: Uint8Array;
}

/** What never changes about a group; see `group.ts`. */
export interface Group {
  readonly id: GroupId;
  readonly ws: WorkspaceId;
  /** The root worknode. */
  readonly root: NodeId;
  /** What every chain of capabilities begins with. */
  readonly roots: readonly SignedCap[];
  /** One voter, the founder; index 0. */
  readonly first: Configuration;
}

export interface Member {
  readonly id: MemberId;
  readonly device: DeviceId;
  readonly seat: Seat;
  /** Where it is reached, as a remote's address is written; empty for the founder's at first. */
  readonly address: string;
}

/** Every list ascends by id. Joint iff `outgoing` isn't empty: then both majorities decide. */
export interface Configuration {
  /** Of the entry that made it; 0 for the first. */
  readonly index: number;
  readonly voters: readonly Member[];
  readonly outgoing: readonly Member[];
  readonly learners: readonly Member[];
}

/** One step on the chain of creation parents: what a worknode's id is computed from. */
export interface HomeStep {
  readonly device: DeviceId;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  readonly index: number;
}

/** A capability as it travels: its bytes and its issuer's signature (64 bytes). */
export interface CarriedBytes {
  readonly cap: Uint8Array;
  readonly sig: Uint8Array;
}

export type Change =
  /** `caps`: the chain, without roots, whose last gives the device `vote` at the root. */
  | { readonly change: 'add'; readonly member: Member; readonly caps: readonly CarriedBytes[] }
  | { readonly change: 'promote'; readonly id: MemberId }
  | { readonly change: 'remove'; readonly id: MemberId };

export type Action =
  /** `value` undefined unsets. `type`: number of the field type in the registry of `crdt`. */
  | {
      readonly action: 'set';
      readonly node: NodeId;
      readonly path: FieldPath;
      readonly type: number;
      readonly value: Canonical | undefined;
    }
  /** The new worknode's id: `createdId(request, index of the action)`. */
  | {
      readonly action: 'create';
      readonly parent: NodeId;
      readonly name: string;
      readonly type: NodeType;
    }
  | { readonly action: 'delete'; readonly node: NodeId }
  | { readonly action: 'release'; readonly node: NodeId; readonly path: FieldPath }
  /** The first of `nodes` that nobody has. */
  | { readonly action: 'claim'; readonly nodes: readonly NodeId[]; readonly leaseMs: number }
  | {
      readonly action: 'renew';
      readonly node: NodeId;
      readonly token: Token;
      readonly leaseMs: number;
    }
  | { readonly action: 'unclaim'; readonly node: NodeId; readonly token: Token }
  /** Void unless the claim has been renewed `renewal` times. */
  | {
      readonly action: 'expire';
      readonly node: NodeId;
      readonly token: Token;
      readonly renewal: number;
    }
  /** Alone in its request, and in an entry of Raft's kind for it. */
  | { readonly action: 'configure'; readonly changes: readonly Change[] };

export type Expectation =
  /** Owned, and the last accepted write there is that of entry `index`. */
  | {
      readonly expect: 'index';
      readonly node: NodeId;
      readonly path: FieldPath;
      readonly index: number;
    }
  /** Owned, and it has this value (undefined: it is unset). */
  | {
      readonly expect: 'value';
      readonly node: NodeId;
      readonly path: FieldPath;
      readonly value: Canonical | undefined;
    }
  /** Never owned, or released. */
  | { readonly expect: 'unowned'; readonly node: NodeId; readonly path: FieldPath }
  /** The claim on the worknode is this one. */
  | { readonly expect: 'token'; readonly node: NodeId; readonly token: Token };

export interface Request {
  readonly group: GroupId;
  readonly author: DeviceId;
  /** The capability that the author acts under. */
  readonly cap: CapId;
  /** Its whole chain from the first below a root down to itself; empty for a root. */
  readonly caps: readonly CarriedBytes[];
  readonly hlc: Hlc;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
  /** Of each worknode named: from the root's child down to it. The root needs none. */
  readonly homes: readonly (readonly HomeStep[])[];
  readonly actions: readonly Action[];
  readonly expects: readonly Expectation[];
}

/** A request as it travels and stands in an entry; see `request.ts`. */
export interface SignedRequest {
  readonly bytes: Uint8Array;
  /** Its place among the requests that its author signed together. */
  readonly leaf: number;
  readonly leaves: number;
  readonly siblings: readonly Uint8Array[];
  readonly sig: Uint8Array;
}

export type EntryType = 'normal' | 'confChange';

/** An entry of the log. `data` is empty, or `CBOR [time, signed]` (`entry.ts`). */
export interface StrongEntry {
  readonly index: number;
  readonly term: number;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** What an accepted entry does; it counts at that entry's index. */
export type Effect =
  StrongEffect | { readonly effect: 'configured'; readonly configuration: Configuration };

/** Who was first, where a rejection has one. */
export interface Winner {
  readonly index: number;
  readonly author: DeviceId;
  /** The value that it wrote; null where it wrote none, or one too long to be kept at hand. */
  readonly value: Canonical;
  /** The winner's entry's, milliseconds since 1970. */
  readonly timeMs: number;
}

export type Outcome =
  | { readonly outcome: 'accepted'; readonly effects: readonly Effect[] }
  | { readonly outcome: 'rejected'; readonly reason: Reason; readonly winner: Winner | null }
  /** The same request came before: its answer is that of entry `first`. */
  | { readonly outcome: 'repeat'; readonly first: number };

/** Why a request is rejected. They are hashed (format): none is renamed, none changes meaning. */
export type Reason =
  /** The entry isn't one that this version makes, or a bound is crossed. */
  | 'malformed'
  /** The entry's time is before that of the one before it. */
  | 'time'
  /** Its kind of entry isn't the one for what it asks. */
  | 'type'
  | 'signature'
  | 'group'
  /** Stamped more than 24 h before the entry's time. */
  | 'stale'
  /** Stamped more than 2 minutes after the entry's time. */
  | 'ahead'
  /** Not younger than a request of its author that is remembered no more: it may be one of those. */
  | 'forgotten'
  /** The capability cited doesn't hold at the entry's time, or belongs to another. */
  | 'capability'
  /** The capability lacks the right there. */
  | 'right'
  /** A worknode is named whose home isn't proven. */
  | 'home'
  /** Expectations: another write was the last; another value; owned; another claim or none. */
  | 'index'
  | 'value'
  | 'owned'
  | 'fenced'
  | 'deleted'
  /** The worknode to be created is there. */
  | 'exists'
  /** Every worknode that was to be claimed is claimed. */
  | 'claimed'
  /** What is to be released isn't owned. */
  | 'unowned'
  /** The author isn't who made the claim, nor (to expire it) a voter. */
  | 'owner'
  /** A change of configuration is under way. */
  | 'joint'
  /** The change of configuration names a member that isn't, is already, or can't be. */
  | 'member'
  /** The group holds as much as it may. */
  | 'full';

/** One voter's signature over (group, configuration, term, index, root). */
export interface Vote {
  readonly member: MemberId;
  /** Index of the configuration that it votes in. */
  readonly configuration: number;
  readonly term: number;
  readonly index: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly sig: Uint8Array;
}

/** A majority's votes for one root: entries 1 to `index` and their outcomes are settled. */
export interface Certificate {
  readonly configuration: number;
  /** That of entry `index`. */
  readonly term: number;
  readonly index: number;
  /** 32 bytes: RFC 6962 root over the leaves of entries 1 to `index`. */
  readonly root: Uint8Array;
  /** Ascending by member. */
  readonly signatures: readonly { readonly member: MemberId; readonly sig: Uint8Array }[];
}

/** That an entry with this outcome stands under a certificate. */
export interface Proof {
  readonly entry: StrongEntry;
  /** The hash of the entry before. */
  readonly prev: Uint8Array;
  readonly outcome: Outcome;
  /** What the tree's leaf is made of: hashes of the entry and of the outcome. */
  readonly leaf: { readonly entry: Uint8Array; readonly outcome: Uint8Array };
  /** Inclusion path in the tree of `certificate.index` leaves. */
  readonly siblings: readonly Uint8Array[];
  readonly certificate: Certificate;
}

/** A proof that needs nothing but the workspace's id, or a configuration that is pinned. */
export interface Receipt {
  readonly group: GroupId;
  /** Header of the genesis commit; its hash is the workspace's id. */
  readonly genesis: Uint8Array;
  readonly proof: Proof;
  /** Of each change of configuration up to that of `proof.certificate`, in order. */
  readonly history: readonly Proof[];
}

/** What `strong/log` holds and sync hands on. */
export type LedgerRecord =
  | { readonly record: 'entry'; readonly entry: StrongEntry }
  | { readonly record: 'certificate'; readonly certificate: Certificate };
