/**
 * What a sync session needs of a replica. Reads are queries that answer at once;
 * whatever waits for the disk is a promise, and only the driver calls it. Leaves out how
 * a replica stores, verifies and judges: see `repo` and `caps`.
 */
import type { CommitId, DeviceId, Epoch, WorkspaceId } from '../core/ids.js';
import type { Chunk, HaveEntry, Ingested, Rejection, Run } from '../repo/travel.js';

export type { Chunk, HaveEntry, Ingested, Rejection, Run };

/** What is kept about a peer after a good sync: it saves saying the same again. */
export interface Checkpoint {
  /** The protocol version that was spoken; the next session won't go below it. */
  readonly version: number;
  /** What the peer showed on admission. */
  readonly credential: Uint8Array;
  /** What both sides hold at least. */
  readonly have: readonly HaveEntry[];
}

export type Admission = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** The queries: synchronous, so that a session stays a pure function of its events. */
export interface SyncReads {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  have(): readonly HaveEntry[];
  /** The commits held at one place: none if it is beyond what is held, several where the log is forked. */
  headsAt(dev: DeviceId, epoch: Epoch, seq: number): readonly CommitId[];
  /**
   * Everything held at the time of the call beyond `have`, in causal order, cut into runs
   * that each end at a signature (best about every `SYNC_RUN_BYTES_TARGET`; never over
   * `SYNC_RUN_BYTES_MAX` or `SYNC_RUN_COMMITS_MAX`). Read lazily, while commits arrive.
   * An entry whose head isn't held but whose seq is beyond ours covers our whole log.
   */
  since(have: readonly HaveEntry[]): Iterable<Run>;
  /** At most `limit` hashes (hex, 32 bytes) of chunks that live content refers to and that aren't held. */
  blobsWanted(limit: number): readonly string[];
  readBlob(hash: string): Uint8Array | null;
  /** What this device shows on admission: its cap's id and chain. */
  credential(): Uint8Array;
  /** Judges what a peer shows; `device` is what the transport proved, null if it proves none. */
  admit(device: DeviceId | null, credential: Uint8Array): Admission;
  /** What the last good sync with this peer left; null if nothing did. */
  checkpoint(peer: DeviceId): Checkpoint | null;
}

export interface SyncStore extends SyncReads {
  /** Verifies and stores; durable when resolved. Throws only for faults of this side, as a full disk. */
  ingest(runs: readonly Run[]): Promise<Ingested>;
  /** Stores those that are what their hash says, durable when resolved. Gives how many aren't. */
  writeBlobs(chunks: readonly Chunk[]): Promise<number>;
  /** Need not be durable: a lost or stale checkpoint costs one more round trip. */
  remember(peer: DeviceId, checkpoint: Checkpoint): void;
}

/** What a bundle needs beyond that. */
export interface BundleSource extends Pick<SyncReads, 'workspace' | 'since' | 'readBlob'> {
  /** Hashes of the chunks held that commits beyond `have` refer to. */
  blobsSince(have: readonly HaveEntry[]): Iterable<string>;
}
