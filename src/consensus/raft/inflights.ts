/** The window of MsgApps on their way to one member, bounded by count and payload bytes. */
import { assert } from '../../core/errors.js';
import type { Index } from './types.js';

export class Inflights {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  /** Ascending by `last`, the index of a message's last entry. */
  #sent: { readonly last: Index; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#sent.length;
  }

  /** One message may go beyond `maxBytes`, for a window must let something through. */
  get full(): boolean {
    return this.#sent.length >= this.#maxCount || this.#bytes >= this.#maxBytes;
  }

  add(last: Index, bytes: number): void {
    assert(!this.full, 'sent into a full window');
    this.#sent.push({ last, bytes });
    this.#bytes += bytes;
  }

  /** Frees all messages whose last entry is at most `index`. */
  freeTo(index: Index): void {
    let count = 0;
    for (const { last, bytes } of this.#sent) {
      if (last > index) break;
      this.#bytes -= bytes;
      count++;
    }
    this.#sent.splice(0, count);
  }

  reset(): void {
    this.#sent = [];
    this.#bytes = 0;
  }
}
