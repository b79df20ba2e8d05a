/**
 * Long runs of what CI tries briefly: `npm run soak -- converge --n 10000 --seed 1`. A
 * failure prints the seed that repeats it.
 */
import { parseArgs } from 'node:util';
import { runHistory } from '../test/simulation/converge.js';
import { runShrinking } from '../test/simulation/shrink.js';
import { runVerdicts } from '../test/simulation/verdicts.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '40' },
  },
});
const RUNS = {
  converge: (seed: number, steps: number, story: string[]) => runHistory(seed, { steps }, story),
  verdicts: (seed: number, steps: number, story: string[]) => runVerdicts(seed, { steps }, story),
} as const;

const name = positionals[0] as keyof typeof RUNS;
const run = RUNS[name];
if (run === undefined) {
  console.error(`name one of: ${Object.keys(RUNS).join(', ')}`);
  process.exitCode = 2;
} else {
  const first = Number(values.seed);
  const started = performance.now();
  for (let seed = first; seed < first + Number(values.n); seed++) {
    await runShrinking(run, seed, Number(values.steps));
    if ((seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} histories`);
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`${values.n} histories from seed ${first} in ${seconds.toFixed(0)} s: no failure`);
}
