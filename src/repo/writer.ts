/**
 * Writing commits to the logs: what is queued is signed once, appended to its logs and
 * synced, after what must not be missing then.
 */
import { signCommit, type Commit } from '../core/commit.js';
import type { Signer } from '../core/crypto.js';
import { assert } from '../core/errors.js';
import { encodePayload, type Place } from '../core/frame.js';
import type { LogId } from '../core/ids.js';
import type { Path } from '../core/ports.js';
import { denied } from './author.js';
import type { History } from './history.js';
import { key } from './index/tables.js';
import type { LogOffset } from './log/segment.js';
import type { Batch } from './log/store.js';
import type { Replica } from './replica.js';

/** Bytes that must be there wherever the commits of one flush are, and mean nothing without. */
export interface Extra {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

/** Durable when resolved. Each commit gets its place in the index's overlay. */
export async function writeCommits(
  replica: Replica,
  queue: readonly Commit[],
  signer: Signer | null,
  extra: readonly Extra[],
): Promise<void> {
  const { history, store, tables } = replica;
  const byLog = new Map<LogId, Commit[]>();
  for (const commit of signedTail(replica, queue, signer)) {
    const commits = byLog.get(commit.log);
    if (commits === undefined) byLog.set(commit.log, [commit]);
    else commits.push(commit);
  }
  // Should this process die now, the next writer looks at these logs for what isn't indexed.
  tables.mark(key.meta('writing'), Buffer.from([...byLog.keys()].join('\n')));
  const runs = [...byLog.values()];
  // Synced first: a power cut between two files may keep either.
  if (extra.length > 0) await replica.ports.storage.appendAll(extra);
  const positions = await store.append(runs.map((commits) => batchOf(history, commits)));
  runs.forEach((commits, run) => {
    commits.forEach((commit, index) => {
      const position = positions[run]?.[index];
      assert(position !== undefined, 'a commit without a position');
      history.written(commit, position);
      if (index === commits.length - 1) history.endsAt(commit.log, position);
    });
  });
}

/** Commits that continue one log, as the log store takes them. */
function batchOf(history: History, commits: readonly Commit[]): Batch {
  const first = commits[0];
  assert(first !== undefined, 'an empty run');
  const place = history.place({ log: first.log, seq: first.header.seq });
  let before: Pick<Place, 'prev' | 'cap'> = place;
  const payloads = commits.map((commit) => {
    const payload = encodePayload(commit, before);
    before = { prev: commit.id, cap: commit.header.cap };
    return payload;
  });
  return { place, after: endOf(history, first.log), payloads };
}

/** Where a log's last acknowledged record ends; null for one that has none. */
function endOf(history: History, log: LogId): LogOffset | null {
  const record = history.log(log);
  return record === null || record.end.offset === 0 ? null : record.end;
}

/** The queue with our own newest commit signed: it vouches for those before it. */
function signedTail(
  replica: Replica,
  queue: readonly Commit[],
  signer: Signer | null,
): readonly Commit[] {
  const own = replica.author.log;
  const last = queue.findLastIndex((commit) => commit.log === own && commit.sig === null);
  if (last < 0) return queue;
  if (signer === null || signer.publicKey !== replica.device) {
    throw denied('the key of this device is not the one that this repository was made with');
  }
  const signed = queue.slice();
  const newest = queue[last];
  if (newest !== undefined) signed[last] = { ...newest, sig: signCommit(newest.id, signer) };
  return signed;
}
