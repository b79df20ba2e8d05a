/** What travels between two replicas, and what came of it. Leaves out how: see `sync`. */
import type { CapId, CommitId, DeviceId, Epoch } from '../core/ids.js';

/**
 * Commits of one log, contiguous in seq; the last carries a signature. Payloads are
 * frames (`core/frame.ts`) as on disk; those of a received run are views of one larger
 * array, so a store that keeps one for long copies it.
 */
export interface Run {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly firstSeq: number;
  /** The commit before the first, and its capability; null where the log begins. */
  readonly prev: CommitId | null;
  readonly cap: CapId | null;
  readonly payloads: readonly Uint8Array[];
}

/** The newest commit held of one log; a forked log has one entry for each branch. */
export interface HaveEntry {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly seq: number;
  /** Hex; on the wire and in what comes from a peer, the first 8 bytes alone. */
  readonly head: string;
}

/** Content of files, cut by content, each under its hash. */
export interface Chunk {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface Rejection {
  readonly what: string;
  readonly why: string;
}

export interface Ingested {
  /** Commits that were new and are stored. */
  readonly added: number;
  /** Of the commits given, those that wait for others or for their time. */
  readonly pending: number;
  readonly rejected: readonly Rejection[];
  /** Forks that these runs prove and that weren't known. */
  readonly forks: number;
}
