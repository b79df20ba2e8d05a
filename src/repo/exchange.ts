/**
 * What a replica gives to a peer and takes from one: runs of commits in causal order.
 * Everything taken is checked here (R0) and judged (`authority`); leaves out frames,
 * credits and connections, which are `sync`'s.
 */
import { checkCommit, verifyCommit, type Commit, type Group } from '../core/commit.js';
import { WnError } from '../core/errors.js';
import { decodePayload } from '../core/frame.js';
import { logId, type CommitId, type LogId } from '../core/ids.js';
import { SYNC_RUN_BYTES_TARGET } from '../core/limits.js';
import type { CommitRef, History } from './history.js';
import type { LogRecord } from './index/records.js';
import type { Position } from './log/segment.js';
import { isReady, settlePending } from './pending.js';
import type { Replica } from './replica.js';
import type { HaveEntry, Ingested, Rejection, Run } from './travel.js';
import { chunksIn } from './wanted.js';

/** What this replica holds: every commit of these and all before. */
export function have(history: History): readonly HaveEntry[] {
  return history.allLogs().flatMap((record) => {
    if (record.stored.seq < record.firstSeq) return [];
    const { dev, epoch, stored } = record;
    return [{ dev, epoch, seq: stored.seq, head: stored.id }];
  });
}

/** A stretch of one log that ends at a signature: it can be taken in only as a whole. */
interface Unit {
  readonly from: number;
  /** Of each of its commits. */
  readonly positions: readonly Position[];
  readonly bytes: number;
  readonly lastTime: bigint;
}

/**
 * Everything in the frontier beyond `theirs`, in causal order. Units are merged by the
 * time of their last commit: a commit's time exceeds that of everything in its past,
 * and what another log names in its deps always ended a unit when it was given out.
 */
export function* since(replica: Replica, theirs: readonly HaveEntry[]): Iterable<Run> {
  const known = new Map(theirs.map((entry) => [logId(entry.dev, entry.epoch), entry.seq]));
  const lanes: { record: LogRecord; log: LogId; units: Iterator<Unit>; next: Unit }[] = [];
  for (const record of replica.history.allLogs()) {
    const log = replica.history.logIdOf(record);
    const after = known.get(log) ?? -1;
    if (after >= record.folded) continue;
    const units = unitsOf(
      replica.history,
      log,
      Math.max(after + 1, record.firstSeq),
      record.folded,
    );
    const first = units.next();
    if (first.done !== true) lanes.push({ record, log, units, next: first.value });
  }
  while (lanes.length > 0) {
    let lane = lanes[0];
    for (const other of lanes)
      if (lane === undefined || other.next.lastTime < lane.next.lastTime) lane = other;
    if (lane === undefined) return;
    const rival = lanes.reduce<bigint | null>((least, other) => {
      if (other === lane) return least;
      return least === null || other.next.lastTime < least ? other.next.lastTime : least;
    }, null);
    const { from } = lane.next;
    const positions = [...lane.next.positions];
    let { bytes } = lane.next;
    let done = false;
    for (;;) {
      const following = lane.units.next();
      if (following.done === true) {
        done = true;
        break;
      }
      lane.next = following.value;
      if (rival !== null && lane.next.lastTime > rival) break;
      if (bytes + lane.next.bytes > SYNC_RUN_BYTES_TARGET) break;
      positions.push(...lane.next.positions);
      bytes += lane.next.bytes;
    }
    yield readRun(replica, lane.record, lane.log, from, positions);
    if (done) lanes.splice(lanes.indexOf(lane), 1);
  }
}

/** What is held beyond the frontier because it waits, log by log. */
export function* waiting(replica: Replica): Iterable<Run> {
  const { history } = replica;
  for (const record of history.allLogs()) {
    const log = history.logIdOf(record);
    for (const { from, positions } of unitsOf(history, log, record.folded + 1, record.stored.seq)) {
      yield readRun(replica, record, log, from, positions);
    }
  }
}

/** Of the commits `first` to `last`; what no signature follows is left out. */
function* unitsOf(history: History, log: LogId, first: number, last: number): Generator<Unit> {
  let from = first;
  let positions: Position[] = [];
  let bytes = 0;
  for (const [seq, commit] of history.records(log, from, last)) {
    positions.push(commit.position);
    bytes += commit.position.length;
    if (!commit.signed) continue;
    const lastTime = commit.hlc + BigInt(Math.max(commit.ops, 1) - 1);
    yield { from, positions, bytes, lastTime };
    from = seq + 1;
    positions = [];
    bytes = 0;
  }
}

function readRun(
  replica: Replica,
  { dev, epoch }: LogRecord,
  log: LogId,
  from: number,
  positions: readonly Position[],
): Run {
  const payloads = positions.map((position) => replica.store.payload({ dev, epoch }, position));
  const { prev, cap } = replica.history.place({ log, seq: from });
  return { dev, epoch, firstSeq: from, prev, cap, payloads };
}

/** Chunks held that commits beyond `theirs` refer to, each once. */
export function* blobsSince(replica: Replica, theirs: readonly HaveEntry[]): Iterable<string> {
  const known = new Map(theirs.map((entry) => [logId(entry.dev, entry.epoch), entry.seq]));
  const seen = new Set<string>();
  for (const record of replica.history.allLogs()) {
    const log = replica.history.logIdOf(record);
    const from = Math.max((known.get(log) ?? -1) + 1, record.firstSeq);
    for (let seq = from; seq <= record.folded; seq++) {
      const groups = replica.fold.groups.of(replica.history.commit({ log, seq }));
      for (const hash of chunksIn(replica.blobs, groups)) {
        if (seen.has(hash) || !replica.blobs.holds(hash)) continue;
        seen.add(hash);
        yield hash;
      }
    }
  }
}

/** Verifies, judges, stores and folds what a peer sent; durable when resolved. */
export function ingest(replica: Replica, runs: readonly Run[]): Promise<Ingested> {
  return replica.transact(async () => {
    const counts = { added: 0, pending: 0, forks: 0 };
    const rejected: Rejection[] = [];
    for (const run of runs) {
      try {
        takeRun(replica, decodeRun(replica, run, counts), counts);
      } catch (error) {
        if (!(error instanceof WnError)) throw error;
        rejected.push({ what: `${run.dev}/${run.epoch}/${run.firstSeq}`, why: error.message });
      }
    }
    await replica.flush(null);
    if (counts.added > 0) {
      settlePending(replica);
      await replica.flush(null);
    }
    return { ...counts, rejected };
  });
}

interface Counts {
  added: number;
  pending: number;
  forks: number;
}

/** With its groups, decoded once: a run is longer than what the fold keeps of them. */
interface Checked {
  readonly commit: Commit;
  readonly groups: readonly (Group | null)[];
}

/** The run's new commits up to its last verified signature; none is stored yet. */
function decodeRun(replica: Replica, run: Run, counts: Counts): readonly Checked[] {
  const log = logId(run.dev, run.epoch);
  const held = replica.history.log(log);
  let place = {
    ws: replica.ws,
    dev: run.dev,
    epoch: run.epoch,
    prev: null as CommitId | null,
    cap: null as string | null,
  };
  const next = held === null ? run.firstSeq : held.stored.seq + 1;
  if (run.firstSeq > next) {
    throw new WnError('invalid', `commits before seq ${run.firstSeq} of this log are missing`);
  }
  if (held !== null && held.stored.seq >= held.firstSeq) {
    place = { ...place, prev: held.stored.id, cap: held.cap };
    if (run.firstSeq < next) counts.forks += forked(replica, run, next);
  }
  const commits: Checked[] = [];
  for (let seq = next; seq < run.firstSeq + run.payloads.length; seq++) {
    const payload = run.payloads[seq - run.firstSeq] ?? new Uint8Array();
    const commit = decodePayload(payload, { ...place, seq });
    commits.push({ commit, groups: checkCommit(commit) });
    place = { ...place, prev: commit.id, cap: commit.header.cap };
  }
  return upToSignature(commits);
}

/** Cuts after the last commit whose signature verifies; signatures before it aren't kept. */
function upToSignature(commits: readonly Checked[]): readonly Checked[] {
  for (let last = commits.length - 1; last >= 0; last--) {
    const checked = commits[last];
    if (checked === undefined || !verifyCommit(checked.commit)) continue;
    return commits.slice(0, last + 1).map(({ commit, groups }, index) => ({
      commit: index === last || commit.sig === null ? commit : { ...commit, sig: null },
      groups,
    }));
  }
  if (commits.length === 0) return commits;
  throw new WnError('invalid', 'no signature in this run verifies');
}

/** Does a run that overlaps what is held differ from it? Counts one fork at most. */
function forked(replica: Replica, run: Run, next: number): number {
  const log = logId(run.dev, run.epoch);
  const last = Math.min(next, run.firstSeq + run.payloads.length) - 1;
  for (let seq = run.firstSeq; seq <= last; seq++) {
    const payload = run.payloads[seq - run.firstSeq] ?? new Uint8Array();
    const commit = decodePayload(payload, replica.history.place({ log, seq }));
    if (commit.id === replica.history.record({ log, seq })?.id) continue;
    return verifyCommit(commit) ? 1 : 0;
  }
  return 0;
}

function takeRun(replica: Replica, commits: readonly Checked[], counts: Counts): void {
  for (const { commit, groups } of commits) {
    replica.fold.groups.keep(commit.id, groups);
    if (replica.history.log(commit.log) === null) beginLog(replica, commit);
    const record = replica.history.log(commit.log);
    if (record === null) return;
    const stuck = record.folded < record.stored.seq;
    if (stuck || !isReady(replica, commit)) {
      replica.acceptPending(commit);
      counts.pending += 1;
      continue;
    }
    checkPast(replica, commit);
    const verdict = replica.authority.judge(commit, replica.fold.groups.of(commit));
    replica.accept(commit, verdict.state);
    counts.added += 1;
  }
}

/** A log's first commit: at seq 0, or linked to the same device's commit before. */
export function beginLog(replica: Replica, first: Commit): void {
  const { header } = first;
  const link = header.prev === null ? null : replica.history.find(header.prev);
  if (header.kind === 'genesis' ? first.id !== replica.ws : header.ws !== replica.ws) {
    throw new WnError('invalid', 'a commit of another workspace');
  }
  if (header.prev === null ? header.seq !== 0 : link === null || link.seq !== header.seq - 1) {
    throw new WnError('invalid', 'a log that begins in the middle');
  }
  if (link !== null && replica.history.log(link.log)?.dev !== header.dev) {
    throw new WnError('invalid', "a log that continues another device's");
  }
  replica.history.begin(first.log, { dev: header.dev, epoch: header.epoch, link });
}

/** R0, second half: time after its whole past, text bases within it. Throws `invalid`. */
export function checkPast(replica: Replica, commit: Commit): void {
  const { history } = replica;
  const { header } = commit;
  const past: CommitRef[] = header.deps.flatMap((dep) => history.find(dep) ?? []);
  const before = history.before(commit);
  if (before !== null) past.push(before);
  for (const ref of past) {
    const record = history.record(ref);
    if (record !== null && header.hlc <= record.hlc + BigInt(Math.max(record.ops, 1) - 1)) {
      throw new WnError('invalid', 'a commit stamped before its own past');
    }
  }
  for (const group of replica.fold.groups.of(commit)) {
    for (const op of group?.ops ?? []) {
      if (op.op !== 'text' || op.base === null) continue;
      for (const base of op.base) {
        const log = base.log ?? commit.log;
        const own = log === commit.log && base.seq <= header.seq;
        if (!own && !past.some((ref) => history.knows(ref, log) >= base.seq)) {
          throw new WnError('invalid', 'a text op on a base outside its past');
        }
      }
    }
  }
}
