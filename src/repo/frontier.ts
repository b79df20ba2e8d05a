/**
 * Frontiers: which commits a view is made of, as the newest seq of each log; logs of
 * which it has none are left out. A frontier holds the past of all that it holds.
 * Leaves out how people name one (`cli/revision`) and the view there (`past`).
 */
import { stampLog, stampTime, type Hlc, type Stamp } from '../core/hlc.js';
import type { LogId } from '../core/ids.js';
import type { CommitRef, History } from './history.js';
import type { CommitRecord, LogRecord } from './index/records.js';

export type Frontier = ReadonlyMap<LogId, number>;

/** Everything that is folded here. */
export function frontierNow(history: History): Frontier {
  return frontierBy(history, ({ folded }) => folded);
}

/** Every commit stamped at or before a time. A stamp exceeds its past's, so that is a frontier. */
export function frontierAt(history: History, time: Hlc): Frontier {
  return frontierBy(history, (_record, log) => seqAt(history, log, time));
}

function frontierBy(history: History, seqOf: (record: LogRecord, log: LogId) => number): Frontier {
  const frontier = new Map<LogId, number>();
  for (const record of history.allLogs()) {
    const log = history.logIdOf(record);
    const seq = seqOf(record, log);
    if (seq >= record.firstSeq) frontier.set(log, seq);
  }
  return frontier;
}

export function includes(frontier: Frontier, { log, seq }: CommitRef): boolean {
  return (frontier.get(log) ?? -1) >= seq;
}

/** The newest folded commit of a log stamped at or before a time; the seq before its first if none is. */
export function seqAt(history: History, log: LogId, time: Hlc): number {
  const record = history.log(log);
  if (record === null) return -1;
  let [low, high] = [record.firstSeq, record.folded + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((history.record({ log, seq: middle })?.hlc ?? 0n) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The commit that an op's stamp belongs to; null if it isn't held. */
export function commitOf(history: History, at: Stamp): CommitRef | null {
  const ref = { log: stampLog(at), seq: seqAt(history, stampLog(at), stampTime(at)) };
  return history.record(ref) === null ? null : ref;
}

/** Commits that `frontier` holds and `other` doesn't, log by log. */
export function* beyond(
  history: History,
  frontier: Frontier,
  other: Frontier,
): Iterable<CommitRef> {
  for (const [log, last] of frontier) {
    const first = history.log(log)?.firstSeq ?? 0;
    const from = Math.max(first, (other.get(log) ?? -1) + 1);
    for (let seq = from; seq <= last; seq++) yield { log, seq };
  }
}

/** How many those are. */
export function countBeyond(history: History, frontier: Frontier, other: Frontier): number {
  let count = 0;
  for (const [log, last] of frontier) {
    const first = history.log(log)?.firstSeq ?? 0;
    count += Math.max(0, last - Math.max(first - 1, other.get(log) ?? -1));
  }
  return count;
}

export interface Dated extends CommitRef {
  readonly record: CommitRecord;
}

/**
 * Commits that `frontier` holds and `other` doesn't, newest first by stamp. Reads no
 * more of them than are asked for.
 */
export function* newestFirst(
  history: History,
  frontier: Frontier,
  other: Frontier = new Map(),
): Generator<Dated> {
  const lanes: Dated[] = [];
  const enter = (log: LogId, seq: number): void => {
    const record = seq > (other.get(log) ?? -1) ? history.record({ log, seq }) : null;
    if (record !== null) insert(lanes, { log, seq, record });
  };
  for (const [log, seq] of frontier) enter(log, seq);
  for (let newest = lanes.pop(); newest !== undefined; newest = lanes.pop()) {
    yield newest;
    enter(newest.log, newest.seq - 1);
  }
}

/** Keeps the oldest first, so that the newest is taken from the end. */
function insert(lanes: Dated[], fresh: Dated): void {
  let [low, high] = [0, lanes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isOlder(lanes[middle] as Dated, fresh)) low = middle + 1;
    else high = middle;
  }
  lanes.splice(low, 0, fresh);
}

function isOlder(a: Dated, b: Dated): boolean {
  return a.record.hlc < b.record.hlc || (a.record.hlc === b.record.hlc && a.log < b.log);
}
