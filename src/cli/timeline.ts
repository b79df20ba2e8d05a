/**
 * Which commits `wn log` lists, newest first. Without a path it reads no more commits
 * than it shows, and counts the rest from the frontiers. With a path it reads which
 * commits touched what is or was there.
 */
import { WnError } from '../core/errors.js';
import { stamp, stampLog, stampTime, type Stamp } from '../core/hlc.js';
import { showDevice, type DeviceId, type LogId, type NodeId } from '../core/ids.js';
import {
  countBeyond,
  frontierNow,
  includes,
  newestFirst,
  seqAt,
  type Frontier,
} from '../repo/frontier.js';
import type { CommitRef, History } from '../repo/history.js';
import { decodeNode } from '../repo/fold/node.js';
import { key } from '../repo/index/tables.js';
import { touchesOf } from '../repo/index/touches.js';
import type { Replica } from '../repo/replica.js';
import { lastPath } from '../tree/lastpath.js';
import { decodeCursor, encodeCursor, type Page } from './paging.js';

export interface TimelineWish {
  /** Only commits that touched this path or what is below; null: all. */
  readonly path: string | null;
  /** Only commits beyond this frontier. */
  readonly since: Frontier;
  /** A device's name, or the beginning of its `did:key`; null: all. */
  readonly author: string | null;
  /** 0 is all. */
  readonly limit: number;
  readonly after: string | undefined;
}

const isStamp = (value: unknown): value is Stamp =>
  typeof value === 'string' && /^[0-9a-f]{48}$/.test(value);

/** Throws `not_found` for an unknown author or path, `usage` for a bad cursor. */
export function timeline(replica: Replica, wish: TimelineWish): Page<CommitRef> {
  const { history } = replica;
  const { path, since, limit } = wish;
  const now = byAuthor(replica, frontierNow(history), wish.author);
  const after = wish.after === undefined ? null : decodeCursor(wish.after, isStamp);
  if (path === null) {
    const from = after === null ? now : before(history, now, after);
    const total = countBeyond(history, now, since);
    return { ...takePage(history, newestFirst(history, from, since), limit), total };
  }
  const commits = touching(replica, path, now, since);
  const left = after === null ? commits : commits.filter((ref) => stampOf(history, ref) < after);
  return { ...takePage(history, left, limit), total: commits.length };
}

type Items = Omit<Page<CommitRef>, 'total'>;

function takePage(history: History, commits: Iterable<CommitRef>, limit: number): Items {
  const items: CommitRef[] = [];
  for (const { log, seq } of commits) {
    const last = items.at(-1);
    if (limit > 0 && items.length === limit && last !== undefined) {
      return { items, next: encodeCursor(stampOf(history, last)) };
    }
    items.push({ log, seq });
  }
  return { items, next: null };
}

function stampOf(history: History, ref: CommitRef): Stamp {
  return stamp(history.record(ref)?.hlc ?? 0n, ref.log);
}

/** The part of a frontier that is older than a commit's stamp. */
function before(history: History, frontier: Frontier, at: Stamp): Frontier {
  const older = new Map<LogId, number>();
  for (const [log, seq] of frontier) {
    const time = stampTime(at) - (log < stampLog(at) ? 0n : 1n);
    const last = Math.min(seq, seqAt(history, log, time));
    if (last >= (history.log(log)?.firstSeq ?? 0)) older.set(log, last);
  }
  return older;
}

function byAuthor(replica: Replica, frontier: Frontier, author: string | null): Frontier {
  if (author === null) return frontier;
  const { history, authority } = replica;
  const nameOf = (device: DeviceId): string =>
    authority.deviceOf(device).name ?? showDevice(device);
  const matches = (device: DeviceId): boolean =>
    nameOf(device) === author ||
    (author.startsWith('did:key:') && showDevice(device).startsWith(author));
  const own = [...frontier].filter(([log]) => matches(history.log(log)?.dev ?? ''));
  if (own.length > 0) return new Map(own);
  const names = [
    ...new Set([...frontier.keys()].map((log) => nameOf(history.log(log)?.dev ?? ''))),
  ];
  throw new WnError('not_found', `no device named ${author} has written here`, {
    hint: `there are: ${names.sort().join(', ')}`,
  });
}

/** Commits with an op on what is or was at a path or below, newest first. */
function touching(
  replica: Replica,
  path: string,
  now: Frontier,
  since: Frontier,
): readonly CommitRef[] {
  const { history, tables } = replica;
  const found = new Map<string, CommitRef>();
  const nodes = nodesUnder(replica, path);
  if (nodes.length === 0 && path !== '') {
    throw new WnError('not_found', `nothing is or was at ${path} in this workspace`, {
      hint: 'a new file is known once it is committed: wn commit',
    });
  }
  for (const node of nodes) {
    for (const { log, seq } of touchesOf(tables, node)) {
      const ref = { log: history.logOfNumber(log), seq };
      if (includes(now, ref) && !includes(since, ref)) found.set(`${ref.log}/${ref.seq}`, ref);
    }
  }
  return [...found.values()].sort((a, b) => (stampOf(history, a) > stampOf(history, b) ? -1 : 1));
}

/**
 * Worknodes that show at a path or below, or did when they were last seen. Costs one look-up
 * for a file, else the tree.
 */
function nodesUnder({ tables, view }: Replica, path: string): readonly NodeId[] {
  const entry = path === '' ? null : view.entry(path);
  if (entry !== null && entry.type !== 'folder') return entry.united;
  const above = new Map<NodeId, NodeId | null>();
  for (const [at, bytes] of tables.prefix(key.table('node'))) {
    above.set(at.slice(2), decodeNode(bytes).placed?.parent ?? null);
  }
  const tops = new Set(path === '' ? [view.root] : (entry?.united ?? []));
  const gone = path !== '' && entry === null;
  return [...above.keys()].filter((node) =>
    gone ? isPathOrBelow(lastPath(view, node), path) : isBelow(node, tops, above),
  );
}

type Above = ReadonlyMap<NodeId, NodeId | null>;

function isBelow(node: NodeId, tops: ReadonlySet<NodeId>, above: Above): boolean {
  const passed = new Set<NodeId>();
  for (let at: NodeId | null = node; at !== null && !passed.has(at); at = above.get(at) ?? null) {
    if (tops.has(at)) return true;
    passed.add(at);
  }
  return false;
}

function isPathOrBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}
