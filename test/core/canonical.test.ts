/** The encoder of our own beside the library that still reads: byte for byte the same. */
import assert from 'node:assert/strict';
import { encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { decodeCanonical, encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { CBOR_ROOM_BYTES_KEPT } from '../../src/core/limits.js';

const TEXT = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('a'.repeat(23), 'a'.repeat(24), 'é'.repeat(11), 'é'.repeat(12), '\ufeffx'),
);

const { value: VALUE } = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom<Canonical>(null, true, false, -0, 23, 24, 255, 256, 65_535, 65_536),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    TEXT,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 }),
    fc
      .array(fc.tuple(TEXT, tie('value')), { maxLength: 5 })
      .map((pairs): Canonical => new Map(pairs)),
  ),
}));

function same(value: Canonical): void {
  const bytes = encodeCanonical(value);
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    Buffer.from(encode(value, rfc8949EncodeOptions)).toString('hex'),
  );
}

describe('core/canonical, encoding', () => {
  it('gives the bytes that cborg gives', () => {
    fc.assert(fc.property(VALUE, same), { numRuns: 500 });
  });

  it('gives the shortest head on both sides of each width', () => {
    for (const power of [8, 16, 32, 53]) {
      for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1, 1 - 2 ** power]) same(value);
    }
    for (const value of [0n, 23n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n, -1n]) same(value);
  });

  it('takes values longer than the room it keeps, and goes on with short ones', () => {
    const long = 'x'.repeat(CBOR_ROOM_BYTES_KEPT + 1);
    for (const value of [long, [1, long, 2], new Uint8Array(3 * CBOR_ROOM_BYTES_KEPT), 'short']) {
      same(value);
      assert.deepEqual(decodeCanonical(encodeCanonical(value)), decodeCanonical(encode(value)));
    }
  });

  it('leaves what it gave out alone', () => {
    const first = encodeCanonical(['first', 1]);
    const kept = Buffer.from(first).toString('hex');
    encodeCanonical(['second', 2]);
    assert.equal(Buffer.from(first).toString('hex'), kept);
  });
});
