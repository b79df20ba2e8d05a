/**
 * Strings to and from arrays of Unicode code points: the unit of every position in a text op.
 * Leaves out graphemes (graphemes.ts). A lone surrogate passes through as itself.
 */

const CHUNK_UNITS = 8_192;

export function countCodePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i += isPair(text, i) ? 2 : 1) count += 1;
  return count;
}

/** Undefined for text with a lone surrogate, which no UTF-8 can hold. */
export function countWellFormed(text: string): number | undefined {
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (isPair(text, i)) i += 1;
    else if (isSurrogate(text.charCodeAt(i))) return undefined;
    count += 1;
  }
  return count;
}

/** Writes the code points of `text` to `out` from `at`; returns the index after the last. */
export function writeCodePoints(text: string, out: Uint32Array, at: number): number {
  let end = at;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (isPair(text, i)) {
      i += 1;
      out[end] = 0x10000 + ((unit - 0xd800) << 10) + (text.charCodeAt(i) - 0xdc00);
    } else out[end] = unit;
    end += 1;
  }
  return end;
}

export function toCodePoints(text: string): Uint32Array {
  const out = new Uint32Array(text.length);
  return out.subarray(0, writeCodePoints(text, out, 0));
}

export function fromCodePoints(points: Uint32Array, start = 0, end = points.length): string {
  // In chunks: an argument list as long as a document would overflow the stack.
  const units = new Uint16Array(CHUNK_UNITS + 1);
  let text = '';
  for (let i = start; i < end;) {
    let filled = 0;
    for (; i < end && filled < CHUNK_UNITS; i += 1) {
      const point = points[i] ?? 0;
      if (point < 0x10000) units[filled++] = point;
      else {
        units[filled++] = 0xd7c0 + (point >> 10);
        units[filled++] = 0xdc00 + (point & 0x3ff);
      }
    }
    text += String.fromCharCode.apply(null, units.subarray(0, filled) as unknown as number[]);
  }
  return text;
}

/** Whether the code unit at `at` and the next are one code point. */
function isPair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
