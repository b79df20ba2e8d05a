/**
 * From what an author sees to positions that mean the same on every device. Verdicts change, so
 * the positions of an op count dead ops too; where dead ops exist, runs typed on the live text
 * are translated before they are written.
 *
 * A code point whose only deletions are dead shows again, yet is missing from the full text, so no
 * position of that text can name it. Then the runs count tombstones: every item ever inserted.
 */
import { WnError } from '../../core/errors.js';
import { countCodePoints } from './codepoints.js';
import type { Run } from './op.js';
import type { Stretch } from './walker.js';

export interface FullRuns {
  readonly runs: readonly Run[];
  /** Goes into the op with the runs: what their positions count. */
  readonly tombstones: boolean;
}

/**
 * Runs on the full text, whose effect on the live one is that of `runs`. Throws WnError `invalid`
 * where a run doesn't fit the live text.
 */
export function translateRuns(stretches: readonly Stretch[], runs: readonly Run[]): FullRuns {
  const tombstones = stretches.some(({ live, visible }) => live && !visible);
  const cursor = new Cursor(stretches, tombstones);
  for (const [pos, what] of runs) {
    cursor.moveTo(pos);
    if (typeof what === 'string') cursor.insert(what);
    else cursor.delete(what);
  }
  return { runs: cursor.runs, tombstones };
}

/** Stands between two items; runs mostly go forward, so moving is cheap. */
class Cursor {
  readonly runs: Run[] = [];
  readonly #before: Stretch[] = [];
  readonly #after: Stretch[];
  readonly #tombstones: boolean;
  #livePos = 0;
  #fullPos = 0;

  constructor(stretches: readonly Stretch[], tombstones: boolean) {
    this.#after = [...stretches].reverse();
    this.#tombstones = tombstones;
  }

  /** To right behind the live code point before `pos`. */
  moveTo(pos: number): void {
    for (let last = this.#before.at(-1); last !== undefined; last = this.#before.at(-1)) {
      if (last.live && this.#livePos <= pos) break;
      this.#before.pop();
      this.#after.push(last);
      if (last.live) this.#livePos -= last.length;
      this.#fullPos -= this.#width(last);
    }
    while (this.#livePos < pos) this.#pass(this.#take(pos - this.#livePos));
  }

  insert(text: string): void {
    this.runs.push([this.#fullPos, text]);
    this.#pass({ length: countCodePoints(text), live: true, visible: true });
  }

  delete(count: number): void {
    for (let left = count; left > 0;) {
      const next = this.#take(left);
      if (next.live) {
        this.#emitDelete(next.length);
        left -= next.length;
        this.#pass({ length: next.length, live: false, visible: false });
      } else this.#pass(next);
    }
  }

  #emitDelete(count: number): void {
    const last = this.runs.at(-1);
    const joins =
      last !== undefined &&
      typeof last[1] === 'number' &&
      last[0] + (this.#tombstones ? last[1] : 0) === this.#fullPos;
    if (joins) this.runs[this.runs.length - 1] = [last[0], last[1] + count];
    else this.runs.push([this.#fullPos, count]);
  }

  /** The next stretch, cut to `max` items if it is live. */
  #take(max: number): Stretch {
    const next = this.#after.pop();
    if (next === undefined) {
      throw new WnError('invalid', 'an edit lies outside the text; nothing was changed', {
        hint: 'Compute the edit again from the text as it is now.',
      });
    }
    if (!next.live || next.length <= max) return next;
    this.#after.push({ ...next, length: next.length - max });
    return { ...next, length: max };
  }

  #pass(stretch: Stretch): void {
    this.#before.push(stretch);
    if (stretch.live) this.#livePos += stretch.length;
    this.#fullPos += this.#width(stretch);
  }

  #width({ length, visible }: Stretch): number {
    return this.#tombstones || visible ? length : 0;
  }
}
