/**
 * The document of a saved file: what was laid over it is taken off again, so that a
 * change of a value is a field op and leaves the document alone. It works by key and by
 * line, not by a diff: a value may be moved, and its line edited around it. Leaves out
 * which fields changed (`readback.ts`).
 */
import type { Field, FieldShown } from './field.js';
import { parseFrontMatter, type Block, type Entry } from './frontmatter.js';
import { applyEdits, lineText, render, slotText, type Edit, type Projection } from './overlay.js';

/** A text with front matter that parses. */
export interface Source {
  readonly text: string;
  readonly block: Block;
  readonly entries: readonly Entry[];
  readonly repeated: readonly Entry[];
}

/** A file that was written as `projection` of `docText`, and then saved. */
export interface Save {
  readonly docText: string;
  readonly projection: Projection;
  readonly written: Source;
  readonly saved: Source;
  /** Every field as the saved file has it. */
  readonly shown: ReadonlyMap<string, FieldShown>;
}

/** The document which shows as the saved file, with as little changed as possible. */
export function documentOf(save: Save): string {
  const { docText, written, saved, shown } = save;
  const matter = parseFrontMatter(docText);
  if (!matter.ok) return saved.text;
  const body = saved.text.slice(saved.block.bodyStart);
  const showsSaved = (text: string): boolean => render(text, shown).text === saved.text;
  if (matter.block === null) return showsSaved(body) ? body : saved.text;
  if (frontOf(written) === frontOf(saved)) return docText.slice(0, matter.block.bodyStart) + body;
  const doc = { text: docText, ...matter, block: matter.block };
  const front = withoutOverlay(save, doc);
  const withHidden = withHiddenLines(save, doc, front) + body;
  if (showsSaved(withHidden)) return withHidden;
  // What that doesn't foresee becomes text of the document.
  return showsSaved(front + body) ? front + body : saved.text;
}

function frontOf({ text, block }: Source): string {
  return text.slice(0, block.bodyStart);
}

/** The saved front matter as text of the document, but for lines that don't show. */
function withoutOverlay(save: Save, doc: Source): string {
  const edits = [...ownSpellings(save, doc), ...appendedLines(save, doc)];
  return applyEdits(
    frontOf(save.saved),
    edits.sort((a, b) => a.range[0] - b.range[0]),
  ).text;
}

/** Where the overlay would make the file's value out of the document's own, that stays. */
function ownSpellings({ projection, saved, shown }: Save, doc: Source): readonly Edit[] {
  const own = new Map(doc.entries.map((entry) => [entry.key, entry]));
  return saved.entries.flatMap((entry) => {
    const docEntry = own.get(entry.key);
    const field = shownBefore(projection, shown, entry.key);
    if (docEntry?.value === undefined || entry.value === undefined || field === null) return [];
    const slot = slotText(doc.text, docEntry, field, doc.block);
    if (slot !== saved.text.slice(...entry.slot)) return [];
    return [{ range: entry.slot, text: doc.text.slice(...docEntry.slot) }];
  });
}

/** Lines at the end that the overlay would append again, in its order, are no text. */
function appendedLines({ projection, saved, shown }: Save, doc: Source): readonly Edit[] {
  const own = new Set(doc.entries.map((entry) => entry.key));
  const edits: Edit[] = [];
  let [, end] = saved.block.content;
  let keyBelow: string | null = null;
  for (const { key, lineRange } of saved.entries.toReversed()) {
    const field = shownBefore(projection, shown, key);
    if (own.has(key) || field === null) break;
    if (lineRange[1] !== end || (keyBelow !== null && key > keyBelow)) break;
    if (saved.text.slice(...lineRange) !== lineText(key, field, doc.block)) break;
    edits.push({ range: lineRange, text: '' });
    [end] = lineRange;
    keyBelow = key;
  }
  return edits;
}

/** What a field holds, if it had a value when the file was written and has one now. */
function shownBefore(
  projection: Projection,
  shown: ReadonlyMap<string, FieldShown>,
  key: string,
): Field | null {
  const before = projection.fields.get(key);
  const now = shown.get(key);
  if (before === undefined || before === 'unset' || now === undefined) return null;
  return now === 'unset' ? null : now;
}

/**
 * Lines of the document that don't show (of unset fields, and repeated ones) stay where
 * the lines around them are as they were, and go where those were edited.
 */
function withHiddenLines({ projection }: Save, doc: Source, front: string): string {
  const hidden = projection.segments.filter(({ out }) => out[0] === out[1]);
  const removals = hidden.map(({ doc: range }): Edit => ({ range, text: '' }));
  const { text: before, segments } = applyEdits(frontOf(doc), removals);
  const prefix = commonPrefix(before, front);
  const suffix = commonSuffix(before, front, prefix);
  const insertions = segments.flatMap(({ doc: range, out: [point] }): readonly Edit[] => {
    if (point > prefix && point < before.length - suffix) return [];
    const at = point > prefix ? point + front.length - before.length : point;
    if (front[at - 1] !== '\n') return [];
    return [{ range: [at, at], text: doc.text.slice(...range) }];
  });
  return applyEdits(front, insertions).text;
}

function commonPrefix(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && a[count] === b[count]) count++;
  return count;
}

/** Without what the common prefix has taken. */
function commonSuffix(a: string, b: string, prefix: number): number {
  const length = Math.min(a.length, b.length) - prefix;
  let count = 0;
  while (count < length && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}
