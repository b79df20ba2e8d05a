/** Touches in runs, beside a plain sorted list. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Tables } from '../../../src/repo/index/tables.js';
import { TouchLog, touchesOf, type Touch } from '../../../src/repo/index/touches.js';
import { SimKeyValue } from '../../sim/keyvalue.js';

const NODES = ['0a'.repeat(16), '0b'.repeat(16)] as const;
const START = 1_790_000_000_000n << 16n;

function inOrder(touches: readonly Touch[]): readonly Touch[] {
  return [...touches].sort((a, b) =>
    a.time === b.time ? a.log - b.log : a.time < b.time ? -1 : 1,
  );
}

const STEP = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ node: fc.constantFrom(...NODES), log: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
);

describe('repo/index/touches', () => {
  it('are all there, in the order of time, however runs overlap', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 200 }), (steps) => {
        const tables = new Tables(new SimKeyValue());
        const log = new TouchLog(tables);
        const model = new Map<string, Touch[]>(NODES.map((node) => [node, []]));
        steps.forEach((step, index) => {
          if (step === 'flush') return tables.flush();
          // Clocks that differ: the times of one log rise, those of another are elsewhere.
          const time = START + BigInt(index + step.log * 7);
          const touch = { time, log: step.log, seq: index };
          log.note(step.node, touch);
          model.get(step.node)?.push(touch);
        });
        for (const node of NODES) {
          assert.deepEqual(touchesOf(tables, node), inOrder(model.get(node) ?? []));
        }
      }),
    );
  });

  it('fill more runs than one, each of a bounded size', () => {
    const store = new SimKeyValue();
    const tables = new Tables(store);
    const log = new TouchLog(tables);
    const touches = Array.from({ length: 1_000 }, (_, seq) => ({
      time: START + BigInt(seq),
      log: 1,
      seq,
    }));
    for (const touch of touches) log.note(NODES[0], touch);
    tables.flush();
    const pairs = [...store.range({ from: Uint8Array.of(0), to: Uint8Array.of(255) })];
    assert.equal(pairs.length, Math.ceil(1_000 / 64));
    assert.ok(pairs.every(([, run]) => run.byteLength <= 64 * 14));
    assert.deepEqual(touchesOf(tables, NODES[0]), touches);
  });

  it('of a log that stamps backwards replace none that are there', () => {
    const tables = new Tables(new SimKeyValue());
    const log = new TouchLog(tables);
    const first = { time: START, log: 1, seq: 0 };
    const second = { time: START + 1n, log: 1, seq: 1 };
    const again = { time: START, log: 1, seq: 2 };
    log.note(NODES[0], first);
    log.note(NODES[0], second);
    tables.flush();
    log.note(NODES[0], again);
    assert.deepEqual(touchesOf(tables, NODES[0]), [first, again, second]);
  });

  it('that were discarded are forgotten', () => {
    const tables = new Tables(new SimKeyValue());
    const log = new TouchLog(tables);
    log.note(NODES[0], { time: START, log: 1, seq: 0 });
    tables.discard();
    const kept = { time: START + 1n, log: 1, seq: 1 };
    log.note(NODES[0], kept);
    assert.deepEqual(touchesOf(tables, NODES[0]), [kept]);
  });
});
