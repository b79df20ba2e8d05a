/**
 * How fields show in a Markdown file. A file is one text document, front matter
 * included, but a field's value travels only as a field op: the document keeps whatever
 * spelling it had before, and the value is laid over it when the file is written. So two
 * devices that change one field never leave a garbled line. Text whose value is right is
 * left as it is, byte for byte. Leaves out the way back (`readback.ts`).
 */
import {
  asField,
  equalFields,
  isFieldKey,
  isList,
  isScalar,
  sortedSet,
  type Field,
  type FieldShown,
  type FieldValue,
} from './field.js';
import {
  parseFrontMatter,
  type Block,
  type Entry,
  type FrontMatter,
  type Range,
} from './frontmatter.js';
import { blockListText, flowText, keySpelling, literalText } from './yaml-text.js';

/** The document's range that shows as the file's range; offsets in UTF-16 units. */
export interface Segment {
  readonly doc: Range;
  readonly out: Range;
}

/** A document with the fields laid over it. */
export interface Projection {
  /** What the file holds. */
  readonly text: string;
  /** Where that differs from the document, in order. */
  readonly segments: readonly Segment[];
  /** The fields it was made from. */
  readonly fields: ReadonlyMap<string, FieldShown>;
}

const MARKDOWN = /\.(?:md|markdown|mdx)$/i;

/** Whether the file's front matter shows fields; elsewhere the text is the document. */
export function supportsFields(path: string): boolean {
  return MARKDOWN.test(path);
}

/**
 * `fields`: every field of the worknode that was ever written. Where the document's
 * front matter doesn't parse, nothing is laid over it.
 */
export function render(docText: string, fields: ReadonlyMap<string, FieldShown>): Projection {
  const matter = fields.size === 0 ? null : parseFrontMatter(docText);
  if (matter === null || !matter.ok) return { text: docText, segments: [], fields };
  return { ...applyEdits(docText, overlayEdits(docText, matter, fields)), fields };
}

export interface Edit {
  readonly range: Range;
  readonly text: string;
}

function overlayEdits(
  docText: string,
  matter: FrontMatter & { ok: true },
  fields: ReadonlyMap<string, FieldShown>,
): readonly Edit[] {
  const { block, entries, repeated } = matter;
  if (block === null) {
    const added = newBlockText(fields);
    return added === '' ? [] : [{ range: [0, 0], text: added }];
  }
  const edits: Edit[] = [];
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const entry of entries) {
    const shown = fields.get(entry.key);
    if (shown === undefined || entry.value === undefined) continue;
    if (shown === 'unset') edits.push({ range: entry.lineRange, text: '' });
    else edits.push({ range: entry.slot, text: slotText(docText, entry, shown, block) });
  }
  for (const { key, lineRange } of repeated) {
    const isField = fields.has(key) && byKey.get(key)?.value !== undefined;
    if (isField) edits.push({ range: lineRange, text: '' });
  }
  edits.sort((a, b) => a.range[0] - b.range[0]);
  const end: Range = [block.content[1], block.content[1]];
  for (const [key, field] of shownFields(fields)) {
    if (!byKey.has(key)) edits.push({ range: end, text: lineText(key, field, block) });
  }
  return edits;
}

/** Applies edits that are in order and don't overlap. */
export function applyEdits(
  before: string,
  edits: readonly Edit[],
): { readonly text: string; readonly segments: readonly Segment[] } {
  const segments: Segment[] = [];
  let text = '';
  let done = 0;
  for (const { range, text: replacement } of edits) {
    if (before.slice(...range) === replacement) continue;
    text += before.slice(done, range[0]);
    segments.push({ doc: range, out: [text.length, text.length + replacement.length] });
    text += replacement;
    done = range[1];
  }
  return { text: text + before.slice(done), segments };
}

/** Fields that have a value, by key in UTF-16 order. */
function shownFields(
  fields: ReadonlyMap<string, FieldShown>,
): readonly (readonly [key: string, field: Field])[] {
  return [...fields]
    .filter((pair): pair is [string, Field] => pair[1] !== 'unset' && isFieldKey(pair[0]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const NEW_BLOCK = { indent: 0, newline: '\n' } as const;

/** The front matter of a document that has none of its own; '' where no field shows. */
function newBlockText(fields: ReadonlyMap<string, FieldShown>): string {
  const lines = shownFields(fields).map(([key, field]) => lineText(key, field, NEW_BLOCK));
  return lines.length === 0 ? '' : `---\n${lines.join('')}---\n`;
}

/** The line of a field for which the document has none. */
export function lineText(
  key: string,
  field: Field,
  { indent, newline }: Pick<Block, 'indent' | 'newline'>,
): string {
  const value = field.crdt === 'set' ? sortedSet(field.value) : field.value;
  return `${' '.repeat(indent)}${keySpelling(key)}: ${flowText(value)}${newline}`;
}

/**
 * What shows in the slot of a line that the document has: the document's own spelling if
 * it means the same, else the value in the style that the document uses there.
 */
export function slotText(text: string, entry: Entry, field: Field, block: Block): string {
  const own = text.slice(...entry.slot);
  if (entry.value === undefined) return own;
  if (equalFields(asField(entry.value, field.crdt), field)) return own;
  const value = field.crdt === 'set' ? keepOrder(entry.value, field.value) : field.value;
  const lead = text.slice(entry.slot[0], entry.valueRange[0]) || ' ';
  const column = entry.valueRange[0] - text.lastIndexOf('\n', entry.valueRange[0] - 1) - 1;
  if (entry.style === 'block') {
    const isBlockList = entry.value !== null && isList(entry.value) && isList(value);
    const list = isBlockList ? blockListText(value, column) : null;
    return list === null ? ` ${flowText(value)}` : lead + list;
  }
  if (entry.style === 'literal' || entry.style === 'folded') {
    const indent = literalIndent(text.slice(...entry.valueRange)) ?? block.indent + 2;
    const literal = typeof value === 'string' ? literalText(value, indent) : null;
    return lead + (literal ?? flowText(value));
  }
  const quote = entry.style === 'flow' || !isScalar(value) ? 'plain' : entry.style;
  return lead + flowText(value, quote);
}

/** Elements that stay keep their places; new ones follow in order. */
function keepOrder(before: FieldValue, elements: readonly FieldValue[]): readonly FieldValue[] {
  const fresh = new Map(sortedSet(elements).map((value) => [flowText(value), value]));
  const kept = (isList(before) ? before : [before]).filter((value) =>
    fresh.delete(flowText(value)),
  );
  return [...kept, ...fresh.values()];
}

/** How far the lines of a block scalar are indented; null if it has none. */
function literalIndent(spelling: string): number | null {
  const line = /\n( +)[^\s]/.exec(spelling);
  return line?.[1]?.length ?? null;
}
