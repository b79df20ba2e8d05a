/**
 * What goes into a session and what comes out. Effects are to be carried out in the
 * order given; a session acknowledges what it got only when it has been told that it is
 * stored, so no order between storing and sending needs care.
 */
import type { WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import type { ForkEvidence } from './have.js';
import type { Checkpoint, Chunk, HaveEntry, Ingested, Rejection, Run } from './store.js';

export type SyncEvent =
  /** The channel is there. First, and once. */
  | { readonly on: 'open' }
  | { readonly on: 'frame'; readonly frame: Uint8Array }
  /** What the effect `ingest` asked for is durable. */
  | { readonly on: 'ingested'; readonly result: Ingested }
  /** What the effect `keep` asked for is durable, but for chunks that weren't what their hash says. */
  | { readonly on: 'kept'; readonly refused: number }
  /** The store failed: a fault of this side. */
  | { readonly on: 'storeFailed'; readonly error: WnError }
  /** The channel has ended. */
  | { readonly on: 'closed'; readonly why: string | null }
  | { readonly on: 'timeout' }
  /** Something new is here that the peer may lack. */
  | { readonly on: 'news' }
  /** Nothing has been sent for a while. */
  | { readonly on: 'quiet' }
  | { readonly on: 'abort' };

export type SyncEffect =
  | { readonly do: 'send'; readonly frame: Uint8Array }
  /** Store these; never asked for again before the answer. */
  | { readonly do: 'ingest'; readonly runs: readonly Run[] }
  | { readonly do: 'keep'; readonly chunks: readonly Chunk[] }
  | { readonly do: 'reportFork'; readonly evidence: ForkEvidence }
  | { readonly do: 'remember'; readonly peer: DeviceId; readonly checkpoint: Checkpoint }
  /** The exchange is through, and the session stays. */
  | { readonly do: 'settled'; readonly outcome: SyncOutcome }
  /** Since the last of these, so many commits and chunks were stored here, and commits of ours there. */
  | {
      readonly do: 'moved';
      readonly received: number;
      readonly chunks: number;
      readonly acknowledged: number;
    }
  /** Last: send what was asked to be sent, then close. */
  | { readonly do: 'end'; readonly outcome: SyncOutcome };

/** How a session went. Commits and chunks in `received` are stored, whatever the error. */
export interface SyncOutcome {
  /** The peer by its own word; the transport's, where it proves one, is equal. Null before it spoke. */
  readonly peer: DeviceId | null;
  /** Null: both sides know that the other got everything. */
  readonly error: WnError | null;
  readonly sent: number;
  readonly received: number;
  readonly pending: number;
  /** At most `SYNC_REJECTED_MAX` and those of one more ingest. */
  readonly rejected: readonly Rejection[];
  readonly blobsSent: number;
  readonly blobsReceived: number;
  /** Chunks that the peer doesn't hold either. */
  readonly blobsAbsent: number;
  /** Forks that were proven by what came in. */
  readonly forksProven: number;
  /** The peer holds less than after the last sync with it: restored, or lying. */
  readonly wentBack: boolean;
  /** What the peer holds now, as far as it is known; null where it hasn't said. */
  readonly peerHave: readonly HaveEntry[] | null;
}
