import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  inOrder,
  isForgotten,
  memoryOf,
  NO_MEMORY,
  remember,
  type Memory,
} from '../../../src/consensus/strong/answered.js';
import type { Answered } from '../../../src/consensus/strong/state.js';
import { CLOCK_AHEAD_MAX_MS, STRONG_STAMP_AGE_MAX_MS } from '../../../src/core/limits.js';
import { alice, bob } from './fixtures.js';

const key = (at: number): string => at.toString(16).padStart(4, '0').split('').reverse().join('');

function item(index: number, timeMs: number, change: Partial<Answered> = {}): Answered {
  return { key: key(index), index, timeMs, author: alice.publicKey, hlcMs: timeMs, ...change };
}

describe('answers remembered', () => {
  it('are the latest, in their order, as a list would keep them', () => {
    let dropped = 0;
    fc.assert(
      fc.property(
        fc.array(fc.nat(30_000_000), { maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (steps, most) => {
          let memory: Memory = NO_MEMORY;
          let model: Answered[] = [];
          let timeMs = 0;
          steps.forEach((step, index) => {
            timeMs += step;
            memory = remember(memory, item(index, timeMs), most);
            const since = timeMs - STRONG_STAMP_AGE_MAX_MS - CLOCK_AHEAD_MAX_MS;
            model = [...model, item(index, timeMs)]
              .filter((one) => one.timeMs >= since)
              .slice(-most);
            dropped += index + 1 - model.length;
            assert.deepEqual([...inOrder(memory.remembered)], model);
            assert.equal(memory.answered.size, model.length);
            for (const one of model) assert.equal(memory.answered.get(one.key)?.index, one.index);
          });
          const again = memoryOf([...inOrder(memory.remembered)], memory.floors);
          assert.deepEqual([...inOrder(again.remembered)], model);
        },
      ),
      { numRuns: 200 },
    );
    assert.ok(dropped > 100, `only ${dropped} dropped`);
  });

  it('that go for want of room raise the floor of their author alone', () => {
    let memory = remember(NO_MEMORY, item(1, 100, { hlcMs: 150 }), 2);
    memory = remember(memory, item(2, 101, { author: bob.publicKey }), 2);
    assert.ok(!isForgotten(memory, alice.publicKey, 0));
    memory = remember(memory, item(3, 102), 2);
    assert.ok(isForgotten(memory, alice.publicKey, 150));
    assert.ok(!isForgotten(memory, alice.publicKey, 151));
    assert.ok(!isForgotten(memory, bob.publicKey, 1));
  });
});
