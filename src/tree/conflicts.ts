/**
 * Overlaps: what was written concurrently and merged, so that one of two values shows.
 * Nothing is lost; this tells both. Found are fields and whole contents with concurrent
 * writes, deletes that concurrent work undid, names that two have, and folders moved
 * into each other. Leaves out settling them (`resolve.ts`).
 */
import type { NodeId } from '../core/ids.js';
import { ATTRIBUTE } from '../core/op.js';
import { shownFields, type ShownField } from '../crdt/registry.js';
import type { FolderMove } from '../crdt/tree.js';
import { commitOf } from '../repo/frontier.js';
import type { CommitRef } from '../repo/history.js';
import { key } from '../repo/index/tables.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { joinPath, parentPath } from './names.js';
import { overruled } from './owned.js';
import { isUnder } from './scan.js';

export type Conflict = { readonly node: NodeId; readonly path: string } & (
  | {
      /** `type`: values of other types than the one that shows are among the losers. */
      readonly kind: 'field' | 'type' | 'body';
      readonly field: ShownField;
    }
  | { readonly kind: 'delete'; readonly deletes: readonly CommitRef[] }
  /** `node` has the name; the others show under it with a suffix, oldest naming first. */
  | { readonly kind: 'name'; readonly others: readonly Entry[] }
  /** Moves that count for nothing, newest first: they would have put the folder into itself. */
  | { readonly kind: 'move'; readonly moves: readonly FolderMove[] }
);

/** All at the paths given or below, by path. Costs a look at every name. */
export function listConflicts(replica: Replica, under?: readonly string[]): readonly Conflict[] {
  return [...inFieldsAndDeletes(replica), ...inNames(replica), ...inMoves(replica)]
    .filter((conflict) => namesOf(conflict).some((path) => isUnder(path, under)))
    .sort((a, b) => (a.path === b.path ? (a.kind < b.kind ? -1 : 1) : a.path < b.path ? -1 : 1));
}

/** The paths that a conflict can be called by. */
export function namesOf(conflict: Conflict): readonly string[] {
  const others = conflict.kind === 'name' ? conflict.others.map((other) => other.path) : [];
  return [conflict.path, ...others];
}

function* inFieldsAndDeletes(replica: Replica): Iterable<Conflict> {
  const { tables, view, fold } = replica;
  for (const [at] of tables.prefix(key.table('conflict'))) {
    const node = at.slice(2);
    const path = view.pathOf(node);
    if (path === null) continue;
    const record = view.record(node);
    for (const field of shownFields(record.fields)) {
      if (field.losers.length > 0) yield { node, path, kind: kindOf(field), field };
    }
    for (const field of overruled(replica, node)) {
      yield { node, path, kind: kindOf(field), field };
    }
    const deletes = fold.openDeletes(record);
    if (deletes.length > 0) yield { node, path, kind: 'delete', deletes };
  }
}

function kindOf({ path, type, losers }: ShownField): 'field' | 'type' | 'body' {
  if (path[0] === ATTRIBUTE.body) return 'body';
  return losers.some((loser) => loser.type !== type) ? 'type' : 'field';
}

function* inNames(replica: Replica): Iterable<Conflict> {
  const { view } = replica;
  const groups = new Map<string, Entry[]>();
  for (const entry of suffixed(replica)) {
    const path = joinPath(
      parentPath(entry.path),
      view.record(entry.node).placed?.name ?? entry.name,
    );
    const group = groups.get(path);
    if (group === undefined) groups.set(path, [entry]);
    else group.push(entry);
  }
  for (const [path, others] of groups) {
    const keeper = view.entry(path);
    if (keeper !== null) yield { node: keeper.node, path, kind: 'name', others };
  }
}

/** Entries that don't show under their own name, because another has it. */
function* suffixed(replica: Replica): Iterable<Entry> {
  const { view } = replica;
  const united = new Set<string>();
  const shownOf = (nodes: readonly NodeId[]): Map<string, Entry> => {
    const entries = nodes.flatMap((node) => view.entryOf(node) ?? []);
    return new Map(entries.map((entry) => [entry.path, entry]));
  };
  for (const group of namesakes(replica))
    yield* differing(replica, shownOf(group).values(), united);
  // The children of folders that show as one are siblings, though their parents differ.
  for (const path of united) yield* differing(replica, view.children(path) ?? [], united);
}

function* differing(
  { view }: Replica,
  entries: Iterable<Entry>,
  united: Set<string>,
): Iterable<Entry> {
  for (const entry of entries) {
    if (entry.type === 'folder' && entry.united.length > 1) united.add(entry.path);
    if (entry.name !== view.record(entry.node).placed?.name) yield entry;
  }
}

/** Shown worknodes that have one name in one folder, where there are several. */
function* namesakes({ tables }: Replica): Iterable<readonly NodeId[]> {
  let [place, group] = ['', [] as NodeId[]];
  for (const [at] of tables.prefix(key.table('child'))) {
    const [here, node] = [at.slice(0, -NODE_DIGITS), at.slice(-NODE_DIGITS)];
    if (here === place) {
      group.push(node);
      continue;
    }
    if (group.length > 1) yield group;
    [place, group] = [here, [node]];
  }
  if (group.length > 1) yield group;
}

const NODE_DIGITS = 32;

function* inMoves({ fold, view, history }: Replica): Iterable<Conflict> {
  const byFolder = new Map<NodeId, FolderMove[]>();
  for (const move of fold.skippedMoves()) {
    const { placed } = view.record(move.node);
    const since = placed === null ? null : commitOf(history, placed.at);
    const moved = commitOf(history, move.at);
    if (since === null || moved === null || history.inPast(moved, since)) continue;
    const moves = byFolder.get(move.node);
    if (moves === undefined) byFolder.set(move.node, [move]);
    else moves.unshift(move);
  }
  for (const [node, moves] of byFolder) {
    const path = view.pathOf(node);
    if (path !== null) yield { node, path, kind: 'move', moves };
  }
}
