/**
 * The sending half of a session: takes frames from lazily read sources as far as the
 * peer's credit goes: `SYNC_CREDIT_BYTES`, until it grants more.
 */
import { WnError } from '../core/errors.js';
import { SYNC_CREDIT_BYTES } from '../core/limits.js';
import { chained, NO_FRAMES } from './digest.js';
import type { Packed } from './pack.js';

export class Outgoing {
  private readonly sources: Iterator<Packed>[] = [];
  private ready: Packed | null = null;
  private credit = SYNC_CREDIT_BYTES;

  /** Over all frames handed out, or what stands for them. */
  digest: Uint8Array = NO_FRAMES;
  commits = 0;
  blobs = 0;
  /** Chunks that were asked for and aren't here. */
  absent = 0;

  /** Queues a source behind those that are there. It is read when credit allows. */
  add(frames: Iterable<Packed>): void {
    this.sources.push(frames[Symbol.iterator]());
  }

  /** Throws `invalid` where a peer grants more than it was sent, and may. */
  grant(bytes: number, creditMax: number): void {
    if (bytes === 0 || this.credit + bytes > creditMax) {
      throw new WnError('invalid', `credit of ${bytes} bytes beyond what was sent`);
    }
    this.credit += bytes;
  }

  /** The frames that may leave now, in order. */
  frames(): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let next = this.peek(); next !== null; next = this.peek()) {
      if (next.frame.byteLength > this.credit) break;
      this.credit -= next.frame.byteLength;
      this.digest = chained(this.digest, next.mark ?? next.frame);
      this.commits += next.commits;
      this.blobs += next.blobs;
      if (next.mark !== undefined && next.blobs === 0) this.absent += 1;
      this.ready = null;
      frames.push(next.frame);
    }
    return frames;
  }

  /** Nothing is left to send. */
  get drained(): boolean {
    return this.peek() === null;
  }

  /** Lets go of sources that weren't read to their end. */
  stop(): void {
    for (const source of this.sources.splice(0)) source.return?.();
    this.ready = null;
  }

  private peek(): Packed | null {
    while (this.ready === null) {
      const source = this.sources[0];
      if (source === undefined) return null;
      const next = source.next();
      if (next.done === true) this.sources.shift();
      else this.ready = next.value;
    }
    return this.ready;
  }
}
