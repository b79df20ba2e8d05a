/**
 * The Merkle tree of RFC 6962, §2.1: append-only, its root and its inclusion paths. Grows
 * through a frontier (the roots of its complete subtrees), which is immutable, so an
 * overlay is one more value and truncation drops it. Paths come from hashes that the
 * caller keeps, in the order in which they came to be (as in Go's `tlog`): a leaf, then
 * each complete subtree that it finishes. Leaves out where those stand.
 */
import { concat, equalBytes } from '../../core/bytes.js';
import { sha256 } from '../../core/crypto.js';
import { assert } from '../../core/errors.js';

export const HASH_BYTES = 32;

/** A tree of `size` leaves as the roots of its complete subtrees, the largest first. */
export interface Frontier {
  readonly size: number;
  /** One for each bit of `size`. */
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_TREE: Frontier = { size: 0, peaks: [] };

const LEAF = Uint8Array.of(0);

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(concat([LEAF, leaf]));
}

/** Its mark and two hashes: one piece of memory for all, since hashing is at once. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

/**
 * `tree` and one leaf, given by its hash; and the hashes that came to be: the leaf, then
 * each subtree that it finished.
 */
export function appended(
  { size, peaks }: Frontier,
  leaf: Uint8Array,
): { readonly tree: Frontier; readonly hashes: readonly Uint8Array[] } {
  const hashes = [leaf];
  let hash = leaf;
  let kept = peaks.length;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    hash = nodeHash(peaks[--kept] ?? leaf, hash);
    hashes.push(hash);
  }
  return { tree: { size: size + 1, peaks: [...peaks.slice(0, kept), hash] }, hashes };
}

/** Of the empty tree: the hash of nothing. */
export function rootOf({ peaks }: Frontier): Uint8Array {
  const last = peaks[peaks.length - 1];
  if (last === undefined) return sha256(new Uint8Array(0));
  let root = last;
  for (let at = peaks.length - 2; at >= 0; at--) root = nodeHash(peaks[at] ?? last, root);
  return root;
}

/** How many hashes there are once `size` leaves are in. */
export function hashCount(size: number): number {
  let count = 0;
  for (let level = size; level > 0; level = Math.floor(level / 2)) count += level;
  return count;
}

/** A kept hash by its number. */
export type ReadHash = (at: number) => Uint8Array;

/** Number of the hash of the complete subtree over leaves [first, first + 2^level). */
function hashAt(first: number, level: number): number {
  // Its last leaf brings the leaf's own hash, then one hash for each level up to this one.
  return hashCount(first + 2 ** level - 1) + level;
}

/** The frontier of the tree of the first `size` leaves. */
export function frontierOf(size: number, read: ReadHash): Frontier {
  const peaks: Uint8Array[] = [];
  let first = 0;
  for (const level of levelsOf(size)) {
    peaks.push(read(hashAt(first, level)));
    first += 2 ** level;
  }
  return { size, peaks };
}

/** Of each bit of `size`, the largest first. */
function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) levels.unshift(level);
  }
  return levels;
}

/** Siblings of leaf `index` on the way to the root of the first `size` leaves, from below. */
export function inclusionPath(index: number, size: number, read: ReadHash): Uint8Array[] {
  assert(index < size, 'a path of a leaf that is not there');
  return pathIn(index, 0, size, read);
}

function pathIn(index: number, first: number, size: number, read: ReadHash): Uint8Array[] {
  if (size === 1) return [];
  const left = leftOf(size);
  return index < first + left
    ? [...pathIn(index, first, left, read), subtree(first + left, size - left, read)]
    : [...pathIn(index, first + left, size - left, read), subtree(first, left, read)];
}

/** The largest power of two below `size`. */
function leftOf(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

function subtree(first: number, size: number, read: ReadHash): Uint8Array {
  const peaks: Uint8Array[] = [];
  let at = first;
  for (const level of levelsOf(size)) {
    peaks.push(read(hashAt(at, level)));
    at += 2 ** level;
  }
  return rootOf({ size, peaks });
}

/** One subtree on the way from a leaf to the root. */
export interface PathStep {
  /** Its place in its level, and the last one's there. */
  readonly place: number;
  readonly last: number;
  readonly hash: Uint8Array;
  /** How many siblings are still to come. */
  readonly left: number;
}

/**
 * The way of leaf `index` of `size` up through its siblings (RFC 9162, §2.1.3.2), the leaf
 * first, the root last, or as far as `until` says; null where they are too few or too many.
 */
export function wayUp(
  leaf: Uint8Array,
  index: number,
  size: number,
  siblings: readonly Uint8Array[],
  until: (step: PathStep) => boolean = () => false,
): PathStep[] | null {
  if (index >= size) return null;
  let [place, last, hash] = [index, size - 1, leaf];
  let step = { place, last, hash, left: siblings.length };
  const way = [step];
  while (step.left > 0 && !until(step)) {
    const sibling = siblings[siblings.length - step.left];
    if (last === 0 || sibling === undefined) return null;
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) {
        place /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
    step = { place, last, hash, left: step.left - 1 };
    way.push(step);
  }
  return last === 0 || step.left > 0 ? way : null;
}

export function isIncluded(
  leaf: Uint8Array,
  index: number,
  size: number,
  siblings: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const top = wayUp(leaf, index, size, siblings)?.at(-1);
  return top !== undefined && equalBytes(top.hash, root);
}

/** A tree that is whole at hand: its root and the path of each leaf. */
export function treeOf(leaves: readonly Uint8Array[]): {
  readonly root: Uint8Array;
  path(index: number): Uint8Array[];
} {
  const hashes: Uint8Array[] = [];
  let tree = EMPTY_TREE;
  for (const leaf of leaves) {
    const next = appended(tree, leaf);
    tree = next.tree;
    hashes.push(...next.hashes);
  }
  const read: ReadHash = (at) => {
    const hash = hashes[at];
    assert(hash !== undefined, 'a hash of the tree that was not kept');
    return hash;
  };
  return { root: rootOf(tree), path: (index) => inclusionPath(index, leaves.length, read) };
}
