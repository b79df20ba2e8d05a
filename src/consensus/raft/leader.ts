/** What a leader does with messages: takes proposals and reads, follows each member's progress. */
import { handleAppendResponse } from './acks.js';
import type { Progress } from './progress.js';
import { handleProposal } from './propose.js';
import { confirmReads, handleReadRequest } from './readindex.js';
import { broadcastHeartbeat, sendAppend } from './replicate.js';
import { becomeFollower } from './roles.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import { NONE, type Message, type StepResult } from './types.js';

export function stepLeader(r: Raft, m: Message): StepResult {
  switch (m.type) {
    case 'MsgBeat':
      broadcastHeartbeat(r);
      return 'ok';
    case 'MsgCheckQuorum':
      checkQuorum(r);
      return 'ok';
    case 'MsgProp':
      return handleProposal(r, m.entries);
    case 'MsgReadIndex':
      return handleReadRequest(r, m);
    default:
      break;
  }
  const progress = r.tracker.progress.get(m.from);
  if (progress !== undefined) stepMember(r, m, progress);
  return 'ok';
}

/** One that can't reach a quorum must not go on as leader (thesis §6.2). */
function checkQuorum(r: Raft): void {
  if (!r.tracker.quorumActive()) {
    r.settings.onNotice({ kind: 'quorumInactive' });
    becomeFollower(r, r.term, NONE);
  }
  for (const [id, progress] of r.tracker.progress) {
    if (id !== r.id) progress.recentActive = false;
  }
}

function stepMember(r: Raft, m: Message, progress: Progress): void {
  switch (m.type) {
    case 'MsgAppResp':
      handleAppendResponse(r, m, progress);
      break;
    case 'MsgHeartbeatResp':
      handleHeartbeatResponse(r, m, progress);
      break;
    case 'MsgSnapStatus':
      handleSnapshotStatus(m, progress);
      break;
    case 'MsgUnreachable':
      // What was sent ahead is probably lost.
      if (progress.state === 'replicate') progress.becomeProbe();
      break;
    case 'MsgTransferLeader':
      handleTransfer(r, m, progress);
      break;
    default:
      break;
  }
}

function handleHeartbeatResponse(r: Raft, m: Message, progress: Progress): void {
  progress.recentActive = true;
  progress.flowPaused = false;
  // Also to one that is up to date but probed, so that its answer ends the probing.
  if (progress.match < r.log.lastIndex() || progress.state === 'probe') sendAppend(r, m.from);
  confirmReads(r, m.from, m.reads);
}

function handleSnapshotStatus(m: Message, progress: Progress): void {
  if (progress.state !== 'snapshot') return;
  // One that failed is nothing to probe from.
  if (m.reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // The next append waits for the member's answer, or for a heartbeat's.
  progress.flowPaused = true;
}

/** Hands over to `m.from`; given up after an election time-out (thesis §3.10). */
function handleTransfer(r: Raft, m: Message, progress: Progress): void {
  const transferee = m.from;
  if (progress.isLearner || r.leadTransferee === transferee) return;
  r.leadTransferee = NONE;
  if (transferee === r.id) return;
  r.electionElapsed = 0;
  r.leadTransferee = transferee;
  if (progress.match === r.log.lastIndex()) send(r, 'MsgTimeoutNow', transferee);
  else sendAppend(r, transferee);
}
