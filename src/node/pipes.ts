/**
 * Pipes of a relay: bytes from each end to the other. A source is read only while its
 * reader keeps up and all pipes together hold no more than they may, so that neither one
 * slow reader nor many fill the memory.
 */
import type { Duplex } from 'node:stream';
import { RELAY_BUFFERED_BYTES_MAX, RELAY_IDLE_MS, RELAY_PIPE_BYTES } from '../core/limits.js';

export interface PipeBounds {
  readonly perDirection: number;
  readonly all: number;
  readonly idleMs: number;
}

const BOUNDS: PipeBounds = {
  perDirection: RELAY_PIPE_BYTES,
  all: RELAY_BUFFERED_BYTES_MAX,
  idleMs: RELAY_IDLE_MS,
};

export class Pipes {
  private readonly piped = new WeakSet<Duplex>();
  private readonly held = new Map<Duplex, number>();
  /** Sources that wait for room. */
  private readonly paused = new Map<Duplex, Duplex>();
  private buffered = 0;

  constructor(private readonly bounds: PipeBounds = BOUNDS) {}

  /** Bytes that wait for slow readers, in all pipes. */
  get bufferedBytes(): number {
    return this.buffered;
  }

  has(end: Duplex): boolean {
    return this.piped.has(end);
  }

  join(a: Duplex, b: Duplex): void {
    const idle = setTimeout(() => cut(a, b), this.bounds.idleMs);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.piped.add(from);
      from.on('data', (bytes: Buffer) => {
        idle.refresh();
        to.write(bytes, () => this.settle(to));
        this.settle(to);
        if (!this.hasRoom(to)) this.pause(from, to);
      });
      from.once('end', () => to.end());
      from.once('close', () => {
        clearTimeout(idle);
        this.forget(from);
        // What is under way to the other end still arrives.
        if (!to.writableEnded) to.end();
      });
    }
  }

  private hasRoom(to: Duplex): boolean {
    return to.writableLength < this.bounds.perDirection && this.buffered < this.bounds.all;
  }

  private pause(from: Duplex, to: Duplex): void {
    this.paused.set(from, to);
    from.pause();
  }

  /** Counts anew what waits for a reader, and lets sources go on where there is room. */
  private settle(to: Duplex): void {
    const waiting = to.destroyed ? 0 : to.writableLength;
    this.buffered += waiting - (this.held.get(to) ?? 0);
    if (waiting === 0) this.held.delete(to);
    else this.held.set(to, waiting);
    for (const [from, reader] of this.paused) {
      if (!this.hasRoom(reader)) continue;
      this.paused.delete(from);
      from.resume();
    }
  }

  private forget(end: Duplex): void {
    this.buffered -= this.held.get(end) ?? 0;
    this.held.delete(end);
    this.paused.delete(end);
  }
}

function cut(a: Duplex, b: Duplex): void {
  a.destroy();
  b.destroy();
}
