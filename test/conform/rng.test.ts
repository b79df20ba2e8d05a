/** The Rng suite over the system's randomness and the seeded one. */
import assert from 'node:assert/strict';
import { nodeRng } from '../../src/node/rng.js';
import { Seeded, SimRng } from '../sim/random.js';
import { describeRng } from './rng.js';

describeRng('real', () => nodeRng);
describeRng('simulated', () => new SimRng(7));

describe('seeded randomness', () => {
  it('is the same again from the same seed, and another from another', () => {
    const draw = (random: Seeded): unknown => [
      random.int(0, 1_000_000),
      random.bool(),
      random.float(),
      random.shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9]),
      Buffer.from(random.bytes(5)).toString('hex'),
      random.fork().int(0, 1_000_000),
    ];
    assert.deepEqual(draw(new Seeded(5)), draw(new Seeded(5)));
    assert.notDeepEqual(draw(new Seeded(5)), draw(new Seeded(6)));
  });

  it('stays within what was asked for, and comes to all of it', () => {
    const random = new Seeded(1);
    const seen = new Set(Array.from({ length: 500 }, () => random.int(-2, 3)));
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [-2, -1, 0, 1, 2, 3],
    );
    assert.deepEqual(random.shuffle([3, 1, 2]).sort(), [1, 2, 3]);
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
    assert.throws(() => random.pick([]), /nothing to pick/);
  });
});
