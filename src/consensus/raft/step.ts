/** The one way in for messages and ticks: first a message's term, then what its type asks for. */
import { appliedEntries, appliedSnapshot } from './applied.js';
import { stepCandidate } from './candidate.js';
import { handleVoteRequest, holdsLease, hup } from './election.js';
import { stepFollower } from './follower.js';
import { stepLeader } from './leader.js';
import { newMessage } from './messages.js';
import { becomeFollower } from './roles.js';
import { send } from './send.js';
import { isPromotable, type Raft } from './state.js';
import { traceReceived } from './trace.js';
import { NONE, type Message, type StepResult } from './types.js';

/** One unit of time has passed. */
export function tick(r: Raft): void {
  r.electionElapsed++;
  if (r.role === 'leader') tickLeader(r);
  else if (isPromotable(r) && r.electionElapsed >= r.randomizedElectionTimeout) {
    r.electionElapsed = 0;
    step(r, newMessage('MsgHup', { from: r.id }));
  }
}

function tickLeader(r: Raft): void {
  r.heartbeatElapsed++;
  if (r.electionElapsed >= r.settings.electionTick) {
    r.electionElapsed = 0;
    if (r.settings.checkQuorum) step(r, newMessage('MsgCheckQuorum', { from: r.id }));
    // A transfer that took longer than that has failed: this leader takes proposals again.
    r.leadTransferee = NONE;
  }
  if (r.role === 'leader' && r.heartbeatElapsed >= r.settings.heartbeatTick) {
    r.heartbeatElapsed = 0;
    step(r, newMessage('MsgBeat', { from: r.id }));
  }
}

export function step(r: Raft, m: Message): StepResult {
  traceReceived(r, m);
  if (m.term > r.term) {
    if (!stepUp(r, m)) return 'ok';
  } else if (m.term !== 0 && m.term < r.term) {
    stepStale(r, m);
    return 'ok';
  }
  switch (m.type) {
    case 'MsgHup':
      hup(r, r.settings.preVote ? 'preElection' : 'election');
      return 'ok';
    case 'MsgStorageAppendResp':
      if (m.index !== 0) r.log.unstable.stableTo({ term: m.logTerm, index: m.index });
      if (m.snapshot !== null) appliedSnapshot(r, m.snapshot);
      return 'ok';
    case 'MsgStorageApplyResp':
      appliedEntries(r, m.entries);
      return 'ok';
    case 'MsgVote':
    case 'MsgPreVote':
      handleVoteRequest(r, m);
      return 'ok';
    default:
      return stepRole(r, m);
  }
}

function stepRole(r: Raft, m: Message): StepResult {
  switch (r.role) {
    case 'leader':
      return stepLeader(r, m);
    case 'follower':
      return stepFollower(r, m);
    case 'candidate':
    case 'preCandidate':
      return stepCandidate(r, m);
  }
}

/** A later term: this member enters it, unless it shouldn't; false if the message ends there. */
function stepUp(r: Raft, m: Message): boolean {
  const isVote = m.type === 'MsgVote' || m.type === 'MsgPreVote';
  if (isVote && holdsLease(r, m)) return false;
  // A pre-vote, and one that is granted, is of a term that nobody has entered.
  if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && !m.reject)) return true;
  const isLeaders = m.type === 'MsgApp' || m.type === 'MsgHeartbeat' || m.type === 'MsgSnap';
  becomeFollower(r, m.term, isLeaders ? m.from : NONE);
  return true;
}

/** An earlier term: nearly all of that is nothing to this member. */
function stepStale(r: Raft, m: Message): void {
  const { checkQuorum, preVote } = r.settings;
  if ((checkQuorum || preVote) && (m.type === 'MsgHeartbeat' || m.type === 'MsgApp')) {
    // A leader that this member has left behind, and can't depose by asking for votes, since
    // those would be ignored. The answer's term makes it step down.
    send(r, 'MsgAppResp', m.from);
  } else if (m.type === 'MsgPreVote') {
    // It may be ahead of the group in the term and behind in the log: silence could leave all
    // waiting for each other.
    send(r, 'MsgPreVoteResp', m.from, { term: r.term, reject: true });
  } else if (m.type === 'MsgStorageAppendResp' && m.snapshot !== null) {
    // Entries stored in an earlier term may be overwritten by an append that is still under
    // way, so they don't count as stable; a snapshot holds what was committed in any term.
    appliedSnapshot(r, m.snapshot);
  }
}
