/**
 * From what a scan found to operations: creates, moves, deletes, edits of text, fields
 * and whole contents. Text is compared with the version that was on disk, so an edit
 * means what its author saw, whatever has arrived since. Leaves out writing files.
 */
import type { Canonical } from '../core/canonical.js';
import type { NodeId } from '../core/ids.js';
import { TEXT_OP_BYTES_TARGET, WHOLE_INLINE_BYTES_MAX } from '../core/limits.js';
import { ATTRIBUTE, type FieldPath, type Op, type Run } from '../core/op.js';
import type { WorkDir } from '../core/ports.js';
import { diffText } from '../crdt/text/diff.js';
import { sameHeads, type Head } from '../crdt/text/op.js';
import { register } from '../crdt/register.js';
import { fieldState } from '../crdt/registry.js';
import type { Value } from '../crdt/value.js';
import { encodeBlobRef } from '../repo/blobs.js';
import type { Draft } from '../repo/draft.js';
import type { Replica } from '../repo/replica.js';
import { classify, HEAD_BYTES } from './content.js';
import { packBase, unpackBase, type Base, type TreeEntry } from './entry.js';
import { decodeText, type TextForm } from './eol.js';
import { fieldOps, writeRegister } from './fieldops.js';
import { bodyHash, isInStep } from './instep.js';
import { invalidFields, whyTextInvalid } from './invalid.js';
import type { Moves } from './moves.js';
import { baseName, parentPath } from './names.js';
import { BODY, whyKept, whyOwned } from './owned.js';
import { supportsFields } from './overlay.js';
import { currentBase, project, textAt } from './project.js';
import { readBack } from './readback.js';
import { stampOf, type Found, type Refused, type Scan } from './scan.js';
import type { Schema } from './schema.js';
import type { TreeState } from './state.js';

export interface Recorded {
  /** Entries as they will be once the draft is committed; bases of texts are set then. */
  readonly put: readonly TreeEntry[];
  readonly removed: readonly string[];
  readonly refused: readonly Refused[];
  /** Worknodes whose document moves with this draft. */
  readonly texts: ReadonlySet<NodeId>;
}

interface Recording {
  readonly replica: Replica;
  readonly dir: WorkDir;
  readonly state: TreeState;
  readonly schema: Schema;
  readonly draft: Draft;
  readonly nowMs: number;
  /** Folders by path, as they will be. */
  readonly folders: Map<string, NodeId>;
  readonly put: TreeEntry[];
  readonly removed: Set<string>;
  readonly refused: Refused[];
  readonly texts: Set<NodeId>;
}

export interface RecordInput {
  readonly replica: Replica;
  readonly dir: WorkDir;
  readonly state: TreeState;
  readonly schema: Schema;
  readonly draft: Draft;
  readonly nowMs: number;
}

/** Adds the operations of a scan to a draft. Blobs are stored on the way. */
export async function record(input: RecordInput, found: Scan, moves: Moves): Promise<Recorded> {
  const recording: Recording = {
    ...input,
    folders: new Map(),
    put: [],
    removed: new Set(),
    refused: [],
    texts: new Set(),
  };
  const byDepth = [...found.added].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const item of byDepth) {
    const from = moves.moved.get(item.path);
    if (from === undefined) await recordNew(recording, item);
    else await recordMove(recording, item, from);
  }
  for (const item of found.modified) await recordEdit(recording, item);
  const moved = new Set([...moves.moved.values()].map((entry) => entry.path));
  for (const entry of found.vanished) {
    if (!moved.has(entry.path)) recordDelete(recording, entry);
  }
  const { put, removed, refused, texts } = recording;
  const kept = new Set(put.map((entry) => entry.path));
  return {
    put: [...put, ...found.restamped],
    removed: [...removed].filter((path) => !kept.has(path)),
    refused,
    texts,
  };
}

/** The worknode of the folder at a path: known, or created earlier in this draft. */
function folderAt({ replica, state, folders }: Recording, path: string): NodeId | null {
  if (path === '') return replica.root;
  return folders.get(path) ?? state.entries.get(path)?.node ?? null;
}

async function recordNew(recording: Recording, item: Found): Promise<void> {
  const { draft } = recording;
  const parent = folderAt(recording, parentPath(item.path));
  if (parent === null) {
    recording.refused.push({ path: item.path, why: 'its folder was refused' });
    return;
  }
  if (item.type === 'folder') {
    const node = draft.create(parent, baseName(item.path), 'folder');
    recording.folders.set(item.path, node);
    keep(recording, item, node, null);
    return;
  }
  const content = await readContent(recording, item);
  if (content === null) return;
  const node = draft.create(parent, baseName(item.path), item.type);
  await writeContent(recording, node, item, content, null);
}

async function recordMove(recording: Recording, item: Found, from: TreeEntry): Promise<void> {
  const parent = folderAt(recording, parentPath(item.path));
  if (parent === null) return;
  const { node } = from;
  recording.draft.add({ op: 'place', node, parent, name: baseName(item.path) });
  recording.removed.add(from.path);
  if (item.type === 'folder') {
    recording.folders.set(item.path, node);
    keep(recording, item, node, null);
  } else if (isUnchanged(item, from)) {
    keep(recording, item, node, from.base, isInvalidAt(recording, item.path, from));
  } else {
    const content = await readContent(recording, item);
    if (content !== null) await writeContent(recording, node, item, content, from);
  }
}

/** In another folder another type may be declared. */
function isInvalidAt({ dir, schema }: Recording, path: string, from: TreeEntry): boolean {
  if (from.base === null || schema.typeOf(path) === schema.typeOf(from.path)) return from.invalid;
  return invalidFields(dir, [path], schema).length > 0;
}

/** A new ending may show the fields that the old one didn't, or the other way round. */
function isUnchanged({ path, hash, stat }: Found, from: TreeEntry): boolean {
  if (hash !== from.hash || stat.executable !== from.stamp?.executable) return false;
  return from.base === null || supportsFields(path) === supportsFields(from.path);
}

async function recordEdit(recording: Recording, item: Found): Promise<void> {
  const entry = recording.state.entries.get(item.path);
  if (entry === undefined) return;
  const content = await readContent(recording, item);
  if (content === null) return;
  const { node, path } = entry;
  const rewritten = content.kind !== 'text' && item.hash !== entry.hash;
  if (rewritten && refusesOwned(recording, node, path, [BODY])) return;
  await writeContent(recording, node, item, content, entry);
  for (const twin of twinsOf(recording, entry)) recording.draft.add({ op: 'delete', node: twin });
}

/** Worknodes that show only through this entry's file: united with its own, no files of their own. */
function twinsOf({ replica, state }: Recording, { node }: TreeEntry): readonly NodeId[] {
  const united = replica.view.entryOf(node)?.united ?? [];
  return united.filter((twin) => twin !== node && state.pathOf(twin) === null);
}

/**
 * Everything that showed at the path goes: folders of one name, files of equal bytes.
 * But what has arrived since, the user hasn't seen: then the file comes back with it.
 */
function recordDelete(recording: Recording, entry: TreeEntry): void {
  const why = whyKept(recording.replica.view.record(entry.node).strong);
  if (why !== null) {
    recording.refused.push({ path: entry.path, why });
    return;
  }
  recording.removed.add(entry.path);
  if (!isInStep(recording.replica, entry)) return;
  for (const node of [entry.node, ...twinsOf(recording, entry)])
    recording.draft.add({ op: 'delete', node });
}

function keep(
  recording: Recording,
  item: Found,
  node: NodeId,
  base: Uint8Array | null,
  invalid = false,
): void {
  const { path, type, hash, stat } = item;
  const stamp = stampOf(stat, recording.nowMs);
  recording.put.push({ path, node, type, hash, base, stamp, invalid });
}

type FileContent =
  | { readonly kind: 'text'; readonly text: string; readonly form: TextForm }
  | { readonly kind: 'whole'; readonly value: Canonical }
  | { readonly kind: 'link'; readonly target: string };

/** Reads a file and sorts it; null where it can't be read any more, or has changed meanwhile. */
async function readContent(recording: Recording, item: Found): Promise<FileContent | null> {
  const { dir, replica, schema } = recording;
  if (item.type === 'symlink') {
    const target = dir.readLink(item.path);
    return target === null ? null : { kind: 'link', target };
  }
  const bytes = dir.read(item.path);
  const after = dir.stat(item.path);
  if (
    bytes === null ||
    after === null ||
    after.mtimeMs !== item.stat.mtimeMs ||
    after.size !== item.stat.size
  ) {
    recording.refused.push({ path: item.path, why: 'changed while it was read; commit again' });
    return null;
  }
  const merge = schema.mergeOf(item.path);
  if (classify(item.path, bytes.byteLength, bytes.subarray(0, HEAD_BYTES), merge) === 'text') {
    const decoded = decodeText(bytes);
    if (decoded.ok) {
      const { text, eol, bom } = decoded;
      return { kind: 'text', text, form: { eol, bom } };
    }
  }
  if (bytes.byteLength <= WHOLE_INLINE_BYTES_MAX) return { kind: 'whole', value: bytes };
  return { kind: 'whole', value: encodeBlobRef(await replica.blobs.store(bytes)) };
}

async function writeContent(
  recording: Recording,
  node: NodeId,
  item: Found,
  content: FileContent,
  from: TreeEntry | null,
): Promise<void> {
  const { executable } = item.stat;
  const was = from === null ? false : (from.stamp?.executable ?? false);
  if (executable !== was) setAttribute(recording, node, ATTRIBUTE.executable, executable);
  if (content.kind === 'link') {
    setAttribute(recording, node, ATTRIBUTE.body, content.target);
    keep(recording, item, node, null);
  } else if (content.kind === 'whole') {
    const isNew = from === null || from.base !== null;
    // Who changed but the mode has not chosen between contents that are in conflict.
    if (isNew || item.hash !== from.hash) setBody(recording, node, content.value as Value, from);
    if (isNew) setAttribute(recording, node, ATTRIBUTE.format, 'whole');
    keep(recording, item, node, null);
  } else {
    writeText(recording, node, item, content, from);
  }
}

function writeText(
  recording: Recording,
  node: NodeId,
  item: Found,
  content: Extract<FileContent, { kind: 'text' }>,
  from: TreeEntry | null,
): void {
  const { replica, schema, draft } = recording;
  const packed = from?.base ?? null;
  if (from !== null && packed === null) {
    setAttribute(recording, node, ATTRIBUTE.format, 'text');
    setBody(recording, node, undefined, from);
  }
  const base = packed !== null ? unpackBase(packed) : startingBase(replica, node, from);
  const docText = textAt(replica, node, base.heads);
  const projection = project(docText, item.path, base.fields);
  const read = readBack(item.path, projection, docText, content.text, schema);
  const changes = fieldOps(replica, node, base.fields, read.fields);
  const edited = read.docText !== docText;
  const paths = changes.flatMap((op) => (op.op === 'field' ? [op.path] : []));
  if (refusesOwned(recording, node, item.path, edited ? [BODY, ...paths] : paths)) return;
  const { eol, bom } = content.form;
  if (eol !== base.form.eol) setAttribute(recording, node, ATTRIBUTE.eol, eol);
  if (bom !== base.form.bom) setAttribute(recording, node, ATTRIBUTE.bom, bom);
  if (edited && replica.view.strongText(node) !== null) {
    draft.add(writeRegister(replica, node, BODY, read.docText, docText));
  } else if (edited) {
    const runs = diffText(docText, read.docText);
    for (const op of textOps(replica, node, base.heads, runs)) draft.add(op);
    recording.texts.add(node);
  }
  for (const op of changes) draft.add(op);
  const next = {
    heads: base.heads,
    fields: read.shown,
    form: content.form,
    // Front matter that parses again may lack fields that were set while it didn't.
    exact:
      currentBase(replica, node).exact &&
      project(read.docText, item.path, read.shown).text === content.text,
  };
  const invalid = whyTextInvalid(item.path, content.text, schema) !== null;
  keep(recording, item, node, packBase(next), invalid);
}

/** The file stays as it is, and is named. */
function refusesOwned(
  { replica, refused }: Recording,
  node: NodeId,
  path: string,
  written: readonly FieldPath[],
): boolean {
  const why = whyOwned(replica.view.record(node).strong, written);
  if (why !== null) refused.push({ path, why });
  return why !== null;
}

/** What a file that was no text until now is compared with. */
function startingBase(replica: Replica, node: NodeId, from: TreeEntry | null): Base {
  if (from !== null) return currentBase(replica, node);
  return { heads: [], fields: new Map(), form: { eol: 'lf', bom: false }, exact: true };
}

/**
 * Text ops of runs typed on the document at `heads`, cut so that each fits a group. The
 * first names its base where that isn't the author's own last run.
 */
export function textOps(
  replica: Replica,
  node: NodeId,
  heads: readonly Head[],
  runs: readonly Run[],
): readonly Op[] {
  const { document } = replica.view.record(node);
  const full = replica.fold.documents.fullRuns(node, document, heads, runs);
  const own = replica.author.writingLog();
  const last = document?.last.get(own);
  const implied =
    heads.length === 0 ? last === undefined : last !== undefined && sameHeads(heads, [last]);
  const base = heads.map(({ log, seq }) => ({ log: log === own ? null : log, seq }));
  return cutRuns(full.runs).map((part, index) => ({
    op: 'text',
    node,
    base: index > 0 || implied ? null : base,
    runs: part,
    tombstones: full.tombstones,
  }));
}

/** Runs in parts of a bounded size; a long insertion is cut between code points. */
function cutRuns(runs: readonly Run[]): readonly (readonly Run[])[] {
  const parts: Run[][] = [];
  let part: Run[] = [];
  let size = 0;
  for (const run of runs.flatMap(cutRun)) {
    const [, what] = run;
    const bytes = typeof what === 'string' ? what.length * 3 + 8 : 8;
    if (size + bytes > TEXT_OP_BYTES_TARGET && part.length > 0) {
      parts.push(part);
      [part, size] = [[], 0];
    }
    part.push(run);
    size += bytes;
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function cutRun(run: Run): readonly Run[] {
  const [pos, what] = run;
  if (typeof what === 'number' || what.length * 3 <= TEXT_OP_BYTES_TARGET) return [run];
  const cut: Run[] = [];
  const step = Math.floor(TEXT_OP_BYTES_TARGET / 4);
  const points = [...what];
  for (let at = 0; at < points.length; at += step) {
    cut.push([pos + at, points.slice(at, at + step).join('')]);
  }
  return cut;
}

/**
 * A whole content (undefined: none, it is text now) replaces the one that was on disk; one
 * that arrived unseen stays beside it.
 */
function setBody(
  recording: Recording,
  node: NodeId,
  value: Value | undefined,
  from: TreeEntry | null,
): void {
  const { replica, draft } = recording;
  const { entries } = fieldState(replica.view.record(node).fields, [ATTRIBUTE.body], register);
  const seen = entries.find((entry) => bodyHash(entry.value) === from?.hash)?.value;
  draft.add(writeRegister(replica, node, [ATTRIBUTE.body], value, seen));
}

function setAttribute(recording: Recording, node: NodeId, attribute: number, value: Value): void {
  const { replica, draft } = recording;
  const seen = replica.view.attribute(node, attribute);
  draft.add(writeRegister(replica, node, [attribute], value, seen));
}
