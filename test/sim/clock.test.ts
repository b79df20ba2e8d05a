/** Virtual time: order of timers, jumps, and the bound on endless loops. */
import assert from 'node:assert/strict';
import { SimClock } from './clock.js';

describe('simulated clock', () => {
  it('runs timers in the order of their time, then of their setting', async () => {
    const clock = new SimClock();
    const ran: string[] = [];
    for (const [name, ms] of [
      ['c', 5],
      ['a', 1],
      ['d', 5],
      ['b', 3],
    ] as const) {
      clock.after(ms, () => ran.push(`${name}@${clock.monotonicMs()}`));
    }
    await clock.advance(4);
    assert.deepEqual(ran, ['a@1', 'b@3']);
    assert.equal(clock.monotonicMs(), 4);
    await clock.runUntilIdle();
    assert.deepEqual(ran, ['a@1', 'b@3', 'c@5', 'd@5']);
  });

  it('lets promises go on between two timers', async () => {
    const clock = new SimClock();
    const ran: string[] = [];
    void (async () => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(2);
        ran.push(`sleeper@${clock.monotonicMs()}`);
      }
    })();
    clock.after(3, () => ran.push('timer@3'));
    await clock.runUntilIdle();
    assert.deepEqual(ran, ['sleeper@2', 'timer@3', 'sleeper@4', 'sleeper@6']);
  });

  it('gives each machine a wall clock of its own on one timeline', async () => {
    const clock = new SimClock({ startMs: 1_000 });
    const ahead = clock.machine(500);
    clock.jump(-200);
    await clock.advance(10);
    assert.deepEqual([clock.wallMs(), ahead.wallMs()], [810, 1_510]);
    assert.deepEqual([clock.monotonicMs(), ahead.monotonicMs()], [10, 10]);
  });

  it('says when what is waited for never comes', async () => {
    const clock = new SimClock();
    let beats = 0;
    const beat = (): void => {
      beats += 1;
      clock.after(10, beat);
    };
    beat();
    await clock.runUntil(() => beats === 4, 100);
    assert.equal(clock.monotonicMs(), 30);
    await assert.rejects(
      clock.runUntil(() => false, 100),
      /not done by 130 ms/,
    );
  });
});
