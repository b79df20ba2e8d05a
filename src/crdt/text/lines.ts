/**
 * Which lines differ between two texts. Small differences are found by Myers' algorithm; large
 * ones are cut at lines that stand once in both (patience diff, Bram Cohen), and what is still too
 * different is replaced. A line ends behind its `\n`.
 */
import { shiftEdit, shortestEdits, trimEnds, type Edit, type Effort } from './myers.js';

/** Lines of one text as numbers, equal for equal lines, and where each begins in the text. */
export interface Lines {
  readonly ids: Int32Array;
  /** One more than there are lines: the last is the end of the text. */
  readonly starts: Int32Array;
}

export function splitLines(before: string, after: string): { a: Lines; b: Lines } {
  const idOf = new Map<string, number>();
  return { a: numberLines(before, idOf), b: numberLines(after, idOf) };
}

export function lineText(text: string, lines: Lines, line: number): string {
  return text.slice(lines.starts[line], lines.starts[line + 1]);
}

/** Edits whose units are lines. */
export function lineEdits(a: Int32Array, b: Int32Array, effort: Effort): Edit[] {
  const found = tryEdits(a, b, effort);
  if (found !== undefined) return found;
  const edits: Edit[] = [];
  let aFrom = 0;
  let bFrom = 0;
  for (const [aTo, bTo] of [...anchors(a, b), [a.length, b.length] as const]) {
    const aGap = a.subarray(aFrom, aTo);
    const bGap = b.subarray(bFrom, bTo);
    const whole = { aStart: 0, aEnd: aGap.length, bStart: 0, bEnd: bGap.length };
    const inGap = tryEdits(aGap, bGap, effort) ?? [whole];
    for (const edit of inGap) edits.push(shiftEdit(edit, aFrom, bFrom));
    aFrom = aTo + 1;
    bFrom = bTo + 1;
  }
  return edits;
}

function tryEdits(a: Int32Array, b: Int32Array, effort: Effort): Edit[] | undefined {
  const middle = trimEnds(a, b);
  if (middle === undefined) return [];
  const { aStart, aEnd, bStart, bEnd } = middle;
  if (aStart === aEnd || bStart === bEnd) return [middle];
  const edits = shortestEdits(a.subarray(aStart, aEnd), b.subarray(bStart, bEnd), effort);
  return edits?.map((edit) => shiftEdit(edit, aStart, bStart));
}

function numberLines(text: string, idOf: Map<string, number>): Lines {
  const ids: number[] = [];
  const starts: number[] = [0];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(start, end);
    const known = idOf.get(line);
    const id = known ?? idOf.size;
    if (known === undefined) idOf.set(line, id);
    ids.push(id);
    starts.push(end);
    start = end;
  }
  return { ids: Int32Array.from(ids), starts: Int32Array.from(starts) };
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
    for (let high = tops.length; low < high; ) {
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
