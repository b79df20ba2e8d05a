/**
 * Keeps edits off the inside of what a reader sees as one character: an emoji with its joiners, a
 * letter with its accents, CR LF. Segmentation is UAX #29 by Intl.Segmenter, which is slow, so it
 * is asked only about the borders of edits.
 */
import { GRAPHEME_LOOKAROUND_MAX } from '../../core/limits.js';
import type { Edit } from './myers.js';

/** Code units `start` to before `end`. */
export interface Cluster {
  readonly start: number;
  readonly end: number;
}

let segmenter: Intl.Segmenter | undefined;

/**
 * The grapheme cluster that a place is inside of; undefined at a border. Sometimes only a part of
 * it: where the cluster is longer than `GRAPHEME_LOOKAROUND_MAX`, or begins with one of the few
 * signs that join to their right. Ask again at the part's border. More flags in a row than it
 * looks at may be paired wrongly.
 */
export function clusterAround(text: string, at: number): Cluster | undefined {
  if (at <= 0 || at >= text.length) return undefined;
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  if (isAlone(before) && isAlone(after)) {
    const isLineEnd = before === 0x0d && after === 0x0a;
    return isLineEnd ? { start: at - 1, end: at + 1 } : undefined;
  }
  // What stands before a character that never joins to its left doesn't bear on the question.
  const limit = Math.max(0, at - GRAPHEME_LOOKAROUND_MAX);
  let from = at - 1;
  while (from > limit && !isAlone(text.charCodeAt(from))) from -= 1;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  const segments = segmenter.segment(text.slice(from, at + GRAPHEME_LOOKAROUND_MAX));
  const found = segments.containing(at - from);
  if (found === undefined || from + found.index === at) return undefined;
  const start = from + found.index;
  return { start, end: start + found.segment.length };
}

/**
 * Latin without combining marks, and ideographs: they never join to their left. But © and ®
 * are pictographs, which a joiner before them takes in.
 */
function isAlone(unit: number): boolean {
  if (unit === 0xa9 || unit === 0xae) return false;
  return unit < 0x300 || (unit >= 0x3400 && unit <= 0x9fff);
}

/** Widens edits to whole clusters of both texts; edits that then meet become one. */
export function widenToClusters(before: string, after: string, edits: readonly Edit[]): Edit[] {
  const wide: Edit[] = [];
  const rest = [...edits].reverse();
  for (let edit = rest.pop(); edit !== undefined; edit = rest.pop()) {
    let { aStart, aEnd, bStart, bEnd } = edit;
    // Between two edits the texts are equal, so a border moves in both by the same.
    const previous = wide.at(-1);
    const least = previous?.aEnd ?? 0;
    for (let by = 1; by > 0 && aStart > least; aStart -= by, bStart -= by) {
      by = Math.max(distance(before, aStart, 'start'), distance(after, bStart, 'start'));
      by = Math.min(by, aStart - least);
    }
    if (previous?.aEnd === aStart && previous.bEnd === bStart) {
      ({ aStart, bStart } = previous);
      wide.pop();
    }
    const next = rest.at(-1);
    const most = next?.aStart ?? before.length;
    for (let by = 1; by > 0 && aEnd < most; aEnd += by, bEnd += by) {
      by = Math.max(distance(before, aEnd, 'end'), distance(after, bEnd, 'end'));
      by = Math.min(by, most - aEnd);
    }
    if (next?.aStart === aEnd && next.bStart === bEnd) {
      rest[rest.length - 1] = { ...next, aStart, bStart };
    } else wide.push({ aStart, aEnd, bStart, bEnd });
  }
  return wide;
}

/** How far the start or end is of the cluster that a place is inside of; 0 at a border. */
function distance(text: string, at: number, side: keyof Cluster): number {
  const cluster = clusterAround(text, at);
  return cluster === undefined ? 0 : Math.abs(cluster[side] - at);
}
