import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  majorityCommitted,
  majorityVote,
  quorumCommitted,
  quorumVote,
  type Quorum,
  type VoteResult,
} from '../../../src/consensus/raft/quorum.js';
import type { MemberId } from '../../../src/consensus/raft/types.js';

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 });
const acks = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.nat(20));
const votes = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.boolean());

function byId<T>(record: Record<string, T>): Map<MemberId, T> {
  return new Map(Object.entries(record).map(([id, value]) => [Number(id), value]));
}

/** Every set of voters that is a majority, by counting. */
function majorities(voters: readonly MemberId[]): readonly (readonly MemberId[])[] {
  const sets = [...Array(1 << voters.length).keys()].map((bits) =>
    voters.filter((_, at) => (bits & (1 << at)) !== 0),
  );
  return sets.filter((set) => set.length * 2 > voters.length);
}

/** The best of all majorities, each as good as its worst member. */
function naiveCommitted(voters: readonly MemberId[], acked: ReadonlyMap<MemberId, number>): number {
  if (voters.length === 0) return Infinity;
  return Math.max(
    ...majorities(voters).map((set) => Math.min(...set.map((id) => acked.get(id) ?? 0))),
  );
}

/** Won: some majority is all for it. Lost: no way of voting by the rest would win. */
function naiveVote(
  { voters, votersOutgoing }: Quorum,
  cast: ReadonlyMap<MemberId, boolean>,
): VoteResult {
  const wins = (of: readonly MemberId[], missing: boolean): boolean =>
    of.length === 0 || majorities(of).some((set) => set.every((id) => cast.get(id) ?? missing));
  const winsBoth = (missing: boolean): boolean =>
    wins(voters, missing) && wins(votersOutgoing, missing);
  if (winsBoth(false)) return 'won';
  return winsBoth(true) ? 'pending' : 'lost';
}

describe('raft: quorums', () => {
  it('commit what the best majority has, of both halves', () => {
    fc.assert(
      fc.property(ids, ids, acks, (voters, votersOutgoing, given) => {
        const acked = byId(given);
        const [incoming, outgoing] = [
          naiveCommitted(voters, acked),
          naiveCommitted(votersOutgoing, acked),
        ];
        assert.equal(
          majorityCommitted(voters, (id) => acked.get(id)),
          incoming,
        );
        assert.equal(
          quorumCommitted({ voters, votersOutgoing }, (id) => acked.get(id)),
          Math.min(incoming, outgoing),
        );
      }),
    );
  });

  it('win, lose or wait as all ways of voting on would have it', () => {
    fc.assert(
      fc.property(ids, ids, votes, (voters, votersOutgoing, given) => {
        const cast = byId(given);
        const joint = { voters, votersOutgoing };
        assert.equal(quorumVote(joint, cast), naiveVote(joint, cast));
        assert.equal(majorityVote(voters, cast), naiveVote({ voters, votersOutgoing: [] }, cast));
      }),
    );
  });
});
