/**
 * Reading a log from a point on, segment by segment. Bad bytes never throw: they are
 * reported as what they are, a torn tail or damage, and reading goes on with the next
 * segment, which names itself. Leaves out decoding of payloads. Holds at most one
 * segment at a time.
 */
import { readRecord, type Place } from '../../core/frame.js';
import type { Deflate, Path, Storage } from '../../core/ports.js';
import { unseal } from './sealed.js';
import {
  isBefore,
  readSegmentHeader,
  segmentPath,
  STREAM_BYTES_MAX,
  type LogKey,
  type LogOffset,
  type Position,
  type SegmentInfo,
} from './segment.js';
import { isTorn } from './torn.js';

/** A segment that is read from its beginning: after damage, decoding starts again here. */
export interface SegmentItem {
  readonly kind: 'segment';
  readonly place: Place;
  readonly file: Path;
}

export interface CommitItem {
  readonly kind: 'commit';
  readonly seq: number;
  /** A copy: to keep it doesn't keep the segment. */
  readonly payload: Uint8Array;
  readonly position: Position;
}

/** The rest of an append that never returned. Who holds the writer lock may cut it. */
export interface Torn extends LogOffset {
  readonly kind: 'torn';
  readonly file: Path;
  /** From `offset` to the end of the file. */
  readonly bytes: number;
}

/** Never cut. Peers that hold the lost commits have them still. */
export interface Damage {
  readonly kind: 'damage';
  readonly file: Path;
  /** In the file; 0 for what concerns it whole. */
  readonly offset: number;
  readonly what: string;
  /** The seqs from `from` up to before `to` can't be read; null: up to the log's end. */
  readonly lost: { readonly from: number; readonly to: number | null };
}

export type ScanItem = SegmentItem | CommitItem | Torn | Damage;

export interface ScanOptions {
  /** Begin here, where the record of commit `seq` stands or would stand. */
  readonly from?: (LogOffset & { readonly seq: number }) | undefined;
  /** Where the last acknowledged record ends; null where nobody knows. */
  readonly acknowledged?: LogOffset | null | undefined;
}

export interface Source {
  readonly storage: Storage;
  readonly deflate: Deflate;
}

/** `list`: gives the segments to read, in order. */
export async function* scanSegments(
  source: Source,
  log: LogKey,
  list: () => Promise<readonly SegmentInfo[]>,
  { from, acknowledged = null }: ScanOptions,
): AsyncGenerator<ScanItem, void, undefined> {
  const left = (await list()).filter((info) => info.first >= (from?.segment ?? 0));
  if (from !== undefined && from.offset > 0 && left[0]?.first !== from.segment) {
    yield missing(segmentPath(log, from.segment, 'tail'), from.seq, left[0]?.first ?? null);
    return;
  }
  let seq = left[0]?.first ?? 0;
  let end: LogOffset | null = { segment: seq, offset: 0 };
  for (const [index, info] of left.entries()) {
    if (info.first !== seq) yield misplaced(info, seq);
    const resumed = from !== undefined && info.first === from.segment;
    const start = resumed ? from : { segment: info.first, offset: 0, seq: info.first };
    const next = left[index + 1]?.first ?? null;
    const part = await readPart(source, log, info, start.offset);
    const items = scanPart(log, part, start, { next, begins: index === 0, acknowledged });
    let item = items.next();
    // Not `yield*`: it would wait twice for each commit.
    for (; item.done !== true; item = items.next()) yield item.value;
    end = item.value.end;
    seq = end === null && next !== null ? next : item.value.seq;
  }
  if (acknowledged !== null && end !== null && isBefore(end, acknowledged)) {
    const last = left.at(-1);
    yield last !== undefined && last.first === acknowledged.segment
      ? cutOff(last.file, end.offset, seq)
      : missing(segmentPath(log, acknowledged.segment, 'tail'), seq, null);
  }
}

function missing(file: Path, from: number, to: number | null): Damage {
  return { kind: 'damage', file, offset: 0, what: 'the segment is missing', lost: { from, to } };
}

function cutOff(file: Path, offset: number, from: number): Damage {
  const what = 'the file ends before the last acknowledged commit';
  return { kind: 'damage', file, offset, what, lost: { from, to: null } };
}

function misplaced(info: SegmentInfo, expected: number): Damage {
  const what =
    info.first > expected
      ? `the commits from seq ${expected} on, before this segment, are missing`
      : `the segment repeats commits from seq ${info.first} on`;
  const lost = { from: Math.min(expected, info.first), to: info.first };
  return { kind: 'damage', file: info.file, offset: 0, what, lost };
}

/** A segment's stream from some offset on. */
interface Part {
  readonly file: Path;
  readonly sealed: boolean;
  readonly bytes: Uint8Array;
  /** Commits in the whole segment, where its head tells. */
  readonly commits: number | null;
  /** Why `bytes` end early; offset in the file. */
  readonly damage: { readonly offset: number; readonly what: string } | null;
}

async function readPart(
  source: Source,
  log: LogKey,
  info: SegmentInfo,
  offset: number,
): Promise<Part> {
  const tail = info.sealed ? null : await readTail(source.storage, info.file, offset);
  if (tail !== null) return tail;
  // A tail that is gone was sealed by another process just now: offsets stay the same.
  const file = segmentPath(log, info.first, 'sealed');
  const bytes = await source.storage.read(file, 0, 2 * STREAM_BYTES_MAX);
  if (bytes === null) {
    const damage = { offset: 0, what: 'the segment is missing' };
    return { file, sealed: true, bytes: new Uint8Array(0), commits: null, damage };
  }
  const { stream, commits, damage } = unseal(bytes, source.deflate);
  const short = damage === null && stream.byteLength < offset;
  return {
    file,
    sealed: true,
    bytes: stream.subarray(offset),
    commits,
    damage: short ? { offset: 0, what: 'the segment lost commits' } : damage,
  };
}

async function readTail(storage: Storage, file: Path, offset: number): Promise<Part | null> {
  const bytes = await storage.read(file, offset, STREAM_BYTES_MAX + 1);
  if (bytes === null) return null;
  let damage: Part['damage'] = null;
  if (offset + bytes.byteLength > STREAM_BYTES_MAX) {
    damage = { offset: STREAM_BYTES_MAX, what: 'the file is longer than a segment can be' };
  } else if (bytes.byteLength === 0 && offset > 0) {
    const size = await storage.size(file);
    if (size === null) return null;
    if (size < offset) damage = { offset: size, what: 'the file lost commits at its end' };
  }
  return { file, sealed: false, bytes, commits: null, damage };
}

interface Bounds {
  /** First seq of the next segment; null in the last. */
  readonly next: number | null;
  /** The first segment that is read. */
  readonly begins: boolean;
  readonly acknowledged: LogOffset | null;
}

/** How far a part could be read; `end` is null where damage hides the rest. */
interface Read {
  readonly seq: number;
  readonly end: LogOffset | null;
}

function* scanPart(
  log: LogKey,
  part: Part,
  start: LogOffset & { readonly seq: number },
  bounds: Bounds,
): Generator<ScanItem, Read, undefined> {
  const { segment } = start;
  let { seq } = start;
  let at = 0;
  const isEmptyTail = !part.sealed && part.bytes.byteLength === 0 && part.damage === null;
  if (start.offset === 0 && !isEmptyTail) {
    const header = readSegmentHeader(part.bytes);
    if (header === null || !isPlaceOf(header.place, log, segment)) {
      const what = header === null ? 'the header is damaged' : 'the header names another segment';
      return yield* stop(part, { segment, offset: 0 }, seq, bounds, part.bytes, what);
    }
    if (bounds.begins && header.place.prev !== null) {
      const what = 'the segments before this one are missing';
      yield { kind: 'damage', file: part.file, offset: 0, what, lost: { from: 0, to: segment } };
    }
    yield { kind: 'segment', place: header.place, file: part.file };
    at = header.next;
  }
  for (;;) {
    const record = readRecord(part.bytes, at);
    const offset = start.offset + at;
    if (!record.ok) {
      const miscounted = part.commits !== null && segment + part.commits !== seq;
      const ended = record.why === 'end' && part.damage === null;
      if (ended && !miscounted) return { seq, end: { segment, offset } };
      const what = ended ? 'the head miscounts the commits' : 'a commit is damaged';
      return yield* stop(part, { segment, offset }, seq, bounds, part.bytes.subarray(at), what);
    }
    const position = { segment, offset, length: record.next - at };
    yield { kind: 'commit', seq, payload: Buffer.from(record.payload), position };
    at = record.next;
    seq += 1;
  }
}

function isPlaceOf(place: Place, log: LogKey, first: number): boolean {
  return place.dev === log.dev && place.epoch === log.epoch && place.seq === first;
}

/** Judges why a part can't be read beyond `at`; `rest` is what stands from there on. */
function* stop(
  part: Part,
  at: LogOffset,
  seq: number,
  { next, acknowledged }: Bounds,
  rest: Uint8Array,
  what: string,
): Generator<ScanItem, Read, undefined> {
  const last = !part.sealed && part.damage === null && next === null;
  if (last && isTorn(rest, at, acknowledged)) {
    yield { kind: 'torn', file: part.file, ...at, bytes: rest.byteLength };
    return { seq, end: at };
  }
  const to = next ?? (part.commits === null ? null : at.segment + part.commits);
  const where = part.damage ?? { offset: part.sealed ? 0 : at.offset, what };
  yield { kind: 'damage', file: part.file, ...where, lost: { from: seq, to } };
  return { seq, end: null };
}
