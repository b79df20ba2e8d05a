import assert from 'node:assert/strict';
import { atMost, atOnce } from '../../src/cli/pool.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that goes on until it is told to end. */
function heldWork() {
  const ends = new Map<number, (error?: Error) => void>();
  const work = (each: number): Promise<string> =>
    new Promise((resolve, reject) => {
      ends.set(each, (error) => (error === undefined ? resolve(`did ${each}`) : reject(error)));
    });
  return { work, ends, begun: () => [...ends.keys()] };
}

describe('work on many at a time', () => {
  it('begins no more than the limit, and the next when any is through', async () => {
    const { work, ends, begun } = heldWork();
    const all = atOnce(3, [0, 1, 2, 3, 4], work);
    assert.deepEqual(begun(), [0, 1, 2]);
    ends.get(1)?.();
    await settle();
    assert.deepEqual(begun(), [0, 1, 2, 3]);
    for (const each of [3, 0, 2]) ends.get(each)?.();
    await settle();
    ends.get(4)?.();
    assert.deepEqual(await all, ['did 0', 'did 1', 'did 2', 'did 3', 'did 4']);
  });

  it('does nothing for nothing', async () => {
    assert.deepEqual(await atOnce(3, [], heldWork().work), []);
  });

  it('throws what one throws only when nobody works any more', async () => {
    const { work, ends } = heldWork();
    let thrown: unknown = null;
    const all = atOnce(2, [0, 1], work).catch((error: unknown) => (thrown = error));
    ends.get(0)?.(new Error('bad'));
    await settle();
    assert.equal(thrown, null);
    ends.get(1)?.();
    await all;
    assert.match(String(thrown), /bad/);
  });
});

describe('work that comes bit by bit', () => {
  it('is done so many at a time, in order, whatever becomes of each', async () => {
    const { work, ends, begun } = heldWork();
    const run = atMost(2);
    const all = [0, 1, 2, 3].map((each) => run(() => work(each)));
    await settle();
    assert.deepEqual(begun(), [0, 1]);
    ends.get(0)?.(new Error('no'));
    await assert.rejects(all[0] ?? Promise.resolve(), /no/);
    await settle();
    assert.deepEqual(begun(), [0, 1, 2]);
    ends.get(1)?.();
    ends.get(2)?.();
    await settle();
    assert.deepEqual(begun(), [0, 1, 2, 3]);
    ends.get(3)?.();
    assert.deepEqual(await Promise.all(all.slice(1)), ['did 1', 'did 2', 'did 3']);
    const later = run(() => work(4));
    await settle();
    ends.get(4)?.();
    assert.equal(await later, 'did 4');
  });
});
