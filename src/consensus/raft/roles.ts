/** How a member becomes follower, candidate or leader, and what it forgets by that. */
import { assert } from '../../core/errors.js';
import { NO_BYTES } from './messages.js';
import { appendEntries } from './propose.js';
import { Reads } from './reads.js';
import type { Raft } from './state.js';
import { traceNode } from './trace.js';
import { NONE, type MemberId, type Term } from './types.js';

export function becomeFollower(r: Raft, term: Term, lead: MemberId): void {
  reset(r, term);
  r.lead = lead;
  r.role = 'follower';
  traceNode(r, 'BecomeFollower');
}

/** Asks whether it could win, and changes neither term nor vote (thesis §9.6). */
export function becomePreCandidate(r: Raft): void {
  assert(r.role !== 'leader', 'a leader asked for votes');
  r.tracker.resetVotes();
  r.lead = NONE;
  r.role = 'preCandidate';
}

export function becomeCandidate(r: Raft): void {
  assert(r.role !== 'leader', 'a leader asked for votes');
  reset(r, r.term + 1);
  r.vote = r.id;
  r.role = 'candidate';
  traceNode(r, 'BecomeCandidate');
}

export function becomeLeader(r: Raft): void {
  assert(r.role === 'candidate', `a ${r.role} won an election`);
  reset(r, r.term);
  r.lead = r.id;
  r.role = 'leader';
  const own = r.tracker.progress.get(r.id);
  assert(own !== undefined, 'a leader that is no member');
  own.becomeReplicate();
  own.recentActive = true;
  // A change of configuration may stand anywhere in the tail: none is taken before all of it
  // is applied.
  r.pendingConfIndex = r.log.lastIndex();
  traceNode(r, 'BecomeLeader');
  // What is left of earlier terms commits with this entry, never by itself (Figure 8).
  appendEntries(r, [{ type: 'normal', data: NO_BYTES }]);
}

/** Forgets what belonged to a term or a role; the vote only with the term. */
function reset(r: Raft, term: Term): void {
  if (r.term !== term) {
    r.term = term;
    r.vote = NONE;
  }
  r.lead = NONE;
  r.electionElapsed = 0;
  r.heartbeatElapsed = 0;
  const { electionTick, random } = r.settings;
  r.randomizedElectionTimeout = electionTick + random(electionTick);
  r.leadTransferee = NONE;
  r.tracker.resetVotes();
  const last = r.log.lastIndex();
  for (const [id, progress] of r.tracker.progress) {
    progress.restart(id === r.id ? last : 0, last + 1);
  }
  r.pendingConfIndex = 0;
  r.uncommittedSize = 0;
  r.reads = new Reads();
  r.earlyReads = [];
}
