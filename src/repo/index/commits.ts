/**
 * The commits of each log by seq: records of equal length, sixteen of them to one pair of
 * the index, so that a group of commits costs few writes. Leaves out what a record means
 * and ids (`history.ts`).
 */
import {
  COMMIT_RECORD_BYTES,
  decodeCommitRecord,
  encodeCommitRecord,
  hasRecord,
  type CommitRecord,
} from './records.js';
import { key, seqOfKey, type LogNumber, type Tables } from './tables.js';

/** Records to a block: four blocks fill a page of LMDB. */
const BLOCK_COMMITS = 16;
const BLOCK_BYTES = BLOCK_COMMITS * COMMIT_RECORD_BYTES;

/** Null where no such commit is held. */
export function commitRecord(tables: Tables, log: LogNumber, seq: number): CommitRecord | null {
  const block = tables.get(key.commits(log, firstOfBlock(seq)));
  return block === undefined ? null : recordIn(block, seq);
}

export function putCommitRecord(
  tables: Tables,
  log: LogNumber,
  seq: number,
  record: CommitRecord,
): void {
  const at = key.commits(log, firstOfBlock(seq));
  // What isn't written yet was put here, and is filled further in place.
  let block = tables.unwritten(at);
  if (block === undefined) {
    block = new Uint8Array(BLOCK_BYTES);
    const stored = tables.get(at);
    if (stored !== undefined) block.set(stored);
    tables.put(at, block);
  }
  encodeCommitRecord(record, block, offsetOf(seq));
}

/** Commits held of one log between two seqs, both included, ascending. */
export function* commitRecords(
  tables: Tables,
  log: LogNumber,
  from: number,
  to: number,
): Iterable<readonly [seq: number, record: CommitRecord]> {
  const blocks = tables.from(key.commitsOf(log), key.commits(log, firstOfBlock(from)));
  for (const [at, block] of blocks) {
    const first = seqOfKey(at);
    for (let seq = Math.max(from, first); seq < first + BLOCK_COMMITS; seq++) {
      if (seq > to) return;
      const record = recordIn(block, seq);
      if (record !== null) yield [seq, record];
    }
  }
}

function recordIn(block: Uint8Array, seq: number): CommitRecord | null {
  const offset = offsetOf(seq);
  return hasRecord(block, offset) ? decodeCommitRecord(block, offset) : null;
}

function firstOfBlock(seq: number): number {
  return seq - (seq % BLOCK_COMMITS);
}

function offsetOf(seq: number): number {
  return (seq % BLOCK_COMMITS) * COMMIT_RECORD_BYTES;
}
