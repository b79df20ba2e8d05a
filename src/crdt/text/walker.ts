/**
 * Eg-walker: replays an event graph of text ops into one order of all code points ever inserted.
 * It merges documents with dead ops, where it must be known which op inserted and deleted each
 * code point, and it is the independent model that Diamond Types is tested against.
 *
 * To apply an op it first stands at the op's parents, by retreating from ops that aren't in their
 * past and advancing over those that are; concurrent inserts at one place are ordered as Diamond
 * Types does (YjsMod, also known as FugueMax; ties by log, then by order in the log).
 *
 * Sources: Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker", EuroSys 2025;
 * Weidner and Kleppmann, "The Art of the Fugue", 2023; josephg/eg-walker-reference.
 */
import { assert } from '../../core/errors.js';
import { fromCodePoints, writeCodePoints } from './codepoints.js';
import { Effects } from './effects.js';
import { sameVersion, type EventGraph, type Version } from './graph.js';
import type { MergeEngine } from './merged.js';
import type { TextOp } from './op.js';
import { replayOrder } from './order.js';
import { END, NOT_YET, SpanList, START, VISIBLE, type Span, type Unit } from './spans.js';

/** Which ops count for a text, by op number. */
export type Counts = (op: number) => boolean;

/** A stretch of neighbouring items that some text shows or not. */
export interface Stretch {
  readonly length: number;
  /** In the live text. */
  readonly live: boolean;
  /** In the full text, dead ops counted. */
  readonly visible: boolean;
}

export class Walker implements MergeEngine {
  readonly #graph: EventGraph;
  readonly #isLive: Counts;
  readonly #list = new SpanList();
  /** Code points by item, and the op that inserted each. */
  #points: Uint32Array = new Uint32Array(1_024);
  #owners: Uint32Array = new Uint32Array(1_024);
  #items = 0;
  readonly #effects = new Effects();
  /** The newest ops, which wait for the next question; those before them are replayed. */
  #waiting: TextOp[] = [];
  #version: Version = [];

  constructor(graph: EventGraph, isLive: Counts) {
    this.#graph = graph;
    this.#isLive = isLive;
  }

  append(change: TextOp): void {
    this.#waiting.push(change);
  }

  text(version: Version = this.#graph.heads): string {
    const inside = this.#graph.past(version);
    return this.#write((op) => inside[op] === 1 && this.#isLive(op));
  }

  fullText(version: Version = this.#graph.heads): string {
    const inside = this.#graph.past(version);
    return this.#write((op) => inside[op] === 1);
  }

  fullLength(version: Version): number {
    const inside = this.#graph.past(version);
    return this.#shown((op) => inside[op] === 1).reduce((sum, shown) => sum + shown, 0);
  }

  /** The items inserted up to a version, in document order. */
  *stretches(version: Version): Generator<Stretch> {
    const inside = this.#graph.past(version);
    const visible = this.#shown((op) => inside[op] === 1);
    const live = this.#shown((op) => inside[op] === 1 && this.#isLive(op));
    for (const { id, length } of this.#list) {
      for (let from = id, to = id; from < id + length; from = to) {
        const isIn = inside[this.#owners[from]!] === 1;
        do to += 1;
        while (
          to < id + length &&
          live[to] === live[from] &&
          visible[to] === visible[from] &&
          (inside[this.#owners[to]!] === 1) === isIn
        );
        const stretch = { length: to - from, live: live[from] === 1, visible: visible[from] === 1 };
        if (isIn) yield stretch;
      }
    }
  }

  free(): void {
    // Plain memory: nothing to release.
  }

  #write(counts: Counts): string {
    const shown = this.#shown(counts);
    const out = new Uint32Array(this.#items);
    let end = 0;
    for (const { id, length } of this.#list) {
      for (let item = id; item < id + length; item += 1) {
        if (shown[item] === 1) out[end++] = this.#points[item]!;
      }
    }
    return fromCodePoints(out, 0, end);
  }

  /** For each item 1 if, of the ops that count, one inserted it and none deleted it. */
  #shown(counts: Counts): Uint8Array {
    this.#replay();
    const shown = new Uint8Array(this.#items);
    for (const isInsert of [true, false]) {
      for (let op = 0; op < this.#graph.size; op += 1) {
        if (!counts(op)) continue;
        this.#effects.forEach(op, (inserts, start, length) => {
          if (inserts === isInsert) shown.fill(isInsert ? 1 : 0, start, start + length);
        });
      }
    }
    return shown;
  }

  #replay(): void {
    if (this.#waiting.length === 0) return;
    const first = this.#graph.size - this.#waiting.length;
    for (const op of replayOrder(this.#graph, first)) {
      this.#moveTo(this.#graph.parents(op));
      this.#apply(op, this.#waiting[op - first]!);
      this.#version = [op];
    }
    this.#waiting = [];
  }

  #moveTo(version: Version): void {
    if (sameVersion(this.#version, version)) return;
    const { onlyA, onlyB } = this.#graph.diff(this.#version, version);
    for (const op of onlyA) this.#shift(op, -1);
    for (const op of onlyB) this.#shift(op, 1);
    this.#version = version;
  }

  /** Takes an op back, or does it again. States are sums, so the order doesn't matter. */
  #shift(op: number, delta: 1 | -1): void {
    this.#effects.forEach(op, (_, start, length) => this.#list.shift(start, length, delta));
  }

  #apply(op: number, { runs, tombstones }: TextOp): void {
    const unit = tombstones === true ? 'inserted' : 'visible';
    this.#effects.begin(op);
    for (const [pos, what] of runs) {
      if (typeof what === 'string') this.#insert(op, pos, what, unit);
      else this.#delete(op, pos, what, unit);
    }
  }

  #delete(op: number, pos: number, count: number, unit: Unit): void {
    // A deleted item leaves the visible ones, so that the next moves up to its position.
    for (let done = 0; done < count;) {
      const place = this.#list.at(unit === 'visible' ? pos : pos + done, unit);
      assert(place !== undefined, 'a deletion was checked against its base');
      const start = place.span.id + place.offset;
      const { length } = this.#list.isolate(start, count - done);
      this.#list.shift(start, length, 1);
      this.#list.join(start);
      this.#effects.add(op, false, start, length);
      done += length;
    }
  }

  #insert(op: number, pos: number, text: string, unit: Unit): void {
    const id = this.#store(op, text);
    const length = this.#items - id;
    let left: Span | undefined;
    let originLeft = START;
    if (pos > 0) {
      const place = this.#list.at(pos - 1, unit);
      assert(place !== undefined, 'an insertion was checked against its base');
      originLeft = place.span.id + place.offset;
      const isInside = place.offset + 1 < place.span.length;
      left = isInside ? this.#list.split(place.span, place.offset + 1)[0] : place.span;
    }
    let right = this.#list.next(left);
    while (right?.state === NOT_YET) right = this.#list.next(right);
    const originRight = right?.id ?? END;

    left = this.#integrate(op, left, originLeft, originRight);
    // Where typing goes on, the span grows: it is visible only if nothing concurrent came between.
    const isNext = left?.state === VISIBLE && left.id + left.length === id;
    if (left !== undefined && isNext && left.originRight === originRight) {
      this.#list.extend(left, length);
    } else this.#list.insertAfter(left, { id, length, originLeft, originRight });
    this.#effects.add(op, true, id, length);
  }

  /** The span after which a new item goes: past concurrent items at its place that precede it. */
  #integrate(op: number, left: Span | undefined, originLeft: number, originRight: number) {
    let target = left;
    let isScanning = false;
    let other = this.#list.next(left);
    for (; other?.state === NOT_YET; other = this.#list.next(other)) {
      if (this.#list.isBefore(other.originLeft, originLeft)) break;
      if (other.originLeft === originLeft) {
        if (other.originRight === originRight) {
          if (this.#graph.compare(op, this.#owners[other.id]!) < 0) break;
          isScanning = false;
        } else isScanning = this.#list.isBefore(other.originRight, originRight);
      }
      if (!isScanning) target = other;
    }
    return target;
  }

  /** Notes new items of an op, up to `#items`; returns the first. */
  #store(op: number, text: string): number {
    const id = this.#items;
    // A string has at most as many code points as code units.
    if (id + text.length > this.#points.length) {
      const capacity = Math.max(id + text.length, this.#points.length * 2);
      this.#points = grown(this.#points, capacity);
      this.#owners = grown(this.#owners, capacity);
    }
    this.#items = writeCodePoints(text, this.#points, id);
    this.#owners.fill(op, id, this.#items);
    return id;
  }
}

function grown(array: Uint32Array, capacity: number): Uint32Array {
  const next = new Uint32Array(capacity);
  next.set(array);
  return next;
}
