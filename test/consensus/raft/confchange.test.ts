import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  changeConf,
  changeSimply,
  checkConfState,
  enterJoint,
  isJoint,
  leaveJoint,
} from '../../../src/consensus/raft/confchange.js';
import { decodeConfChange, encodeConfChange } from '../../../src/consensus/raft/confcodec.js';
import { NO_BYTES } from '../../../src/consensus/raft/messages.js';
import type { ConfChange, ConfChangeSingle, MemberId } from '../../../src/consensus/raft/types.js';
import { encodeCanonical } from '../../../src/core/canonical.js';
import { WnError } from '../../../src/core/errors.js';
import { RAFT_CONF_CHANGES_MAX } from '../../../src/core/limits.js';
import { conf } from './group.js';

const id = fc.integer({ min: 1, max: 6 });
const PLAIN = { noNullPrototype: true };
const single: fc.Arbitrary<ConfChangeSingle> = fc.record(
  { type: fc.constantFrom('voter', 'learner', 'remove', 'update'), id },
  PLAIN,
);
const change: fc.Arbitrary<ConfChange> = fc.record(
  {
    transition: fc.constantFrom('auto', 'implicit', 'explicit'),
    changes: fc.array(single, { maxLength: 5 }),
    context: fc.uint8Array({ maxLength: 5 }),
  },
  PLAIN,
);

/** Who votes and who learns once all changes are made, one after the other. */
function naive(voters: readonly MemberId[], changes: readonly ConfChangeSingle[]) {
  const roles = new Map<MemberId, 'voter' | 'learner'>(voters.map((voter) => [voter, 'voter']));
  for (const { type, id } of changes) {
    if (type === 'remove') roles.delete(id);
    else if (type !== 'update') roles.set(id, type);
  }
  const all = [...roles].sort(([a], [b]) => a - b);
  const of = (role: string) => all.filter(([, own]) => own === role).map(([member]) => member);
  return { voters: of('voter'), learners: of('learner') };
}

function isInvalid(error: unknown): boolean {
  return error instanceof WnError && error.code === 'invalid';
}

describe('raft: changes of configuration', () => {
  it('through a joint configuration end where single changes would', () => {
    fc.assert(
      fc.property(fc.array(single, { maxLength: 6 }), (changes) => {
        const before = conf([1, 2, 3]);
        const after = naive(before.voters, changes);
        fc.pre(after.voters.length > 0);
        const { conf: joint } = enterJoint(before, changes, false);
        checkConfState(joint);
        assert.deepEqual(joint.votersOutgoing, before.voters);
        const { conf: left } = leaveJoint(joint);
        checkConfState(left);
        assert.deepEqual(left, conf(after.voters, after.learners));
      }),
    );
  });

  it('make no more than one voter more or less without one', () => {
    fc.assert(
      fc.property(fc.array(single, { maxLength: 4 }), (changes) => {
        const after = naive([1, 2, 3], changes);
        const moved = [1, 2, 3, 4, 5, 6].filter(
          (member) => [1, 2, 3].includes(member) !== after.voters.includes(member),
        );
        if (after.voters.length === 0 || moved.length > 1) {
          assert.throws(() => changeSimply(conf([1, 2, 3]), changes), isInvalid);
        } else {
          const { conf: changed } = changeSimply(conf([1, 2, 3]), changes);
          assert.deepEqual(changed, conf(after.voters, after.learners));
        }
      }),
    );
  });

  it('keep configurations sound, whatever is asked in which order', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        let now = conf([1, 2, 3]);
        for (const asked of changes) {
          const before = now;
          try {
            now = changeConf(now, asked).conf;
          } catch (error) {
            assert.ok(isInvalid(error));
            continue;
          }
          checkConfState(now);
          assert.ok(now.voters.length > 0);
          // Never from one joint configuration to another: two quorums would not intersect.
          assert.ok(!isJoint(before) || !isJoint(now));
        }
      }),
    );
  });

  it('forget what was known of a member that is removed and added again', () => {
    const again: readonly ConfChangeSingle[] = [
      { type: 'remove', id: 3 },
      { type: 'voter', id: 3 },
    ];
    assert.deepEqual([...changeSimply(conf([1, 2, 3]), again).kept], [1, 2]);
    assert.deepEqual([...enterJoint(conf([1, 2, 3]), again, true).kept], [1, 2, 3]);
  });

  it('survive their encoding, and nothing else does', () => {
    fc.assert(
      fc.property(change, (asked) => {
        const decoded = decodeConfChange(encodeConfChange(asked));
        assert.deepEqual({ ...decoded, context: Uint8Array.from(decoded.context) }, asked);
      }),
    );
    for (const bytes of [
      Uint8Array.of(0xff),
      encodeCanonical([3, [], NO_BYTES]),
      encodeCanonical([0, [[4, 1]], NO_BYTES]),
      encodeCanonical([0, [[0, 1]]]),
    ]) {
      assert.throws(() => decodeConfChange(bytes), isInvalid);
    }
  });

  it(`have at most ${RAFT_CONF_CHANGES_MAX} parts`, () => {
    const parts = (length: number): ConfChange => ({
      transition: 'auto',
      changes: Array.from({ length }, (_, at) => ({ type: 'learner', id: at + 1 })),
      context: NO_BYTES,
    });
    const most = decodeConfChange(encodeConfChange(parts(RAFT_CONF_CHANGES_MAX)));
    assert.equal(most.changes.length, RAFT_CONF_CHANGES_MAX);
    assert.throws(() => encodeConfChange(parts(RAFT_CONF_CHANGES_MAX + 1)), isInvalid);
    const singles = Array.from({ length: RAFT_CONF_CHANGES_MAX + 1 }, () => [0, 1]);
    assert.throws(() => decodeConfChange(encodeCanonical([0, singles, NO_BYTES])), isInvalid);
  });
});
