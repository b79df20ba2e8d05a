import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CHUNK_BYTES_AVG, CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from '../../src/core/limits.js';
import { chunkBoundaries } from '../../src/tree/chunker.js';

/** Noise that is the same everywhere: a linear congruential generator. */
function noise(bytes: number, seed = 1): Uint8Array {
  const out = new Uint8Array(bytes);
  let state = seed;
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    out[index] = state >>> 24;
  }
  return out;
}

/** Ends of the chunks of a mebibyte of noise: other cuts would store everything anew. */
const VECTOR = [132744, 257774, 427507, 609118, 742588, 874208, 1025988, 1048576];

const ends = (bytes: Uint8Array): number[] => [...chunkBoundaries(bytes)].map(([, end]) => end);

/** The content of each chunk, as something that can be compared. */
const contents = (bytes: Uint8Array): string[] =>
  [...chunkBoundaries(bytes)].map(([start, end]) =>
    Buffer.from(bytes.subarray(start, end)).toString('latin1'),
  );

describe('tree/chunker', () => {
  it('cuts the same content at the same places for ever', () => {
    assert.deepEqual(ends(noise(1 << 20)), VECTOR);
  });

  it('covers all bytes in order, each chunk within its bounds', () => {
    const size = fc.oneof(
      fc.constantFrom(
        0,
        1,
        CHUNK_BYTES_MIN,
        CHUNK_BYTES_MIN + 1,
        CHUNK_BYTES_MAX,
        CHUNK_BYTES_MAX + 1,
      ),
      fc.nat({ max: 1 << 20 }),
    );
    fc.assert(
      fc.property(size, fc.integer(), (bytes, seed) => {
        let at = 0;
        for (const [start, end] of chunkBoundaries(noise(bytes, seed))) {
          assert.equal(start, at);
          assert.ok(end - start <= CHUNK_BYTES_MAX);
          assert.ok(end - start >= CHUNK_BYTES_MIN || end === bytes);
          at = end;
        }
        assert.equal(at, bytes);
      }),
      { numRuns: 50 },
    );
  });

  it('cuts uniform content at the greatest size', () => {
    const bytes = 3 * CHUNK_BYTES_MAX + 5;
    const expected = [1, 2, 3].map((chunk) => chunk * CHUNK_BYTES_MAX);
    assert.deepEqual(ends(new Uint8Array(bytes)), [...expected, bytes]);
  });

  it('makes chunks of about the size that is wanted', () => {
    const bytes = 16 << 20;
    const average = bytes / ends(noise(bytes, 7)).length;
    assert.ok(average > CHUNK_BYTES_AVG * 0.75 && average < CHUNK_BYTES_AVG * 1.4, `${average}`);
  });

  for (const [what, at] of [
    ['the beginning', 0],
    ['the middle', 2 << 20],
    ['the end', 4 << 20],
  ] as const) {
    it(`keeps the chunks away from an insertion at ${what}`, () => {
      const before = noise(4 << 20, 3);
      const after = Buffer.concat([
        before.subarray(0, at),
        Buffer.from('inserted'),
        before.subarray(at),
      ]);
      const kept = new Set(contents(before));
      const fresh = contents(after).filter((chunk) => !kept.has(chunk));
      assert.ok(fresh.length <= 6, `${fresh.length} of ${kept.size} chunks are new`);
    });
  }
});
