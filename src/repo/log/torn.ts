/**
 * What the end of a tail looks like after a crash. An append that never returned may
 * leave its beginning, a file of the right length that ends in zeros (delayed
 * allocation), or both. Where it is known what was acknowledged, anything behind that
 * may be cut that hides no whole commit. Where it isn't, a thing is called torn only if
 * a write that was cut off explains it and a flipped bit doesn't. When in doubt it is
 * damage: a commit that may have been acknowledged is never cut away.
 */
import { equalBytes } from '../../core/bytes.js';
import { crc32c, readRecord, RECORD_HEAD_BYTES } from '../../core/frame.js';
import { FRAME_BYTES_MAX, RESYNC_BYTES_MAX } from '../../core/limits.js';
import { isBefore, SEGMENT_MAGIC, type LogOffset } from './segment.js';

/**
 * May `rest` be cut? It is the tail's last bytes, from the first record on that can't be
 * read, at `at` (offset 0: the segment's header can't be read). `acknowledged` null:
 * nobody knows.
 */
export function isTorn(rest: Uint8Array, at: LogOffset, acknowledged: LogOffset | null): boolean {
  if (acknowledged !== null && isBefore(at, acknowledged)) return false;
  return (acknowledged !== null || looksTorn(rest, at.offset)) && !holdsRecord(rest);
}

/** A zero at the end is a block that was never written: whole records end in another byte. */
function looksTorn(rest: Uint8Array, fileOffset: number): boolean {
  if (rest.at(-1) === 0) return true;
  if (fileOffset > 0) return isCutShort(rest);
  const magic = rest.subarray(0, SEGMENT_MAGIC.byteLength);
  if (!equalBytes(magic, SEGMENT_MAGIC.subarray(0, magic.byteLength))) return false;
  return isCutShort(rest.subarray(magic.byteLength));
}

/**
 * A record that announces more than there is. If its checksum fits what there is, it is
 * whole, and its length was damaged.
 */
function isCutShort(rest: Uint8Array): boolean {
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
function holdsRecord(rest: Uint8Array): boolean {
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
