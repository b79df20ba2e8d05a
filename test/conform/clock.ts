/** What every Clock does. Leaves out how exact it is. */
import assert from 'node:assert/strict';
import type { Clock } from '../../src/core/ports.js';

/** A clock, and a way to let that much of its time pass. */
export type MakeClock = () => {
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<void>;
};

export function describeClock(name: string, make: MakeClock): void {
  describe(`Clock: ${name}`, () => {
    it('goes on, and monotonic time never goes back', async () => {
      const { clock, pass } = make();
      const [wall, monotonic] = [clock.wallMs(), clock.monotonicMs()];
      assert(Number.isInteger(wall) && wall > Date.UTC(2020), `${wall} is no time of ours`);
      assert(clock.monotonicMs() >= monotonic);
      await pass(5);
      assert(clock.monotonicMs() >= monotonic + 5, 'no time has passed');
    });

    it('runs timers once, in the order of their time', async () => {
      const { clock, pass } = make();
      const ran: string[] = [];
      clock.after(8, () => ran.push('second'));
      clock.after(2, () => ran.push('first'));
      clock.after(-5, () => ran.push('at once'));
      assert.deepEqual(ran, [], 'never within the call');
      await pass(12);
      assert.deepEqual(ran, ['at once', 'first', 'second']);
    });

    it('runs no cancelled timer, and lets a late cancel be', async () => {
      const { clock, pass } = make();
      const ran: string[] = [];
      const cancelFirst = clock.after(2, () => ran.push('first'));
      const cancelSecond = clock.after(3, () => ran.push('second'));
      cancelSecond();
      cancelSecond();
      await pass(6);
      cancelFirst();
      assert.deepEqual(ran, ['first']);
    });

    it('waits for a time that is too far for one timer', async () => {
      const { clock, pass } = make();
      let ran = false;
      const cancel = clock.after(2 ** 31 + 1_000, () => {
        ran = true;
      });
      await pass(5);
      cancel();
      assert.equal(ran, false);
    });
  });
}
