/** What a leader learns from answers to its appends, and what it does about it. */
import type { Progress } from './progress.js';
import { releaseEarlyReads } from './readindex.js';
import { broadcastAppend, maybeCommit, sendAppend } from './replicate.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import type { Message } from './types.js';

export function handleAppendResponse(r: Raft, m: Message, progress: Progress): void {
  progress.recentActive = true;
  if (m.reject) handleRejection(r, m, progress);
  else handleAcceptance(r, m, progress);
}

/**
 * The member's log doesn't have the entry before those that were sent. Where it has term T at
 * the hint, it has none later than T before it; so no entry of this log that is later than T
 * can match, and the next probe skips them: at most one probe for each term.
 */
function handleRejection(r: Raft, m: Message, progress: Progress): void {
  const hint =
    m.logTerm > 0 ? r.log.findConflictByTerm(m.rejectHint, m.logTerm).index : m.rejectHint;
  if (!progress.maybeDecrease(m.index, hint)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(r, m.from);
}

function handleAcceptance(r: Raft, m: Message, progress: Progress): void {
  const advanced = progress.maybeUpdate(m.index);
  // Nothing new, but a probe that was answered tells where the logs match all the same.
  const found = progress.state === 'probe' && progress.match === m.index;
  if (!advanced && !found) return;
  resume(r, m, progress);
  if (maybeCommit(r)) {
    releaseEarlyReads(r);
    broadcastAppend(r);
  } else if (m.from !== r.id && progress.canBumpCommit(r.log.committed)) {
    sendAppend(r, m.from);
  }
  // The window has room again.
  if (m.from !== r.id) while (sendAppend(r, m.from, false));
  if (m.from === r.leadTransferee && progress.match === r.log.lastIndex()) {
    send(r, 'MsgTimeoutNow', m.from);
  }
}

function resume(r: Raft, m: Message, progress: Progress): void {
  switch (progress.state) {
    case 'probe':
      progress.becomeReplicate();
      break;
    case 'snapshot':
      // Whatever snapshot it was: the member can go on from this log.
      if (progress.match + 1 < r.log.firstIndex()) break;
      progress.becomeProbe();
      progress.becomeReplicate();
      break;
    case 'replicate':
      progress.inflights.freeTo(m.index);
      break;
  }
}
