/** Unpredictable bytes from the operating system, asked for in larger pieces: salts are small and many. */
import { randomFillSync } from 'node:crypto';
import type { Rng } from '../core/ports.js';

const POOL_BYTES = 4_096;
let pool = new Uint8Array(0);

export const nodeRng: Rng = {
  bytes(n) {
    if (n > POOL_BYTES / 4) return randomFillSync(new Uint8Array(n));
    if (pool.byteLength < n) pool = randomFillSync(new Uint8Array(POOL_BYTES));
    const taken = pool.slice(0, n);
    pool = pool.subarray(n);
    return taken;
  },
};
