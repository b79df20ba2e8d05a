/**
 * Virtual time. One timeline carries all timers; each simulated machine has its own
 * wall clock on it, which may be off and may jump, while monotonic time is shared.
 * Between two timers every promise that can go on does (`settle`), so a run depends on
 * the timers' order alone.
 */
import type { Clock } from '../../src/core/ports.js';

/** Lets every promise that waits for no timer run to its end. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** More timers than this in one go are taken for an endless loop. */
const TIMERS_MAX = 1_000_000;

interface Timer {
  readonly dueMs: number;
  /** Null once cancelled. */
  run: (() => void) | null;
}

class Timeline {
  nowMs = 0;
  /** Latest first; of two at one time, the one that was set first is nearer the end. */
  readonly #timers: Timer[] = [];

  add(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.nowMs + Math.max(0, delayMs), run };
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.dueMs ?? 0) > timer.dueMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.run = null;
    };
  }

  /** When the next timer is due; undefined if none is set. */
  nextMs(): number | undefined {
    while (this.#timers.at(-1)?.run === null) this.#timers.pop();
    return this.#timers.at(-1)?.dueMs;
  }

  step(): void {
    const timer = this.#timers.pop();
    if (timer === undefined) return;
    this.nowMs = Math.max(this.nowMs, timer.dueMs);
    timer.run?.();
  }
}

export interface SimClockOptions {
  /** What the wall clock says at the beginning. */
  readonly startMs?: number;
}

const START_MS = Date.UTC(2026, 0, 1);

export class SimClock implements Clock {
  readonly #timeline: Timeline;
  #wallAheadMs: number;

  constructor(options: SimClockOptions = {}, timeline = new Timeline()) {
    this.#timeline = timeline;
    this.#wallAheadMs = options.startMs ?? START_MS;
  }

  wallMs(): number {
    return Math.floor(this.#timeline.nowMs + this.#wallAheadMs);
  }

  monotonicMs(): number {
    return this.#timeline.nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#timeline.add(delayMs, run);
  }

  /** The clock of another machine on the same timeline, its wall clock `aheadMs` of ours. */
  machine(aheadMs = 0): SimClock {
    return new SimClock({ startMs: this.#wallAheadMs + aheadMs }, this.#timeline);
  }

  /** Sets this machine's wall clock forward or back. Timers don't notice. */
  jump(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  /** Resolves after `delayMs` of virtual time, for simulated parts that take a while. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /** Lets `ms` pass, with all that happens meanwhile. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#timeline.nowMs + ms;
    await this.#run(() => (this.#timeline.nextMs() ?? Infinity) <= endMs);
    this.#timeline.nowMs = endMs;
  }

  /** Lets time pass until `done`; throws after `limitMs`, or when nothing is left to happen. */
  async runUntil(done: () => boolean, limitMs = 3_600_000): Promise<void> {
    const endMs = this.#timeline.nowMs + limitMs;
    await this.#run(() => !done() && (this.#timeline.nextMs() ?? Infinity) <= endMs);
    if (!done()) throw new Error(`not done by ${endMs} ms of virtual time`);
  }

  /** Lets time pass until no timer is set. */
  async runUntilIdle(): Promise<void> {
    await this.#run(() => this.#timeline.nextMs() !== undefined);
  }

  async #run(more: () => boolean): Promise<void> {
    await settle();
    for (let count = 0; more(); count++) {
      if (count >= TIMERS_MAX) throw new Error(`still busy after ${TIMERS_MAX} timers`);
      this.#timeline.step();
      await settle();
    }
  }
}
