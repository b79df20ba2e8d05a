/**
 * The log store: where the records of every log stand. It knows segments, records and
 * positions, and nothing of what commits mean. It keeps no state but caches: what is
 * acknowledged is the caller's to know (the index does) and to say. Reading needs no
 * lock; whatever writes is called by who holds the writer lock.
 */
import { assert, WnError } from '../../core/errors.js';
import { readRecord } from '../../core/frame.js';
import { SEALED_HEAD_BYTES_MAX, SEGMENT_BYTES_MAX } from '../../core/limits.js';
import type { Deflate, Path, Storage } from '../../core/ports.js';
import { planAppend, type Batch, type Plan } from './append.js';
import { damage, RecordReader } from './records.js';
import { scanSegments, type ScanItem, type ScanOptions, type Source, type Torn } from './scan.js';
import { measure, sealTail, startsWith, type Sealed } from './seal.js';
import { readSealedHead, unseal } from './sealed.js';
import {
  logFolder,
  LOGS_FOLDER,
  parseSegmentPath,
  readSegmentHeader,
  segmentPath,
  STREAM_BYTES_MAX,
  type LogKey,
  type LogOffset,
  type Position,
  type SegmentInfo,
} from './segment.js';
import { isTorn } from './torn.js';

export type { Batch, Write } from './append.js';

export class LogStore {
  private readonly records: RecordReader;
  private readonly source: Source;

  constructor(
    private readonly storage: Storage,
    private readonly deflate: Deflate,
  ) {
    this.records = new RecordReader(storage, deflate);
    this.source = { storage, deflate };
  }

  async logs(): Promise<readonly LogKey[]> {
    const logs = new Map<Path, LogKey>();
    for (const file of await this.storage.list(LOGS_FOLDER)) {
      const segment = parseSegmentPath(file);
      if (segment !== null) logs.set(logFolder(segment.log), segment.log);
    }
    return [...logs.values()];
  }

  /** In order. A sealed segment hides the tail that it was made of. */
  async segments(log: LogKey): Promise<readonly SegmentInfo[]> {
    const found = new Map<number, SegmentInfo>();
    for (const file of await this.storage.list(logFolder(log))) {
      const info = parseSegmentPath(file)?.info;
      if (info !== undefined) found.set(info.first, info); // `.segz` comes behind `.seg`
    }
    return [...found.values()];
  }

  /** A copy of a payload, at once. Throws `damage`, which names file, offset and remedy. */
  payload(log: LogKey, position: Position): Uint8Array {
    return this.records.payload(log, position);
  }

  /** Everything from a point on. Bad bytes are items, never thrown. */
  scan(log: LogKey, options: ScanOptions = {}): AsyncGenerator<ScanItem, void, undefined> {
    return scanSegments(this.source, log, () => this.segments(log), options);
  }

  /**
   * Appends to the tails of several logs and makes it durable together.
   * A tail that has `SEGMENT_BYTES_MAX` takes no more: the next record opens a segment,
   * once the one before is durable, so that a crash tears no segment but the last. What
   * stands behind `after` is the rest of an append that never returned, and is cut; a
   * whole commit there is a bug of the caller, who has to catch up first (`scan`).
   */
  async append(batches: readonly Batch[]): Promise<readonly (readonly Position[])[]> {
    assert(
      new Set(batches.map(({ place }) => logFolder(place))).size === batches.length,
      'two batches for one log',
    );
    const plans: Plan[] = [];
    for (const batch of batches) plans.push(planAppend(batch, await this.openTail(batch)));
    const rounds = Math.max(1, ...plans.map((plan) => plan.writes.length));
    for (let round = 0; round < rounds; round++) {
      const writes = plans.flatMap((plan) => plan.writes[round] ?? []);
      await this.storage.appendAll(writes);
    }
    return plans.map((plan) => plan.positions);
  }

  /** The end of the tail that takes the batch's first record, cut to what is acknowledged. */
  private async openTail({ place, after }: Batch): Promise<LogOffset> {
    if (after !== null) {
      const sealed = segmentPath(place, after.segment, 'sealed');
      if ((await this.storage.size(sealed)) !== null) {
        await this.checkContinues(sealed, after.segment, place.seq);
      } else {
        await this.cutToEnd(place, after);
        if (after.offset < SEGMENT_BYTES_MAX) return after;
      }
    }
    const fresh = { segment: place.seq, offset: 0 };
    const size = await this.storage.size(segmentPath(place, place.seq, 'tail'));
    if (size !== null && size > 0) await this.cutRest(place, fresh, after);
    return fresh;
  }

  private async checkContinues(sealed: Path, first: number, seq: number): Promise<void> {
    const start = await this.storage.read(sealed, 0, SEALED_HEAD_BYTES_MAX);
    const head = start === null ? null : readSealedHead(start);
    if (head === null) throw damage(sealed, 0, 'the head of the sealed segment is damaged');
    assert(first + head.commits === seq, 'an append to a log that has moved on');
  }

  private async cutToEnd(log: LogKey, end: LogOffset): Promise<void> {
    const tail = segmentPath(log, end.segment, 'tail');
    const size = await this.storage.size(tail);
    if (size === null) throw damage(tail, 0, 'the segment is missing');
    if (size < end.offset) {
      throw damage(tail, size, 'the file ends before the last acknowledged commit');
    }
    if (size > end.offset) await this.cutRest(log, end, end);
  }

  /** Cuts what stands behind `end`, if it is torn; throws `damage` if it isn't. */
  private async cutRest(log: LogKey, end: LogOffset, known: LogOffset | null): Promise<void> {
    const file = segmentPath(log, end.segment, 'tail');
    const stream = (await this.storage.read(file, end.offset, STREAM_BYTES_MAX + 1)) ?? NONE;
    const first = end.offset === 0 ? (readSegmentHeader(stream)?.next ?? 0) : 0;
    assert(!readRecord(stream, first).ok, 'an append to a log that has moved on');
    const rest = stream.subarray(first);
    const at = { segment: end.segment, offset: end.offset + first };
    if (rest.byteLength > 0 && !isTorn(rest, at, known)) {
      throw damage(file, at.offset, 'a commit is damaged');
    }
    await this.storage.truncate(file, end.offset);
    this.records.forget(log, end.segment);
  }

  /**
   * Cuts the torn end of a log, if it has one: of its last segment, behind what is
   * acknowledged, as `scan` judges it.
   */
  async cutTorn(log: LogKey, acknowledged: LogOffset | null): Promise<Torn | null> {
    const last = async (): Promise<readonly SegmentInfo[]> => (await this.segments(log)).slice(-1);
    for await (const item of scanSegments(this.source, log, last, { acknowledged })) {
      if (item.kind !== 'torn') continue;
      await this.storage.truncate(item.file, item.offset);
      this.records.forget(log, item.segment);
      return item;
    }
    return null;
  }

  /**
   * Makes durable what stands in a log. A killed writer may have left whole commits that
   * it never came to sync: before they are built on or shown to a peer, they must stay.
   */
  async sync(log: LogKey): Promise<void> {
    const last = (await this.segments(log)).at(-1);
    if (last?.sealed === false) await this.storage.append(last.file, NONE);
  }

  /** Seals the tails of at least so many bytes; appending goes on in a new one. */
  async seal(log: LogKey, bytesMin: number = SEGMENT_BYTES_MAX): Promise<readonly Sealed[]> {
    const sealed: Sealed[] = [];
    for (const file of await this.storage.list(logFolder(log))) {
      const info = parseSegmentPath(file)?.info;
      if (info === undefined || info.sealed) continue;
      if (((await this.storage.size(file)) ?? 0) < bytesMin) continue;
      const result = await sealTail(this.storage, this.deflate, log, info.first);
      if (result !== null) sealed.push(result);
      this.records.forget(log, info.first);
    }
    return sealed;
  }

  /** The very file of a sealed segment, for shipping; null if it isn't sealed here. */
  readSealed(log: LogKey, first: number): Promise<Uint8Array | null> {
    return this.storage.read(segmentPath(log, first, 'sealed'), 0, 2 * STREAM_BYTES_MAX);
  }

  /**
   * Puts a sealed segment in its place: one that a peer shipped, or one built anew for a
   * damaged one. It must be whole, and hold all good records, up to the first damage, of
   * a segment that stands there already. Throws `invalid`. Whether its commits are
   * genuine is the caller's to check first.
   */
  async install(log: LogKey, file: Uint8Array): Promise<SegmentInfo> {
    const { stream, commits, damage: fault } = unseal(file, this.deflate);
    if (fault !== null) throw new WnError('invalid', `a sealed segment: ${fault.what}`);
    const place = readSegmentHeader(stream)?.place;
    if (place === undefined || place.dev !== log.dev || place.epoch !== log.epoch) {
      throw new WnError('invalid', 'a sealed segment of another log');
    }
    const measured = measure(stream);
    if (measured.end !== stream.byteLength || measured.commits !== commits || commits === 0) {
      throw new WnError('invalid', 'a sealed segment whose commits do not add up');
    }
    const tail = segmentPath(log, place.seq, 'tail');
    const sealed = segmentPath(log, place.seq, 'sealed');
    if (!startsWith(stream, await this.goodPart(log, place.seq))) {
      throw new WnError('invalid', 'a sealed segment that lacks commits held here');
    }
    await this.storage.replace(sealed, file);
    if ((await this.storage.size(tail)) !== null) await this.storage.remove(tail);
    this.records.forget(log, place.seq);
    return { first: place.seq, sealed: true, file: sealed };
  }

  /** The stream of a segment up to its first damage; empty if it isn't here. */
  private async goodPart(log: LogKey, first: number): Promise<Uint8Array> {
    const sealed = await this.readSealed(log, first);
    const tail = segmentPath(log, first, 'tail');
    const stream =
      sealed !== null
        ? unseal(sealed, this.deflate).stream
        : ((await this.storage.read(tail, 0, STREAM_BYTES_MAX + 1)) ?? NONE);
    return stream.subarray(0, measure(stream).end);
  }
}

const NONE = new Uint8Array(0);
