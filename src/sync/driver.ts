/**
 * Runs one session over a channel and a store: does the effects, keeps the time, counts
 * the bytes. Reading never waits for writing, so two sides that both have much to send
 * can't block each other; how much may pile up is bounded by the session's credit.
 */
import { assert, WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import {
  LIVE_SIGNS_PER_IDLE_TIME,
  SYNC_ADMISSION_MS,
  SYNC_CLOSE_MS,
  SYNC_IDLE_MS,
} from '../core/limits.js';
import type { Clock, Rng, SecureChannel } from '../core/ports.js';
import type { SyncEffect, SyncEvent, SyncOutcome } from './effects.js';
import { NONCE_BYTES, SYNC_VERSIONS, type SyncMode } from './frames.js';
import type { ForkEvidence } from './have.js';
import { SyncSession } from './session.js';
import type { Chunk, Run, SyncStore } from './store.js';

export interface SyncPorts {
  readonly clock: Clock;
  readonly rng: Rng;
}

export interface SyncOptions {
  /** What to do as the dialler, or `answer`. */
  readonly mode: SyncMode | 'answer';
  /** The device that the remote's address names, where the channel proves none. */
  readonly expected?: DeviceId;
  /** Who answered there the last time; another may by now. */
  readonly likely?: DeviceId | null;
  /** False: leave chunks of large files where they are until somebody needs them. */
  readonly wantsBlobs?: boolean;
  /** Present where the session may go on once the exchange is through. */
  readonly live?: LiveOptions;
  readonly signal?: AbortSignal;
  readonly admissionMs?: number;
  readonly idleMs?: number;
  /** Protocol versions to offer; all that this program speaks if absent. */
  readonly versions?: readonly number[];
}

export interface LiveOptions {
  /** Calls `tell` whenever the store may hold something new; the result ends that. */
  readonly listen: (tell: () => void) => () => void;
  /** The exchange is through; `outcome` is how it went. */
  readonly settled?: (outcome: SyncOutcome) => void;
  /** So many more commits are stored here, so many of ours there, so many chunks here; chunks first. */
  readonly moved?: (received: number, acknowledged: number, chunks: number) => void;
}

/** How a session went; never thrown, so that one remote's failure doesn't hide another's result. */
export interface SyncReport extends SyncOutcome {
  readonly ok: boolean;
  /** Frames' bytes, both ways. */
  readonly bytes: number;
  readonly frames: number;
  readonly ms: number;
  readonly forks: readonly ForkEvidence[];
}

/** Runs a session to its end. Closes the channel. Throws only for bugs. */
export function runSync(
  store: SyncStore,
  channel: SecureChannel,
  ports: SyncPorts,
  options: SyncOptions,
): Promise<SyncReport> {
  return new Promise((resolve, reject) => {
    new Drive(store, channel, ports, options, resolve, reject).start();
  });
}

class Drive {
  private readonly session: SyncSession;
  private readonly startedMs: number;
  private readonly outbox: Uint8Array[] = [];
  private sending = false;
  /** Nothing can be sent any more. */
  private broken = false;
  private outcome: SyncOutcome | null = null;
  private closed = false;
  /** When something last moved, by the peer's doing or the store's. */
  private lastActiveMs: number;
  private lastSentMs: number;
  private unlisten: () => void = () => undefined;
  private cancelTimer: () => void = () => undefined;
  private readonly forks: ForkEvidence[] = [];
  private bytes = 0;
  private frames = 0;
  private readonly onAbort = (): void => this.feed({ on: 'abort' });

  constructor(
    private readonly store: SyncStore,
    private readonly channel: SecureChannel,
    private readonly ports: SyncPorts,
    private readonly options: SyncOptions,
    private readonly resolve: (report: SyncReport) => void,
    private readonly reject: (bug: unknown) => void,
  ) {
    this.session = new SyncSession({
      store,
      mode: options.mode,
      peer: channel.peer,
      expected: options.expected ?? null,
      likely: options.likely ?? null,
      nonce: ports.rng.bytes(NONCE_BYTES),
      versions: options.versions ?? SYNC_VERSIONS,
      wantsBlobs: options.wantsBlobs ?? true,
      mayFollow: options.live !== undefined,
    });
    this.startedMs = this.lastActiveMs = this.lastSentMs = ports.clock.monotonicMs();
  }

  start(): void {
    this.options.signal?.addEventListener('abort', this.onAbort);
    this.watch();
    if (this.options.signal?.aborted === true) this.onAbort();
    this.feed({ on: 'open' });
    void this.read();
  }

  private feed(event: SyncEvent): void {
    if (this.closed) return;
    try {
      for (const effect of this.session.handle(event)) this.perform(effect);
    } catch (bug) {
      this.fall(bug);
    }
  }

  private perform(effect: SyncEffect): void {
    switch (effect.do) {
      case 'send':
        this.outbox.push(effect.frame);
        void this.send();
        return;
      case 'ingest':
        void this.ingest(effect.runs);
        return;
      case 'keep':
        void this.keep(effect.chunks);
        return;
      case 'reportFork':
        this.forks.push(effect.evidence);
        return;
      case 'remember':
        this.store.remember(effect.peer, effect.checkpoint);
        return;
      case 'settled':
        this.follow(effect.outcome);
        return;
      case 'moved':
        this.options.live?.moved?.(effect.received, effect.acknowledged, effect.chunks);
        return;
      case 'end':
        this.outcome = effect.outcome;
        this.stopWatching();
        // A peer that doesn't read can't keep us: its last frames have so long to leave.
        this.cancelTimer = this.ports.clock.after(SYNC_CLOSE_MS, () => this.close());
        if (this.broken) this.close();
        else void this.send();
    }
  }

  private follow(outcome: SyncOutcome): void {
    const { live } = this.options;
    assert(live !== undefined, 'a session that stays though it may not');
    this.unlisten = live.listen(() => this.feed({ on: 'news' }));
    live.settled?.(outcome);
    this.cancelTimer();
    this.watch();
  }

  private async read(): Promise<void> {
    let why: string | null = null;
    try {
      for await (const frame of this.channel.frames()) {
        if (this.outcome !== null) break;
        this.count(frame);
        this.lastActiveMs = this.ports.clock.monotonicMs();
        this.feed({ on: 'frame', frame });
      }
    } catch (error) {
      why = reason(error);
    }
    this.feed({ on: 'closed', why });
  }

  /** Sends what is in the outbox, one frame at a time; closes behind the last one. */
  private async send(): Promise<void> {
    if (this.sending || this.broken) return;
    this.sending = true;
    try {
      for (let frame = this.outbox.shift(); frame !== undefined; frame = this.outbox.shift()) {
        await this.channel.send(frame);
        this.count(frame);
        this.lastSentMs = this.ports.clock.monotonicMs();
        // While both only exchange, a peer that takes what is sent is there.
        if (!this.session.following) this.lastActiveMs = this.lastSentMs;
      }
    } catch (error) {
      this.broken = true;
      this.awaitLastWords(reason(error));
    }
    this.sending = false;
    if (this.outcome !== null) this.close();
  }

  /** A peer that hung up may have said why: it is read first, if it comes soon. */
  private awaitLastWords(why: string): void {
    this.cancelTimer();
    this.cancelTimer = this.ports.clock.after(SYNC_CLOSE_MS, () => {
      this.feed({ on: 'closed', why });
    });
  }

  private async ingest(runs: readonly Run[]): Promise<void> {
    try {
      const result = await this.store.ingest(runs);
      this.lastActiveMs = this.ports.clock.monotonicMs();
      this.feed({ on: 'ingested', result });
    } catch (error) {
      this.storeFailed(error);
    }
  }

  private async keep(chunks: readonly Chunk[]): Promise<void> {
    try {
      const refused = await this.store.writeBlobs(chunks);
      this.lastActiveMs = this.ports.clock.monotonicMs();
      this.feed({ on: 'kept', refused });
    } catch (error) {
      this.storeFailed(error);
    }
  }

  private storeFailed(error: unknown): void {
    if (error instanceof WnError) this.feed({ on: 'storeFailed', error });
    else this.fall(error);
  }

  private count(frame: Uint8Array): void {
    this.bytes += frame.byteLength;
    this.frames += 1;
  }

  /** One timer, set again for what is left whenever something has moved meanwhile. */
  private watch(): void {
    const { clock } = this.ports;
    const waiting = !this.session.admitted;
    const limitMs = waiting
      ? (this.options.admissionMs ?? SYNC_ADMISSION_MS)
      : (this.options.idleMs ?? SYNC_IDLE_MS);
    const sinceMs = waiting ? this.startedMs : this.lastActiveMs;
    const nowMs = clock.monotonicMs();
    let leftMs = limitMs - (nowMs - sinceMs);
    if (leftMs <= 0) {
      this.feed({ on: 'timeout' });
      return;
    }
    if (this.session.following) {
      const quietMs = limitMs / LIVE_SIGNS_PER_IDLE_TIME;
      const leftQuietMs = quietMs - (nowMs - this.lastSentMs);
      if (leftQuietMs <= 0) this.feed({ on: 'quiet' });
      leftMs = Math.min(leftMs, leftQuietMs <= 0 ? quietMs : leftQuietMs);
    }
    this.cancelTimer = clock.after(leftMs, () => this.watch());
  }

  private stopWatching(): void {
    this.cancelTimer();
    this.unlisten();
    this.options.signal?.removeEventListener('abort', this.onAbort);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelTimer();
    const { outcome, bytes, frames, forks } = this;
    assert(outcome !== null, 'a session closed before its end');
    const ms = this.ports.clock.monotonicMs() - this.startedMs;
    this.hangUp(() =>
      this.resolve({ ...outcome, ok: outcome.error === null, bytes, frames, ms, forks }),
    );
  }

  /** A bug of ours: the channel mustn't stay open behind it. */
  private fall(bug: unknown): void {
    if (this.closed) return;
    this.closed = true;
    this.stopWatching();
    this.hangUp(() => this.reject(bug));
  }

  /** Whether the pipe ends well changes nothing any more; that it ends is awaited, but not for ever. */
  private hangUp(then: () => void): void {
    const cancel = this.ports.clock.after(SYNC_CLOSE_MS, then);
    const done = (): void => {
      cancel();
      then();
    };
    this.channel.close().then(done, done);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
