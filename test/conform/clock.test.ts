/** The Clock suite over the machine's clock and the simulated one. */
import { nodeClock } from '../../src/node/clock.js';
import { SimClock } from '../sim/clock.js';
import { describeClock } from './clock.js';

describeClock('real', () => ({
  clock: nodeClock,
  // Set after the timers under test and no earlier due, it fires after them.
  pass: (ms) => new Promise((resolve) => void nodeClock.after(ms, resolve)),
}));

describeClock('simulated', () => {
  const clock = new SimClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});
