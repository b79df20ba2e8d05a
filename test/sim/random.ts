/**
 * Randomness that a seed brings back: splitmix64 (Steele, Lea, Flood, 2014). `Seeded` is
 * what tests and the simulated world draw from; `SimRng` gives the program its bytes.
 */
import type { Rng } from '../../src/core/ports.js';

const MASK = 0xffff_ffff_ffff_ffffn;

export class Seeded {
  readonly seed: number;
  #state: bigint;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = BigInt.asUintN(64, BigInt(Math.trunc(seed)));
  }

  #next(): bigint {
    this.#state = (this.#state + 0x9e37_79b9_7f4a_7c15n) & MASK;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
    return z ^ (z >> 31n);
  }

  /** In `[0, 1)`, 53 bits. */
  float(): number {
    return Number(this.#next() >> 11n) / 2 ** 53;
  }

  /** A whole number in `[min, max]`. */
  int(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  bool(): boolean {
    return this.chance(0.5);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.float() < p;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to pick from');
    return from[this.int(0, from.length - 1)] as T;
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(from: readonly T[]): T[] {
    const items = [...from];
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(0, last);
      [items[last], items[other]] = [items[other] as T, items[last] as T];
    }
    return items;
  }

  bytes(n: number): Uint8Array {
    const bytes = new Uint8Array(n);
    for (let at = 0; at < n; at += 8) {
      let word = this.#next();
      for (let index = at; index < Math.min(at + 8, n); index++) {
        bytes[index] = Number(word & 0xffn);
        word >>= 8n;
      }
    }
    return bytes;
  }

  /** An independent source, so that one part's draws don't shift another's. */
  fork(): Seeded {
    return new Seeded(Number(this.#next() >> 11n));
  }
}

export class SimRng implements Rng {
  readonly #random: Seeded;

  constructor(seed: number | Seeded) {
    this.#random = typeof seed === 'number' ? new Seeded(seed) : seed;
  }

  bytes(n: number): Uint8Array {
    return this.#random.bytes(n);
  }
}
