/** Raw deflate by zlib, in a thread for writing and bounded for reading. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Deflate } from '../core/ports.js';

const deflateRaw = promisify(zlib.deflateRaw);

export const nodeDeflate: Deflate = {
  async deflateRaw(bytes) {
    return plain(await deflateRaw(bytes));
  },
  inflateRaw(bytes, sizeMax) {
    try {
      const options = { maxOutputLength: Math.max(1, sizeMax), info: true };
      const { buffer, engine } = zlib.inflateRawSync(bytes, options) as unknown as Inflated;
      const whole = engine.bytesWritten === bytes.byteLength && buffer.byteLength <= sizeMax;
      return whole ? plain(buffer) : null;
    } catch {
      return null; // cut short, not deflate, or too large
    }
  },
};

/** What zlib's synchronous calls return with `info`; `bytesWritten` is the input they took. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Without Buffer's own `slice`, which shares memory where Uint8Array's copies. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
