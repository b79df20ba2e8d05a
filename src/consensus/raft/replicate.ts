/** What a leader sends to bring the members' logs in step: appends, snapshots, heartbeats. */
import { assert } from '../../core/errors.js';
import { payloadsSize } from './entries.js';
import type { Progress } from './progress.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import { traceNode } from './trace.js';
import type { MemberId } from './types.js';

/**
 * Sends what the member is due next, if it may be sent anything now. Without `sendIfEmpty` no
 * message without entries goes out; one with none still tells the commit index. Returns
 * whether a message was sent.
 */
export function sendAppend(r: Raft, to: MemberId, sendIfEmpty = true): boolean {
  const progress = r.tracker.progress.get(to);
  assert(progress !== undefined, `an append to ${to}, which is no member`);
  if (progress.paused) return false;
  const index = progress.next - 1;
  const logTerm = r.log.term(index);
  if (logTerm === null) return sendSnapshot(r, to, progress);

  // Into a full window goes an empty append, so that one whose appends were all lost answers.
  const blocked = progress.state === 'replicate' && progress.inflights.full;
  const entries = blocked ? [] : r.log.entries(progress.next, r.settings.maxSizePerMsg);
  if (entries?.length === 0 && !sendIfEmpty) return false;
  if (entries === null) return sendSnapshot(r, to, progress);
  send(r, 'MsgApp', to, { index, logTerm, entries, commit: r.log.committed });
  progress.sentEntries(entries.length, payloadsSize(entries));
  progress.sentCommit(r.log.committed);
  return true;
}

/** For one whose next entry was compacted away. Not for one that may be dead. */
function sendSnapshot(r: Raft, to: MemberId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  const snapshot = r.log.snapshot();
  if (snapshot === null) return false;
  assert(snapshot.metadata.index > 0, 'the log was compacted without a snapshot');
  progress.becomeSnapshot(snapshot.metadata.index);
  send(r, 'MsgSnap', to, { snapshot });
  return true;
}

export function broadcastAppend(r: Raft): void {
  for (const id of r.tracker.progress.keys()) if (id !== r.id) sendAppend(r, id);
}

/** Asks all for a sign of life, and whether they still follow: for the reads that wait. */
export function broadcastHeartbeat(r: Raft): void {
  const reads = r.reads.asked;
  for (const [id, progress] of r.tracker.progress) {
    if (id === r.id) continue;
    // Never beyond what the member is known to have: the rest of its log may be another's.
    const commit = Math.min(progress.match, r.log.committed);
    send(r, 'MsgHeartbeat', id, { commit, reads });
    progress.sentCommit(commit);
  }
}

/** Commits what a quorum has stored, if it is of this term. */
export function maybeCommit(r: Raft): boolean {
  const advanced = r.log.maybeCommit({ term: r.term, index: r.tracker.committed() });
  traceNode(r, 'Commit');
  return advanced;
}
