/**
 * The event graph of one document: which text op was typed on which. Ops are numbered in the
 * order of arrival, which is causal; a *version* is a list of op numbers, none in the past of
 * another, and means them and all before them. Knows nothing of what the ops do.
 *
 * Source: Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker", EuroSys 2025.
 */
import { assert } from '../../core/errors.js';
import { MaxHeap } from './heap.js';
import { compareHeads, type Head } from './op.js';

export type Version = readonly number[];

/** Ops in the past of one version alone, newest first. */
export interface VersionDiff {
  readonly onlyA: readonly number[];
  readonly onlyB: readonly number[];
}

const IN_A = 1;
const IN_B = 2;
const IN_BOTH = 3;

export class EventGraph {
  readonly #names: Head[] = [];
  readonly #parents: Version[] = [];
  /** Op numbers of each log, in the log's order. */
  readonly #logs = new Map<string, number[]>();
  #heads: number[] = [];

  get size(): number {
    return this.#names.length;
  }

  get heads(): Version {
    return this.#heads;
  }

  /** Adds an op after its parents, which must be a version; returns its number. */
  add(name: Head, parents: Version): number {
    const op = this.#names.length;
    const log = this.#logs.get(name.log) ?? [];
    const last = log.at(-1);
    // Diamond Types numbers an agent's ops as they come, and breaks ties by that number.
    assert(
      last === undefined || compareHeads(this.name(last), name) < 0,
      'the text ops of one log come in its order',
    );
    this.#logs.set(name.log, log);
    log.push(op);
    this.#names.push({ log: name.log, seq: name.seq, index: name.index });
    this.#parents.push(parents);
    this.#heads = this.#heads.filter((head) => !parents.includes(head));
    this.#heads.push(op);
    return op;
  }

  name(op: number): Head {
    const name = this.#names[op];
    assert(name !== undefined, `no text op ${op}`);
    return name;
  }

  parents(op: number): Version {
    return this.#parents[op] ?? [];
  }

  find(name: Head): number | undefined {
    const log = this.#logs.get(name.log) ?? [];
    // Most names are of the log's last op, or of the one to come.
    const last = log.at(-1);
    if (last === undefined || compareHeads(this.name(last), name) < 0) return undefined;
    let low = log.length - 1;
    if (compareHeads(this.name(last), name) > 0) low = 0;
    for (let high = log.length - 1; low < high;) {
      const middle = (low + high) >> 1;
      if (compareHeads(this.name(log[middle]!), name) < 0) low = middle + 1;
      else high = middle;
    }
    const found = log[low];
    return found !== undefined && compareHeads(this.name(found), name) === 0 ? found : undefined;
  }

  /** Orders concurrent ops: by log, then by their order in it. The same on every device. */
  compare(a: number, b: number): number {
    return compareHeads(this.name(a), this.name(b));
  }

  /** The version that means these ops and all before them. */
  version(ops: readonly number[]): Version {
    if (ops.length < 2) return ops;
    const found = new Set(ops);
    const oldest = Math.min(...found);
    const seen = new Set(found);
    const queue = new MaxHeap();
    for (const op of found) queue.push(op);
    for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
      for (const parent of this.parents(op)) {
        found.delete(parent);
        if (parent <= oldest || seen.has(parent)) continue;
        seen.add(parent);
        queue.push(parent);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  diff(a: Version, b: Version): VersionDiff {
    const onlyA: number[] = [];
    const onlyB: number[] = [];
    const sides = new Map<number, number>();
    const queue = new MaxHeap();
    let undecided = 0;
    const reach = (op: number, side: number) => {
      const known = sides.get(op);
      if (known === undefined) {
        queue.push(op);
        if (side !== IN_BOTH) undecided += 1;
      } else if (known !== IN_BOTH && (known | side) === IN_BOTH) undecided -= 1;
      sides.set(op, (known ?? 0) | side);
    };
    for (const op of a) reach(op, IN_A);
    for (const op of b) reach(op, IN_B);
    // Numbers fall towards the past, so nothing newer can reach what is popped.
    while (undecided > 0) {
      const op = queue.pop()!;
      const side = sides.get(op)!;
      sides.delete(op);
      if (side !== IN_BOTH) undecided -= 1;
      if (side === IN_A) onlyA.push(op);
      if (side === IN_B) onlyB.push(op);
      for (const parent of this.parents(op)) reach(parent, side);
    }
    return { onlyA, onlyB };
  }

  /** For each op number, 1 if the version contains it. */
  past(version: Version): Uint8Array {
    const inside = new Uint8Array(this.size);
    for (const op of version) inside[op] = 1;
    for (let op = this.size - 1; op >= 0; op -= 1) {
      if (inside[op] === 1) for (const parent of this.parents(op)) inside[parent] = 1;
    }
    return inside;
  }
}

export function sameVersion(a: Version, b: Version): boolean {
  return a.length === b.length && a.every((op, at) => op === b[at]);
}
