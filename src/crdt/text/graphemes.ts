/**
 * Keeps edits off the inside of what a reader sees as one character: an emoji with its joiners, a
 * letter with its accents, CR LF. Segmentation is UAX #29 by Intl.Segmenter, which is slow, so it
 * is asked only about the borders of edits.
 */
import { GRAPHEME_LOOKBACK_MAX } from '../../core/limits.js';
import type { Edit } from './myers.js';

let segmenter: Intl.Segmenter | undefined;

/** Whether a grapheme cluster begins at code unit `at`, or the text ends there. */
export function isGraphemeBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  if (isAlone(before) && isAlone(after)) return !(before === 0x0d && after === 0x0a);
  if (before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff) return false;
  // What stands before a character that never joins to its right doesn't bear on the question.
  const limit = Math.max(0, at - GRAPHEME_LOOKBACK_MAX);
  let start = at - 1;
  while (start > limit && !isAlone(text.charCodeAt(start))) start -= 1;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  // The rules look ahead by one code point.
  const segments = segmenter.segment(text.slice(start, at + 2));
  return segments.containing(at - start)?.index === at - start;
}

/** Latin without combining marks, and ideographs: clusters of their own, as far as looking back goes. */
function isAlone(unit: number): boolean {
  return unit < 0x300 || (unit >= 0x3400 && unit <= 0x9fff);
}

/** Widens edits to whole graphemes of both texts; edits that then meet become one. */
export function widenToGraphemes(before: string, after: string, edits: readonly Edit[]): Edit[] {
  const isBorder = (a: number, b: number) =>
    isGraphemeBoundary(before, a) && isGraphemeBoundary(after, b);
  const wide: Edit[] = [];
  const rest = [...edits].reverse();
  for (let edit = rest.pop(); edit !== undefined; edit = rest.pop()) {
    let { aStart, aEnd, bStart, bEnd } = edit;
    // Between two edits the texts are equal, so a border moves in both by the same.
    const previous = wide.at(-1);
    while (aStart > (previous?.aEnd ?? 0) && !isBorder(aStart, bStart)) {
      aStart -= 1;
      bStart -= 1;
    }
    if (previous?.aEnd === aStart && previous.bEnd === bStart) {
      ({ aStart, bStart } = previous);
      wide.pop();
    }
    const next = rest.at(-1);
    while (aEnd < (next?.aStart ?? before.length) && !isBorder(aEnd, bEnd)) {
      aEnd += 1;
      bEnd += 1;
    }
    if (next?.aStart === aEnd && next.bStart === bEnd) {
      rest[rest.length - 1] = { ...next, aStart, bStart };
    } else wide.push({ aStart, aEnd, bStart, bEnd });
  }
  return wide;
}
