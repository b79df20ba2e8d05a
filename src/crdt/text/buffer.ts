/**
 * A gap buffer of code points: the text of a document that is edited in one line of history, or
 * between two merges. Knows nothing of ops, heads or history.
 */
import { WnError } from '../../core/errors.js';
import { countCodePoints, fromCodePoints, toCodePoints, writeCodePoints } from './codepoints.js';
import type { Run } from './op.js';

const GAP_MIN = 256;

export class TextBuffer {
  #points: Uint32Array;
  #gapStart: number;
  #gapEnd: number;

  constructor(text = '') {
    this.#points = toCodePoints(text);
    this.#gapStart = this.#points.length;
    this.#gapEnd = this.#points.length;
  }

  /** In code points. */
  get length(): number {
    return this.#points.length - (this.#gapEnd - this.#gapStart);
  }

  /** Throws WnError `invalid`, before any change, if the position is outside the text. */
  insert(pos: number, text: string): void {
    this.#check(pos, 0);
    // A string has at most as many code points as code units.
    this.#openGap(pos, text.length);
    this.#gapStart = writeCodePoints(text, this.#points, this.#gapStart);
  }

  /** Throws WnError `invalid`, before any change, if the range is not inside the text. */
  delete(pos: number, count: number): void {
    this.#check(pos, count);
    this.#openGap(pos, 0);
    this.#gapEnd += count;
  }

  apply(run: Run): void {
    if (typeof run[1] === 'string') this.insert(run[0], run[1]);
    else this.delete(run[0], run[1]);
  }

  /** Code points `start` to before `end`, as a string. */
  slice(start: number, end: number): string {
    this.#check(start, end - start);
    const gap = this.#gapEnd - this.#gapStart;
    const before = fromCodePoints(this.#points, start, Math.min(end, this.#gapStart));
    return before + fromCodePoints(this.#points, Math.max(start + gap, this.#gapEnd), end + gap);
  }

  toString(): string {
    return this.slice(0, this.length);
  }

  #check(pos: number, count: number): void {
    const fits = Number.isSafeInteger(pos) && Number.isSafeInteger(count) && pos >= 0 && count >= 0;
    if (fits && pos + count <= this.length) return;
    throw new WnError(
      'invalid',
      `an edit of ${count} at code point ${pos} lies outside the text of ${this.length}; nothing was changed`,
      { hint: 'Compute the edit again from the text as it is now.' },
    );
  }

  /** Moves the gap to `pos` and makes it at least `size` wide. */
  #openGap(pos: number, size: number): void {
    if (this.#gapEnd - this.#gapStart < size) this.#grow(size);
    if (pos < this.#gapStart) {
      const width = this.#gapStart - pos;
      this.#points.copyWithin(this.#gapEnd - width, pos, this.#gapStart);
      this.#gapStart -= width;
      this.#gapEnd -= width;
    } else if (pos > this.#gapStart) {
      const width = pos - this.#gapStart;
      this.#points.copyWithin(this.#gapStart, this.#gapEnd, this.#gapEnd + width);
      this.#gapStart += width;
      this.#gapEnd += width;
    }
  }

  #grow(size: number): void {
    const used = this.length;
    const capacity = used + size + Math.max(GAP_MIN, used >> 1);
    const next = new Uint32Array(capacity);
    const tail = this.#points.length - this.#gapEnd;
    next.set(this.#points.subarray(0, this.#gapStart));
    next.set(this.#points.subarray(this.#gapEnd), capacity - tail);
    this.#gapEnd = capacity - tail;
    this.#points = next;
  }
}

/** The text after the runs. Throws WnError `invalid` where one doesn't fit. */
export function applyRuns(before: string, runs: readonly Run[]): string {
  const buffer = new TextBuffer(before);
  for (const run of runs) buffer.apply(run);
  return buffer.toString();
}

/**
 * Runs that undo `runs` on the text that results from them: the undo of an op is an op based on
 * that op alone. Throws WnError `invalid` where a run doesn't fit `before`.
 */
export function invertRuns(before: string, runs: readonly Run[]): Run[] {
  const buffer = new TextBuffer(before);
  const inverse: Run[] = [];
  for (const run of runs) {
    const [pos, what] = run;
    const isInsert = typeof what === 'string';
    const undone: Run = isInsert
      ? [pos, countCodePoints(what)]
      : [pos, what === 0 ? '' : buffer.slice(pos, pos + what)];
    buffer.apply(run);
    inverse.push(undone);
  }
  return inverse.reverse();
}
