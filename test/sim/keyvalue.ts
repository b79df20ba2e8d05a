/**
 * The disposable index in memory. It is shared by all who opened it, like the files of
 * the real one, and `wipe` loses it, as a power cut may.
 */
import { assert } from '../../src/core/errors.js';
import { INDEX_KEY_BYTES_MAX } from '../../src/core/limits.js';
import type { KeyValue } from '../../src/core/ports.js';

export class SimKeyValue implements KeyValue {
  /** Keys as strings of one character a byte: their order is the bytes' order. */
  readonly #keys: string[] = [];
  readonly #values = new Map<string, Uint8Array>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toKey(key))?.slice();
  }

  *range(
    options: Parameters<KeyValue['range']>[0],
  ): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const { from, to, reverse = false, limit = Infinity } = options;
    let [low, high] = [toText(from), toText(to)];
    for (let left = limit; left > 0 && low < high; left--) {
      const key = reverse ? this.#keys[this.#find(high) - 1] : this.#keys[this.#find(low)];
      if (key === undefined || key < low || key >= high) return;
      yield [Uint8Array.from(Buffer.from(key, 'latin1')), this.#values.get(key)?.slice() ?? none];
      if (reverse) high = key;
      else low = `${key}\0`;
    }
  }

  write(changes: Iterable<readonly [key: Uint8Array, value: Uint8Array | null]>): void {
    const all = [...changes].map(([key, value]) => [toKey(key), value?.slice() ?? null] as const);
    for (const [key, value] of all) {
      const index = this.#find(key);
      const there = this.#keys[index] === key;
      if (value === null && there) this.#keys.splice(index, 1);
      if (value !== null && !there) this.#keys.splice(index, 0, key);
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, value);
    }
  }

  async close(): Promise<void> {
    // The data outlives whoever closes it.
  }

  wipe(): void {
    this.#keys.length = 0;
    this.#values.clear();
  }

  /** Where the first key stands that isn't less than `key`. */
  #find(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const none = new Uint8Array(0);

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function toKey(bytes: Uint8Array): string {
  const length = bytes.byteLength;
  assert(length > 0 && length <= INDEX_KEY_BYTES_MAX, `an index key of ${length} bytes`);
  return toText(bytes);
}
