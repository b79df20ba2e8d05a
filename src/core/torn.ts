/**
 * What the end of a file of records looks like after a crash: the beginning of an append
 * that never returned, or a file of the right length that ends in zeros (delayed
 * allocation). A thing is called torn only if a write that was cut off explains it and a
 * flipped bit doesn't. Leaves out what was acknowledged: the caller's to know.
 */
import { crc32c, readRecord, RECORD_HEAD_BYTES } from './frame.js';
import { FRAME_BYTES_MAX, RESYNC_BYTES_MAX } from './limits.js';

/** `rest`: a file's last bytes, from the first record on that can't be read. */
export function looksTorn(rest: Uint8Array): boolean {
  // A zero at the end is a block that was never written: whole records end in another byte.
  return rest.at(-1) === 0 || isCutShort(rest);
}

/**
 * A record that announces more than there is. If its checksum fits what there is, it is
 * whole, and its length was damaged.
 */
export function isCutShort(rest: Uint8Array): boolean {
  if (rest.byteLength < RECORD_HEAD_BYTES) return true;
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  const length = view.getUint32(0, true);
  if (length > FRAME_BYTES_MAX || RECORD_HEAD_BYTES + length <= rest.byteLength) return false;
  return crc32c(rest.subarray(RECORD_HEAD_BYTES)) !== view.getUint32(4, true);
}

/**
 * Is there a whole record behind the one at 0? Every payload is a CBOR list (major type
 * 4), which spares most checksums. Bytes made to cost more than the bound count as
 * holding one.
 */
export function holdsRecord(rest: Uint8Array): boolean {
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  let budget = RESYNC_BYTES_MAX;
  for (let at = 1; at + RECORD_HEAD_BYTES < rest.byteLength; at++) {
    if ((rest[at + RECORD_HEAD_BYTES] ?? 0) >> 5 !== 4) continue;
    const length = view.getUint32(at, true);
    if (at + RECORD_HEAD_BYTES + length > rest.byteLength) continue;
    if (readRecord(rest, at).ok) return true;
    budget -= Math.min(length, FRAME_BYTES_MAX);
    if (budget < 0) return true;
  }
  return false;
}
