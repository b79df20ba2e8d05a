import assert from 'node:assert/strict';
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { fromHex, toHex } from '../../src/core/bytes.js';
import { decodeCanonical, encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { WnError } from '../../src/core/errors.js';
import { CBOR_DEPTH_MAX } from '../../src/core/limits.js';

const LENIENT = { useMaps: true, allowBigInt: true, rejectDuplicateMapKeys: true } as const;

/** What the reader says; null where it refuses. Any other error is a bug. */
function read(bytes: Uint8Array): Canonical | undefined {
  try {
    return decodeCanonical(bytes);
  } catch (error) {
    assert.ok(error instanceof WnError && error.code === 'invalid', String(error));
    return undefined;
  }
}

/** The rule in other words: what a lenient library reads and writes back as the same bytes. */
function comesBack(bytes: Uint8Array): boolean {
  try {
    return toHex(encode(decode(bytes, LENIENT), rfc8949EncodeOptions)) === toHex(bytes);
  } catch {
    return false;
  }
}

const value = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.integer({ min: -2048, max: 2048 }).map((count) => count / 64 + 0),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .dictionary(fc.string({ unit: 'binary', maxLength: 5 }), tie('value'), { maxKeys: 5 })
      .map((fields) => new Map(Object.entries(fields))),
  ),
})).value;

describe('canonical CBOR, reading', () => {
  it('gives back every value that was encoded', () => {
    fc.assert(
      fc.property(value, (before) => {
        const bytes = encodeCanonical(before);
        assert.equal(toHex(encodeCanonical(decodeCanonical(bytes))), toHex(bytes));
        assert.deepEqual(decodeCanonical(bytes), before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses of changed bytes exactly what has another form', () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), fc.boolean(), (before, place, byte, cut) => {
        const bytes = Buffer.from(encodeCanonical(before));
        const at = place % bytes.byteLength;
        const changed = cut ? bytes.subarray(0, at) : bytes;
        if (!cut) changed[at] = byte;
        const result = read(changed);
        if (result === undefined) refused++;
        else accepted++;
        // What only this reader refuses: what no canonical value holds (tags, undefined, keys).
        if (result !== undefined) assert.ok(comesBack(changed) || hasMark(changed), toHex(changed));
        else if (comesBack(changed)) assert.ok(hasForeignKind(decode(changed, LENIENT)));
      }),
      { numRuns: 5_000 },
    );
    assert.ok(accepted > 500 && refused > 500, `${accepted} accepted, ${refused} refused`);
  });

  for (const [what, hex] of [
    ['an integer in a byte too many', '1817'],
    ['a length in a byte too many', '580161'],
    ['an integer as a float', 'f93c00'],
    ['negative zero', 'f98000'],
    ['a float wider than it needs', 'fa3fc00000'],
    ['not a number', 'f97e00'],
    ['infinity', 'f97c00'],
    ['undefined', 'f7'],
    ['a tag', 'c100'],
    ['an indefinite list', '9fff'],
    ['keys out of order', 'a261620061610 0'.replace(' ', '')],
    ['a key twice', 'a2616100616101'],
    ['a key that is a number', 'a10000'],
    ['a surrogate', '63eda080'],
    ['half a character', '63f09f98'],
    ['bytes behind', '0000'],
    ['nothing', ''],
    ['a count that its bytes cannot hold', '9b0000ffffffffffff'],
    ['a length beyond everything', '5bffffffffffffffff'],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(read(fromHex(hex)), undefined));
  }

  it(`reads lists nested ${CBOR_DEPTH_MAX} deep, and no deeper`, () => {
    const nested = (depth: number): Uint8Array =>
      Uint8Array.of(...new Array<number>(depth).fill(0x81), 0);
    assert.notEqual(read(nested(CBOR_DEPTH_MAX)), undefined);
    assert.equal(read(nested(CBOR_DEPTH_MAX + 1)), undefined);
  });
});

/** The library drops a byte order mark at the beginning of a text. */
function hasMark(bytes: Uint8Array): boolean {
  return toHex(bytes).includes('efbbbf');
}

function hasForeignKind(found: unknown): boolean {
  if (found === undefined) return true;
  if (found === null || found instanceof Uint8Array || typeof found !== 'object') return false;
  if (Array.isArray(found)) return found.some(hasForeignKind);
  if (!(found instanceof Map)) return true;
  return [...found].some(([key, item]) => typeof key !== 'string' || hasForeignKind(item));
}
