/**
 * Which files differ between two revisions, or between one and the working directory.
 * Looks only at what commits between them touched and what a scan finds changed.
 */
import type { NodeId } from '../core/ids.js';
import { ATTRIBUTE } from '../core/op.js';
import type { Folded } from '../repo/past.js';
import { compareFiles, type FileDiff, type Side } from './compare.js';
import type { FieldShown } from './field.js';
import { fileOf, fileOfBytes, fileOfLink, type FileContent } from './file.js';
import { project, fieldsShown } from './project.js';
import { readBack } from './readback.js';
import { isUnder } from './scan.js';
import type { Schema } from './schema.js';
import type { WorkCopy } from './workcopy.js';

type Paths = readonly string[] | undefined;

/** Differences of the worknodes in `touched`, from one view to another. */
export function compareViews(
  before: Folded,
  after: Folded,
  touched: Iterable<NodeId>,
  under: Paths,
): readonly FileDiff[] {
  const diffs: FileDiff[] = [];
  for (const node of touched) {
    const diff = compareSides(sideIn(before, node), sideIn(after, node), under);
    if (diff !== null) diffs.push(diff);
  }
  return sorted(diffs);
}

/**
 * Differences from a view to the working directory. `touched`: worknodes that differ
 * between that view and today's. Takes no lock, writes nothing.
 */
export async function compareWorking(
  work: WorkCopy,
  schema: Schema,
  before: Folded,
  touched: Iterable<NodeId>,
  under: Paths,
): Promise<readonly FileDiff[]> {
  const state = await work.treeState();
  const { changes } = await work.status(under);
  const onDisk = new Map<NodeId, string | null>();
  const fresh: string[] = [];
  for (const { path, change, from } of changes) {
    const known = state.entries.get(from ?? path)?.node;
    if (change === 'added' || known === undefined) fresh.push(path);
    else onDisk.set(known, change === 'deleted' ? null : path);
  }
  const diffs: (FileDiff | null)[] = fresh.map((path) =>
    compareSides(null, sideOnDisk(work, schema, path, null), under),
  );
  for (const node of new Set([...touched, ...onDisk.keys()])) {
    const was = sideIn(before, node);
    const path = onDisk.has(node) ? onDisk.get(node) : state.pathOf(node);
    const now = path == null ? null : sideOnDisk(work, schema, path, was);
    const is = path === null && !onDisk.has(node) ? sideIn(work.replica, node) : now;
    diffs.push(compareSides(was, is, under));
  }
  return sorted(diffs.filter((diff) => diff !== null));
}

/** Folders count only where they moved: their files tell the rest. */
function compareSides(before: Side | null, after: Side | null, under: Paths): FileDiff | null {
  const inside = [before, after].some((side) => side !== null && isUnder(side.path, under));
  if (!inside) return null;
  const isFolder = (side: Side | null): boolean => side === null || side.type === 'folder';
  if (isFolder(before) && isFolder(after) && (before === null || after === null)) return null;
  return compareFiles(before, after);
}

function sorted(diffs: readonly FileDiff[]): readonly FileDiff[] {
  return [...diffs].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A worknode as a view shows it; null where it doesn't show, or another stands for it. */
function sideIn(folded: Folded, node: NodeId): Side | null {
  const { view } = folded;
  const entry = view.entryOf(node);
  if (entry === null || entry.node !== node) return null;
  const { path, type } = entry;
  return {
    path,
    type,
    executable: view.attribute(node, ATTRIBUTE.executable) === true,
    file: fileOf(folded, node, path),
    fields: fieldsShown(folded, node),
  };
}

/** A file on disk; its fields are read as an edit of `was`. Null if there is none. */
function sideOnDisk(
  { dir }: WorkCopy,
  schema: Schema,
  path: string,
  was: Side | null,
): Side | null {
  const stat = dir.stat(path);
  if (stat === null || stat.kind === 'other') return null;
  const { kind: type, executable } = stat;
  const bytes = type === 'file' ? dir.read(path) : null;
  const file =
    type === 'symlink'
      ? fileOfLink(dir.readLink(path) ?? '')
      : bytes === null
        ? null
        : fileOfBytes(bytes);
  return { path, type, executable, file, fields: fieldsIn(path, file, was, schema) };
}

function fieldsIn(
  path: string,
  file: FileContent | null,
  was: Side | null,
  schema: Schema,
): ReadonlyMap<string, FieldShown> {
  if (file?.text == null) return new Map();
  const document = was?.file?.document ?? { text: '', fields: new Map<string, FieldShown>() };
  const projection = project(document.text, was?.path ?? path, document.fields);
  return readBack(path, projection, document.text, file.text, schema).shown;
}
