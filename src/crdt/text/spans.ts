/**
 * The walker's list: every item (code point) ever inserted, in document order, run-length encoded
 * as spans. Spans lie in blocks that know their sums, so that finding a position costs about the
 * square root of the length, and memory is plain arrays. Leaves out why an item is where it is.
 */

/** Place of an item before the document's first, and after its last. */
export const START = -1;
export const END = -2;

/** States of an item in the version that the walker stands at; above VISIBLE: times deleted. */
export const NOT_YET = 0;
export const VISIBLE = 1;

/** Positions count what shows, or every item inserted, deleted ones too. */
export type Unit = 'visible' | 'inserted';

/** Items with consecutive ids, each but the first inserted right of the one before it. */
export interface Span {
  id: number;
  length: number;
  /** Item at whose right the first was inserted, or START. */
  originLeft: number;
  /** Item at whose left all were inserted, or END. */
  readonly originRight: number;
  state: number;
  block: Block;
}

interface Block {
  /** Place among the blocks. */
  order: number;
  readonly spans: Span[];
  visible: number;
  inserted: number;
}

export interface Place {
  readonly span: Span;
  readonly offset: number;
}

const BLOCK_SPANS_MAX = 256;

export class SpanList {
  readonly #blocks: Block[] = [{ order: 0, spans: [], visible: 0, inserted: 0 }];
  /** The span of each item. */
  readonly #spanOf: Span[] = [];

  *[Symbol.iterator](): Generator<Span> {
    for (const block of this.#blocks) yield* block.spans;
  }

  /** The item at a position; undefined past the end. */
  at(pos: number, unit: Unit): Place | undefined {
    let left = pos;
    for (const block of this.#blocks) {
      if (left >= block[unit]) {
        left -= block[unit];
        continue;
      }
      for (const span of block.spans) {
        const width = widthOf(span, unit);
        if (left < width) return { span, offset: left };
        left -= width;
      }
    }
    return undefined;
  }

  item(id: number): Place {
    const span = this.#spanOf[id]!;
    return { span, offset: id - span.id };
  }

  /** The span after this one, or the first. */
  next(span: Span | undefined): Span | undefined {
    if (span === undefined) return this.#blocks[0]?.spans[0];
    const { block } = span;
    const within = block.spans[block.spans.indexOf(span) + 1];
    return within ?? this.#blocks[block.order + 1]?.spans[0];
  }

  /** Whether one item, START or END lies before another. */
  isBefore(a: number, b: number): boolean {
    if (a === b || a === END || b === START) return false;
    if (a === START || b === END) return true;
    const one = this.item(a).span;
    const other = this.item(b).span;
    if (one === other) return a < b;
    if (one.block !== other.block) return one.block.order < other.block.order;
    return one.block.spans.indexOf(one) < one.block.spans.indexOf(other);
  }

  /** Puts new, visible items after a span, or first. */
  insertAfter(left: Span | undefined, items: Omit<Span, 'state' | 'block'>): void {
    const block = left?.block ?? this.#blocks[0]!;
    const span: Span = { ...items, state: VISIBLE, block };
    block.spans.splice(left === undefined ? 0 : block.spans.indexOf(left) + 1, 0, span);
    this.#claim(span);
    this.#count(span, 1);
    this.#splitFull(block);
  }

  /** Lengthens a visible span by items whose ids follow its own. */
  extend(span: Span, length: number): void {
    this.#count(span, -1);
    span.length += length;
    this.#count(span, 1);
    for (let id = span.id + span.length - length; id < span.id + span.length; id += 1) {
      this.#spanOf[id] = span;
    }
  }

  /** Adds to the state of items `id` and following. */
  shift(id: number, length: number, delta: number): void {
    for (const end = id + length; id < end;) {
      const span = this.isolate(id, end - id);
      this.#count(span, -1);
      span.state += delta;
      this.#count(span, 1);
      id += span.length;
    }
  }

  /** Joins the span of an item with its neighbours where nothing tells them apart. */
  join(id: number): void {
    const { span } = this.item(id);
    const { spans } = span.block;
    const at = spans.indexOf(span);
    for (const right of [at + 1, at]) {
      const [head, tail] = [spans[right - 1], spans[right]];
      if (head === undefined || tail === undefined || !isContinued(head, tail)) continue;
      const [kept, gone] = head.length < tail.length ? [tail, head] : [head, tail];
      spans.splice(spans.indexOf(gone), 1);
      kept.originLeft = head.originLeft;
      kept.id = head.id;
      kept.length += gone.length;
      for (let item = gone.id; item < gone.id + gone.length; item += 1) this.#spanOf[item] = kept;
    }
  }

  /** The span that begins at item `id` and has at most `length` items, split off as needed. */
  isolate(id: number, length: number): Span {
    const { span, offset } = this.item(id);
    const tail = offset === 0 ? span : this.split(span, offset)[1];
    return tail.length <= length ? tail : this.split(tail, length)[0];
  }

  /** Cuts a span before its item `offset`, which is not the first. */
  split(span: Span, offset: number): [head: Span, tail: Span] {
    const { spans } = span.block;
    const at = spans.indexOf(span);
    const id = span.id + offset;
    // The smaller part gets the new object, so that an item seldom changes its span.
    const isHeadNew = offset < span.length - offset;
    const head = isHeadNew ? { ...span, length: offset } : span;
    const tail = isHeadNew ? span : { ...span };
    tail.id = id;
    tail.length = span.length - offset;
    tail.originLeft = id - 1;
    head.length = offset;
    spans.splice(at, 1, head, tail);
    this.#claim(isHeadNew ? head : tail);
    this.#splitFull(span.block);
    return [head, tail];
  }

  #claim(span: Span): void {
    for (let id = span.id; id < span.id + span.length; id += 1) this.#spanOf[id] = span;
  }

  #count(span: Span, sign: 1 | -1): void {
    span.block.visible += sign * widthOf(span, 'visible');
    span.block.inserted += sign * widthOf(span, 'inserted');
  }

  #splitFull(block: Block): void {
    if (block.spans.length <= BLOCK_SPANS_MAX) return;
    const spans = block.spans.splice(BLOCK_SPANS_MAX / 2);
    const next: Block = { order: block.order + 1, spans, visible: 0, inserted: 0 };
    for (const span of spans) {
      this.#count(span, -1);
      span.block = next;
      this.#count(span, 1);
    }
    this.#blocks.splice(next.order, 0, next);
    for (let order = next.order + 1; order < this.#blocks.length; order += 1) {
      this.#blocks[order]!.order = order;
    }
  }
}

function isContinued(head: Span, tail: Span): boolean {
  return (
    head.id + head.length === tail.id &&
    tail.originLeft === tail.id - 1 &&
    head.originRight === tail.originRight &&
    head.state === tail.state
  );
}

function widthOf(span: Span, unit: Unit): number {
  const counts = unit === 'visible' ? span.state === VISIBLE : span.state !== NOT_YET;
  return counts ? span.length : 0;
}
