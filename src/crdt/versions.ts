/**
 * Version vectors over stamps: of each log the newest stamp that is covered. A log's
 * author has seen all that the log holds, so whoever saw one of its stamps saw every
 * earlier one; naming a stamp therefore covers the log up to it.
 *
 * That is what lets removed things be forgotten: a vector is a join semilattice (joins
 * commute, associate and repeat harmlessly) whose size follows the number of logs, not
 * of operations (cf. Preguiça, Baquero et al., "Dotted Version Vectors", 2010).
 */
import { fromHex, toHex } from '../core/bytes.js';
import { asArray, asBytes, type Canonical } from '../core/canonical.js';
import { isEarlier, stampLog, type Stamp } from '../core/hlc.js';
import type { LogId } from '../core/ids.js';
import { decodeStampRef, encodeStampRef, resolveStampRef, stampRef } from '../core/op.js';

export type VersionVector = ReadonlyMap<LogId, Stamp>;

export const NO_VERSIONS: VersionVector = new Map();

export function covers(versions: VersionVector, at: Stamp): boolean {
  const newest = versions.get(stampLog(at));
  return newest !== undefined && newest >= at;
}

/** The same vector where it covers them all already. */
export function join(versions: VersionVector, stamps: readonly Stamp[]): VersionVector {
  const fresh = stamps.filter((at) => !covers(versions, at));
  if (fresh.length === 0) return versions;
  const joined = new Map(versions);
  for (const at of fresh) if (!covers(joined, at)) joined.set(stampLog(at), at);
  return joined;
}

/**
 * Of the stamps that an op names, those that it can have seen: a stamp exceeds all in
 * its past. So nobody covers his own op, or the future of another's log.
 */
export function seenBy(at: Stamp, named: readonly Stamp[]): readonly Stamp[] {
  return named.filter((other) => isEarlier(other, at));
}

export function newer(a: Stamp | null, b: Stamp): Stamp {
  return a === null || b > a ? b : a;
}

// Stamps in an op's argument, relative to its log

export function encodeRefs(stamps: readonly Stamp[], own: LogId): Canonical {
  return stamps.map((at) => encodeStampRef(stampRef(at, own)));
}

export function decodeRefs(value: Canonical | undefined, own: LogId): readonly Stamp[] {
  return asArray(value, 'stamps').map((ref) => resolveStampRef(decodeStampRef(ref), own));
}

// Stamps in a state

const STAMP_BYTES = 24;

export function encodeStamp(at: Stamp): Canonical {
  return fromHex(at);
}

export function decodeStamp(value: Canonical | undefined): Stamp {
  return toHex(asBytes(value, 'stamp', STAMP_BYTES));
}

/** One stamp names its log, so a vector is the list of them, in order. */
export function encodeVersions(versions: VersionVector): Canonical {
  return [...versions.values()].sort().map(encodeStamp);
}

export function decodeVersions(value: Canonical | undefined): VersionVector {
  return join(NO_VERSIONS, asArray(value, 'version vector').map(decodeStamp));
}
