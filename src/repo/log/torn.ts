/**
 * What the end of a tail looks like after a crash. An append that never returned may
 * leave its beginning, a file of the right length that ends in zeros (delayed
 * allocation), or both. Where it is known what was acknowledged, anything behind that
 * may be cut that hides no whole commit. Where it isn't, a thing is called torn only if
 * a write that was cut off explains it and a flipped bit doesn't. When in doubt it is
 * damage: a commit that may have been acknowledged is never cut away.
 */
import { equalBytes } from '../../core/bytes.js';
import { holdsRecord, isCutShort, looksTorn } from '../../core/torn.js';
import { isBefore, SEGMENT_MAGIC, type LogOffset } from './segment.js';

/**
 * May `rest` be cut? It is the tail's last bytes, from the first record on that can't be
 * read, at `at` (offset 0: the segment's header can't be read). `acknowledged` null:
 * nobody knows.
 */
export function isTorn(rest: Uint8Array, at: LogOffset, acknowledged: LogOffset | null): boolean {
  if (acknowledged !== null && isBefore(at, acknowledged)) return false;
  return (acknowledged !== null || tailLooksTorn(rest, at.offset)) && !holdsRecord(rest);
}

function tailLooksTorn(rest: Uint8Array, fileOffset: number): boolean {
  if (fileOffset > 0 || rest.at(-1) === 0) return looksTorn(rest);
  const magic = rest.subarray(0, SEGMENT_MAGIC.byteLength);
  if (!equalBytes(magic, SEGMENT_MAGIC.subarray(0, magic.byteLength))) return false;
  return isCutShort(rest.subarray(magic.byteLength));
}
