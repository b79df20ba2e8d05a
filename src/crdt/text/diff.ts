/**
 * From an edited text to the runs of an op: lines first, then code units within changed lines,
 * then whole graphemes. Time is bounded: past the bound a hunk is replaced. Also the hunks of a
 * unified diff, and how alike two texts are.
 */
import { DIFF_CONTEXT_LINES } from '../../core/limits.js';
import { countCodePoints } from './codepoints.js';
import { widenToGraphemes } from './graphemes.js';
import { lineEdits, lineText, splitLines } from './lines.js';
import { newEffort, shiftEdit, shortestEdits, trimEnds, type Edit, type Effort } from './myers.js';
import type { Run } from './op.js';

/** Runs that turn `before` into `after`, in rising order; none splits a grapheme of either. */
export function diffText(before: string, after: string): Run[] {
  if (before === after) return [];
  return toRuns(before, after, widenToGraphemes(before, after, unitEdits(before, after)));
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
  const { a, b } = splitLines(before, after);
  const edits = lineEdits(a.ids, b.ids, newEffort());
  const hunks: DiffHunk[] = [];
  for (let first = 0, last = 0; first < edits.length; first = last) {
    for (last = first + 1; last < edits.length; last += 1) {
      if (edits[last]!.aStart - edits[last - 1]!.aEnd > 2 * contextLines) break;
    }
    const head = edits[first]!;
    const lead = Math.min(contextLines, head.aStart, head.bStart);
    const tail = edits[last - 1]!;
    const end = Math.min(tail.aEnd + contextLines, a.ids.length);
    const lines: DiffLine[] = [];
    let at = head.aStart - lead;
    const take = (kind: DiffLine['kind'], from: number, to: number) => {
      const [text, side] = kind === 'added' ? [after, b] : [before, a];
      for (let line = from; line < to; line += 1) {
        lines.push({ kind, text: lineText(text, side, line) });
      }
    };
    for (const edit of edits.slice(first, last)) {
      take('same', at, edit.aStart);
      take('removed', edit.aStart, edit.aEnd);
      take('added', edit.bStart, edit.bEnd);
      at = edit.aEnd;
    }
    take('same', at, end);
    const oldCount = end - (head.aStart - lead);
    const newCount = tail.bEnd + end - tail.aEnd - (head.bStart - lead);
    hunks.push({
      oldStart: head.aStart - lead + (oldCount > 0 ? 1 : 0),
      oldCount,
      newStart: head.bStart - lead + (newCount > 0 ? 1 : 0),
      newCount,
      lines,
    });
  }
  return hunks;
}

/** Bytes of lines that both texts have, as a share of the larger text: 0 to 1. */
export function similarity(a: string, b: string): number {
  const larger = Math.max(Buffer.byteLength(a), Buffer.byteLength(b));
  if (larger === 0) return 1;
  const lines = splitLines(a, b);
  const spare = new Map<number, number>();
  for (const id of lines.a.ids) spare.set(id, (spare.get(id) ?? 0) + 1);
  let shared = 0;
  lines.b.ids.forEach((id, line) => {
    const left = spare.get(id) ?? 0;
    if (left === 0) return;
    spare.set(id, left - 1);
    shared += Buffer.byteLength(lineText(b, lines.b, line));
  });
  return shared / larger;
}

/** Edits in code units. */
function unitEdits(before: string, after: string): Edit[] {
  const effort = newEffort();
  const { a, b } = splitLines(before, after);
  return lineEdits(a.ids, b.ids, effort).flatMap((hunk) => {
    const aStart = a.starts[hunk.aStart]!;
    const bStart = b.starts[hunk.bStart]!;
    const removed = before.slice(aStart, a.starts[hunk.aEnd]);
    const added = after.slice(bStart, b.starts[hunk.bEnd]);
    return hunkEdits(removed, added, effort).map((edit) => shiftEdit(edit, aStart, bStart));
  });
}

function hunkEdits(removed: string, added: string, effort: Effort): Edit[] {
  const a = toUnits(removed);
  const b = toUnits(added);
  const middle = trimEnds(a, b);
  if (middle === undefined) return [];
  const { aStart, aEnd, bStart, bEnd } = middle;
  if (aStart === aEnd || bStart === bEnd) return [middle];
  const edits = shortestEdits(a.subarray(aStart, aEnd), b.subarray(bStart, bEnd), effort);
  if (edits === undefined) return [middle];
  return absorb(edits).map((edit) => shiftEdit(edit, aStart, bStart));
}

/**
 * Joins edits where what is equal between them is no longer than either: letters that two words
 * happen to share are no reason to keep them, and would mix with a concurrent edit.
 */
function absorb(edits: readonly Edit[]): Edit[] {
  const joined: Edit[] = [];
  for (let edit of edits) {
    for (let last = joined.at(-1); last !== undefined; last = joined.at(-1)) {
      if (edit.aStart - last.aEnd > Math.min(sizeOf(last), sizeOf(edit))) break;
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

function toUnits(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i += 1) units[i] = text.charCodeAt(i);
  return units;
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
