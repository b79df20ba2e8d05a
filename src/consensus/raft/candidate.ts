/** What a candidate and a pre-candidate do with messages: count votes, yield to a leader. */
import { campaign } from './election.js';
import { handleAppend, handleHeartbeat, handleSnapshot } from './follower.js';
import { broadcastAppend } from './replicate.js';
import { becomeFollower, becomeLeader } from './roles.js';
import type { Raft } from './state.js';
import { NONE, type Message, type StepResult } from './types.js';

export function stepCandidate(r: Raft, m: Message): StepResult {
  switch (m.type) {
    // A leader of this very term: the election is over.
    case 'MsgApp':
      becomeFollower(r, m.term, m.from);
      handleAppend(r, m);
      break;
    case 'MsgHeartbeat':
      becomeFollower(r, m.term, m.from);
      handleHeartbeat(r, m);
      break;
    case 'MsgSnap':
      becomeFollower(r, m.term, m.from);
      handleSnapshot(r, m);
      break;
    case 'MsgPreVoteResp':
      // As a candidate it may still get answers to what it asked before.
      if (r.role === 'preCandidate') countVote(r, m);
      break;
    case 'MsgVoteResp':
      if (r.role === 'candidate') countVote(r, m);
      break;
    case 'MsgProp':
    case 'MsgReadIndex':
      return 'noLeader';
    default:
      break;
  }
  return 'ok';
}

function countVote(r: Raft, m: Message): void {
  r.tracker.recordVote(m.from, !m.reject);
  switch (r.tracker.tally()) {
    case 'won':
      if (r.role === 'preCandidate') {
        campaign(r, 'election');
      } else {
        becomeLeader(r);
        broadcastAppend(r);
      }
      break;
    case 'lost':
      // An answer to a pre-vote is of a term that nobody is in yet; this member stays in its own.
      becomeFollower(r, r.term, NONE);
      break;
    case 'pending':
      break;
  }
}
