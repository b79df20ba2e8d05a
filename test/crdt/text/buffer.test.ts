/** The gap buffer against an array of code points. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../../src/core/errors.js';
import { TextBuffer } from '../../../src/crdt/text/buffer.js';
import { FUZZ_RUNS } from './histories.js';

const piece = fc.constantFrom('a', 'bcd', '漢字', '🙂', '👩‍👩‍👧', 'e\u0301', '\n', 'x'.repeat(300));

describe('TextBuffer', () => {
  it('edits by code point', () => {
    const buffer = new TextBuffer('a🙂b');
    buffer.insert(2, '漢🇩🇪');
    buffer.delete(1, 1);
    buffer.apply([0, 'x']);
    buffer.apply([4, 1]);
    assert.equal(buffer.toString(), 'xa漢🇩b');
    assert.equal(buffer.length, 5);
    assert.equal(buffer.slice(1, 4), 'a漢🇩');
  });

  it('equals an array of code points under any edits', () => {
    const edit = fc.tuple(fc.nat(9_999), fc.nat(5), piece);
    fc.assert(
      fc.property(piece, fc.array(edit, { maxLength: 60 }), (start, edits) => {
        const buffer = new TextBuffer(start);
        const model = [...start];
        for (const [place, count, text] of edits) {
          const at = place % (model.length + 1);
          const removed = Math.min(count, model.length - at);
          buffer.delete(at, removed);
          buffer.insert(at, text);
          model.splice(at, removed, ...text);
          assert.equal(buffer.length, model.length);
        }
        assert.equal(buffer.toString(), model.join(''));
        const middle = model.length >> 1;
        assert.equal(buffer.slice(middle >> 1, middle), model.slice(middle >> 1, middle).join(''));
      }),
      { numRuns: FUZZ_RUNS * 5 },
    );
  });

  it('refuses what lies outside the text, and changes nothing', () => {
    const buffer = new TextBuffer('a🙂b');
    buffer.insert(1, 'x');
    const refused: (() => void)[] = [
      () => buffer.insert(5, 'y'),
      () => buffer.insert(-1, 'y'),
      () => buffer.insert(0.5, 'y'),
      () => buffer.delete(3, 2),
      () => buffer.delete(0, -1),
      () => buffer.delete(Number.NaN, 1),
      () => buffer.slice(2, 5),
    ];
    for (const attempt of refused) {
      assert.throws(attempt, (error) => error instanceof WnError && error.code === 'invalid');
      assert.equal(buffer.toString(), 'ax🙂b', String(attempt));
    }
    buffer.insert(4, 'y');
    assert.equal(buffer.toString(), 'ax🙂by');
  });
});
