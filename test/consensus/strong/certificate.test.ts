import assert from 'node:assert/strict';
import { toHex } from '../../../src/core/bytes.js';
import {
  castVote,
  certificateFault,
  decodeCertificate,
  decodeVote,
  encodeCertificate,
  encodeVote,
  mayVoteFor,
  type Ballot,
} from '../../../src/consensus/strong/certificate.js';
import {
  decodeEvidence,
  encodeEvidence,
  liarOf,
  proves,
  type Evidence,
} from '../../../src/consensus/strong/evidence.js';
import { Tally, type Taken } from '../../../src/consensus/strong/tally.js';
import type { Configuration, MemberId, Vote } from '../../../src/consensus/strong/types.js';
import { GROUP, memberKey, memberOf } from './fixtures.js';

const members = (...ids: readonly MemberId[]): ReturnType<typeof memberOf>[] => ids.map(memberOf);
const THREE: Configuration = {
  index: 4,
  voters: members(1, 2, 3),
  outgoing: [],
  learners: members(4),
};
const JOINT: Configuration = {
  ...THREE,
  voters: members(4, 5, 6),
  outgoing: members(1, 2, 3),
  learners: [],
};
const ROOT = new Uint8Array(32).fill(7);

function vote(member: MemberId, change: Partial<Ballot> = {}, configuration = THREE): Vote {
  const ballot = { configuration: configuration.index, term: 2, index: 9, root: ROOT, ...change };
  return castVote(GROUP.id, configuration, member, ballot, memberKey(member));
}

const certificate = (...votes: readonly Vote[]): Parameters<typeof encodeCertificate>[0] => {
  const { configuration, term, index, root } = votes[0] ?? vote(1);
  const signatures = votes.map(({ member, sig }) => ({ member, sig }));
  return { configuration, term, index, root, signatures };
};

const kind = (taken: Taken): string => (taken.taken === 'refused' ? taken.why : taken.taken);

describe('what a voter may sign', () => {
  const last = { configuration: 4, term: 2, index: 9, root: ROOT };
  const other = new Uint8Array(32).fill(8);

  for (const [what, next, may] of [
    ['the same again', last, true],
    ['another root for the same place', { ...last, root: other }, false],
    ['the same place in another configuration', { ...last, configuration: 5 }, false],
    ['a later entry', { ...last, index: 10, root: other }, true],
    ['an earlier entry', { ...last, index: 8, root: other }, false],
    ['an earlier entry of a later term', { ...last, term: 3, index: 5, root: other }, true],
    ['a later entry of an earlier term', { ...last, term: 1, index: 10 }, false],
  ] as const) {
    it(`${what}: ${may ? 'yes' : 'no'}`, () => assert.equal(mayVoteFor(last, next), may));
  }

  it('anything at first', () => assert.ok(mayVoteFor(null, last)));
});

describe('certificates', () => {
  it('hold with a majority of the voters, say the same after encoding, and name what is wrong', () => {
    const fault = (...votes: readonly Vote[]): string | null =>
      certificateFault(GROUP.id, THREE, certificate(...votes));
    assert.equal(fault(vote(1), vote(3)), null);
    assert.equal(fault(vote(1)), 'minority');
    assert.equal(fault(vote(1), vote(1)), 'duplicate_signer');
    const [made, one] = [certificate(vote(1), vote(2)), vote(1)];
    assert.deepEqual(decodeCertificate(encodeCertificate(made)), made);
    assert.deepEqual(decodeVote(encodeVote(one)), one);
    const as = (member: MemberId): Vote => ({ ...vote(2), member });
    assert.equal(fault(vote(1), as(3)), 'forged_signature');
    assert.equal(fault(vote(1), vote(2), as(4)), 'learner_signer');
    assert.equal(fault(vote(1), vote(2), as(9)), 'unknown_signer');
    const later = { ...made, configuration: 5 };
    assert.equal(certificateFault(GROUP.id, THREE, later), 'wrong_configuration');
    assert.equal(certificateFault('ab'.repeat(32), THREE, made), 'forged_signature');
  });

  for (const part of ['term', 'index'] as const) {
    it(`sign their ${part}`, () => {
      const made = certificate(vote(1), vote(2));
      const changed = { ...made, [part]: made[part] + 1 };
      assert.equal(certificateFault(GROUP.id, THREE, changed), 'forged_signature');
    });
  }

  it('sign the whole configuration, not its index alone', () => {
    const moved = { ...THREE, learners: [] };
    assert.equal(
      certificateFault(GROUP.id, moved, certificate(vote(1), vote(2))),
      'forged_signature',
    );
  });

  it('of a joint configuration need both majorities', () => {
    const fault = (...ids: readonly MemberId[]): string | null => {
      const votes = ids.map((id) => vote(id, {}, JOINT));
      return certificateFault(GROUP.id, JOINT, certificate(...votes));
    };
    assert.equal(fault(1, 2, 4, 5), null);
    assert.equal(fault(1, 2, 3, 4), 'one_majority');
    assert.equal(fault(4, 5, 6), 'one_majority');
    assert.equal(fault(1, 4), 'minority');
  });
});

describe('votes', () => {
  it('make a certificate once they are a majority, each counted once', () => {
    const tally = new Tally(GROUP.id, THREE);
    assert.equal(kind(tally.take(vote(1))), 'counted');
    assert.equal(kind(tally.take(vote(1))), 'late');
    const taken = tally.take(vote(3));
    assert.ok(taken.taken === 'certified');
    assert.equal(certificateFault(GROUP.id, THREE, taken.certificate), null);
    assert.equal(kind(tally.take(vote(2, { index: 8 }))), 'late');
  });

  it('for different entries or roots are not added up', () => {
    const tally = new Tally(GROUP.id, THREE);
    const others = [vote(1), vote(2, { index: 10 }), vote(3, { root: new Uint8Array(32) })];
    for (const one of others) assert.equal(kind(tally.take(one)), 'counted');
  });

  it('are refused from a learner, of another configuration, and unsigned', () => {
    const tally = new Tally(GROUP.id, THREE);
    assert.equal(kind(tally.take({ ...vote(1), member: 4 })), 'not_a_voter');
    assert.equal(kind(tally.take({ ...vote(1), configuration: 3 })), 'configuration');
    assert.equal(kind(tally.take({ ...vote(1), member: 2 })), 'signature');
  });

  it('that contradict each other are proof against their voter, also after the certificate', () => {
    const tally = new Tally(GROUP.id, THREE);
    tally.take(vote(1));
    tally.take(vote(2));
    const taken = tally.take(vote(2, { root: new Uint8Array(32) }));
    assert.ok(taken.taken === 'evidence');
    const read = decodeEvidence(encodeEvidence(taken.evidence));
    assert.equal(toHex(encodeEvidence(read)), toHex(encodeEvidence(taken.evidence)));
    assert.ok(proves(read));
    assert.equal(liarOf(read), memberKey(2).publicKey);
  });
});

describe('evidence', () => {
  const other = new Uint8Array(32).fill(8);
  const against = (first: Vote, second: Vote): Evidence => ({
    evidence: 'votes',
    group: GROUP.id,
    configuration: THREE,
    votes: [first, second],
  });

  for (const [what, evidence] of [
    ['two votes alike', against(vote(2), vote(2))],
    ['votes of two voters', against(vote(1), vote(2, { root: other }))],
    ['votes in two terms', against(vote(2), vote(2, { term: 3, root: other }))],
    ['a vote that it did not sign', against(vote(2), { ...vote(2), root: other })],
  ] as const) {
    it(`proves nothing: ${what}`, () => assert.ok(!proves(evidence)));
  }

  it('of two certificates holds only where both hold, for one index and two roots', () => {
    const first = certificate(vote(1), vote(2));
    const second = certificate(vote(2, { root: other }), vote(3, { root: other }));
    const pair = (certificates: readonly [typeof first, typeof first]): Evidence => ({
      evidence: 'certificates',
      group: GROUP.id,
      configurations: [THREE, THREE],
      certificates,
    });
    const evidence = pair([first, second]);
    assert.ok(proves(evidence));
    assert.ok(proves(decodeEvidence(encodeEvidence(evidence))));
    assert.ok(!proves(pair([first, first])));
    assert.ok(!proves(pair([first, { ...second, index: 10 }])));
    assert.ok(!proves(pair([first, certificate(vote(3, { root: other }))])));
  });
});
