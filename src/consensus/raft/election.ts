/** Elections: when one begins, what is asked, who gets this member's vote (thesis §3.4, §9.6). */
import { voteResponseType } from './messages.js';
import { becomeCandidate, becomePreCandidate } from './roles.js';
import { send } from './send.js';
import { isPromotable, type Raft } from './state.js';
import { votersOf } from './confchange.js';
import type { Message } from './types.js';

/** `transfer`: the leader asked for it, so nobody's lease stands against it. */
export type Campaign = 'preElection' | 'election' | 'transfer';

/** Begins an election, unless this member leads, can't win or doesn't know its configuration. */
export function hup(r: Raft, campaignType: Campaign): void {
  if (r.role === 'leader') return;
  if (!isPromotable(r)) {
    r.settings.onNotice({ kind: 'unpromotable' });
    return;
  }
  if (hasUnappliedConfChange(r)) {
    r.settings.onNotice({ kind: 'confChangePending' });
    return;
  }
  campaign(r, campaignType);
}

/** A committed change that isn't applied: the configuration in force isn't the group's. */
function hasUnappliedConfChange({ log, settings }: Raft): boolean {
  let next = log.applied + 1;
  while (next <= log.committed) {
    const page = log.slice(next, log.committed + 1, settings.maxCommittedSizePerReady) ?? [];
    if (page.some(({ type }) => type === 'confChange')) return true;
    next += page.length;
  }
  return false;
}

export function campaign(r: Raft, campaignType: Campaign): void {
  const pre = campaignType === 'preElection';
  if (pre) becomePreCandidate(r);
  else becomeCandidate(r);
  const type = pre ? 'MsgPreVote' : 'MsgVote';
  // A pre-vote asks about the term that the election would have.
  const term = pre ? r.term + 1 : r.term;
  const last = r.log.lastId();
  for (const id of votersOf(r.tracker.conf)) {
    if (id === r.id) {
      // Its own vote counts once it is durable, like any other's.
      send(r, voteResponseType(type), id, { term });
    } else {
      const transfer = campaignType === 'transfer';
      send(r, type, id, { term, index: last.index, logTerm: last.term, transfer });
    }
  }
}

/**
 * Whether a vote for a later term is ignored because this member has heard from a leader
 * within an election time-out: one that was cut off can't depose it (thesis §4.2.3).
 */
export function holdsLease(r: Raft, { transfer }: Message): boolean {
  const inLease = r.lead !== 0 && r.electionElapsed < r.settings.electionTick;
  return r.settings.checkQuorum && inLease && !transfer;
}

/**
 * A learner votes too: it may have been made a voter by entries that it doesn't hold yet, and
 * without its vote nobody could win who would send them.
 */
export function handleVoteRequest(r: Raft, m: Message): void {
  const canVote =
    r.vote === m.from ||
    (r.vote === 0 && r.lead === 0) ||
    (m.type === 'MsgPreVote' && m.term > r.term);
  const response = voteResponseType(m.type);
  if (!canVote || !r.log.isUpToDate({ term: m.logTerm, index: m.index })) {
    send(r, response, m.from, { term: r.term, reject: true });
    return;
  }
  // In the term of the question: the one who asks for a pre-vote isn't in it yet either.
  send(r, response, m.from, { term: m.term });
  if (m.type === 'MsgVote') {
    r.electionElapsed = 0;
    r.vote = m.from;
  }
}
