/** Unpredictable bytes from the operating system. */
import { randomFillSync } from 'node:crypto';
import type { Rng } from '../core/ports.js';

export const nodeRng: Rng = {
  bytes: (n) => randomFillSync(new Uint8Array(n)),
};
