/**
 * How a new file's content is kept: as text that merges by character, as one register
 * (`whole`: a character merge of it would be broken), or as a blob. It looks at the name
 * and the first bytes only. Leaves out files that are tracked already: they keep what
 * they were made with, so that a growing line never changes how a file merges.
 */
import { LINE_BYTES_MAX, TEXT_BYTES_MAX } from '../core/limits.js';
import { baseName } from './names.js';

export type ContentKind = 'text' | 'whole' | 'blob';

/** How many first bytes `classify` wants to see. */
export const HEAD_BYTES = 8 * 1024;

/** Lock files that don't end in `.lock`. */
const WHOLE_NAMES = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'go.sum',
  'gradle.lockfile',
  'packages.lock.json',
  '.terraform.lock.hcl',
  'package.resolved',
]);

/** Nested data that must stay well-formed, and what programs write for programs. */
const WHOLE_ENDING =
  /_pb2\.py$|\.(?:lock|lockb|json|json5|jsonc|geojson|ipynb|svg|map|canvas|excalidraw|drawio|webmanifest|tsbuildinfo|snap|min\.[a-z]+|bundle\.(?:js|css)|pb\.go|pb\.cc|pb\.h|g\.dart|designer\.cs)$/;

/** Prose, where a paragraph may well be one long line. */
const PROSE_ENDING = /\.(?:md|markdown|mdx|txt|text|rst|adoc|asciidoc|org|tex|typ|textile|wiki)$/;

/** What generators write into the first lines (Go's convention; Facebook's tag). */
const GENERATED_MARK = /@generated\b|\bcode generated\b[^\n]{0,200}\bdo not edit\b/i;
const GENERATED_MARK_BYTES = 1024;

/**
 * `size` in bytes; `head` the first `HEAD_BYTES` or the whole file; `merge` what a
 * schema says for this path. A `text` may still turn out invalid further on: then
 * `decodeText` refuses it and it is a blob.
 */
export function classify(
  path: string,
  size: number,
  head: Uint8Array,
  merge?: 'text' | 'whole',
): ContentKind {
  if (size > TEXT_BYTES_MAX || !looksUtf8(head, head.byteLength < size)) return 'blob';
  if (merge !== undefined) return merge;
  const name = baseName(path).toLowerCase();
  if (WHOLE_NAMES.has(name) || WHOLE_ENDING.test(name)) return 'whole';
  return !PROSE_ENDING.test(name) && looksGenerated(head) ? 'whole' : 'text';
}

/** Valid UTF-8 without NUL; when the head was cut, its last character may be cut too. */
function looksUtf8(head: Uint8Array, cut: boolean): boolean {
  if (head.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: cut });
    return true;
  } catch {
    return false;
  }
}

function looksGenerated(head: Uint8Array): boolean {
  let lineStart = 0;
  while (lineStart < head.byteLength) {
    const newline = head.indexOf(0x0a, lineStart);
    const lineEnd = newline < 0 ? head.byteLength : newline;
    if (lineEnd - lineStart > LINE_BYTES_MAX) return true;
    lineStart = lineEnd + 1;
  }
  return GENERATED_MARK.test(Buffer.from(head.subarray(0, GENERATED_MARK_BYTES)).toString('utf8'));
}
