/** The machine's clocks and timers. Leaves out hybrid logical time; see `core/hlc.ts`. */
import type { Clock } from '../core/ports.js';

/** `setTimeout` fires at once when asked for more than a signed 32-bit number. */
const TIMER_MAX_MS = 0x7fff_ffff;

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = dueMs - performance.now();
      // Rounded up, as `setTimeout` cuts off the fraction and would fire too early.
      timer =
        leftMs > TIMER_MAX_MS
          ? setTimeout(arm, TIMER_MAX_MS)
          : setTimeout(run, Math.max(0, Math.ceil(leftMs)));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
