import { runHistory } from './converge.js';
import { runShrinking } from './shrink.js';
const from = Number(process.argv[2]),
  to = Number(process.argv[3]),
  steps = Number(process.argv[4] ?? 30);
const textOnly = process.argv[5] === 'text';
let fails = 0;
const t0 = performance.now();
const c0 = process.cpuUsage();
for (let s = from; s < to; s++) {
  try {
    await runShrinking(
      (seed, n, story) => runHistory(seed, { steps: n, textOnly }, story),
      s,
      steps,
    );
  } catch (e) {
    fails++;
    console.log(String((e as Error).message).slice(0, 3000));
    if (fails < 3)
      console.log(
        (e as Error).cause instanceof Error
          ? ((e as Error).cause as Error).stack
              ?.split('\n')
              .filter((l) => /at /.test(l))
              .slice(0, 12)
              .join('\n')
          : '',
      );
    if (fails >= 5) break;
  }
}
const c = process.cpuUsage(c0);
console.log(
  'fails',
  fails,
  'of',
  to - from,
  'ms each',
  (performance.now() - t0) / (to - from),
  'cpu ms each',
  (c.user + c.system) / 1000 / (to - from),
);
