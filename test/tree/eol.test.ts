import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TEXT_BYTES_MAX } from '../../src/core/limits.js';
import { decodeText, encodeText } from '../../src/tree/eol.js';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

describe('tree/eol', () => {
  it('gives back every valid text byte for byte', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', '\ufeff', 'a', '\u2028', '🙂'),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const bytes = bytesOf(pieces.join('').replaceAll('\0', ''));
        const decoded = decodeText(bytes);
        assert.ok(decoded.ok);
        assert.deepEqual(Buffer.from(encodeText(decoded.text, decoded)), bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back or refuses arbitrary bytes, and never changes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodeText(bytes);
        if (!decoded.ok) return;
        assert.deepEqual(Buffer.from(encodeText(decoded.text, decoded)), Buffer.from(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  const forms: readonly [what: string, file: string, text: string, eol: string, bom: boolean][] = [
    ['LF', 'a\nb\n', 'a\nb\n', 'lf', false],
    ['no line end', 'a', 'a', 'lf', false],
    ['nothing', '', '', 'lf', false],
    ['uniform CRLF', 'a\r\nb\r\n', 'a\nb\n', 'crlf', false],
    ['CRLF with an unfinished last line', 'a\r\nb', 'a\nb', 'crlf', false],
    ['mixed', 'a\r\nb\n', 'a\r\nb\n', 'raw', false],
    ['an LF first', '\na\r\n', '\na\r\n', 'raw', false],
    ['lone CR', 'a\rb', 'a\rb', 'raw', false],
    ['CR at the very end', 'a\r\nb\r', 'a\r\nb\r', 'raw', false],
    ['CR CR LF', 'a\r\r\n', 'a\r\r\n', 'raw', false],
    ['a BOM', '\ufeffa\n', 'a\n', 'lf', true],
    ['a BOM alone', '\ufeff', '', 'lf', true],
    ['two BOMs', '\ufeff\ufeffa', '\ufeffa', 'lf', true],
    ['a BOM and CRLF', '\ufeffa\r\n', 'a\n', 'crlf', true],
  ];
  for (const [what, file, text, eol, bom] of forms) {
    it(`reads ${what}`, () => {
      assert.deepEqual(decodeText(bytesOf(file)), { ok: true, text, eol, bom });
    });
  }

  it('refuses a NUL as binary', () => {
    assert.deepEqual(decodeText(bytesOf('a\0b')), { ok: false, why: 'binary' });
  });

  for (const [what, bytes] of [
    ['a cut sequence', [0x61, 0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point past the last', [0xf4, 0x90, 0x80, 0x80]],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(decodeText(Uint8Array.from(bytes)), { ok: false, why: 'invalid-utf8' });
    });
  }

  it('takes a text at the bound and refuses one byte more', () => {
    assert.equal(decodeText(new Uint8Array(TEXT_BYTES_MAX).fill(0x61)).ok, true);
    assert.deepEqual(decodeText(new Uint8Array(TEXT_BYTES_MAX + 1).fill(0x61)), {
      ok: false,
      why: 'too-large',
    });
  });

  it('never doubles a CR that a merge left in text of the form crlf', () => {
    const bytes = encodeText('a\r\nb\n', { eol: 'crlf', bom: false });
    assert.equal(Buffer.from(bytes).toString(), 'a\r\nb\r\n');
  });
});
