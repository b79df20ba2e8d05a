/**
 * Majorities, and pairs of them (joint consensus, thesis §4.3): what both have stored, and how
 * a vote stands. An empty majority agrees to everything, so that the half of a joint quorum
 * that is empty changes nothing. Pure.
 */
import type { Index, MemberId } from './types.js';

type Voters = readonly MemberId[];
/** Up to which index a member has acknowledged; undefined: it hasn't said. */
export type Acked = (id: MemberId) => Index | undefined;

/** The incoming and the outgoing voters; the latter are none unless the quorum is joint. */
export interface Quorum {
  readonly voters: Voters;
  readonly votersOutgoing: Voters;
}

export type VoteResult = 'pending' | 'lost' | 'won';

/** The largest index that a majority has acknowledged; infinite for no voters. */
export function majorityCommitted(voters: Voters, acked: Acked): Index {
  if (voters.length === 0) return Infinity;
  const indexes = voters.map((id) => acked(id) ?? 0).sort((a, b) => a - b);
  return indexes[Math.floor((voters.length - 1) / 2)] ?? 0;
}

/** The largest index that both majorities have acknowledged. */
export function quorumCommitted({ voters, votersOutgoing }: Quorum, acked: Acked): Index {
  return Math.min(majorityCommitted(voters, acked), majorityCommitted(votersOutgoing, acked));
}

export function majorityVote(voters: Voters, votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  if (voters.length === 0) return 'won';
  const needed = Math.floor(voters.length / 2) + 1;
  const granted = voters.filter((id) => votes.get(id) === true).length;
  const missing = voters.filter((id) => !votes.has(id)).length;
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

export function quorumVote(quorum: Quorum, votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  const incoming = majorityVote(quorum.voters, votes);
  const outgoing = majorityVote(quorum.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}
