/**
 * What differs between two states of one file: fields, attributes, lines. Leaves out
 * which files to compare (`changes.ts`).
 */
import { diffLines } from '../crdt/text/diff.js';
import type { NodeType } from '../core/op.js';
import { equalFields, type FieldShown, type FieldValue } from './field.js';
import type { FileContent } from './file.js';

/** A file on one side of a comparison. */
export interface Side {
  readonly path: string;
  readonly type: NodeType;
  readonly executable: boolean;
  /** Null for a folder. */
  readonly file: FileContent | null;
  readonly fields: ReadonlyMap<string, FieldShown>;
}

/** What a value was and is; null for none. */
export interface Changed<T> {
  readonly from: T | null;
  readonly to: T | null;
}

export interface FieldChange extends Changed<FieldValue> {
  readonly field: string;
}

export interface AttributeChange extends Changed<string | boolean> {
  readonly attribute: 'type' | 'executable' | 'eol' | 'bom';
}

export interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** As in a unified diff, without line ends: `+…`, `-…`, ` …`, `\ No newline at end of file`. */
  readonly lines: readonly string[];
}

export interface Blob {
  readonly size: number;
  readonly hash: string;
}

export interface FileDiff {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'deleted' | 'moved';
  /** The path it had, where that is another. */
  readonly from?: string;
  readonly fields: readonly FieldChange[];
  readonly attributes: readonly AttributeChange[];
  readonly hunks: readonly Hunk[];
  /** A side isn't text, or isn't all here: no lines are compared. */
  readonly binary?: Changed<Blob>;
}

/** Null where nothing differs. One side may be missing. */
export function compareFiles(before: Side | null, after: Side | null): FileDiff | null {
  const there = after ?? before;
  if (there === null) return null;
  const moved = before !== null && after !== null && before.path !== after.path;
  const parts = {
    fields: compareFields(before, after),
    attributes: compareAttributes(before, after),
    ...compareContents(before?.file ?? null, after?.file ?? null),
  };
  const differs =
    parts.fields.length + parts.attributes.length + parts.hunks.length > 0 ||
    parts.binary !== undefined;
  if (before !== null && after !== null && !moved && !differs) return null;
  return {
    path: there.path,
    change: before === null ? 'added' : after === null ? 'deleted' : moved ? 'moved' : 'modified',
    ...(moved && { from: before.path }),
    ...parts,
  };
}

function compareFields(before: Side | null, after: Side | null): readonly FieldChange[] {
  const names = new Set([...(before?.fields.keys() ?? []), ...(after?.fields.keys() ?? [])]);
  return [...names].sort().flatMap((field) => {
    const [was, is] = [before?.fields.get(field) ?? 'unset', after?.fields.get(field) ?? 'unset'];
    if (was === 'unset' || is === 'unset' ? was === is : equalFields(was, is)) return [];
    return [{ field, from: valueOf(was), to: valueOf(is) }];
  });
}

function valueOf(field: FieldShown): FieldValue {
  return field === 'unset' ? null : field.value;
}

/** Of a file that is new or gone only what is out of the ordinary. */
function compareAttributes(before: Side | null, after: Side | null): readonly AttributeChange[] {
  const [was, is] = [attributesOf(before), attributesOf(after)];
  return ATTRIBUTES.flatMap((attribute) => {
    const [from, to] = [was?.[attribute] ?? null, is?.[attribute] ?? null];
    if (from === to) return [];
    const ordinary = was === null || is === null ? ORDINARY[attribute] : undefined;
    return (from ?? to) === ordinary ? [] : [{ attribute, from, to }];
  });
}

const ATTRIBUTES = ['type', 'executable', 'eol', 'bom'] as const;
type Attributes = Readonly<Record<(typeof ATTRIBUTES)[number], string | boolean>>;
const ORDINARY: Attributes = { type: 'file', executable: false, eol: 'lf', bom: false };

function attributesOf(side: Side | null): Attributes | null {
  if (side === null) return null;
  const { eol, bom } = side.file?.form ?? { eol: 'lf', bom: false };
  return { type: side.type, executable: side.executable, eol, bom };
}

type Contents = Pick<FileDiff, 'hunks' | 'binary'>;

function compareContents(before: FileContent | null, after: FileContent | null): Contents {
  if (before?.hash === after?.hash && before?.size === after?.size) return { hunks: [] };
  if (before?.text === null || after?.text === null) {
    return { hunks: [], binary: { from: blobOf(before), to: blobOf(after) } };
  }
  return { hunks: diffLines(before?.text ?? '', after?.text ?? '').map(toHunk) };
}

function blobOf(file: FileContent | null): Blob | null {
  return file === null ? null : { size: file.size, hash: file.hash };
}

const MARKS = { same: ' ', removed: '-', added: '+' } as const;
const NO_NEWLINE = '\\ No newline at end of file';

function toHunk(hunk: ReturnType<typeof diffLines>[number]): Hunk {
  return {
    oldStart: hunk.oldStart,
    oldLines: hunk.oldCount,
    newStart: hunk.newStart,
    newLines: hunk.newCount,
    lines: hunk.lines.flatMap(({ kind, text }) => {
      const line = MARKS[kind] + text.replace(/\n$/, '');
      return text.endsWith('\n') ? [line] : [line, NO_NEWLINE];
    }),
  };
}
