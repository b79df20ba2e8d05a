/**
 * Looking after a repository: checking it whole, mending it from a peer, packing it.
 * None of it changes what the workspace is.
 */
import { verifyCommit, type Commit } from '../core/commit.js';
import { hashHex } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import { decodePayload, encodePayload } from '../core/frame.js';
import { logId, showId, type CommitId } from '../core/ids.js';
import { checkLogs, type Problem } from './log/check.js';
import { encodeSealed } from './log/sealed.js';
import { encodeSegment, parseSegmentPath, placeAfter, type LogKey } from './log/segment.js';
import type { Replica } from './replica.js';

export interface Check {
  readonly ok: boolean;
  readonly logs: number;
  readonly commits: number;
  readonly viewHash: string;
  readonly frontier: readonly CommitId[];
  readonly problems: readonly Problem[];
}

export interface CheckWish {
  /** Every signature, all authority and every chunk, too. */
  readonly full: boolean;
  readonly progress?: (commits: number) => void;
}

/** Checks every record and the chain of every log. Changes nothing. */
export async function fsck(replica: Replica, { full, progress }: CheckWish): Promise<Check> {
  const { history, store } = replica;
  const check = await checkLogs(store, {
    ws: replica.ws,
    acknowledged: (log) => {
      // An index built from what could be read can't tell where its logs ended.
      if (replica.isIncomplete) return null;
      const end = history.log(logId(log.dev, log.epoch))?.end;
      return end === undefined || end.offset === 0 ? null : end;
    },
    ...(full && { inspect: (commit: Commit) => wrongWith(replica, commit) }),
    ...(progress && {
      onProgress: ({ commits }) => {
        progress(commits);
      },
    }),
  });
  const problems = [...check.problems];
  if (full) problems.push(...(await checkBlobs(replica)));
  const held = new Set(check.heads.map((head) => head.id));
  for (const log of history.allLogs()) {
    if (log.stored.seq < log.firstSeq || held.has(log.stored.id) || problems.length > 0) continue;
    const file = `logs/${log.dev}/${log.epoch}`;
    const what = 'the index knows commits that the log does not have';
    problems.push({ file, offset: 0, what, remedy: 'wn fsck --repair' });
  }
  return {
    ok: problems.length === 0,
    logs: check.logs,
    commits: check.commits,
    viewHash: replica.view.hash(),
    frontier: replica.view.frontier(),
    problems,
  };
}

function wrongWith(replica: Replica, commit: Commit): string | null {
  try {
    replica.check(commit);
  } catch (error) {
    if (error instanceof WnError) return error.message;
    throw error;
  }
  if (commit.sig !== null && !verifyCommit(commit)) return 'its signature does not verify';
  const at = { log: commit.log, seq: commit.header.seq };
  const record = replica.history.record(at);
  const folded = replica.history.log(commit.log)?.folded ?? -1;
  if (record === null) return replica.isIncomplete ? null : 'the index does not know it';
  if (record.id !== commit.id)
    return `it is not the commit ${showId(record.id).slice(0, 10)} that was stored`;
  if (at.seq > folded) return null;
  const { state } = replica.authority.judge(commit, replica.fold.groups.of(commit));
  return state === record.state || record.state === 'dead'
    ? null
    : 'its verdict is not what the index says';
}

async function checkBlobs(replica: Replica): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const { storage } = replica.ports;
  for (const file of await storage.list('blobs')) {
    const bytes = storage.readSync(file);
    const hash = file.slice(file.lastIndexOf('/') + 1);
    if (bytes !== null && hashHex('wn/blob/1', bytes) === hash) continue;
    problems.push({
      file,
      offset: 0,
      what: 'a chunk that does not match its hash',
      remedy: 'wn fsck --repair',
    });
  }
  return problems;
}

/**
 * Mends damaged segments and chunks with what a peer holds. Good records stay as they
 * are; the rest must chain to what is known. Returns the files mended; the index has to
 * be built anew afterwards.
 */
export async function repairFrom(
  replica: Replica,
  peer: Replica,
  problems: readonly Problem[],
): Promise<readonly string[]> {
  const mended: string[] = [];
  for (const file of new Set(problems.map((problem) => problem.file))) {
    const segment = parseSegmentPath(file);
    if (segment !== null) {
      if (await repairSegment(replica, peer, segment.log, segment.info.first)) mended.push(file);
    } else if (file.startsWith('blobs/')) {
      const hash = file.slice(file.lastIndexOf('/') + 1);
      const bytes = peer.blobs.read(hash);
      if (bytes === null || hashHex('wn/blob/1', bytes) !== hash) continue;
      await replica.ports.storage.replace(file, bytes);
      mended.push(file);
    }
  }
  return mended;
}

async function repairSegment(
  replica: Replica,
  peer: Replica,
  log: LogKey,
  first: number,
): Promise<boolean> {
  const id = logId(log.dev, log.epoch);
  const theirs = peer.history.log(id);
  if (theirs === null) return false;
  const following = (await replica.store.segments(log)).find((segment) => segment.first > first);
  const last = following === undefined ? theirs.stored.seq : following.first - 1;
  if (theirs.stored.seq < last || theirs.firstSeq > first) return false;
  const good = new Map<number, Uint8Array>();
  for await (const item of replica.store.scan(log)) {
    if (item.kind === 'commit' && item.seq >= first && item.seq <= last)
      good.set(item.seq, item.payload);
  }
  let place = peer.history.place({ log: id, seq: first });
  const start = place;
  const payloads: Uint8Array[] = [];
  for (let seq = first; seq <= last; seq++) {
    const commit = goodCommit(good.get(seq), place) ?? peer.history.commit({ log: id, seq });
    const known = replica.history.record({ log: id, seq });
    if (known !== null && known.id !== commit.id) return false;
    payloads.push(encodePayload(commit, place));
    place = placeAfter(commit, place);
  }
  const stream = encodeSegment(start, payloads);
  await replica.store.install(
    log,
    await encodeSealed(stream, payloads.length, replica.ports.deflate),
  );
  return true;
}

function goodCommit(
  payload: Uint8Array | undefined,
  place: Parameters<typeof decodePayload>[1],
): Commit | null {
  if (payload === undefined) return null;
  try {
    return decodePayload(payload, place);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

export interface Packed {
  readonly sealed: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Seals every tail that is worth it and drops what is kept only for a time. */
export async function gc(
  replica: Replica,
  bytesMin: number,
  savedOlderThanMs: number,
): Promise<Packed> {
  return replica.transact(async () => {
    let [sealed, before, after] = [0, 0, 0];
    for (const log of await replica.store.logs()) {
      for (const result of await replica.store.seal(log, bytesMin)) {
        if (result.kind === 'kept') continue;
        sealed += 1;
        before += result.before;
        after += result.after;
      }
    }
    await dropSaved(replica, savedOlderThanMs);
    return { sealed, bytesBefore: before, bytesAfter: after };
  });
}

/** Saved files are named after the millisecond in which they were saved. */
async function dropSaved(replica: Replica, olderThanMs: number): Promise<void> {
  const { storage, clock } = replica.ports;
  for (const file of await storage.list('tree/saved')) {
    const savedMs = Number(/(\d+)-[0-9a-f]+$/.exec(file)?.[1] ?? Infinity);
    if (savedMs < clock.wallMs() - olderThanMs) await storage.remove(file);
  }
}
