/** How an exchange with one remote ended; of several attempts, all together. */
import type { WnError } from '../core/errors.js';
import type { HaveEntry } from '../repo/travel.js';

export interface RemoteEnd {
  readonly name: string;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly ms: number;
  /** Null: this side and the remote know that the other got everything. */
  readonly error: WnError | null;
  /** What it holds now; null where it hasn't said. */
  readonly holds: readonly HaveEntry[] | null;
  /** The device wasn't there: what it lacks, as far as is known, waits in its mailbox. */
  readonly mailbox: boolean;
}

/** Of a remote with which nothing was exchanged. */
export const NOTHING = {
  sent: 0,
  received: 0,
  bytes: 0,
  ms: 0,
  error: null,
  holds: null,
  mailbox: false,
};

/** Two attempts as one, which ended as the later did. */
export function together(before: RemoteEnd, after: RemoteEnd): RemoteEnd {
  return {
    ...after,
    sent: before.sent + after.sent,
    received: before.received + after.received,
    bytes: before.bytes + after.bytes,
    ms: before.ms + after.ms,
  };
}
