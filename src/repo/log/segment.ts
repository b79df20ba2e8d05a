/**
 * One segment of a log as a stream of bytes, the same whether it stands in a tail or
 * was sealed (`sealed.ts`). A segment names itself, so that a lone one can be decoded
 * and shipped. Leaves out files, checks of damage, and what a payload means.
 *
 *   stream = "wnseg-1\n" record(header) record(payload)*
 *   header = CBOR [ws, dev, epoch, seq, prev | null, cap | null]
 *
 * with records and payloads as in `core/frame.ts`; the header is the place of the
 * segment's first commit. `logs/<dev>/<epoch>/<seq>.seg` is a tail, `.segz` sealed.
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
} from '../../core/canonical.js';
import { concat, equalBytes, fromHex, toHex, utf8 } from '../../core/bytes.js';
import type { Commit } from '../../core/commit.js';
import { assert, WnError } from '../../core/errors.js';
import { encodeRecord, readRecord, RECORD_HEAD_BYTES, type Place } from '../../core/frame.js';
import type { DeviceId, Epoch } from '../../core/ids.js';
import { FRAME_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES_MAX } from '../../core/limits.js';
import type { Path } from '../../core/ports.js';

/** Names a log. */
export interface LogKey {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
}

/** A point in a log: a segment, by its first seq, and an offset in its stream. */
export interface LogOffset {
  readonly segment: number;
  readonly offset: number;
}

/** Where a commit's record stands: `length` bytes from `offset` on, its head included. */
export interface Position extends LogOffset {
  readonly length: number;
}

export interface SegmentInfo {
  /** The seq of its first commit. */
  readonly first: number;
  readonly sealed: boolean;
  readonly file: Path;
}

export const SEGMENT_MAGIC = utf8('wnseg-1\n');

/** A tail takes records until it has `SEGMENT_BYTES_MAX`; the last may reach beyond. */
export const STREAM_BYTES_MAX = SEGMENT_BYTES_MAX + RECORD_HEAD_BYTES + FRAME_BYTES_MAX;

/** Where the next record begins. */
export function endOf(position: Position): LogOffset {
  return { segment: position.segment, offset: position.offset + position.length };
}

/** Does `a` lie before `b`? */
export function isBefore(a: LogOffset, b: LogOffset): boolean {
  return a.segment === b.segment ? a.offset < b.offset : a.segment < b.segment;
}

/** The place of the commit behind `commit`. */
export function placeAfter(commit: Commit, place: Place): Place {
  return { ...place, seq: place.seq + 1, prev: commit.id, cap: commit.header.cap };
}

/** The stream of a segment that begins at `place` and holds these payloads. */
export function encodeSegment(place: Place, payloads: readonly Uint8Array[]): Uint8Array {
  return concat([encodeSegmentHeader(place), ...payloads.map(encodeRecord)]);
}

/** Magic and header. `place.ws` is the workspace's id, before a genesis too. */
export function encodeSegmentHeader(place: Place): Uint8Array {
  assert(place.ws.length === 64, 'a segment without its workspace');
  const header = encodeCanonical([
    fromHex(place.ws),
    fromHex(place.dev),
    fromHex(place.epoch),
    place.seq,
    place.prev === null ? null : fromHex(place.prev),
    place.cap === null ? null : fromHex(place.cap),
  ]);
  return concat([SEGMENT_MAGIC, encodeRecord(header)]);
}

/** The header of a stream and the offset of its first record; null if it has none. */
export function readSegmentHeader(stream: Uint8Array): { place: Place; next: number } | null {
  if (!equalBytes(stream.subarray(0, SEGMENT_MAGIC.byteLength), SEGMENT_MAGIC)) return null;
  const record = readRecord(stream, SEGMENT_MAGIC.byteLength, SEGMENT_HEADER_BYTES_MAX);
  if (!record.ok) return null;
  try {
    return { place: decodeHeader(record.payload), next: record.next };
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

function decodeHeader(payload: Uint8Array): Place {
  const parts = asArray(decodeCanonical(payload), 'segment header', 6);
  const [ws, dev, epoch, seq, prev = null, cap = null] = parts;
  return {
    ws: toHex(asBytes(ws, 'workspace', 32)),
    dev: toHex(asBytes(dev, 'device', 32)),
    epoch: toHex(asBytes(epoch, 'epoch', 8)),
    seq: asUint(seq, 'seq'),
    prev: prev === null ? null : toHex(asBytes(prev, 'prev', 32)),
    cap: cap === null ? null : toHex(asBytes(cap, 'capability', 32)),
  };
}

// Names of files

export const LOGS_FOLDER: Path = 'logs';

const SEQ_DIGITS = 12;

export function logFolder(log: LogKey): Path {
  return `${LOGS_FOLDER}/${log.dev}/${log.epoch}`;
}

export function segmentPath(log: LogKey, first: number, form: 'tail' | 'sealed'): Path {
  assert(first >= 0 && first < 10 ** SEQ_DIGITS, `a segment that begins at ${first}`);
  const name = String(first).padStart(SEQ_DIGITS, '0');
  return `${logFolder(log)}/${name}.${form === 'tail' ? 'seg' : 'segz'}`;
}

const SEGMENT_PATH = /^logs\/([0-9a-f]{64})\/([0-9a-f]{16})\/(\d{12})\.(segz?)$/;

/** Null for a file that is no segment. */
export function parseSegmentPath(file: Path): { log: LogKey; info: SegmentInfo } | null {
  const [, dev, epoch, first, suffix] = SEGMENT_PATH.exec(file) ?? [];
  if (dev === undefined || epoch === undefined) return null;
  return { log: { dev, epoch }, info: { first: Number(first), sealed: suffix === 'segz', file } };
}
