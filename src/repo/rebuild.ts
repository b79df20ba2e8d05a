/**
 * The index from the logs: all of it where it is missing or can't be trusted, or only
 * the tails that a killed process had written and not yet indexed.
 */
import { WnError } from '../core/errors.js';
import { decodePayload, type Place } from '../core/frame.js';
import type { Commit } from '../core/commit.js';
import { logId } from '../core/ids.js';
import { beginLog } from './exchange.js';
import { key } from './index/tables.js';
import { segmentPath, type LogKey, type Position } from './log/segment.js';
import { isReady, judgeHeld } from './pending.js';
import type { Replica } from './replica.js';

interface Read {
  readonly commit: Commit;
  readonly position: Position;
}

/** One log being read: its next commit, waiting for its past. */
interface Lane {
  readonly items: AsyncIterator<Read>;
  next: Read | null;
}

/** Folds every commit on disk, in causal order, reading each log once. */
export async function rebuild(replica: Replica): Promise<void> {
  const lanes: Lane[] = [];
  for (const log of await replica.store.logs()) lanes.push(await openLane(replica, log));
  await foldLanes(replica, lanes);
}

/** After a killed writer: takes in what stands in the named logs beyond the index. */
export async function recover(replica: Replica): Promise<void> {
  const marked = replica.tables.get(key.meta('writing'));
  const names = new Set(
    Buffer.from(marked ?? [])
      .toString('utf8')
      .split('\n'),
  );
  const lanes: Lane[] = [];
  for (const log of await replica.store.logs()) {
    if (names.has(logId(log.dev, log.epoch))) lanes.push(await openLane(replica, log));
  }
  await foldLanes(replica, lanes);
  replica.tables.remove(key.meta('writing'));
  await replica.flush(null);
}

async function openLane(replica: Replica, log: LogKey): Promise<Lane> {
  // What a killed writer never came to sync must stay before it is built on or shown.
  await replica.store.sync(log);
  const items = readLog(replica, log)[Symbol.asyncIterator]();
  const first = await items.next();
  return { items, next: first.done === true ? null : first.value };
}

/** Commits of one log beyond what the index holds; heals a torn tail. */
async function* readLog(replica: Replica, log: LogKey): AsyncGenerator<Read> {
  const held = replica.history.log(logId(log.dev, log.epoch));
  const known = held !== null && held.stored.seq >= held.firstSeq ? held : null;
  let prev = known?.stored.id ?? null;
  let cap = known?.cap ?? null;
  const acknowledged = known?.end ?? null;
  const options =
    known === null ? {} : { from: { ...known.end, seq: known.stored.seq + 1 }, acknowledged };
  for await (const item of replica.store.scan(log, options)) {
    if (item.kind === 'segment') continue;
    if (item.kind === 'torn') await replica.store.cutTorn(log, acknowledged);
    if (item.kind === 'damage') replica.noteDamage(item);
    if (item.kind !== 'commit') return;
    const place = { ws: replica.ws, dev: log.dev, epoch: log.epoch, seq: item.seq, prev, cap };
    const commit = readCommit(replica, item.payload, place);
    if (commit === null) {
      const { segment, offset } = item.position;
      const file = segmentPath(log, segment, 'tail');
      const what = `commit ${item.seq} is not one that could have been stored`;
      replica.noteDamage({
        kind: 'damage',
        file,
        offset,
        what,
        lost: { from: item.seq, to: null },
      });
      return;
    }
    yield { commit, position: item.position };
    prev = commit.id;
    cap = commit.header.cap;
  }
}

/** Null for bytes with a good checksum that are no commit of this place. */
function readCommit(replica: Replica, payload: Uint8Array, place: Place): Commit | null {
  try {
    const commit = decodePayload(payload, place);
    replica.check(commit);
    return commit;
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

/** Always takes the earliest commit that stands next in its log: a linear extension. */
async function foldLanes(replica: Replica, lanes: Lane[]): Promise<void> {
  for (;;) {
    let lane: Lane | null = null;
    for (const other of lanes) {
      if (other.next === null) continue;
      if (lane?.next == null || other.next.commit.header.hlc < lane.next.commit.header.hlc)
        lane = other;
    }
    if (lane?.next == null) return;
    foldStored(replica, lane.next);
    const following = await lane.items.next();
    lane.next = following.done === true ? null : following.value;
  }
}

function foldStored(replica: Replica, { commit, position }: Read): void {
  const { history } = replica;
  if (history.log(commit.log) === null) beginLog(replica, commit);
  const record = history.log(commit.log);
  if (record === null) return;
  const waits = record.folded < record.stored.seq || !isReady(replica, commit);
  const state = waits ? null : judgeHeld(replica, commit);
  history.hold(commit, state ?? 'held', position);
  history.endsAt(commit.log, position);
  if (state === null) {
    replica.tables.put(key.pending(record.number), Uint8Array.of(0, 0, 0, 0, 0, 0));
  } else {
    replica.foldHeld(commit, state);
  }
  replica.saveIfLarge();
}
