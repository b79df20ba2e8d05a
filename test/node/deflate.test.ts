/** Raw deflate: whole streams only, up to the size that was allowed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nodeDeflate } from '../../src/node/deflate.js';

describe('deflate', () => {
  it('gives back what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        const packed = await nodeDeflate.deflateRaw(bytes);
        assert.deepEqual(nodeDeflate.inflateRaw(packed, bytes.byteLength), bytes);
      }),
    );
  });

  it('refuses what is cut, has something behind it, or grows too large', async () => {
    const packed = await nodeDeflate.deflateRaw(new Uint8Array(100_000));
    assert.equal(nodeDeflate.inflateRaw(packed, 100_000)?.byteLength, 100_000);
    assert.equal(nodeDeflate.inflateRaw(packed, 99_999), null);
    assert.equal(nodeDeflate.inflateRaw(packed, 0), null);
    assert.equal(nodeDeflate.inflateRaw(Uint8Array.of(...packed, 0), 100_000), null);
    for (let length = 0; length < packed.byteLength; length++) {
      assert.equal(nodeDeflate.inflateRaw(packed.subarray(0, length), 100_000), null, `${length}`);
    }
  });
});
