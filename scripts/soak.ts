/**
 * Long runs of what CI tries briefly: `npm run soak -- converge --n 10000 --seed 1`. Each
 * run follows from its seed; one that fails is told with the seed that repeats it, and
 * the next ones are still made.
 */
import { parseArgs } from 'node:util';
import { runHistory as runGroup } from '../test/consensus/driver/history.js';
import { runHistory } from '../test/simulation/converge.js';
import { runCrashes } from '../test/simulation/crash.js';
import { runShrinking } from '../test/simulation/shrink.js';
import { runStrong } from '../test/simulation/strong.js';
import { runVerdicts } from '../test/simulation/verdicts.js';
import { runHundred, runTen } from '../test/soak/anchor.js';
import { runAnchorKills } from '../test/soak/anchorkill.js';
import { runBehindRelay } from '../test/soak/behindrelay.js';
import { runDamage } from '../test/soak/damage.js';
import { AFTER_LAST_PUSH_MS } from '../test/soak/followers.js';
import { runKills } from '../test/soak/kill.js';
import { runRelayKills, runTenRelayed } from '../test/soak/relay.js';
import { runTrace } from '../test/soak/traces.js';
import { traceNames } from '../test/support/traces.js';

/** One that fails more often has made its point. */
const FAILURES_MAX = 20;
const PROGRESS_EVERY_MS = 10_000;

interface Soak {
  readonly what: string;
  readonly n: number;
  /** Throws what doesn't hold; may resolve to a text worth telling of the runs so far. */
  readonly run: (seed: number, steps: number) => Promise<unknown>;
  readonly end?: () => void;
}

const kills = runKills();

const SOAKS: Readonly<Record<string, Soak>> = {
  converge: {
    what: 'histories of three devices that edit apart and sync',
    n: 1000,
    run: (seed, steps) =>
      runShrinking((at, few, story) => runHistory(at, { steps: few }, story), seed, steps),
  },
  verdicts: {
    what: 'histories whose commits become void and valid again',
    n: 1000,
    run: (seed, steps) =>
      runShrinking((at, few, story) => runVerdicts(at, { steps: few }, story), seed, steps),
  },
  strong: {
    what: 'histories in which entries of a strong log arrive at any time',
    n: 1000,
    run: (seed, steps) =>
      runShrinking((at, few, story) => runStrong(at, { steps: few }, story), seed, steps),
  },
  group: {
    what: 'histories of consensus groups whose machines crash and whose network is cut',
    n: 1000,
    run: async (seed, steps) => {
      const story: string[] = [];
      try {
        await runGroup(seed, { steps }, story);
      } catch (error) {
        throw new Error(story.join('\n'), { cause: error });
      }
    },
  },
  crash: {
    what: 'histories whose simulated processes die and lose power at any step',
    n: 1000,
    run: (seed, steps) => runShrinking(runCrashes, seed, steps),
  },
  kill: {
    what: 'real processes of the built wn, killed at a random moment',
    n: 500,
    run: kills,
    end: kills.end,
  },
  damage: {
    what: 'repositories of which each byte is flipped, and each file cut at each length',
    n: 1,
    run: (seed) => runDamage(seed, { share: 1 }),
  },
  anchor: {
    what: 'rounds of ten nodes around an anchor for a minute, then a hundred for ten minutes',
    n: 1,
    run: async () => `${await runTen(60)}\n${await runHundred(600)}`,
  },
  relay: {
    what: 'rounds of ten nodes through a relay, each committing for a minute',
    n: 1,
    run: () =>
      runTenRelayed({ seconds: 60, nodes: 10, perSecond: 1, lateMsMax: AFTER_LAST_PUSH_MS }),
  },
  relaykill: {
    what: 'histories through a relay that is killed, or either end is, amid a sync',
    n: 50,
    run: (seed) => runRelayKills(seed),
  },
  anchorkill: {
    what: 'histories around an anchor that is killed, or whose client is, amid a sync',
    n: 50,
    run: runAnchorKills,
  },
  behindrelay: {
    what: 'minutes of three nodes in networks of their own, between them only a relay',
    n: 1,
    run: async () => (await runBehindRelay(3, { seconds: 60 })).text,
  },
  traces: {
    what: 'recorded editing sessions, whole, a device for each person',
    n: traceNames().length,
    run: runTrace,
  },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '40' },
  },
});

const [name = ''] = positionals;
const chosen = SOAKS[name];
const n = Number(values.n ?? chosen?.n);
const first = Number(values.seed);
const steps = Number(values.steps);
if (chosen === undefined || ![n, first, steps].every(Number.isSafeInteger)) {
  console.error('npm run soak -- NAME [--n RUNS] [--seed FIRST] [--steps STEPS], where NAME is');
  for (const [each, soak] of Object.entries(SOAKS))
    console.error(`  ${each.padEnd(11)} ${soak.what} (--n ${soak.n})`);
  process.exitCode = 2;
} else {
  process.exitCode = await soak(chosen);
}

async function soak({ what, run, end }: Soak): Promise<number> {
  console.log(`${name}: ${n} ${what}, from seed ${first}`);
  const startedMs = performance.now();
  const failed: number[] = [];
  let toldMs = startedMs;
  let figures: unknown;
  for (let seed = first; seed < first + n && failed.length < FAILURES_MAX; seed++) {
    try {
      figures = await run(seed, steps);
    } catch (error) {
      failed.push(seed);
      console.log(`FAILED seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (performance.now() - toldMs < PROGRESS_EVERY_MS) continue;
    toldMs = performance.now();
    console.log(`${seed - first + 1} of ${n}, ${failed.length} failed`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  end?.();
  const result = failed.length === 0 ? 'no failure' : `failed: seeds ${failed.join(', ')}`;
  console.log(`${name}: ${n} from seed ${first} in ${seconds} s: ${result}`);
  if (typeof figures === 'string') console.log(figures);
  return failed.length === 0 ? 0 : 1;
}
