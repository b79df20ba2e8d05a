/**
 * From a saved file back to its document and fields: the inverse of `overlay.ts`. The
 * law: showing the new document with the new fields gives the very file that was saved,
 * wherever its front matter parses and has each field once. Leaves out how the document
 * is found (`unrender.ts`) and turning fields and text into operations.
 */
import { asField, equalFields, type Crdt, type Field, type FieldShown } from './field.js';
import { parseFrontMatter, type Entry, type FrontMatter } from './frontmatter.js';
import { supportsFields, type Projection } from './overlay.js';
import { documentOf } from './unrender.js';

/** What a schema says about the fields of the file at a path; null where nothing. */
export interface Declared {
  crdtOf(path: string, key: string): Crdt | null;
}

export interface FieldEdits {
  /** What fields hold now, where the user changed it. */
  readonly set: ReadonlyMap<string, Field>;
  readonly unset: ReadonlySet<string>;
}

export interface ReadBack {
  /** The new document. */
  readonly docText: string;
  readonly fields: FieldEdits;
  /** Every field once the edits are in; `render(docText, shown)` is what was saved. */
  readonly shown: ReadonlyMap<string, FieldShown>;
}

type Fields = ReadonlyMap<string, FieldShown>;
type CrdtOf = (key: string) => Crdt | null;

/**
 * Reads what was saved as `newText` over `projection`, which was rendered from `docText`.
 * Where the front matter doesn't parse, the document is the file, and of the fields only
 * those change whose lines were changed and can be read alone.
 */
export function readBack(
  path: string,
  projection: Projection,
  docText: string,
  newText: string,
  schema: Declared,
): ReadBack {
  const { text, fields: known } = projection;
  const nothing: FieldEdits = { set: new Map(), unset: new Set() };
  if (newText === text) return { docText, fields: nothing, shown: known };
  if (!supportsFields(path)) return { docText: newText, fields: nothing, shown: known };
  const crdtOf: CrdtOf = (key) => schema.crdtOf(path, key);
  const before = parseFrontMatter(text);
  const after = parseFrontMatter(newText);
  if (!before.ok || !after.ok) {
    const changed = changedLines(text, before, newText, after, known);
    const fields = { set: fieldsIn(changed, crdtOf, known), unset: new Set<string>() };
    return { docText: newText, fields, shown: withEdits(known, fields) };
  }
  const fields = fieldEdits(before.entries, after.entries, crdtOf, known);
  const shown = withEdits(known, fields);
  if (before.block === null || after.block === null) return { docText: newText, fields, shown };
  const written = { text, ...before, block: before.block };
  const saved = { text: newText, ...after, block: after.block };
  return { docText: documentOf({ docText, projection, written, saved, shown }), fields, shown };
}

/** What entries hold that are fields: scalars, what a schema declares, what is one already. */
function fieldsIn(
  entries: readonly Entry[],
  crdtOf: CrdtOf,
  known: Fields,
): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const { key, value, scalar } of entries) {
    if (value === undefined || fields.has(key)) continue;
    const crdt = crdtOf(key) ?? knownCrdt(known.get(key)) ?? (scalar ? 'register' : null);
    if (crdt !== null) fields.set(key, asField(value, crdt));
  }
  return fields;
}

function knownCrdt(shown: FieldShown | undefined): Crdt | undefined {
  return shown === 'unset' ? 'register' : shown?.crdt;
}

function fieldEdits(
  before: readonly Entry[],
  after: readonly Entry[],
  crdtOf: CrdtOf,
  known: Fields,
): FieldEdits {
  const set = new Map<string, Field>();
  const was = fieldsIn(before, crdtOf, known);
  for (const [key, field] of fieldsIn(after, crdtOf, known)) {
    const old = was.get(key);
    if (old === undefined || !known.has(key) || !equalFields(old, field)) set.set(key, field);
  }
  const spelled = new Set(after.map((entry) => entry.key));
  const gone = before.filter(({ key }) => !spelled.has(key) && valued(known.get(key)) !== null);
  return { set, unset: new Set(gone.map((entry) => entry.key)) };
}

function withEdits(known: Fields, { set, unset }: FieldEdits): Fields {
  const shown = new Map<string, FieldShown>([...known, ...set]);
  for (const key of unset) shown.set(key, 'unset');
  return shown;
}

function valued(shown: FieldShown | undefined): Field | null {
  return shown === undefined || shown === 'unset' ? null : shown;
}

/**
 * Entries of the new text whose lines weren't in the old one. While it doesn't parse, only
 * of keys that are fields; the others are new when it parses again.
 */
function changedLines(
  text: string,
  before: FrontMatter,
  newText: string,
  after: FrontMatter,
  known: Fields,
): readonly Entry[] {
  const front = text.slice(0, before.ok ? (before.block?.bodyStart ?? 0) : before.end);
  const isOld = (line: string): boolean => front.includes(`\n${line}`);
  if (after.ok) {
    return after.entries.filter(
      ({ key, lineRange }) => !known.has(key) || !isOld(newText.slice(...lineRange)),
    );
  }
  const lines = newText.slice(0, after.end).split(/(?<=\n)/);
  return lines.flatMap((line, index) => {
    const isWhole = !CONTINUES.test(line) && !CONTINUES.test(lines[index + 1] ?? '');
    return isWhole && !isOld(line) ? readLine(line).filter(({ key }) => known.has(key)) : [];
  });
}

/** A line that belongs to the key above it, or to none. */
const CONTINUES = /^[\s-]/;

/** A line that spells out the value of its key, read without its neighbours. */
function readLine(line: string): readonly Entry[] {
  const matter = parseFrontMatter(`---\n${line.trimEnd()}\n---\n`);
  if (!matter.ok) return [];
  const isBlock = (entry: Entry): boolean => entry.style === 'literal' || entry.style === 'folded';
  return matter.entries.filter(
    (entry) => entry.valueRange[0] < entry.valueRange[1] && !isBlock(entry),
  );
}
