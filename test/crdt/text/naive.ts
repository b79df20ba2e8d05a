/**
 * The independent model: one object per code point, every question answered from sets of ops.
 * It shares with the product only the rule by which concurrent inserts are ordered, written down
 * here once more, item by item.
 */
import { compareHeads, type Head, type TextOp } from '../../../src/crdt/text/op.js';

interface Item {
  readonly op: string;
  readonly point: string;
  readonly left: Item | null;
  readonly right: Item | null;
}

export interface NaiveOp {
  readonly op: TextOp;
  readonly isMalformed: boolean;
}

export const keyOf = (head: Head) => `${head.log}/${head.seq}/${head.index}`;

export class NaiveText {
  readonly ops = new Map<string, NaiveOp>();
  readonly #items: Item[] = [];
  readonly #pasts = new Map<string, ReadonlySet<string>>();
  readonly #deleted = new Map<string, Set<Item>>();

  /** Keys of the ops at some heads and before them; unknown ones left out. */
  past(heads: readonly Head[]): Set<string> {
    const known = heads.map(keyOf).filter((key) => this.ops.has(key));
    return new Set(known.flatMap((key) => [key, ...this.#pasts.get(key)!]));
  }

  add(op: TextOp): NaiveOp {
    const key = keyOf(op);
    const past = this.past(op.base);
    const isBaseKnown = op.base.every((head) => this.ops.has(keyOf(head)));
    const isMalformed = !isBaseKnown || !this.#fits(op, this.#seen(past, op.tombstones).length);
    const known = { op, isMalformed };
    this.ops.set(key, known);
    this.#pasts.set(key, past);
    this.#deleted.set(key, new Set());
    const seen = new Set([...past, key]);
    for (const [pos, what] of isMalformed ? [] : op.runs) {
      if (typeof what === 'string') {
        for (const [i, point] of [...what].entries()) {
          this.#insert(op, seen, this.#seen(seen, op.tombstones)[pos + i - 1] ?? null, point);
        }
      } else {
        const gone = this.#seen(seen, op.tombstones).slice(pos, pos + what);
        for (const item of gone) this.#deleted.get(key)!.add(item);
      }
    }
    return known;
  }

  /** The text where just these ops count. */
  text(counting: ReadonlySet<string>): string {
    return this.#seen(counting)
      .map((item) => item.point)
      .join('');
  }

  /** How many code points a position may count at these ops. */
  length(counting: ReadonlySet<string>, tombstones = false): number {
    return this.#seen(counting, tombstones).length;
  }

  live(version: ReadonlySet<string>): Set<string> {
    return new Set([...version].filter((key) => this.ops.get(key)!.op.live));
  }

  #fits(op: TextOp, baseLength: number): boolean {
    let length = baseLength;
    for (const [pos, what] of op.runs) {
      if (pos < 0 || what === '' || what === 0) return false;
      if (pos + (typeof what === 'number' ? what : 0) > length) return false;
      if (typeof what === 'string') length += [...what].length;
      else if (op.tombstones !== true) length -= what;
    }
    return true;
  }

  #seen(counting: ReadonlySet<string>, tombstones = false): Item[] {
    const gone = new Set<Item>();
    if (!tombstones) {
      for (const key of counting) for (const item of this.#deleted.get(key) ?? []) gone.add(item);
    }
    return this.#items.filter((item) => counting.has(item.op) && !gone.has(item));
  }

  #insert(op: TextOp, seen: ReadonlySet<string>, left: Item | null, point: string): void {
    const items = this.#items;
    const at = (item: Item | null, none: number) => (item === null ? none : items.indexOf(item));
    const start = at(left, -1) + 1;
    const right = items.slice(start).find((item) => seen.has(item.op)) ?? null;
    let target = start;
    let isScanning = false;
    for (let i = start; i < items.length && !seen.has(items[i]!.op); i += 1) {
      const other = items[i]!;
      if (at(other.left, -1) < start - 1) break;
      if (other.left === left) {
        const isFirst = compareHeads(op, this.ops.get(other.op)!.op) < 0;
        if (other.right === right && isFirst) break;
        isScanning = at(other.right, items.length) < at(right, items.length);
      }
      if (!isScanning) target = i + 1;
    }
    items.splice(target, 0, { op: keyOf(op), point, left, right });
  }
}
