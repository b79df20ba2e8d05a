/** What a follower does with messages: takes in what its leader sends, passes the rest on to it. */
import { hup } from './election.js';
import { restore } from './reconfigure.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import { NONE, type MemberId, type Message, type StepResult } from './types.js';

export function stepFollower(r: Raft, m: Message): StepResult {
  switch (m.type) {
    case 'MsgApp':
      follow(r, m.from);
      handleAppend(r, m);
      break;
    case 'MsgHeartbeat':
      follow(r, m.from);
      handleHeartbeat(r, m);
      break;
    case 'MsgSnap':
      follow(r, m.from);
      handleSnapshot(r, m);
      break;
    case 'MsgProp':
      if (r.lead === NONE) return 'noLeader';
      if (r.settings.disableProposalForwarding) return 'notForwarded';
      send(r, 'MsgProp', r.lead, { from: m.from, entries: m.entries });
      break;
    case 'MsgReadIndex':
      if (r.lead === NONE) return 'noLeader';
      send(r, 'MsgReadIndex', r.lead, { from: m.from, context: m.context });
      break;
    case 'MsgReadIndexResp':
      r.readStates.push({ index: m.index, context: m.context });
      break;
    case 'MsgTransferLeader':
      if (r.lead !== NONE) send(r, 'MsgTransferLeader', r.lead, { from: m.from });
      break;
    case 'MsgForgetLeader':
      r.lead = NONE;
      break;
    case 'MsgTimeoutNow':
      // No pre-vote: the leader itself asked, so there is nothing to find out.
      hup(r, 'transfer');
      break;
    default:
      break;
  }
  return 'ok';
}

function follow(r: Raft, lead: MemberId): void {
  r.electionElapsed = 0;
  r.lead = lead;
}

export function handleAppend(r: Raft, m: Message): void {
  const { log } = r;
  if (m.index < log.committed) {
    send(r, 'MsgAppResp', m.from, { index: log.committed });
    return;
  }
  const last = log.maybeAppend({ index: m.index, term: m.logTerm }, m.entries, m.commit);
  if (last !== null) {
    send(r, 'MsgAppResp', m.from, { index: last });
    return;
  }
  // All of the leader's log before `m.index` has terms up to `m.logTerm`, so the logs can't
  // match where this one's terms are later: the hint skips that.
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm);
  const { index: rejectHint, term: logTerm } = hint;
  send(r, 'MsgAppResp', m.from, { index: m.index, reject: true, rejectHint, logTerm });
}

export function handleHeartbeat(r: Raft, m: Message): void {
  r.log.commitTo(m.commit);
  send(r, 'MsgHeartbeatResp', m.from, { reads: m.reads });
}

export function handleSnapshot(r: Raft, m: Message): void {
  const restored = m.snapshot !== null && restore(r, m.snapshot);
  send(r, 'MsgAppResp', m.from, { index: restored ? r.log.lastIndex() : r.log.committed });
}
