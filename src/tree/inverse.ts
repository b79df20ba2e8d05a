/**
 * The operations that take a change back. A create becomes a delete, a delete a revive,
 * a move a move back; a field gets what it showed before, where the change is still what
 * shows; text is taken back on the very version that the change left, so it merges with
 * whatever was typed since. What isn't current any more stays, and is told.
 */
import { stampedOps } from '../core/commit.js';
import { stampTime, type Stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';
import type { FieldPath, Op } from '../core/op.js';
import { pathKey } from '../crdt/registry.js';
import { makesCycle, type Placement } from '../crdt/tree.js';
import { nodeOf } from '../repo/fold/fold.js';
import { commitOf } from '../repo/frontier.js';
import type { CommitRef } from '../repo/history.js';
import { key } from '../repo/index/tables.js';
import { opsOn, placesOn, type NodeOp } from '../repo/nodeops.js';
import type { Replica } from '../repo/replica.js';
import { inverseField } from './inversefield.js';
import { inverseText } from './inversetext.js';
import { lastPath } from './lastpath.js';

export interface NotUndone {
  readonly path: string;
  readonly field?: FieldPath;
  readonly why: string;
}

export interface Inverse {
  readonly ops: readonly Op[];
  readonly notUndone: readonly NotUndone[];
}

/** An operation of the change, and what it bears on. */
export interface ChangeOp<O extends Op = Op> extends NodeOp {
  readonly op: O;
  readonly node: NodeId;
}

type OpOf<Kind extends Op['op']> = Extract<Op, { op: Kind }>;

interface Taking {
  readonly replica: Replica;
  /** A commit of the change, or an own one since that comes to nothing with others. */
  readonly isPassedOver: (ref: CommitRef) => boolean;
  readonly last: CommitRef;
  readonly changes: readonly ChangeOp[];
  readonly created: ReadonlySet<NodeId>;
  readonly hiding: Set<NodeId>;
  readonly deleting: Set<NodeId>;
  readonly reviving: Set<NodeId>;
  /** Worknodes that are moved back, to which folder. */
  readonly leaving: Map<NodeId, NodeId>;
  /** Fields, texts and places of which all the change's ops are taken back already. */
  readonly done: Set<string>;
  readonly ops: Op[];
  readonly notUndone: NotUndone[];
}

/** `chain`: the commits of one change, in order. `neutral`: names of commits, as `log/seq`. */
export function inverseOf(
  replica: Replica,
  chain: readonly CommitRef[],
  neutral: ReadonlySet<string>,
): Inverse {
  const changes = chain.flatMap((ref) => changesIn(replica, ref));
  const passedOver = new Set([...neutral, ...chain.map(({ log, seq }) => `${log}/${seq}`)]);
  const taking: Taking = {
    replica,
    isPassedOver: ({ log, seq }) => passedOver.has(`${log}/${seq}`),
    last: chain.at(-1) ?? { log: '', seq: -1 },
    changes,
    created: new Set(changes.filter(({ op }) => op.op === 'create').map(({ node }) => node)),
    hiding: new Set(),
    deleting: new Set(),
    reviving: new Set(),
    leaving: new Map(),
    done: new Set(),
    ops: [],
    notUndone: [],
  };
  for (const change of changes.toReversed()) takeBack(taking, change);
  hideEmptied(taking);
  return taking;
}

function changesIn({ history, fold }: Replica, ref: CommitRef): readonly ChangeOp[] {
  const commit = history.commit(ref);
  return stampedOps(commit, fold.groups.of(commit)).flatMap((stamped) => {
    const node = nodeOf(commit, stamped);
    const index = Number(stampTime(stamped.at) - commit.header.hlc);
    return node === null ? [] : [{ op: stamped.op, at: stamped.at, ref, index, node }];
  });
}

function takeBack(taking: Taking, change: ChangeOp): void {
  const { op, node } = change;
  switch (op.op) {
    case 'create':
      return hide(taking, node);
    case 'delete':
      return bringBack(taking, change);
    case 'revive':
      return taking.created.has(node) ? undefined : hide(taking, node);
    case 'place':
      return once(taking, node, 'place', () => {
        moveBack(taking, change);
      });
    case 'field':
      return once(taking, node, pathKey(op.path), () => {
        takeBackField(taking, node, op.path);
      });
    case 'text':
      return once(taking, node, 'text', () => {
        const own = taking.changes.filter((each) => isOn(each, node, 'text'));
        taking.ops.push(...inverseText(taking.replica, node, own, taking.isPassedOver));
      });
    default:
      return undefined;
  }
}

function isOn<Kind extends Op['op']>(
  change: ChangeOp,
  node: NodeId,
  kind: Kind,
): change is ChangeOp<OpOf<Kind>> {
  return change.node === node && change.op.op === kind;
}

/** All ops of the change on one field, text or place are taken back together. */
function once(taking: Taking, node: NodeId, what: string, work: () => void): void {
  const name = `${node} ${what}`;
  if (taking.created.has(node) || taking.done.has(name)) return;
  taking.done.add(name);
  if (wasHidden(taking, node)) hideAgain(taking, node);
  else if (taking.replica.view.record(node).shown || taking.reviving.has(node)) work();
  else tell(taking, node, 'deleted since');
}

/** Did nothing but the change bring it back from a delete? */
function wasHidden({ replica, isPassedOver }: Taking, node: NodeId): boolean {
  const { deletes } = replica.view.record(node);
  const isDelete = ({ log, seq }: CommitRef): boolean =>
    deletes.some((deleted) => deleted.log === log && deleted.seq === seq);
  const places = deletes.length === 0 ? [] : [...placesOn(replica, node)];
  const touches = places.filter(({ ref }) => !isDelete(ref) && !isPassedOver(ref));
  return deletes.some(
    (deleted) =>
      !isPassedOver(deleted) && touches.every(({ ref }) => replica.history.inPast(ref, deleted)),
  );
}

function hideAgain({ replica, deleting, ops }: Taking, node: NodeId): void {
  if (deleting.has(node) || !replica.view.record(node).shown) return;
  deleting.add(node);
  ops.push({ op: 'delete', node });
}

function tell({ replica, notUndone }: Taking, node: NodeId, why: string, field?: FieldPath): void {
  const path = lastPath(replica.view, node);
  const same = (each: NotUndone): boolean =>
    each.path === path && each.why === why && field === undefined;
  if (!notUndone.some(same)) notUndone.push({ path, why, ...(field && { field }) });
}

/** Deletes what the change made or brought back, unless others have worked on it. */
function hide(taking: Taking, node: NodeId): void {
  if (!taking.replica.view.record(node).shown) return;
  if (isTouchedSince(taking, node)) tell(taking, node, 'changed since');
  else taking.hiding.add(node);
}

/** At the end, when it is known what leaves a folder; from the inside out. */
function hideEmptied(taking: Taking): void {
  const { hiding, deleting, ops } = taking;
  let before: number;
  do {
    before = hiding.size;
    for (const node of hiding) {
      if (hasOtherChildren(taking, node)) continue;
      hiding.delete(node);
      deleting.add(node);
      ops.push({ op: 'delete', node });
    }
  } while (hiding.size < before);
  for (const node of hiding) tell(taking, node, 'holds what was made since');
}

/** By commits that the change hadn't seen, or that came after it. */
function isTouchedSince({ replica, last, isPassedOver }: Taking, node: NodeId): boolean {
  for (const { ref } of placesOn(replica, node)) {
    if (!replica.history.inPast(ref, last) && !isPassedOver(ref)) return true;
  }
  return false;
}

function hasOtherChildren({ replica, deleting, leaving }: Taking, node: NodeId): boolean {
  for (const [at] of replica.tables.prefix(key.children(node))) {
    const child = at.slice(-node.length);
    if (!deleting.has(child) && (leaving.get(child) ?? node) === node) return true;
  }
  return false;
}

/** Revives what the change deleted, unless another delete hides it too. */
function bringBack(taking: Taking, { node, ref }: ChangeOp): void {
  const { replica, isPassedOver, reviving } = taking;
  const record = replica.view.record(node);
  const hiding = record.deletes.filter(
    (deleted) => replica.fold.touchesOutside(record, deleted).length === 0,
  );
  if (!hiding.some((deleted) => deleted.log === ref.log && deleted.seq === ref.seq)) return;
  if (!hiding.every(isPassedOver)) return tell(taking, node, 'deleted by another commit, too');
  reviving.add(node);
  taking.ops.push({ op: 'revive', node });
}

function moveBack(taking: Taking, { node }: ChangeOp): void {
  const { replica } = taking;
  const { placed } = replica.view.record(node);
  const own = taking.changes.filter((each) => isOn(each, node, 'place'));
  const before = placementBefore(replica, node, own[0]?.at ?? '');
  if (before === null) return;
  if (!isWhereItWasPut(taking, placed, own.at(-1))) return tell(taking, node, 'moved again since');
  const placementOf = (id: NodeId): Placement | null => replica.view.record(id).placed;
  if (makesCycle(node, before.parent, placementOf)) {
    return tell(taking, node, 'its old folder lies in it now');
  }
  taking.leaving.set(node, before.parent);
  taking.ops.push({ op: 'place', node, parent: before.parent, name: before.name });
}

function isWhereItWasPut(
  { replica, isPassedOver }: Taking,
  placed: Placement | null,
  last: ChangeOp<OpOf<'place'>> | undefined,
): boolean {
  if (placed === null || last === undefined || placed.at === last.at)
    return placed?.at === last?.at;
  const since = commitOf(replica.history, placed.at);
  const { parent, name } = last.op;
  return since !== null && isPassedOver(since) && placed.parent === parent && placed.name === name;
}

/** The newest create or place op that is older. */
function placementBefore(replica: Replica, node: NodeId, at: Stamp): Placement | null {
  let newest: Placement | null = null;
  for (const each of opsOn(replica, node)) {
    if (each.at >= at) break;
    const { op } = each;
    if (op.op !== 'create' && op.op !== 'place') continue;
    newest = { parent: op.parent, name: op.name, at: each.at };
  }
  return newest;
}

function takeBackField(taking: Taking, node: NodeId, path: FieldPath): void {
  const { replica, isPassedOver } = taking;
  const [first, ...others] = taking.changes
    .filter((each) => isOn(each, node, 'field'))
    .filter(({ op }) => pathKey(op.path) === pathKey(path));
  if (first === undefined) return;
  const { ops, missed } = inverseField({
    replica,
    node,
    changes: [first, ...others],
    textStays: !taking.changes.some((each) => isOn(each, node, 'text')),
    isPassedOver,
  });
  taking.ops.push(...ops);
  if (missed) tell(taking, node, 'written again since', path);
}
