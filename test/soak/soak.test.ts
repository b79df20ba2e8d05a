/**
 * The short form of `npm run soak -- kill` and `damage`. The seeds in the names repeat
 * what was done; one of each is new every time.
 */
import { runDamage } from './damage.js';
import { runKills } from './kill.js';
import { runRelayKills, runTenRelayed } from './relay.js';

const NEW = Math.floor(Math.random() * 2 ** 31);
const KILLS = 10;
const RELAY_KILLS = 2;
/** Of all bytes and lengths. */
const SHARE = 0.005;

describe('soak', function () {
  this.timeout(120_000);

  it(`processes killed at a random moment lose and break nothing (seeds from ${NEW})`, async () => {
    const run = runKills();
    try {
      for (let seed = NEW; seed < NEW + KILLS; seed++) await run(seed);
    } finally {
      run.end();
    }
  });

  for (const seed of [1, NEW]) {
    it(`damaged logs are named, shown to nobody and mended (seed ${seed})`, async () => {
      await runDamage(seed, { share: SHARE });
    });
  }

  it(`a relay and its devices killed at a random moment lose nothing (seed ${NEW})`, async () => {
    await runRelayKills(NEW, RELAY_KILLS);
  });

  it('nodes that follow through a relay keep in step', async () => {
    await runTenRelayed({ seconds: 2, nodes: 3, perSecond: 2 });
  });
});
