/**
 * Where worknodes are. A worknode has a create op and later place ops. Files and
 * symlinks are leaves: the newest placement wins (`newerPlacement`). Folders can be
 * moved into each other, so their moves are taken in the order of their stamps, and one
 * that would put a folder into itself is skipped: Kleppmann, Mulligan, Gomes, Beresford,
 * "A highly-available move operation for replicated trees", IEEE TPDS 2021.
 *
 * Two things are simpler here than in the paper. Creates are no moves: a create's
 * parent is in its past, so creates never cycle and never need to be undone. And leaves
 * stay out of the log, so a late move costs what newer *folder* moves there are, however
 * large the tree.
 *
 * Leaves out deletion (a matter of visibility, not of place) and names (`names.ts`). The
 * caller makes sure that the parent of a create is created in the op's past, and that
 * the parent of a move is a folder; an op that breaks this counts as nothing.
 */
import { assert } from '../core/errors.js';
import type { Stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';

export interface Placement {
  readonly parent: NodeId;
  readonly name: string;
  readonly at: Stamp;
}

/** A place op on a folder; `live` is the verdict on it, which may change later. */
export interface FolderMove extends Placement {
  readonly node: NodeId;
  readonly live: boolean;
}

/** Null: the root, or a worknode that doesn't exist. */
export type PlacementOf = (node: NodeId) => Placement | null;

/** Last writer wins. Two placements of one stamp (a forked log) are ordered by what they say. */
export function newerPlacement(a: Placement, b: Placement): Placement {
  return placementKey(a) >= placementKey(b) ? a : b;
}

/**
 * Whether `node` would come to lie in itself under `parent`. For a move newer than all
 * others this walk is all there is to decide.
 */
export function makesCycle(node: NodeId, parent: NodeId, placementOf: PlacementOf): boolean {
  const passed = new Set<NodeId>();
  for (let at: NodeId | undefined = parent; at !== undefined; at = placementOf(at)?.parent) {
    if (at === node) return true;
    assert(!passed.has(at), 'a cycle among folders');
    passed.add(at);
  }
  return false;
}

/** A known move; `effect` is null where it was skipped or is dead. */
interface Entry {
  readonly key: string;
  readonly move: FolderMove;
  /** The earlier move that this one covers, if any: what undoing it brings back. */
  readonly effect: { readonly covered: Placement | undefined } | null;
}

/** The moves of folders and what they come to. Lives as long as a fold. */
export class FolderMoves {
  readonly #createdUnder: PlacementOf;
  /** All moves known, dead ones too, in the order of their keys. */
  readonly #log: Entry[] = [];
  readonly #moved = new Map<NodeId, Placement>();

  /** `createdUnder`: where its create op put a folder; liveness doesn't enter. */
  constructor(createdUnder: PlacementOf, moves: readonly FolderMove[] = []) {
    this.#createdUnder = createdUnder;
    this.put(moves);
  }

  /** Where a folder is now. */
  placement(node: NodeId): Placement | null {
    return this.#moved.get(node) ?? this.#createdUnder(node);
  }

  /** The folders that live moves have placed; all others are where they were created. */
  effective(): ReadonlyMap<NodeId, Placement> {
    return this.#moved;
  }

  /** Live moves without effect: each would have put a folder into itself. */
  skipped(): readonly FolderMove[] {
    return this.#log.flatMap(({ move, effect }) => (move.live && effect === null ? [move] : []));
  }

  /**
   * Adds moves, or changes the verdict on known ones. What is newer than the oldest of
   * them is undone and done again; nothing is, for a move newer than all. Returns the
   * folders whose effective placement changed.
   */
  put(moves: readonly FolderMove[]): ReadonlySet<NodeId> {
    const fresh = moves.filter((move) => this.#find(move)?.move.live !== move.live);
    const oldest = fresh.map(moveKey).reduce((a, b) => (a < b ? a : b), LAST_KEY);
    const undone = this.#log.splice(this.#indexOf(oldest));

    const merged = new Map(undone.map(({ key, move }) => [key, move]));
    for (const move of fresh) merged.set(moveKey(move), move);
    const before = new Map([...merged.values()].map(({ node }) => [node, this.#moved.get(node)]));

    for (const entry of undone.reverse()) this.#undo(entry);
    for (const key of [...merged.keys()].sort()) this.#do(key, merged.get(key) as FolderMove);

    const changed = [...before].filter(([node, was]) => !samePlace(was, this.#moved.get(node)));
    return new Set(changed.map(([node]) => node));
  }

  #do(key: string, move: FolderMove): void {
    const { node, parent, name, at, live } = move;
    const exists = this.#createdUnder(node) !== null;
    const skip = !live || !exists || makesCycle(node, parent, (id) => this.placement(id));
    this.#log.push({ key, move, effect: skip ? null : { covered: this.#moved.get(node) } });
    if (!skip) this.#moved.set(node, { parent, name, at });
  }

  #undo({ move, effect }: Entry): void {
    if (effect === null) return;
    if (effect.covered === undefined) this.#moved.delete(move.node);
    else this.#moved.set(move.node, effect.covered);
  }

  #find(move: FolderMove): Entry | undefined {
    const key = moveKey(move);
    const entry = this.#log[this.#indexOf(key)];
    return entry?.key === key ? entry : undefined;
  }

  /** Of the first entry at or after `key`. */
  #indexOf(key: string): number {
    let [low, high] = [0, this.#log.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle]?.key ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** After the key of every move: those begin with hex digits. */
const LAST_KEY = '~';

/** The order of moves: by stamp; on one stamp (a forked log) by what they say. */
function moveKey(move: FolderMove): string {
  return move.at + move.node + move.parent + move.name;
}

function placementKey(placement: Placement): string {
  return placement.at + placement.parent + placement.name;
}

function samePlace(a: Placement | undefined, b: Placement | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return placementKey(a) === placementKey(b);
}
