/**
 * Content-defined chunks: FastCDC with normalised chunking (Xia et al., USENIX ATC
 * 2016). An insertion changes the chunks around it and no others. Where the cuts fall
 * decides how much is stored, not what is valid. Leaves out storing (`repo/blobs.ts`).
 */
import { CHUNK_BYTES_AVG, CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from '../core/limits.js';

const GEAR = gearTable();

/** 256 words of xorshift32 (Marsaglia, 2003) from a fixed seed. */
function gearTable(): Uint32Array {
  const gear = new Uint32Array(256);
  let state = 0x9e3779b9;
  for (let index = 0; index < gear.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    gear[index] = state >>> 0;
  }
  return gear;
}

const AVERAGE_BITS = Math.round(Math.log2(CHUNK_BYTES_AVG));
/**
 * Harder to meet before the average size, easier after it: level 2 of the paper, with
 * which one random chunk in forty reaches the greatest size and is cut blindly (at level
 * 1 one in seven). The high bits are the ones that the most bytes went into.
 */
const MASK_BEFORE = highBits(AVERAGE_BITS + 2);
const MASK_AFTER = highBits(AVERAGE_BITS - 2);

function highBits(count: number): number {
  return (0xffffffff << (32 - count)) >>> 0;
}

/** Start and end of each chunk, in order, covering all bytes; none for no bytes. */
export function* chunkBoundaries(
  bytes: Uint8Array,
): Iterable<readonly [start: number, end: number]> {
  for (let start = 0; start < bytes.byteLength;) {
    const end = cut(bytes, start);
    yield [start, end];
    start = end;
  }
}

function cut(bytes: Uint8Array, start: number): number {
  const last = Math.min(start + CHUNK_BYTES_MAX, bytes.byteLength);
  const average = Math.min(start + CHUNK_BYTES_AVG, last);
  let hash = 0;
  let at = Math.min(start + CHUNK_BYTES_MIN, last);
  for (; at < average; at++) {
    hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
    if ((hash & MASK_BEFORE) === 0) return at + 1;
  }
  for (; at < last; at++) {
    hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
    if ((hash & MASK_AFTER) === 0) return at + 1;
  }
  return last;
}
