/**
 * The logs' part of `fsck`: every record's checksum, every sealed block, every payload,
 * and the chain from a log's first commit to its last. Reads each file once, holds one
 * segment at a time, changes nothing. Signatures and authority are the caller's, who
 * sees every commit (`inspect`).
 */
import type { Commit } from '../../core/commit.js';
import { WnError } from '../../core/errors.js';
import { decodePayload, type Place } from '../../core/frame.js';
import type { CommitId, WorkspaceId } from '../../core/ids.js';
import { LOG_PROBLEMS_MAX } from '../../core/limits.js';
import type { Path } from '../../core/ports.js';
import { REMEDY } from './records.js';
import type { CommitItem, Damage, SegmentItem, Torn } from './scan.js';
import { placeAfter, type LogKey, type LogOffset } from './segment.js';
import type { LogStore } from './store.js';

export interface Problem {
  readonly file: Path;
  /** In the file; 0 for what concerns it whole. */
  readonly offset: number;
  readonly what: string;
  readonly remedy: string;
}

export interface LogCheck {
  readonly logs: number;
  readonly commits: number;
  /** The first `LOG_PROBLEMS_MAX`. */
  readonly problems: readonly Problem[];
  readonly problemsTotal: number;
  /** No problems: the next writer cuts them. */
  readonly torn: readonly Torn[];
  /** The last commit of each log that could be read to its end. */
  readonly heads: readonly (LogKey & { readonly seq: number; readonly id: CommitId })[];
}

export interface CheckOptions {
  readonly ws: WorkspaceId;
  /** Where a log's last acknowledged record ends; null where nobody knows. */
  readonly acknowledged: (log: LogKey) => LogOffset | null;
  /** Sees every commit whose place is certain; says what is wrong with it, or null. */
  readonly inspect?: (commit: Commit) => string | null;
  /** Called with each segment. */
  readonly onProgress?: (progress: { readonly commits: number; readonly file: Path }) => void;
}

export async function checkLogs(store: LogStore, options: CheckOptions): Promise<LogCheck> {
  const check = new Check(options);
  const logs = await store.logs();
  for (const log of logs) await check.log(store, log);
  return { logs: logs.length, ...check.result() };
}

class Check {
  private commits = 0;
  private problemsTotal = 0;
  private readonly problems: Problem[] = [];
  private readonly torn: Torn[] = [];
  private readonly heads: (LogKey & { seq: number; id: CommitId })[] = [];
  private file: Path = '';
  /** Of the next commit; null where damage has broken the chain. */
  private place: Place | null = null;

  constructor(private readonly options: CheckOptions) {}

  result(): Omit<LogCheck, 'logs'> {
    const { commits, problems, problemsTotal, torn, heads } = this;
    return { commits, problems, problemsTotal, torn, heads };
  }

  async log(store: LogStore, log: LogKey): Promise<void> {
    this.place = null;
    for await (const item of store.scan(log, { acknowledged: this.options.acknowledged(log) })) {
      if (item.kind === 'segment') this.segment(item);
      else if (item.kind === 'commit') this.commit(item);
      else if (item.kind === 'torn') this.torn.push(item);
      else this.damage(item);
    }
    this.end(log);
  }

  private end(log: LogKey): void {
    if (this.place === null || this.place.prev === null) return;
    this.heads.push({ ...log, seq: this.place.seq - 1, id: this.place.prev });
  }

  private damage({ file, offset, what }: Damage): void {
    this.place = null;
    this.report(file, offset, what);
  }

  /** A header has to say what the chain says; where damage broke that, it is believed. */
  private segment({ place, file }: SegmentItem): void {
    const before = this.place;
    this.file = file;
    this.place = place;
    this.options.onProgress?.({ commits: this.commits, file });
    if (place.ws !== this.options.ws) this.report(file, 0, 'the segment is of another workspace');
    if (before === null) return;
    if (before.prev !== place.prev || before.cap !== place.cap) {
      this.report(file, 0, `the segment does not continue commit ${place.seq - 1} of its log`);
    }
  }

  private commit({ seq, payload, position }: CommitItem): void {
    if (this.place === null) return;
    const { place } = this;
    let commit: Commit;
    try {
      commit = decodePayload(payload, place);
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      this.place = null;
      this.reportCommit(position.offset, `commit ${seq} can't be decoded: ${error.message}`);
      return;
    }
    this.commits += 1;
    this.place = placeAfter(commit, place);
    const wrong =
      commit.header.kind === 'genesis' && commit.id !== this.options.ws
        ? 'is the genesis of another workspace'
        : (this.options.inspect?.(commit) ?? null);
    if (wrong !== null) this.reportCommit(position.offset, `commit ${seq} ${wrong}`);
  }

  private reportCommit(streamOffset: number, what: string): void {
    if (!this.file.endsWith('.segz')) this.report(this.file, streamOffset, what);
    else this.report(this.file, 0, `${what} (at byte ${streamOffset} inside)`);
  }

  private report(file: Path, offset: number, what: string): void {
    this.problemsTotal += 1;
    if (this.problems.length < LOG_PROBLEMS_MAX) {
      this.problems.push({ file, offset, what, remedy: REMEDY });
    }
  }
}
