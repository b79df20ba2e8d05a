/**
 * The view as it was at a frontier. It is today's view with the worknodes that were
 * touched since folded anew, from the ops within the frontier alone; so it costs what
 * lies between then and now, not the history. What only changed inside (text, fields)
 * is folded when it is asked for.
 */
import { stampedOps, type Commit } from '../core/commit.js';
import { toHex } from '../core/bytes.js';
import { asArray, decodeCanonical } from '../core/canonical.js';
import { assert } from '../core/errors.js';
import type { LogId, NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { Fold, nodeOf } from './fold/fold.js';
import type { NodeRecord } from './fold/node.js';
import { beyond, frontierNow, includes, type Frontier } from './frontier.js';
import { History, type CommitRef } from './history.js';
import type { CommitRecord, LogRecord } from './index/records.js';
import { key, parseFolderMove, type Tables } from './index/tables.js';
import type { Replica } from './replica.js';
import { View } from './view.js';

/** A folded state to read from: a replica's own, or one of the past. */
export type Folded = Pick<Replica, 'view' | 'fold'>;

/** How many worknodes are folded before their texts go to the overlay. */
const FOLDS_PER_SAVE = 256;

/** Worknodes that commits of one of two frontiers touch and the other doesn't hold. */
export function touchedBetween(replica: Replica, a: Frontier, b: Frontier): ReadonlySet<NodeId> {
  const touched = new Set<NodeId>();
  for (const [from, to] of [[a, b] as const, [b, a] as const]) {
    for (const { node } of touches(replica, beyond(replica.history, from, to))) touched.add(node);
  }
  return touched;
}

function* touches(
  { history, fold }: Replica,
  commits: Iterable<CommitRef>,
): Iterable<{ readonly node: NodeId; readonly op: Op }> {
  for (const ref of commits) {
    const commit = history.commit(ref);
    for (const stamped of stampedOps(commit, fold.groups.of(commit))) {
      const node = nodeOf(commit, stamped);
      if (node !== null) yield { node, op: stamped.op };
    }
  }
}

/** The view at a frontier. Everything that was committed here must be flushed. */
export function pastOf(replica: Replica, frontier: Frontier): Folded {
  const tables = replica.tables.overlay();
  const history = new PastHistory(tables, replica.history, frontier);
  const fold = new PastFold(tables, history, replica.ports.diamondTypes);
  const folders = forgetMoves(tables, history);
  fold.renew(folders);
  const stale = new Set<NodeId>();
  const elsewhere = new Set<NodeId>();
  const since = beyond(replica.history, frontierNow(replica.history), frontier);
  for (const { node, op } of touches(replica, since)) {
    if (folders.has(node)) continue;
    stale.add(node);
    if (mayMove(op) || replica.fold.node(node).deletes.length > 0) elsewhere.add(node);
  }
  fold.forget(stale);
  for (const node of elsewhere) fold.node(node);
  return { fold, view: new View(tables, history, fold, replica.blobs, replica.root) };
}

/** Can it change where a worknode is, or whether it shows? */
function mayMove({ op }: Op): boolean {
  return op !== 'field' && op !== 'text';
}

/**
 * Takes the folder moves beyond the frontier out of the overlay; returns every folder that
 * was ever moved: without a later move, an earlier one that made a cycle may count.
 */
function forgetMoves(tables: Tables, history: PastHistory): ReadonlySet<NodeId> {
  const folders = new Set<NodeId>();
  for (const [at, bytes] of [...tables.prefix(key.table('folderMove'))]) {
    const { time, log } = parseFolderMove(at);
    const [node] = asArray(decodeCanonical(bytes), 'folder move', 4);
    folders.add(toHex(node as Uint8Array));
    if (time > history.lastTime(history.logOfNumber(log))) tables.remove(at);
  }
  return folders;
}

/** The history as it was: later commits are not there. */
class PastHistory extends History {
  constructor(
    tables: Tables,
    private readonly present: History,
    private readonly frontier: Frontier,
  ) {
    super(tables, present.ws, () => {
      assert(false, 'the past reads commits where the present does');
    });
  }

  override record(at: CommitRef): CommitRecord | null {
    return includes(this.frontier, at) ? super.record(at) : null;
  }

  override commit(at: CommitRef): Commit {
    return this.present.commit(at);
  }

  override allLogs(): readonly LogRecord[] {
    return super.allLogs().map((record) => {
      const seq = this.frontier.get(this.logIdOf(record)) ?? record.firstSeq - 1;
      return { ...record, folded: Math.min(record.folded, seq) };
    });
  }

  /** The last time that the log's newest commit within the frontier uses; -1 if it has none. */
  lastTime(log: LogId): bigint {
    const newest = this.record({ log, seq: this.frontier.get(log) ?? -1 });
    return newest === null ? -1n : newest.hlc + BigInt(Math.max(newest.ops, 1) - 1);
  }
}

class PastFold extends Fold {
  private stale = new Set<NodeId>();
  private depth = 0;
  private folded = 0;

  /** These are as in the present until somebody asks. */
  forget(stale: Set<NodeId>): void {
    this.stale = stale;
  }

  override node(id: NodeId): NodeRecord {
    if (this.stale.delete(id)) this.renew([id]);
    return super.node(id);
  }

  /** Folds worknodes anew. One may ask for its folder, which may be stale too. */
  renew(nodes: Iterable<NodeId>): void {
    for (const node of nodes) {
      this.depth += 1;
      this.refold(node);
      this.depth -= 1;
      this.folded += 1;
      if (this.depth === 0 && this.folded % FOLDS_PER_SAVE === 0) this.save();
    }
  }
}
