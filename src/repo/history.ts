/**
 * The commits held here, by id and by place, and what each author knew: one look-up, because
 * a header's deps name every head that moved since the commit before, not the minimal ones.
 */
import { fromHex } from '../core/bytes.js';
import { lastTime, type Commit, type Header } from '../core/commit.js';
import { assert, WnError } from '../core/errors.js';
import { decodePayload, type Place } from '../core/frame.js';
import type { CapId, CommitId, DeviceId, Epoch, LogId, WorkspaceId } from '../core/ids.js';
import { commitRecord, commitRecords, putCommitRecord } from './index/commits.js';
import {
  decodeLogRecord,
  decodeSeq,
  encodeLogRecord,
  encodeSeq,
  PRESENT,
  type CommitRecord,
  type CommitState,
  type LogRecord,
} from './index/records.js';
import type { Position } from './log/segment.js';
import { key, parseCommitById, type LogNumber, type Tables } from './index/tables.js';

/** A commit's place: its log and seq. */
export interface CommitRef {
  readonly log: LogId;
  readonly seq: number;
}

export type ReadPayload = (record: LogRecord, position: Position) => Uint8Array;

interface Unwritten {
  readonly commit: Commit;
  readonly record: CommitRecord;
  /** Of the commit before it in its log; null for the log's first. */
  readonly prev: CommitId | null;
  readonly prevCap: CapId | null;
}

const COMMITS_CACHED_MAX = 256;

export class History {
  private readonly logs = new Map<LogId, LogRecord>();
  private readonly byNumber = new Map<LogNumber, LogId>();
  /** Commits made in this process that have no place on disk yet, and some read lately. */
  private readonly unwritten = new Map<LogId, Map<number, Unwritten>>();
  private readonly cached = new Map<string, Commit>();
  private readonly changedLogs = new Set<LogId>();
  private logsComplete = false;

  constructor(
    readonly tables: Tables,
    readonly ws: WorkspaceId,
    private readonly readPayload: ReadPayload,
  ) {}

  /** Forgets what another process may have changed. */
  refresh(): void {
    this.logs.clear();
    this.changedLogs.clear();
    this.byNumber.clear();
    this.cached.clear();
    this.logsComplete = false;
  }

  log(log: LogId): LogRecord | null {
    const known = this.logs.get(log);
    if (known !== undefined) return known;
    const bytes = this.tables.get(key.log(log));
    return bytes === undefined ? null : this.remember(log, decodeLogRecord(bytes));
  }

  allLogs(): readonly LogRecord[] {
    this.loadLogs();
    return [...this.logs.values()];
  }

  /** Commits held, of all logs. */
  commitCount(): number {
    return this.allLogs().reduce((sum, log) => sum + log.stored.seq - log.firstSeq + 1, 0);
  }

  logIdOf(record: LogRecord): LogId {
    return this.logOfNumber(record.number);
  }

  logOfNumber(number: LogNumber): LogId {
    const known = this.byNumber.get(number);
    if (known !== undefined) return known;
    this.loadLogs();
    const log = this.byNumber.get(number);
    assert(log !== undefined, `no log of number ${number} in the index`);
    return log;
  }

  private loadLogs(): void {
    if (this.logsComplete) return;
    for (const [at, bytes] of this.tables.prefix(key.table('log'))) {
      const log = at.slice(2);
      if (!this.logs.has(log)) this.remember(log, decodeLogRecord(bytes));
    }
    this.logsComplete = true;
  }

  private remember(log: LogId, record: LogRecord): LogRecord {
    this.logs.set(log, record);
    this.byNumber.set(record.number, log);
    return record;
  }

  putLog(log: LogId, record: LogRecord): void {
    this.remember(log, record);
    this.changedLogs.add(log);
  }

  /** Encodes what changed into the index's overlay. */
  save(): void {
    for (const log of this.changedLogs) {
      const record = this.logs.get(log);
      if (record !== undefined) this.tables.put(key.log(log), encodeLogRecord(record));
    }
    this.changedLogs.clear();
  }

  /** A log's record before its first commit. */
  begin(
    log: LogId,
    {
      dev,
      epoch,
      link,
    }: { readonly dev: DeviceId; readonly epoch: Epoch; readonly link: CommitRef | null },
  ): void {
    const firstSeq = link === null ? 0 : link.seq + 1;
    this.putLog(log, {
      number: this.nextLogNumber(),
      dev,
      epoch,
      link,
      firstSeq,
      stored: { seq: firstSeq - 1, id: '', lastTime: 0n },
      folded: firstSeq - 1,
      cap: null,
      held: 0,
      end: { segment: firstSeq, offset: 0 },
    });
  }

  private nextLogNumber(): LogNumber {
    this.loadLogs();
    return this.logs.size + 1;
  }

  /** The last time that a held commit uses; 0 for one that isn't held. */
  lastTimeOf(ref: CommitRef): bigint {
    const record = this.record(ref);
    return record === null ? 0n : record.hlc + BigInt(Math.max(record.ops, 1) - 1);
  }

  // Commits by place and by id

  record(at: CommitRef): CommitRecord | null {
    const waiting = this.unwrittenAt(at);
    if (waiting !== undefined) return waiting.record;
    const log = this.log(at.log);
    if (log === null) return null;
    return commitRecord(this.tables, log.number, at.seq);
  }

  /** Where the commit before this one of a known log stands, found by place and not by id. */
  before({ log, header }: Commit): CommitRef | null {
    const record = this.log(log);
    assert(record !== null, 'a commit of an unknown log');
    return header.seq > record.firstSeq ? { log, seq: header.seq - 1 } : record.link;
  }

  private unwrittenAt({ log, seq }: CommitRef): Unwritten | undefined {
    return this.unwritten.get(log)?.get(seq);
  }

  private keepUnwritten({ log, seq }: CommitRef, unwritten: Unwritten): void {
    const ofLog = this.unwritten.get(log) ?? new Map<number, Unwritten>();
    this.unwritten.set(log, ofLog.set(seq, unwritten));
  }

  /** The commit of an id, if it is held. */
  find(id: CommitId): CommitRef | null {
    for (const [at] of this.tables.prefix(key.commitByPrefix(id))) {
      const { log, seq } = parseCommitById(at);
      const ref = { log: this.logOfNumber(log), seq };
      if (this.record(ref)?.id === id) return ref;
    }
    return null;
  }

  /** All commits whose id starts with the hex prefix; at most `max`. */
  findByPrefix(idPrefix: string, max: number): readonly CommitRef[] {
    const found: CommitRef[] = [];
    const whole = idPrefix.length - (idPrefix.length % 2);
    for (const [at] of this.tables.prefix(key.commitByPrefix(idPrefix.slice(0, whole)))) {
      const { log, seq } = parseCommitById(at);
      const ref = { log: this.logOfNumber(log), seq };
      if (this.record(ref)?.id.startsWith(idPrefix)) found.push(ref);
      if (found.length >= max) break;
    }
    return found;
  }

  commit(at: CommitRef): Commit {
    const waiting = this.unwrittenAt(at)?.commit;
    if (waiting !== undefined) return waiting;
    const name = placeName(at);
    const known = this.cached.get(name);
    if (known !== undefined) return known;
    const log = this.log(at.log);
    const record = this.record(at);
    if (log === null || record === null)
      throw new WnError('not_found', `no commit ${name} is held`);
    const commit = decodePayload(this.readPayload(log, record.position), this.place(at));
    if (commit.id !== record.id) {
      throw new WnError('damage', `commit ${at.seq} of log ${at.log} is not what was stored`, {
        hint: 'run: wn fsck --repair',
      });
    }
    if (this.cached.size >= COMMITS_CACHED_MAX) {
      this.cached.delete(this.cached.keys().next().value ?? '');
    }
    this.cached.set(name, commit);
    return commit;
  }

  /** What a frame's place tells, for the commit at `at`. */
  place(at: CommitRef): Place {
    const log = this.log(at.log);
    assert(log !== null, 'a place in an unknown log');
    const { dev, epoch } = log;
    const place = { ws: this.ws, dev, epoch, seq: at.seq };
    const waiting = this.unwrittenAt(at);
    if (waiting !== undefined) return { ...place, prev: waiting.prev, cap: waiting.prevCap };
    const previous = { log: at.log, seq: at.seq - 1 };
    const before = at.seq > log.firstSeq ? this.record(previous) : null;
    return { ...place, prev: before?.id ?? null, cap: before && this.capAt(previous) };
  }

  /** Capability that a held commit cites. Changes of capability stand in the meta table. */
  capAt(at: CommitRef): string | null {
    const log = this.log(at.log);
    assert(log !== null, 'a capability in an unknown log');
    const pair = this.tables.floor(key.meta(`cap/${at.log}/`), capKey(at.log, at.seq));
    return pair === undefined ? null : Buffer.from(pair[1]).toString('hex');
  }

  // Taking in

  /**
   * Takes a commit in: record, id, capability, the log's newest held. It isn't part of
   * the frontier yet (`learn`), so its deps may still be missing.
   */
  hold(commit: Commit, state: CommitState, position: Position | null): void {
    const { header } = commit;
    const log = this.log(commit.log);
    assert(log !== null, 'a commit of an unknown log');
    const record = recordOf(commit, state, position ?? NOWHERE);
    if (position === null) {
      const isFirst = log.stored.seq < log.firstSeq;
      const prev = isFirst ? null : log.stored.id;
      const prevCap = isFirst ? null : log.cap;
      this.keepUnwritten(refOf(commit), { commit, record, prev, prevCap });
    } else putCommitRecord(this.tables, log.number, header.seq, record);
    this.tables.put(key.commitById(commit.id, log.number, header.seq), PRESENT);
    if (header.cap !== null && header.cap !== log.cap) {
      this.tables.put(capKey(commit.log, header.seq), fromHex(header.cap));
    }
    this.putLog(commit.log, {
      ...log,
      stored: { seq: header.seq, id: commit.id, lastTime: lastTime(header) },
      cap: header.cap ?? log.cap,
    });
  }

  /** A held commit enters the frontier: what its author knew becomes known. */
  learn(commit: Commit, state: CommitState): void {
    const { header } = commit;
    const log = this.log(commit.log);
    assert(log !== null && log.folded === header.seq - 1, 'a commit learnt out of order');
    for (const dep of header.deps) {
      const ref = this.find(dep);
      assert(ref !== null, 'a dep that is not held');
      const of = this.log(ref.log)?.number ?? 0;
      this.tables.put(key.knowledge(log.number, of, header.seq), encodeSeq(ref.seq));
    }
    const held = log.held + (state === 'held' ? 1 : 0);
    this.putLog(commit.log, { ...log, folded: header.seq, held });
  }

  /** The commit was written: it has its place now. */
  written(commit: Commit, position: Position): void {
    const waiting = this.unwrittenAt(refOf(commit))?.record;
    const record =
      waiting === undefined
        ? recordOf(commit, 'live', position)
        : { ...waiting, position, signed: commit.sig !== null };
    const number = this.log(commit.log)?.number ?? 0;
    putCommitRecord(this.tables, number, commit.header.seq, record);
    this.unwritten.get(commit.log)?.delete(commit.header.seq);
  }

  /** The log's newest record ends behind `position`: what has been acknowledged. */
  endsAt(log: LogId, position: Position): void {
    const record = this.log(log);
    assert(record !== null, 'the end of an unknown log');
    const end = { segment: position.segment, offset: position.offset + position.length };
    this.putLog(log, { ...record, end });
  }

  forgetUnwritten(): void {
    this.unwritten.clear();
  }

  setState(at: CommitRef, state: CommitState): void {
    const waiting = this.unwrittenAt(at);
    if (waiting !== undefined) {
      this.keepUnwritten(at, { ...waiting, record: { ...waiting.record, state } });
      return;
    }
    const log = this.log(at.log);
    const record = this.record(at);
    assert(log !== null && record !== null, 'the state of a commit that is not held');
    putCommitRecord(this.tables, log.number, at.seq, { ...record, state });
  }

  // Knowledge

  /** The greatest seq of `of` in the past of `at` (itself included); -1 if none. */
  knows(at: CommitRef, of: LogId): number {
    let log = this.log(at.log);
    let [name, seq] = [at.log, at.seq];
    while (log !== null) {
      if (name === of) return seq;
      const number = this.log(of)?.number;
      if (number === undefined) return -1;
      const found = this.tables.floor(
        key.knowledgeOf(log.number, number),
        key.knowledge(log.number, number, seq),
      );
      if (found !== undefined) return decodeSeq(found[1]);
      if (log.link === null) return -1;
      [name, seq] = [log.link.log, log.link.seq];
      log = this.log(name);
    }
    return -1;
  }

  /** Is `x` in the past of `at` (or `at` itself)? */
  inPast(x: CommitRef, at: CommitRef): boolean {
    return this.knows(at, x.log) >= x.seq;
  }

  /** Everything in the past of `at`: the newest seq of each log, those without any left out. */
  frontierOf(at: CommitRef): ReadonlyMap<LogId, number> {
    const known = new Map<LogId, number>();
    for (const record of this.allLogs()) {
      const log = this.logIdOf(record);
      const seq = this.knows(at, log);
      if (seq >= record.firstSeq) known.set(log, seq);
    }
    return known;
  }

  /** Commits of one log between two seqs, both included, ascending. */
  records(log: LogId, from: number, to: number): Iterable<readonly [number, CommitRecord]> {
    const record = this.log(log);
    return record === null || from > to ? [] : commitRecords(this.tables, record.number, from, to);
  }
}

/** Where a change of the cited capability is noted: the commit that first cites it. */
function capKey(log: LogId, seq: number): string {
  return key.meta(`cap/${log}/${String(seq).padStart(14, '0')}`);
}

const NOWHERE: Position = { segment: 0, offset: 0, length: 0 };

function placeName({ log, seq }: CommitRef): string {
  return `${log}/${seq}`;
}

function refOf({ log, header }: Commit): CommitRef {
  return { log, seq: header.seq };
}

function recordOf(commit: Commit, state: CommitState, position: Position): CommitRecord {
  const { id, header, sig } = commit;
  const part = header.kind === 'part';
  return { id, hlc: header.hlc, ops: opsOf(header), position, state, signed: sig !== null, part };
}

export function opsOf(header: Header): number {
  return header.groups.reduce((sum, group) => sum + group.ops, 0);
}
