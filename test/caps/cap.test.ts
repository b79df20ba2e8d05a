import assert from 'node:assert/strict';
import { encodeCanonical, decodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { fromHex, toHex } from '../../src/core/bytes.js';
import { CAP_BYTES_MAX, CAP_FIELDS_MAX, HOME_IDS_MAX } from '../../src/core/limits.js';
import { verifyChain } from '../../src/caps/attenuate.js';
import { decodeCap, encodeCap, rootCap, type Cap, type SignedCap } from '../../src/caps/cap.js';
import { alice, creator, forge, home, node, ROOT_CAP, viewOf, WS } from './fixtures.js';

const full = forge(ROOT_CAP, creator, alice, {
  home: home('a/x'),
  nbf: 1_000,
  exp: 2_000_000_000_000,
  fields: ['due', 'status'],
});
const bytes = encodeCap(full.cap);
const sig = full.sig ?? new Uint8Array();

/** The encoding with one part replaced, or with parts added. */
function edited(position: number, value: Canonical, added: readonly Canonical[] = []): Uint8Array {
  const parts = [...(decodeCanonical(bytes) as readonly Canonical[])];
  parts[position] = value;
  return encodeCanonical([...parts, ...added]);
}

function isKnown(encoded: Uint8Array): boolean {
  return decodeCap(encoded, sig).known;
}

describe('caps/cap', () => {
  it('decodes to what was encoded, with the id of its bytes', () => {
    assert.deepEqual(decodeCap(bytes, sig), { known: true, ...full });
    const bare = forge(ROOT_CAP, creator, alice);
    assert.deepEqual(decodeCap(encodeCap(bare.cap), bare.sig ?? sig), { known: true, ...bare });
  });

  it('gives the root capability everything, bound to workspace and creator', () => {
    assert.equal(ROOT_CAP.cap.act, 1023);
    assert.deepEqual(ROOT_CAP.cap.home, home(''));
    assert.equal(ROOT_CAP.sig, null);
    assert.equal(rootCap(WS, creator.publicKey).id, ROOT_CAP.id);
    assert.notEqual(rootCap(WS, alice.publicKey).id, ROOT_CAP.id);
    assert.notEqual(rootCap('00'.repeat(32), creator.publicKey).id, ROOT_CAP.id);
  });

  describe('what is beyond this version is kept as unknown', () => {
    const cases: readonly [string, Uint8Array][] = [
      ['a version', edited(0, 2)],
      ['a version with other parts', encodeCanonical([2, 'anything'])],
      ['an algorithm', edited(1, 2)],
      ['a part', edited(0, 1, [null])],
      ['the next bit', edited(6, 1024)],
      ['a bit beyond 32', edited(6, 2 ** 32 + 2)],
      ['a bit beyond 53', edited(6, 2n ** 60n)],
    ];
    for (const [name, encoded] of cases) {
      it(name, () => assert.equal(isKnown(encoded), false));
    }
  });

  describe('what is malformed is refused', () => {
    const key = fromHex(alice.publicKey);
    const ids = (count: number): Canonical =>
      Array.from({ length: count }, () => new Uint8Array(16));
    const names = (count: number): Canonical =>
      Array.from({ length: count }, (_, index) => `f${String(index).padStart(4, '0')}`);
    const cases: readonly [string, Uint8Array][] = [
      ['a map', encodeCanonical(new Map([['v', 1]]))],
      ['no version', encodeCanonical([])],
      ['a negative version', edited(0, -1)],
      ['a missing part', encodeCanonical((decodeCanonical(bytes) as Canonical[]).slice(0, 11))],
      ['a short workspace', edited(2, new Uint8Array(31))],
      ['an issuer of small order', edited(3, new Uint8Array(32))],
      ['an issuer that is the identity', edited(3, Uint8Array.of(1, ...new Uint8Array(31)))],
      ['a holder of small order', edited(4, new Uint8Array(32))],
      ['a holder that is not canonical', edited(4, new Uint8Array(32).fill(255))],
      ['a long holder', edited(4, Uint8Array.of(...key, 0))],
      ['an empty home', edited(5, [])],
      ['a home that is text', edited(5, '/a')],
      ['a worknode of 15 bytes', edited(5, [new Uint8Array(15)])],
      ['a home over its bound', edited(5, ids(HOME_IDS_MAX + 1))],
      ['no right', edited(6, 0)],
      ['negative rights', edited(6, -1)],
      ['rights as text', edited(6, 'write')],
      ['a negative beginning', edited(7, -1)],
      ['an expiry with a fraction', edited(8, 1.5)],
      ['an expiry beyond 2^53', edited(8, 2n ** 60n)],
      ['a short parent', edited(9, new Uint8Array(16))],
      ['a short nonce', edited(10, new Uint8Array(15))],
      ['no fields in a list of fields', edited(11, [])],
      ['fields out of order', edited(11, ['status', 'due'])],
      ['a field twice', edited(11, ['due', 'due'])],
      ['a field that is no text', edited(11, [4])],
      ['too many fields', edited(11, names(CAP_FIELDS_MAX + 1))],
      ['a field name over its bound', edited(11, ['x'.repeat(256)])],
      ['bytes behind it', Uint8Array.of(...bytes, 0)],
    ];
    for (const [name, encoded] of cases) {
      it(name, () => assert.throws(() => isKnown(encoded), { code: 'invalid' }));
    }

    it('more bytes than any may have, before a look at them', () => {
      const large = edited(10, new Uint8Array(CAP_BYTES_MAX));
      assert.throws(() => isKnown(large), { code: 'invalid', message: /over 8192/ });
    });

    it('and what stands at the bound is not', () => {
      assert.ok(isKnown(edited(5, ids(HOME_IDS_MAX))));
      assert.ok(isKnown(edited(11, names(CAP_FIELDS_MAX))));
      assert.ok(edited(5, ids(HOME_IDS_MAX)).byteLength < CAP_BYTES_MAX);
    });
  });

  it('orders field names by bytes, not by UTF-16 units', () => {
    // U+FF5E sorts before U+1F600 in UTF-8, after it in UTF-16.
    assert.ok(isKnown(edited(11, ['\uff5e', '\u{1f600}'])));
    assert.throws(() => isKnown(edited(11, ['\u{1f600}', '\uff5e'])), { code: 'invalid' });
  });

  it('reads __proto__ as a field name like any other', () => {
    const decoded = decodeCap(edited(11, ['__proto__']), sig);
    assert.ok(decoded.known);
    assert.deepEqual(decoded.cap.fields, ['__proto__']);
  });

  /** Whether a tampered encoding still passes as a capability of the workspace. */
  function passes(encoded: Uint8Array, signature: Uint8Array): boolean {
    try {
      const decoded = decodeCap(encoded, signature);
      return decoded.known && verifyChain(decoded, viewOf()).ok;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'invalid', String(error));
      return false;
    }
  }

  it('is refused after the flip of any bit, and after the loss of any tail', () => {
    assert.ok(passes(bytes, sig), 'untouched it passes');
    for (let at = 0; at < bytes.byteLength * 8; at++) {
      const flipped = Uint8Array.from(bytes);
      flipped[at >> 3]! ^= 1 << (at & 7);
      assert.ok(!passes(flipped, sig), `bit ${at} of the capability`);
    }
    for (let length = 0; length < bytes.byteLength; length++) {
      assert.ok(!passes(bytes.subarray(0, length), sig), `cut to ${length} bytes`);
    }
  });

  it('is refused after the flip of any bit of its signature', () => {
    for (let at = 0; at < sig.byteLength * 8; at++) {
      const flipped = Uint8Array.from(sig);
      flipped[at >> 3]! ^= 1 << (at & 7);
      assert.ok(!passes(bytes, flipped), `bit ${at} of the signature`);
    }
  });

  it('has another id for another value of any part', () => {
    const changes: readonly Partial<Cap>[] = [
      { ws: '11'.repeat(32) },
      { iss: alice.publicKey },
      { aud: creator.publicKey },
      { home: home('a') },
      { home: [...home('a/x'), node('a/y')] },
      { act: 1 },
      { nbf: null },
      { exp: null },
      { prf: null },
      { n: '22'.repeat(16) },
      { fields: null },
      { fields: ['due'] },
    ];
    const encodings = [full.cap, ...changes.map((change) => ({ ...full.cap, ...change }))];
    const distinct = new Set(encodings.map((cap) => toHex(encodeCap(cap))));
    assert.equal(distinct.size, encodings.length);
  });

  it('leaves the root to genesis: a copy that somebody signed is no root', () => {
    const copy: SignedCap = forge(ROOT_CAP, alice, alice, { prf: null, act: 1023 });
    const result = verifyChain(copy, viewOf(copy));
    assert.equal(result.ok ? 'ok' : result.why, 'not_rooted');
  });
});
