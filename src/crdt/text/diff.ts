/**
 * From an edited text to the runs of an op: lines first, then code points within changed lines,
 * then whole graphemes. Time is bounded: past the bound a hunk is replaced. Also the hunks of a
 * unified diff, and how alike two texts are.
 */
import { DIFF_CONTEXT_LINES } from '../../core/limits.js';
import { countCodePoints, toCodePoints } from './codepoints.js';
import { widenToClusters } from './graphemes.js';
import { diffByLine, linesOf, type LineDiff } from './lines.js';
import { editScript, newEffort, shiftEdit, type Edit } from './myers.js';
import type { Run } from './op.js';

/** Runs that turn `before` into `after`, in rising order; none splits a grapheme of either. */
export function diffText(before: string, after: string): Run[] {
  if (before === after) return [];
  return toRuns(before, after, widenToClusters(before, after, unitEdits(before, after)));
}

export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  /** With its line end, which a text's last line may lack. */
  readonly text: string;
}

/** A hunk of a unified diff. Lines count from 1; of an empty side the start is the line before. */
export interface DiffHunk {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
  readonly lines: readonly DiffLine[];
}

export function diffLines(
  before: string,
  after: string,
  contextLines = DIFF_CONTEXT_LINES,
): DiffHunk[] {
  const diff = diffByLine(before, after, newEffort());
  const hunks: DiffHunk[] = [];
  let near: Edit[] = [];
  for (const edit of diff.edits) {
    const last = near.at(-1);
    if (last !== undefined && edit.aStart - last.aEnd > 2 * contextLines) {
      hunks.push(hunkOf(before, after, diff, near, contextLines));
      near = [];
    }
    near.push(edit);
  }
  if (near.length > 0) hunks.push(hunkOf(before, after, diff, near, contextLines));
  return hunks;
}

/** Edits near to each other, with the lines around them. */
function hunkOf(
  before: string,
  after: string,
  { aStarts, bStarts }: LineDiff,
  edits: readonly Edit[],
  contextLines: number,
): DiffHunk {
  const first = edits[0]!;
  const last = edits.at(-1)!;
  const lead = Math.min(contextLines, first.aStart);
  const trail = Math.min(contextLines, aStarts.length - 1 - last.aEnd);
  const lines: DiffLine[] = [];
  const take = (kind: DiffLine['kind'], from: number, to: number) => {
    const [text, starts] = kind === 'added' ? [after, bStarts] : [before, aStarts];
    for (let line = from; line < to; line += 1) {
      lines.push({ kind, text: text.slice(starts[line], starts[line + 1]) });
    }
  };
  let at = first.aStart - lead;
  for (const edit of edits) {
    take('same', at, edit.aStart);
    take('removed', edit.aStart, edit.aEnd);
    take('added', edit.bStart, edit.bEnd);
    at = edit.aEnd;
  }
  take('same', at, at + trail);
  const oldCount = last.aEnd + trail - (first.aStart - lead);
  const newCount = last.bEnd + trail - (first.bStart - lead);
  return {
    oldStart: first.aStart - lead + (oldCount > 0 ? 1 : 0),
    oldCount,
    newStart: first.bStart - lead + (newCount > 0 ? 1 : 0),
    newCount,
    lines,
  };
}

/** What `similarity` needs to know of a text; kept where one is compared with many. */
export interface LineProfile {
  readonly bytes: number;
  /** Bytes that each distinct line makes up in all. */
  readonly bytesOf: ReadonlyMap<string, number>;
}

export function profileLines(text: string): LineProfile {
  const bytesOf = new Map<string, number>();
  let bytes = 0;
  for (const line of linesOf(text)) {
    const size = Buffer.byteLength(line);
    bytes += size;
    bytesOf.set(line, (bytesOf.get(line) ?? 0) + size);
  }
  return { bytes, bytesOf };
}

/** Bytes of lines that both texts have, as a share of the larger text: 0 to 1. */
export function similarity(a: string | LineProfile, b: string | LineProfile): number {
  const one = typeof a === 'string' ? profileLines(a) : a;
  const other = typeof b === 'string' ? profileLines(b) : b;
  const larger = Math.max(one.bytes, other.bytes);
  if (larger === 0) return 1;
  const [few, many] = one.bytesOf.size < other.bytesOf.size ? [one, other] : [other, one];
  let shared = 0;
  for (const [line, bytes] of few.bytesOf) {
    shared += Math.min(bytes, many.bytesOf.get(line) ?? 0);
  }
  return shared / larger;
}

/** Edits in code units. */
function unitEdits(before: string, after: string): Edit[] {
  const effort = newEffort();
  const { edits, aStarts, bStarts } = diffByLine(before, after, effort);
  /** By code points: halves of surrogate pairs have nothing in common. */
  const within = (hunk: Edit) => {
    const a = toCodePoints(before.slice(aStarts[hunk.aStart], aStarts[hunk.aEnd]));
    const b = toCodePoints(after.slice(bStarts[hunk.bStart], bStarts[hunk.bEnd]));
    const { edits, isShortest } = editScript(a, b, effort);
    const toUnits = unitsFrom(a, b, aStarts[hunk.aStart]!, bStarts[hunk.bStart]!);
    return { isShortest, edits: absorb(edits, a).map(toUnits) };
  };
  return edits.flatMap((hunk) => {
    const script = within(hunk);
    const pairs = script.isShortest ? [] : linePairs(hunk);
    return pairs.length > 0 ? pairs.flatMap((pair) => within(pair).edits) : script.edits;
  });
}

/** Each line with its counterpart, where there are equally many: perhaps all were indented. */
function linePairs({ aStart, aEnd, bStart, bEnd }: Edit): Edit[] {
  const count = aEnd - aStart;
  if (count === 1 || count !== bEnd - bStart) return [];
  return Array.from({ length: count }, (_, line) =>
    shiftEdit({ aStart: 0, aEnd: 1, bStart: 0, bEnd: 1 }, aStart + line, bStart + line),
  );
}

/** Turns edits of code points, which come in rising order, into edits of code units. */
function unitsFrom(a: Uint32Array, b: Uint32Array, aStart: number, bStart: number) {
  const aUnits = unitCounter(a, aStart);
  const bUnits = unitCounter(b, bStart);
  return (edit: Edit): Edit => ({
    aStart: aUnits(edit.aStart),
    aEnd: aUnits(edit.aEnd),
    bStart: bUnits(edit.bStart),
    bEnd: bUnits(edit.bEnd),
  });
}

/** Code units before a code point, `start` more; asked in rising order. */
function unitCounter(points: Uint32Array, start: number): (upTo: number) => number {
  let at = 0;
  let units = start;
  return (upTo) => {
    for (; at < upTo; at += 1) units += points[at]! > 0xffff ? 2 : 1;
    return units;
  };
}

/**
 * Joins edits where what is equal between them is no longer than either: letters that two words
 * happen to share are no reason to keep them, and would mix with a concurrent edit. A whole
 * line of `a` stays: taken out and put in again here and elsewhere, it would be there twice.
 */
function absorb(edits: readonly Edit[], a: Uint32Array): Edit[] {
  const joined: Edit[] = [];
  for (let edit of edits) {
    for (let last = joined.at(-1); last !== undefined; last = joined.at(-1)) {
      if (edit.aStart - last.aEnd > Math.min(sizeOf(last), sizeOf(edit))) break;
      if (holdsLine(a, last.aEnd, edit.aStart)) break;
      edit = { ...edit, aStart: last.aStart, bStart: last.bStart };
      joined.pop();
    }
    joined.push(edit);
  }
  return joined;
}

function sizeOf({ aStart, aEnd, bStart, bEnd }: Edit): number {
  return Math.max(aEnd - aStart, bEnd - bStart);
}

const NEWLINE = 10;

/** Does a line that isn't empty, from its first character to its last, stand in `[from, to)`? */
function holdsLine(points: Uint32Array, from: number, to: number): boolean {
  let start = from === 0 || points[from - 1] === NEWLINE ? from : Infinity;
  for (let at = from; at <= to; at += 1) {
    if (at < points.length && points[at] !== NEWLINE) continue;
    if (at > start) return true;
    start = at + 1;
  }
  return false;
}

/** An op's runs apply in sequence, so each position is one of the text as changed so far. */
function toRuns(before: string, after: string, edits: readonly Edit[]): Run[] {
  const runs: Run[] = [];
  let pos = 0;
  let bAt = 0;
  for (const { aStart, aEnd, bStart, bEnd } of edits) {
    pos += countCodePoints(after.slice(bAt, bStart));
    const added = after.slice(bStart, bEnd);
    if (aEnd > aStart) runs.push([pos, countCodePoints(before.slice(aStart, aEnd))]);
    if (added !== '') runs.push([pos, added]);
    pos += countCodePoints(added);
    bAt = bEnd;
  }
  return runs;
}
