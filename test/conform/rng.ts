/** What every Rng does. Leaves out whether its bytes can be predicted: no test can tell. */
import assert from 'node:assert/strict';
import type { Rng } from '../../src/core/ports.js';

export function describeRng(name: string, make: () => Rng): void {
  describe(`Rng: ${name}`, () => {
    it('gives as many bytes as asked for, in memory of their own', () => {
      const rng = make();
      for (const n of [0, 1, 7, 8, 9, 32, 100_000]) {
        const bytes = rng.bytes(n);
        assert.equal(bytes.byteLength, n);
        assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      }
      const first = rng.bytes(16);
      const copy = first.slice();
      rng.bytes(16);
      assert.deepEqual(first, copy);
    });

    it('gives other bytes each time, every bit of them used', () => {
      const rng = make();
      const seen = new Set<string>();
      for (let round = 0; round < 1_000; round++)
        seen.add(Buffer.from(rng.bytes(8)).toString('hex'));
      assert.equal(seen.size, 1_000);
      const ones = new Array<number>(8).fill(0);
      for (const byte of rng.bytes(8_000)) {
        for (let bit = 0; bit < 8; bit++) ones[bit] = (ones[bit] ?? 0) + ((byte >> bit) & 1);
      }
      for (const [bit, count] of ones.entries()) {
        // 4,000 expected, standard deviation 45: beyond 11 of them it is no chance.
        assert(count > 3_500 && count < 4_500, `bit ${bit} is set in ${count} of 8,000 bytes`);
      }
    });
  });
}
