/** A thread that looks ahead (`lookahead`): this is its whole program. */
import { lstatSync, type Stats } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { STAT_DOUBLES, STATE, type Shared } from './lookshared.js';

/** How many paths a thread takes at a time. */
const BLOCK = 64;

const { root, paths, states, stats, rest } = workerData as Shared;
const bytes = Buffer.from(paths.bytes.buffer, paths.bytes.byteOffset, paths.bytes.byteLength);

for (let end = rest[0] ?? 0; end > 0;) {
  end = Atomics.sub(rest, 0, BLOCK);
  for (let number = end - 1; number >= Math.max(0, end - BLOCK); number--) {
    if (Atomics.load(states, number) === STATE.open) look(number);
  }
}

function look(number: number): void {
  const [from = 0, to = 0] = [paths.ends[number - 1], paths.ends[number]];
  if (from === to) return;
  const stat = lstatOrNothing(`${root}/${bytes.toString('utf8', from, to)}`);
  if (stat === undefined) return;
  const at = number * STAT_DOUBLES;
  stats[at] = stat.mode;
  stats[at + 1] = stat.size;
  stats[at + 2] = stat.mtimeMs;
  stats[at + 3] = stat.ctimeMs;
  stats[at + 4] = stat.birthtimeMs;
  stats[at + 5] = stat.ino;
  Atomics.store(states, number, STATE.seen);
}

/** What is wrong with a path the caller finds out, and says. */
function lstatOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
