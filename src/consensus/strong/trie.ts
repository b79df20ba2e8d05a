/**
 * A persistent map from ids to values: a change copies the way to it (at most one array
 * of 16 for each digit that sets the id apart) and shares the rest, so that a state can
 * be kept, forked and dropped at no cost (Bagwell 2001, without the compression). Keys are
 * lower-case hex of hashes: evenly distributed, none the beginning of another.
 */
import { assert } from '../../core/errors.js';

interface Leaf<V> {
  readonly key: string;
  readonly value: V;
}

type Branch<V> = readonly (Slot<V> | undefined)[];
type Slot<V> = Branch<V> | Leaf<V>;

const WIDTH = 16;

export class Trie<V> {
  private constructor(
    private readonly root: Branch<V>,
    readonly size: number,
  ) {}

  static empty<V>(): Trie<V> {
    return new Trie<V>([], 0);
  }

  get(key: string): V | undefined {
    let slot: Slot<V> | undefined = this.root;
    for (let depth = 0; slot !== undefined; depth++) {
      if (!isBranch(slot)) return slot.key === key ? slot.value : undefined;
      slot = slot[digitAt(key, depth)];
    }
    return undefined;
  }

  with(key: string, value: V): Trie<V> {
    const added = this.get(key) === undefined ? 1 : 0;
    return new Trie(put(this.root, 0, { key, value }), this.size + added);
  }

  without(key: string): Trie<V> {
    if (this.get(key) === undefined) return this;
    return new Trie(take(this.root, 0, key), this.size - 1);
  }

  /** In the order of the keys. */
  *entries(): Generator<readonly [key: string, value: V]> {
    yield* walk(this.root);
  }
}

function isBranch<V>(slot: Slot<V>): slot is Branch<V> {
  return Array.isArray(slot);
}

/** 0 to 15 of a lower-case hex digit. */
function digitAt(key: string, depth: number): number {
  const code = key.charCodeAt(depth);
  assert(code > 0, 'one id begins another');
  return code < 58 ? code - 48 : code - 87;
}

function put<V>(branch: Branch<V>, depth: number, leaf: Leaf<V>): Branch<V> {
  const digit = digitAt(leaf.key, depth);
  return replaced(branch, digit, merged(branch[digit], depth + 1, leaf));
}

function merged<V>(slot: Slot<V> | undefined, depth: number, leaf: Leaf<V>): Slot<V> {
  if (slot === undefined) return leaf;
  if (isBranch(slot)) return put(slot, depth, leaf);
  return slot.key === leaf.key ? leaf : put(put([], depth, slot), depth, leaf);
}

function take<V>(branch: Branch<V>, depth: number, key: string): Branch<V> {
  const digit = digitAt(key, depth);
  const slot = branch[digit];
  if (slot === undefined || !isBranch(slot)) return replaced(branch, digit, undefined);
  const rest = take(slot, depth + 1, key);
  const [only, another] = rest.filter((one) => one !== undefined);
  const lone = another === undefined && only !== undefined && !isBranch(only) ? only : null;
  return replaced(branch, digit, lone ?? rest);
}

function replaced<V>(branch: Branch<V>, digit: number, slot: Slot<V> | undefined): Branch<V> {
  const copy = branch.length === 0 ? new Array<Slot<V> | undefined>(WIDTH) : branch.slice();
  copy[digit] = slot;
  return copy;
}

function* walk<V>(branch: Branch<V>): Generator<readonly [string, V]> {
  for (const slot of branch) {
    if (slot === undefined) continue;
    if (isBranch(slot)) yield* walk(slot);
    else yield [slot.key, slot.value];
  }
}
