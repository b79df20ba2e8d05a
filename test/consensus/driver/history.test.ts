/** The short form of `npm run soak -- group`: random histories of whole consensus groups. */
import { runHistory } from './history.js';

const NEW = Math.floor(Math.random() * 2 ** 31);

describe('a consensus group', function () {
  this.timeout(120_000);

  for (const seed of [1, 3, NEW]) {
    it(`stays one through crashes, cuts and loss, and goes on when healed (seed ${seed})`, async () => {
      const story: string[] = [];
      try {
        await runHistory(seed, { steps: 40 }, story);
      } catch (error) {
        throw new Error(`seed ${seed}:\n${story.join('\n')}`, { cause: error });
      }
    });
  }
});
