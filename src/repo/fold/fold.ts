/**
 * The fold: from commits to the state of each worknode. New commits are folded in
 * causal order, each op once. When a commit's verdict changes, the worknodes that it
 * touched are folded anew from their live ops, and nothing else: state is a function
 * of the set of held ops and of which of them live.
 */
import { stampedOps, type Commit, type StampedOp } from '../../core/commit.js';
import { stamp, type Stamp } from '../../core/hlc.js';
import { WnError } from '../../core/errors.js';
import { nodeId, type LogId, type NodeId } from '../../core/ids.js';
import { ATTRIBUTE, type Op } from '../../core/op.js';
import { applyField, hasLosers, type FieldsState } from '../../crdt/registry.js';
import { newerPlacement, type FolderMove, type Placement } from '../../crdt/tree.js';
import type { DiamondTypes } from '../../crdt/text/diamond.js';
import type { StrongChange } from '../../core/strong.js';
import type { CommitRef, History } from '../history.js';
import { PRESENT } from '../index/records.js';
import { key, type Tables } from '../index/tables.js';
import { touchesOf, TouchLog } from '../index/touches.js';
import { Documents } from './documents.js';
import { FolderPlaces } from './folders.js';
import { decodeNode, EMPTY_NODE, encodeNode, type NodeRecord } from './node.js';
import { Groups, opAt } from './ops.js';
import { seenBy } from './seen.js';
import {
  counts,
  NO_STRONG,
  ownsAny,
  strongFields,
  withEffect,
  withIgnored,
  type StrongNode,
} from './strong.js';

const NODES_CACHED_MAX = 20_000;

export class Fold {
  readonly documents: Documents;
  readonly groups = new Groups();
  private readonly folders: FolderPlaces;
  private readonly touches: TouchLog;
  private readonly nodes = new Map<NodeId, NodeRecord>();
  private readonly changed = new Set<NodeId>();
  /** Grows whenever a folder's shown children change. */
  shape = 0;

  constructor(
    private readonly tables: Tables,
    private readonly history: History,
    diamondTypes: () => DiamondTypes,
  ) {
    this.documents = new Documents(tables, history, this.groups, diamondTypes);
    this.touches = new TouchLog(tables);
    this.folders = new FolderPlaces(tables, history, (node) => this.node(node).created);
  }

  node(id: NodeId): NodeRecord {
    const known = this.nodes.get(id);
    if (known !== undefined) return known;
    const bytes = this.tables.get(key.node(id));
    const node = bytes === undefined ? EMPTY_NODE : decodeNode(bytes);
    this.nodes.set(id, node);
    return node;
  }

  /** Folds a commit whose whole past is folded. Held commits are not given. */
  apply(commit: Commit, live: boolean): void {
    const at = { log: commit.log, seq: commit.header.seq };
    const number = this.history.log(commit.log)?.number ?? 0;
    for (const stamped of stampedOps(commit, this.groups.of(commit))) {
      const node = nodeOf(commit, stamped);
      if (node === null) continue;
      this.touches.note(node, { time: stamped.time, log: number, seq: at.seq });
      const after = this.withOp(
        node,
        this.node(node),
        stamped.op,
        stamped.at,
        at,
        stamped.offset,
        live,
      );
      // A folder's move may undo another's, into or out of this very folder.
      this.put(node, { ...after, kids: this.node(node).kids });
    }
  }

  /** Takes a folded commit out of the view, or back into it. */
  setLive(at: CommitRef, live: boolean): void {
    this.history.setState(at, live ? 'live' : 'dead');
    const commit = this.history.commit(at);
    const touched = new Set<NodeId>();
    for (const stamped of stampedOps(commit, this.groups.of(commit))) {
      const node = nodeOf(commit, stamped);
      if (node !== null) touched.add(node);
    }
    for (const node of touched) this.refold(node);
  }

  /** Folds one worknode from all the ops that bear on it. */
  protected refold(id: NodeId): void {
    this.documents.reset(id);
    const moves: FolderMove[] = [];
    const { kids, shown, strong } = this.node(id);
    let node = strong === null ? EMPTY_NODE : beginning(strong);
    for (const { time, log, seq } of touchesOf(this.tables, id)) {
      const at = { log: this.history.logOfNumber(log), seq };
      const record = this.history.record(at);
      if (record === null) continue;
      const index = Number(time - record.hlc);
      const commit = this.history.commit(at);
      const place = opAt(commit, this.groups.of(commit), index);
      if (place === null) continue;
      const live = record.state === 'live';
      const opStamp = stamp(time, at.log);
      if (place.op.op === 'place' && node.created?.type === 'folder') {
        moves.push({ node: id, at: opStamp, parent: place.op.parent, name: place.op.name, live });
        if (live) node = touch(node, at, opStamp);
      } else {
        node = this.withOp(id, node, place.op, opStamp, at, index, live);
      }
    }
    if (node.created?.type === 'folder') {
      this.moveFolders(moves, id);
      node = { ...node, placed: this.folders.placement(id) ?? node.placed };
    }
    this.put(id, { ...node, kids, shown });
  }

  /** Lays what further entries of the strong log did over the worknodes they bear on. */
  applyStrong(changes: readonly StrongChange[]): void {
    const touched = new Set<NodeId>();
    for (const change of changes) {
      for (const effect of change.effects) {
        const node = this.node(effect.node);
        const strong = withEffect(node.strong ?? NO_STRONG, effect, change);
        this.nodes.set(effect.node, { ...node, strong });
        touched.add(effect.node);
      }
    }
    // Their folds so far may rest on writes that don't count any more, or count now.
    for (const id of touched) {
      if (this.node(id).strong?.claim == null) this.tables.remove(key.claim(id));
      else this.tables.put(key.claim(id), PRESENT);
      this.refold(id);
    }
  }

  /** The worknode after one more op. A dead one leaves only its anchor. */
  private withOp(
    id: NodeId,
    node: NodeRecord,
    op: Op,
    at: Stamp,
    ref: CommitRef,
    index: number,
    live: boolean,
  ): NodeRecord {
    const touched = live ? touch(node, ref, at) : node;
    switch (op.op) {
      case 'create': {
        if (node.created !== null && node.created.at <= at) return node;
        if (node.strong?.created != null) return node;
        const placement = { at, parent: op.parent, name: op.name };
        const placed = node.placed ?? placement;
        return { ...touched, created: { ...placement, type: op.type }, placed };
      }
      case 'place':
        return this.withPlacement(id, touched, { at, parent: op.parent, name: op.name }, live);
      case 'delete':
        return live
          ? { ...node, deletes: [...node.deletes, ref], updated: newest(node.updated, at) }
          : node;
      case 'revive':
        return touched;
      case 'field': {
        if (!live) return node;
        const { strong } = node;
        const seen = (): number => seenBy(this.tables, this.history, ref);
        if (strong !== null && !counts(strong, op.path, seen)) {
          return { ...touched, strong: withIgnored(strong, op.path, at) };
        }
        return { ...touched, fields: withField(node.fields, op, ref.log, at) };
      }
      case 'text': {
        const head = { log: ref.log, seq: ref.seq, index };
        const document = this.documents.add(id, node.document, op, head, live);
        const { strong } = node;
        if (strong === null || !live) return { ...touched, document };
        return { ...touched, document, strong: withIgnored(strong, [ATTRIBUTE.body], at) };
      }
      default:
        return node;
    }
  }

  private withPlacement(id: NodeId, node: NodeRecord, to: Placement, live: boolean): NodeRecord {
    if (node.created?.type === 'folder') {
      this.moveFolders([{ node: id, ...to, live }], id);
      return { ...node, placed: this.folders.placement(id) ?? node.placed };
    }
    if (!live) return node;
    return { ...node, placed: node.placed === null ? to : newerPlacement(node.placed, to) };
  }

  /** Stores where folders are now, but for `held`, which the caller has in hand. */
  private moveFolders(moves: readonly FolderMove[], held?: NodeId): void {
    for (const [moved, placed] of this.folders.put(moves)) {
      if (moved !== held) this.put(moved, { ...this.node(moved), placed });
    }
  }

  /** Stores a worknode and settles what follows: whether it shows, and its folder. */
  private put(id: NodeId, node: NodeRecord, before: NodeRecord = this.node(id)): void {
    const shown = this.showsItself(node) || node.kids > 0;
    const conflict =
      hasLosers(node.fields) || hasIgnored(node.strong) || this.openDeletes(node).length > 0;
    const after = { ...node, shown, conflict };
    this.nodes.set(id, after);
    this.changed.add(id);
    this.tables.put(key.dirty(id), PRESENT);
    if (before.conflict !== conflict) this.flagConflict(id, after);
    const [from, to] = [before.placed, after.placed];
    const moved = from?.parent !== to?.parent || from?.name !== to?.name;
    if (before.shown === after.shown && !moved) return;
    if (before.shown && from !== null) this.unlist(from, id);
    if (after.shown && to !== null) this.list(to, id);
  }

  private list(at: Placement, id: NodeId): void {
    this.shape += 1;
    for (const [sibling] of this.tables.prefix(key.childrenNamed(at.parent, at.name))) {
      this.tables.put(key.dirty(sibling.slice(-32)), PRESENT);
    }
    this.tables.put(key.child(at.parent, at.name, id), PRESENT);
    const parent = this.node(at.parent);
    this.put(at.parent, { ...parent, kids: parent.kids + 1 });
  }

  private unlist(at: Placement, id: NodeId): void {
    this.shape += 1;
    this.tables.remove(key.child(at.parent, at.name, id));
    for (const [sibling] of this.tables.prefix(key.childrenNamed(at.parent, at.name))) {
      this.tables.put(key.dirty(sibling.slice(-32)), PRESENT);
    }
    const parent = this.node(at.parent);
    this.put(at.parent, { ...parent, kids: parent.kids - 1 });
  }

  /** Touched by a live op that no live delete had seen. */
  private showsItself(node: NodeRecord): boolean {
    if (node.strong !== null) {
      if (node.strong.deleted || node.created === null) return false;
      if (ownsAny(node.strong)) return true;
    }
    if (node.touches.size === 0) return false;
    return node.deletes.every((deleted) => this.touchesOutside(node, deleted).length > 0);
  }

  /** Live ops on a worknode that a delete of it hadn't seen: newest of each log. */
  touchesOutside(node: NodeRecord, deleted: CommitRef): readonly CommitRef[] {
    const outside: CommitRef[] = [];
    for (const [log, seq] of node.touches) {
      if (this.history.knows(deleted, log) < seq) outside.push({ log, seq });
    }
    return outside;
  }

  /** Live deletes that concurrent ops undid, and that nobody has answered since. */
  openDeletes(node: NodeRecord): readonly CommitRef[] {
    if (node.deletes.length === 0 || !this.showsItself(node)) return [];
    return node.deletes.filter((deleted) =>
      this.touchesOutside(node, deleted).every((touched) => !this.history.inPast(deleted, touched)),
    );
  }

  /** Live moves of folders that count for nothing: each would have put one into itself. */
  skippedMoves(): readonly FolderMove[] {
    return this.folders.skipped();
  }

  private flagConflict(id: NodeId, node: NodeRecord): void {
    if (node.conflict) this.tables.put(key.conflict(id), PRESENT);
    else this.tables.remove(key.conflict(id));
  }

  get unsaved(): boolean {
    return this.changed.size > 0;
  }

  /** Encodes what changed into the index's overlay. */
  save(): void {
    this.documents.save();
    for (const id of this.changed) this.tables.put(key.node(id), encodeNode(this.node(id)));
    this.changed.clear();
    if (this.nodes.size > NODES_CACHED_MAX) this.nodes.clear();
  }

  /** Forgets what another process may have changed. */
  refresh(): void {
    this.nodes.clear();
    this.changed.clear();
    this.documents.refresh();
    this.folders.refresh();
  }
}

/** The worknode that an op bears on; null for control and unknown ops. */
export function nodeOf(commit: Commit, stamped: StampedOp): NodeId | null {
  const { op } = stamped;
  if (op.op === 'create') {
    return nodeId(commit.header.dev, stamped.salt, stamped.index, op.parent);
  }
  return 'node' in op ? op.node : null;
}

/** A worknode before any eventual op bears on it. */
function beginning(strong: StrongNode): NodeRecord {
  const { created: made } = strong;
  const created =
    made === null ? null : { at: made.at, parent: made.parent, name: made.name, type: made.type };
  const fields = strongFields(strong, EMPTY_NODE.fields);
  const newestAt = [...strong.fields.values()].map((field) => field.at).sort();
  const updated = newestAt.at(-1) ?? created?.at ?? null;
  return { ...EMPTY_NODE, created, placed: created, fields, updated, strong };
}

function hasIgnored(strong: StrongNode | null): boolean {
  if (strong === null) return false;
  for (const field of strong.fields.values()) if (field.ignored) return true;
  return false;
}

/** An argument that its type can't read counts as nothing. */
function withField(
  fields: FieldsState,
  op: Extract<Op, { op: 'field' }>,
  own: LogId,
  at: Stamp,
): FieldsState {
  try {
    return applyField(fields, op.path, op.type, op.arg, own, at) ?? fields;
  } catch (error) {
    if (error instanceof WnError) return fields;
    throw error;
  }
}

function touch(node: NodeRecord, ref: CommitRef, at: Stamp): NodeRecord {
  const seq = Math.max(node.touches.get(ref.log) ?? -1, ref.seq);
  const touches: ReadonlyMap<LogId, number> = new Map(node.touches).set(ref.log, seq);
  return { ...node, touches, updated: newest(node.updated, at) };
}

function newest(a: Stamp | null, b: Stamp): Stamp {
  return a === null || b > a ? b : a;
}
