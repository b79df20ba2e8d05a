/**
 * Looks at many files on threads beside the caller's. An `lstat` through Node takes four
 * times what the system needs for it, all on the thread that calls, and a scan of 100,000
 * files does little else.
 *
 * The threads go from the last path to the first, the caller from the first to the last;
 * what isn't seen when he comes to it, he looks at himself, and they leave it out. So
 * nobody waits for anybody, and a thread that dies or doesn't start costs only what it
 * would have saved.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { LOOK_AHEAD_FILES_MIN, LOOK_AHEAD_THREADS_MAX } from '../core/limits.js';
import type { FileStat, LookAhead, PackedPaths } from '../core/ports.js';
import { toFileStat } from './entries.js';
import { STAT_DOUBLES, STATE, type Shared } from './lookshared.js';

/** Built beside the bundle; the sources use the built one too, as a thread loads no TypeScript. */
const THREAD = join(
  import.meta.dirname,
  import.meta.url.endsWith('.ts') ? '../../dist/lookthread.cjs' : 'lookthread.cjs',
);
/** What a thread makes lives no longer than a call; more room than this is only memory. */
const THREAD_YOUNG_MIB = 2;

/** How many threads are worth their start for so many files: each takes about 40 ms of one. */
export function threadsFor(files: number, processors = availableParallelism()): number {
  return files < LOOK_AHEAD_FILES_MIN ? 0 : Math.min(processors - 1, LOOK_AHEAD_THREADS_MAX);
}

/** Looks at `paths` below the folder `root` on so many threads. */
export function startLookAhead(
  root: string,
  paths: PackedPaths,
  threads: number,
  program = THREAD,
): LookingAhead {
  const count = paths.ends.length;
  const shared: Shared = {
    root,
    paths,
    states: new Uint8Array(new SharedArrayBuffer(count)),
    stats: new Float64Array(new SharedArrayBuffer(8 * STAT_DOUBLES * count)),
    rest: new Int32Array(new SharedArrayBuffer(4)),
  };
  shared.rest[0] = count;
  return new LookingAhead(
    shared,
    Array.from({ length: threads }, () => startThread(shared, program)),
  );
}

function startThread(shared: Shared, program: string): Promise<void> {
  return new Promise((resolve) => {
    const thread = new Worker(program, {
      workerData: shared,
      env: SHARE_ENV,
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MIB },
    });
    thread.on('error', () => undefined); // the caller looks himself
    thread.on('exit', () => resolve());
    thread.unref();
  });
}

export class LookingAhead implements LookAhead {
  constructor(
    private readonly shared: Shared,
    private readonly threads: readonly Promise<void>[],
  ) {}

  stat(number: number): FileStat | undefined {
    const { states, stats } = this.shared;
    if (number >= states.length) return undefined;
    if (Atomics.load(states, number) !== STATE.seen) {
      Atomics.store(states, number, STATE.taken);
      return undefined;
    }
    const [mode = 0, size = 0, mtimeMs = 0, ctimeMs = 0, birthtimeMs = 0, ino = 0] = stats.subarray(
      number * STAT_DOUBLES,
    );
    return toFileStat({ mode, size, mtimeMs, ctimeMs, birthtimeMs, ino });
  }

  /** The threads end soon; nobody needs to wait for it. */
  stop(): void {
    Atomics.store(this.shared.rest, 0, 0);
  }

  /** Resolves when all threads have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.threads);
  }
}
