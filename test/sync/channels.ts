/** Channels, clock and chance for the tests: all of it under the test's control. */
import { WnError } from '../../src/core/errors.js';
import type { Clock, Rng, SecureChannel } from '../../src/core/ports.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { runSync, type SyncOptions, type SyncReport } from '../../src/sync/driver.js';
import type { Message } from '../../src/sync/frames.js';
import { joinedChannels } from '../../src/sync/path.js';
import type { SyncStore } from '../../src/sync/store.js';

/** Time that moves only when told to. */
export class TestClock implements Clock {
  private nowMs = 0;
  private timers: { readonly atMs: number; readonly run: () => void }[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((each) => each !== timer));
  }

  /** Timers that are still set. */
  get pending(): number {
    return this.timers.length;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter((timer) => timer.atMs <= this.nowMs);
    this.timers = this.timers.filter((timer) => timer.atMs > this.nowMs);
    for (const timer of due) timer.run();
  }
}

/** xorshift32: the same bytes for the same seed. */
export function seededRng(seed: number): Rng & { below(n: number): number } {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    bytes: (n) => Uint8Array.from({ length: n }, () => next() & 255),
    below: (n) => next() % n,
  };
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((wake) => setImmediate(wake));
}

export type Side = 'near' | 'far';

export interface Passed {
  readonly from: Side;
  readonly frame: Uint8Array;
  readonly message: Message | null;
}

export interface Link {
  readonly near: SecureChannel;
  readonly far: SecureChannel;
  /** Every frame that was sent, in order, as it left. */
  readonly passed: Passed[];
}

export interface LinkOptions {
  /** Called with each frame's number: gives what arrives instead; null cuts the connection. */
  readonly meddle?: (
    frame: Uint8Array,
    number: number,
    from: Side,
  ) => Uint8Array | readonly Uint8Array[] | null;
  readonly nearPeer?: string | null;
  readonly farPeer?: string | null;
}

/** A joined pair that records, and that a test may meddle with. */
export function linked(options: LinkOptions = {}): Link {
  const [near, far] = joinedChannels(options.nearPeer ?? null, options.farPeer ?? null);
  const passed: Passed[] = [];
  let cut = false;
  const tapped = (channel: SecureChannel, from: Side): SecureChannel => ({
    peer: channel.peer,
    async *frames() {
      for await (const frame of channel.frames()) {
        if (cut) throw new Error('connection reset');
        yield frame;
      }
      if (cut) throw new Error('connection reset');
    },
    async send(frame) {
      const number = passed.length;
      const { meddle } = options;
      const arrives = cut ? null : meddle === undefined ? frame : meddle(frame, number, from);
      if (arrives === null) {
        cut = true;
        await Promise.all([near.close(), far.close()]);
        throw new WnError('unreachable', 'connection reset');
      }
      passed.push({ from, frame, message: decodeMessage(frame) });
      const frames = arrives instanceof Uint8Array ? [arrives] : arrives;
      for (const each of frames) await channel.send(each);
    },
    close: () => channel.close(),
  });
  return { near: tapped(near, 'near'), far: tapped(far, 'far'), passed };
}

export interface Exchange {
  readonly near: SyncReport;
  readonly far: SyncReport;
  readonly passed: readonly Passed[];
}

let runs = 0;

/** A whole session between two stores over a link that records. */
export async function exchange(
  near: SyncStore,
  far: SyncStore,
  mode: 'push' | 'pull' | 'sync' = 'sync',
  options: Omit<SyncOptions, 'mode'> & LinkOptions = {},
): Promise<Exchange> {
  const { meddle, nearPeer, farPeer, expected, ...shared } = options;
  const link = linked({
    ...(meddle && { meddle }),
    ...(nearPeer !== undefined && { nearPeer }),
    ...(farPeer !== undefined && { farPeer }),
  });
  const ports = { clock: new TestClock(), rng: seededRng(++runs) };
  const [nearReport, farReport] = await Promise.all([
    runSync(near, link.near, ports, { ...shared, expected: expected ?? far.device, mode }),
    runSync(far, link.far, ports, { ...shared, mode: 'answer' }),
  ]);
  return { near: nearReport, far: farReport, passed: link.passed };
}

/** The types of the frames that one side sent, in order. */
export function said(passed: readonly Passed[], from: Side): readonly string[] {
  return passed
    .filter((each) => each.from === from)
    .map(({ message }) => message?.type ?? 'unknown');
}
