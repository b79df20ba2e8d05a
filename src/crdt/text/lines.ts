/**
 * Which lines differ between two texts. Small differences are found by Myers' algorithm; large
 * ones are cut at lines that stand once in both (patience diff, Bram Cohen), and what is still too
 * different is replaced. A line ends behind its `\n`.
 */
import { DIFF_LINES_MAX } from '../../core/limits.js';
import { editScript, shiftEdit, type Edit, type Effort } from './myers.js';

/** How two texts differ, in lines. */
export interface LineDiff {
  readonly edits: readonly Edit[];
  /** Where each line begins; one more than there are lines: the last is the end of the text. */
  readonly aStarts: Int32Array;
  readonly bStarts: Int32Array;
}

/** Edits in rising order. More than `DIFF_LINES_MAX` lines between the common ends are replaced. */
export function diffByLine(a: string, b: string, effort: Effort): LineDiff {
  const aStarts = lineStarts(a);
  const bStarts = lineStarts(b);
  const { aStart, aEnd, bStart, bEnd } = commonEnds(a, b, aStarts, bStarts);
  const aCount = aEnd - aStart;
  const bCount = bEnd - bStart;
  if (aCount === 0 && bCount === 0) return { edits: [], aStarts, bStarts };
  const isPlain = aCount === 0 || bCount === 0 || Math.max(aCount, bCount) > DIFF_LINES_MAX;
  if (isPlain) return { edits: [{ aStart, aEnd, bStart, bEnd }], aStarts, bStarts };
  const idOf = new Map<string, number>();
  const aIds = numberLines(a, aStarts.subarray(aStart, aEnd + 1), idOf);
  const bIds = numberLines(b, bStarts.subarray(bStart, bEnd + 1), idOf);
  const edits = editsOf(aIds, bIds, effort).map((edit) => shiftEdit(edit, aStart, bStart));
  return { edits, aStarts, bStarts };
}

function editsOf(a: Int32Array, b: Int32Array, effort: Effort): readonly Edit[] {
  const script = editScript(a, b, effort);
  if (script.isShortest) return script.edits;
  const edits: Edit[] = [];
  let aFrom = 0;
  let bFrom = 0;
  for (const [aTo, bTo] of [...anchors(a, b), [a.length, b.length] as const]) {
    const gap = editScript(a.subarray(aFrom, aTo), b.subarray(bFrom, bTo), effort);
    for (const edit of gap.edits) edits.push(shiftEdit(edit, aFrom, bFrom));
    aFrom = aTo + 1;
    bFrom = bTo + 1;
  }
  return edits;
}

/** Cuts a text into its lines; the last may lack its `\n`. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline + 1;
    yield text.slice(start, end);
    start = end;
  }
}

function lineStarts(text: string): Int32Array {
  const starts: number[] = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  if (starts.at(-1) !== text.length) starts.push(text.length);
  return Int32Array.from(starts);
}

/** The lines between those that both texts begin and end with. */
function commonEnds(a: string, b: string, aStarts: Int32Array, bStarts: Int32Array): Edit {
  const max = Math.min(a.length, b.length);
  let prefix = 0;
  while (prefix < max && a.charCodeAt(prefix) === b.charCodeAt(prefix)) prefix += 1;
  let suffix = 0;
  while (
    suffix < max &&
    a.charCodeAt(a.length - 1 - suffix) === b.charCodeAt(b.length - 1 - suffix)
  ) {
    suffix += 1;
  }
  let start = 0;
  let aEnd = aStarts.length - 1;
  let bEnd = bStarts.length - 1;
  while (
    start < Math.min(aEnd, bEnd) &&
    aStarts[start + 1]! <= prefix &&
    aStarts[start + 1] === bStarts[start + 1]
  ) {
    start += 1;
  }
  const lineLength = (starts: Int32Array, line: number) => starts[line + 1]! - starts[line]!;
  while (
    Math.min(aEnd, bEnd) > start &&
    a.length - aStarts[aEnd - 1]! <= suffix &&
    lineLength(aStarts, aEnd - 1) === lineLength(bStarts, bEnd - 1)
  ) {
    aEnd -= 1;
    bEnd -= 1;
  }
  return { aStart: start, aEnd, bStart: start, bEnd };
}

/** A number for each line, equal for equal lines. */
function numberLines(text: string, starts: Int32Array, idOf: Map<string, number>): Int32Array {
  const ids = new Int32Array(starts.length - 1);
  for (let line = 0; line < ids.length; line += 1) {
    const content = text.slice(starts[line], starts[line + 1]);
    const id = idOf.get(content) ?? idOf.size;
    idOf.set(content, id);
    ids[line] = id;
  }
  return ids;
}

/** Pairs of equal lines that stand once in each text: the longest series that rises in both. */
function anchors(a: Int32Array, b: Int32Array): (readonly [number, number])[] {
  const inB = placesOfUnique(b);
  const pairs: (readonly [number, number])[] = [];
  for (const [id, at] of placesOfUnique(a)) {
    const other = inB.get(id);
    if (other !== undefined) pairs.push([at, other]);
  }
  // Patience sorting: `tops` holds the pair that ends the best series of each length.
  const tops: number[] = [];
  const previous = new Int32Array(pairs.length);
  pairs.forEach(([, place], pair) => {
    let low = 0;
    for (let high = tops.length; low < high;) {
      const middle = (low + high) >> 1;
      if (pairs[tops[middle]!]![1] < place) low = middle + 1;
      else high = middle;
    }
    previous[pair] = low === 0 ? -1 : tops[low - 1]!;
    tops[low] = pair;
  });
  const series: (readonly [number, number])[] = [];
  for (let pair = tops.at(-1) ?? -1; pair !== -1; pair = previous[pair]!) series.push(pairs[pair]!);
  return series.reverse();
}

/** Where each id that stands once stands, in rising order. */
function placesOfUnique(ids: Int32Array): Map<number, number> {
  const places = new Map<number, number>();
  const repeated = new Set<number>();
  ids.forEach((id, at) => {
    if (places.has(id)) repeated.add(id);
    else places.set(id, at);
  });
  for (const id of repeated) places.delete(id);
  return places;
}
