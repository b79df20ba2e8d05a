/**
 * The short form of `npm run soak`: whole histories on simulated devices, from fixed seeds
 * and one that is new every time; its name tells it.
 */
import assert from 'node:assert/strict';
import { runHistory } from './converge.js';
import { runCrashes } from './crash.js';
import { runShrinking } from './shrink.js';
import { runStrong, type StrongCounts } from './strong.js';
import { runVerdicts } from './verdicts.js';

const NEW = Math.floor(Math.random() * 2 ** 31);

describe('simulation', function () {
  this.timeout(120_000);

  for (const seed of [1, 2, 3, NEW]) {
    it(`three devices that edit apart end with equal trees and views (seed ${seed})`, () =>
      runShrinking((at, steps, story) => runHistory(at, { steps }, story), seed, 30));
  }

  for (const seed of [1, 2, NEW]) {
    it(`commits voided and revived leave what a fold from scratch gives (seed ${seed})`, () =>
      runShrinking((at, steps, story) => runVerdicts(at, { steps }, story), seed, 20));
  }

  for (const seed of [1, 2, 3, 4, NEW]) {
    it(`processes that die at any step lose and double nothing (seed ${seed})`, () =>
      runShrinking(runCrashes, seed, 40));
  }

  const counts: StrongCounts[] = [];
  for (const seed of [1, 104, 110, NEW]) {
    it(`a strong log that arrives anyhow leaves one state (seed ${seed})`, () =>
      runShrinking(
        async (at, steps, story) => void counts.push(await runStrong(at, { steps }, story)),
        seed,
        120,
      ));
  }

  it('and what it is about did happen', () => {
    for (const what of ['ignored', 'counted', 'deleted', 'refused'] as const) {
      assert.ok(
        counts.some((each) => each[what] > 0),
        `${what}: never`,
      );
    }
  });
});
