/** What follows from applied entries and snapshots: a joint configuration may be left. */
import { entriesSize } from './entries.js';
import { NO_BYTES } from './messages.js';
import { handleProposal, reduceUncommittedSize } from './propose.js';
import type { Raft } from './state.js';
import type { Entry, Index, Snapshot } from './types.js';

export function appliedEntries(r: Raft, entries: readonly Entry[]): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(r, last.index, entriesSize(entries));
  reduceUncommittedSize(r, entries);
}

export function appliedSnapshot(r: Raft, { metadata: { index } }: Snapshot): void {
  r.log.unstable.stableSnapshotTo(index);
  appliedTo(r, index, 0);
}

function appliedTo(r: Raft, index: Index, bytes: number): void {
  const applied = Math.max(index, r.log.applied);
  r.log.appliedTo(applied, bytes);
  if (r.role !== 'leader' || !r.tracker.conf.autoLeave || applied < r.pendingConfIndex) return;
  // Refused only while leadership is handed over: then the new leader leaves it, or, if that
  // fails, this one at the next applied entry.
  handleProposal(r, [{ term: 0, index: 0, type: 'confChange', data: NO_BYTES }]);
}
