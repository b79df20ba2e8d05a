import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NO_BYTES } from '../../../src/consensus/raft/messages.js';
import { changeConf } from '../../../src/consensus/raft/confchange.js';
import { LEAVE_JOINT } from '../../../src/consensus/raft/confcodec.js';
import {
  changed,
  left,
  raftChanges,
  raftConfState,
} from '../../../src/consensus/strong/configuration.js';
import { follows } from '../../../src/consensus/strong/receipt.js';
import { STRONG_MEMBERS_MAX } from '../../../src/core/limits.js';
import type { Change, Member, MemberId } from '../../../src/consensus/strong/types.js';
import { GROUP, memberOf } from './fixtures.js';

/** How many new members; by bits, which learners are promoted and which members go. */
const step = fc.record({ added: fc.nat(3), promoted: fc.nat(255), removed: fc.nat(255) });

const chosen = (members: readonly Member[], bits: number): MemberId[] =>
  members.filter((_, at) => (bits >> at) & 1).map(({ id }) => id);

describe('configurations', () => {
  it('change as Raft changes the same by an implicit transition, and follow from each other', () => {
    let [made, refused, removed] = [0, 0, 0];
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 8 }), (steps) => {
        let [configuration, next, index] = [GROUP.first, 2, 0];
        for (const { added, ...picks } of steps) {
          const { voters, learners } = configuration;
          const promoted = chosen(learners, picks.promoted);
          const gone = chosen([...voters, ...learners.slice(2)], picks.removed & 0b0110_1011);
          const changes: Change[] = [
            ...Array.from({ length: added }, (_, at) => ({
              change: 'add' as const,
              member: memberOf(next + at),
              caps: [],
            })),
            ...promoted.map((id) => ({ change: 'promote' as const, id })),
            ...gone.map((id) => ({ change: 'remove' as const, id })),
          ];
          const joint = changed(configuration, changes, ++index, next);
          if (joint === null) {
            refused++;
            continue;
          }
          made++;
          removed += gone.length;
          const raft = changeConf(raftConfState(configuration), {
            transition: 'implicit',
            changes: raftChanges(changes),
            context: NO_BYTES,
          });
          assert.deepEqual(raftConfState(joint.configuration), raft.conf);
          const after = left(joint.configuration, ++index);
          assert.deepEqual(raftConfState(after), changeConf(raft.conf, LEAVE_JOINT).conf);
          assert.ok(follows(configuration, joint.configuration));
          assert.ok(follows(joint.configuration, after));
          assert.ok(!follows(configuration, after));
          assert.ok(!follows(joint.configuration, { ...after, voters: [memberOf(99)] }));
          [configuration, next] = [after, joint.nextMember];
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(made > 200 && refused > 100 && removed > 30, `${made}, ${refused}, ${removed}`);
  });

  it(`have at most ${STRONG_MEMBERS_MAX} learners`, () => {
    const add = (count: number): Change[] =>
      Array.from({ length: count }, (_, at) => ({
        change: 'add',
        member: memberOf(2 + at),
        caps: [],
      }));
    assert.notEqual(changed(GROUP.first, add(STRONG_MEMBERS_MAX), 1, 2), null);
    assert.equal(changed(GROUP.first, add(STRONG_MEMBERS_MAX + 1), 1, 2), null);
  });
});
