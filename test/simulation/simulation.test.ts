/** The short form of `npm run soak`: whole histories on simulated devices, from fixed seeds. */
import { runHistory } from './converge.js';
import { runShrinking } from './shrink.js';
import { runVerdicts } from './verdicts.js';

describe('simulation', function () {
  this.timeout(120_000);

  for (const seed of [1, 2, 3]) {
    it(`three devices that edit apart end with equal trees and views (seed ${seed})`, () =>
      runShrinking((at, steps, story) => runHistory(at, { steps }, story), seed, 30));
  }

  for (const seed of [1, 2]) {
    it(`commits voided and revived leave what a fold from scratch gives (seed ${seed})`, () =>
      runShrinking((at, steps, story) => runVerdicts(at, { steps }, story), seed, 20));
  }
});
