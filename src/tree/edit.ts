/**
 * Changes of single worknodes that don't come from a scan: new, set, mv, rm. Each is one
 * commit of that worknode alone; uncommitted edits of others stay as they are.
 */
import { WnError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { denied } from '../repo/author.js';
import type { Draft } from '../repo/draft.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import type { Field, FieldShown } from './field.js';
import { fieldOps } from './fieldops.js';
import { baseName, checkPath, joinPath, parentPath } from './names.js';
import { supportsFields } from './overlay.js';
import { whyOwned } from './owned.js';
import { fieldsShown } from './project.js';
import type { FieldEdits } from './readback.js';
import { textOps } from './record.js';
import type { Schema } from './schema.js';
import { valuesInText } from './unclaimed.js';
import { applyAssignments, parseAssignment } from './values.js';
import { nodeAt, type Committed, type WorkCopy } from './workcopy.js';

export interface NewWorknode {
  readonly path: string;
  readonly folder: boolean;
  readonly type: string | null;
  /** `K=V` each. */
  readonly assignments: readonly string[];
  readonly body: string;
  readonly message: string | null;
}

/** Throws `exists`, `invalid` for a name or value that can't be. */
export function createWorknode(work: WorkCopy, made: NewWorknode): Promise<Committed> {
  const checked = checkPath(made.path);
  if (!checked.ok)
    throw new WnError('invalid', `${made.path}: ${checked.why}`, { hint: 'choose another name' });
  return work.change(made.message, (draft) => {
    const { replica } = work;
    if (replica.view.entry(made.path) !== null || work.dir.stat(made.path) !== null) {
      throw new WnError('exists', `${made.path} exists already`, {
        hint: 'nothing was changed; use wn set, or edit it',
      });
    }
    const parent = foldersFor(work, draft, parentPath(made.path));
    const node = draft.create(parent, baseName(made.path), made.folder ? 'folder' : 'file');
    if (made.body !== '') {
      for (const op of textOps(replica, node, [], [[0, withNewline(made.body)]])) draft.add(op);
    }
    const defaults = work.schema().defaultsOf(made.path, made.type);
    const before = new Map<string, FieldShown>();
    const edits = assign(work.schema(), made.path, made.type, before, defaults, made.assignments);
    for (const op of fieldOps(replica, node, before, edits)) draft.add(op);
  });
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** The folder at a path, made where it is missing. */
function foldersFor(work: WorkCopy, draft: Draft, path: string): NodeId {
  if (path === '') return work.replica.root;
  const entry = work.replica.view.entry(path);
  if (entry?.type === 'folder') return entry.node;
  if (entry !== null) {
    throw new WnError('exists', `${path} is a file`, {
      hint: 'nothing was changed; choose another folder',
    });
  }
  return draft.create(foldersFor(work, draft, parentPath(path)), baseName(path), 'folder');
}

function assign(
  schema: Schema,
  path: string,
  type: string | null,
  before: ReadonlyMap<string, FieldShown>,
  defaults: ReadonlyMap<string, Field>,
  assignments: readonly string[],
): FieldEdits {
  const edits = applyAssignments(assignments, before, schema, path, type);
  const kept = [...defaults].filter(([key]) => !edits.unset.has(key));
  return { set: new Map([...kept, ...edits.set]), unset: new Set() };
}

export interface FieldChange {
  readonly path: string;
  readonly assignments: readonly string[];
  readonly message: string | null;
}

/** Throws `not_found`, `invalid` for a value that the schema refuses. */
export function setFields(work: WorkCopy, change: FieldChange): Promise<Committed> {
  return work.change(change.message, (draft) => {
    const { path, node } = fieldHolder(work, change.path);
    const before = withUnclaimed(work, node, change.assignments);
    const edits = applyAssignments(change.assignments, before, work.schema(), path, null);
    const ops = fieldOps(work.replica, node, before, edits);
    refuseOwned(work.replica, node, path, ops);
    for (const op of ops) draft.add(op);
  });
}

/** Writes that would count nowhere aren't made. */
function refuseOwned({ view }: Replica, node: NodeId, path: string, ops: readonly Op[]): void {
  const written = ops.flatMap((op) => (op.op === 'field' ? [op.path] : []));
  const why = whyOwned(view.record(node).strong, written);
  if (why === null) return;
  throw new WnError('conflict', `${path}: ${why}`, { hint: 'nothing was changed' });
}

/**
 * The fields of a worknode, with what its front matter has under the assigned keys but no
 * field claims: a list is text until it is first changed here, and then none of it is lost.
 */
function withUnclaimed(
  { replica }: WorkCopy,
  node: NodeId,
  assignments: readonly string[],
): ReadonlyMap<string, FieldShown> {
  const fields = fieldsShown(replica, node);
  const keys = assignments.map((text) => parseAssignment(text).key);
  const unclaimed = valuesInText(
    replica,
    node,
    keys.filter((key) => !fields.has(key)),
  );
  if (unclaimed.size === 0) return fields;
  const registers = [...unclaimed].map(([key, value]): [string, FieldShown] => [
    key,
    { crdt: 'register', value },
  ]);
  return new Map([...fields, ...registers]);
}

/** A folder's own fields are its README.md's. */
function fieldHolder(
  work: WorkCopy,
  path: string,
): { readonly path: string; readonly node: NodeId } {
  const entry = path === '' ? null : work.replica.view.entry(path);
  const isFolder = path === '' || entry?.type === 'folder';
  const file = isFolder ? joinPath(path, 'README.md') : path;
  if (!supportsFields(file)) {
    throw new WnError('invalid', `${file} can't hold fields; Markdown files can`, {
      hint: 'nothing was changed; put the fields in a .md file beside it',
    });
  }
  return { path: file, node: nodeAt(work.replica, file) };
}

export interface Move {
  readonly from: string;
  readonly to: string;
  readonly message: string | null;
}

/** Throws `not_found`, `exists`, `invalid`. */
export function moveWorknode(work: WorkCopy, { from, to, message }: Move): Promise<Committed> {
  const { view, root } = work.replica;
  return work.change(message, (draft) => {
    const node = nodeAt(work.replica, from);
    const target = to === '' ? null : view.entry(to);
    const into = to === '' || target?.type === 'folder';
    const path = into && target?.node !== node ? joinPath(to, baseName(from)) : to;
    const checked = checkPath(path);
    if (!checked.ok)
      throw new WnError('invalid', `${path}: ${checked.why}`, { hint: 'choose another name' });
    const taken = view.entry(path);
    if (node === root || `${path}/`.startsWith(`${from}/`)) {
      throw new WnError(
        'invalid',
        `${from === '' ? 'the workspace' : from} can't be moved into itself`,
        { hint: 'nothing was changed' },
      );
    }
    if (
      (taken !== null && taken.node !== node) ||
      (taken === null && work.dir.stat(path) !== null && !sameFile(work, from, path))
    ) {
      throw new WnError('exists', `${path} exists already`, { hint: 'nothing was changed' });
    }
    const parent = foldersFor(work, draft, parentPath(path));
    for (const each of unitedAt(work, from)) {
      refuseTaking(work.replica, each, from);
      draft.add({ op: 'place', node: each, parent, name: baseName(path) });
    }
  });
}

/**
 * Who takes something out of a folder needs the right to delete in it. The verdict asks that
 * of the folder where it was made: where it shows depends on moves, which depend on verdicts.
 */
function refuseTaking(replica: Replica, node: NodeId, from: string): void {
  const { authority, device, view, ports } = replica;
  const { placed } = view.record(node);
  if (placed === null || authority.mayDeleteIn(placed.parent, device, ports.clock.wallMs())) return;
  throw denied(`this device may not take ${from} out of the folder that it is in`);
}

/** A change of case alone, on a file system that doesn't tell. */
function sameFile(work: WorkCopy, a: string, b: string): boolean {
  return work.dir.traits.caseInsensitive && a.toLowerCase() === b.toLowerCase();
}

function unitedAt(work: WorkCopy, path: string): readonly NodeId[] {
  return work.replica.view.entry(path)?.united ?? [];
}

export interface Removal {
  readonly path: string;
  readonly force: boolean;
  readonly message: string | null;
}

/**
 * Throws `not_found`; `exists` where there are changes that aren't committed. With `force`
 * those are committed first: deleting is what was asked for, losing them isn't.
 */
export async function removeWorknode(
  work: WorkCopy,
  { path, force, message }: Removal,
): Promise<Committed> {
  nodeAt(work.replica, path);
  if (path === '')
    throw new WnError('invalid', 'the workspace itself is not a file', {
      hint: 'nothing was changed',
    });
  if (!force) await refuseUncommitted(work, path);
  const saved = force ? await work.commit({ message, under: [path] }) : null;
  const removed = await work.change(message, (draft) => {
    const entry = work.replica.view.entry(path);
    const below: Entry[] = entry?.type === 'folder' ? [...work.replica.view.walk(path)] : [];
    for (const each of [...below.reverse(), ...(entry === null ? [] : [entry])]) {
      for (const node of each.united) draft.add({ op: 'delete', node });
    }
  });
  // Where its file was gone already, that first commit has deleted it.
  return removed.commit === null && saved !== null ? saved : removed;
}

async function refuseUncommitted(work: WorkCopy, path: string): Promise<void> {
  const { changes } = await work.status([path]);
  const [first] = changes.filter((change) => change.change !== 'deleted');
  if (first === undefined) return;
  throw new WnError('exists', `${first.path} has changes that are not committed`, {
    hint: 'nothing was deleted; commit first, or run: wn rm --force',
  });
}
