/**
 * From the view to files: brings every worknode that changed to the path and bytes that
 * it shows as. What a user has not committed yet is merged in, or left alone, but never
 * overwritten. Killed half-way it is finished next time: worknodes stay marked until
 * they are in step, and what a file is about to become is noted before it does.
 */
import type { NodeId } from '../core/ids.js';
import type { FileStat, WorkDir } from '../core/ports.js';
import { ATTRIBUTE } from '../core/op.js';
import { diffText } from '../crdt/text/diff.js';
import { sameHeads } from '../crdt/text/op.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { decodeText, encodeText } from './eol.js';
import { equalFields } from './field.js';
import { currentBase, fileHash, headsOf, project, shownAs, textAt, type Shown } from './project.js';
import { readBack } from './readback.js';
import { bodyHash } from './record.js';
import { stampOf } from './scan.js';
import type { Schema } from './schema.js';
import { sameStamp, unpackBase, type Base, type TreeEntry, type TreeState } from './state.js';

export interface Materialised {
  readonly written: number;
  readonly removed: number;
  /** Paths where an uncommitted file of the user's stands in the way. */
  readonly waiting: readonly string[];
  /** Paths whose content isn't all here yet. */
  readonly incomplete: readonly string[];
  /** Paths whose uncommitted edits were merged with what arrived. */
  readonly merged: readonly string[];
}

export interface MaterialiseInput {
  readonly replica: Replica;
  readonly dir: WorkDir;
  readonly state: TreeState;
  readonly schema: Schema;
  readonly nowMs: () => number;
  readonly progress?: (done: number, total: number) => void;
}

/** A file to be written, or only noted. */
interface Step {
  readonly entry: TreeEntry;
  readonly shown: Shown;
  /** What to write where the user's edits were merged in; else `shown`'s bytes. */
  readonly bytes: Uint8Array | null;
  /** The path that it has on disk until now. */
  readonly from: string | null;
  /** On disk all is as it should be; only the entry changes. */
  readonly inStep: boolean;
  readonly merged: boolean;
}

interface Plan {
  readonly steps: Step[];
  readonly removals: TreeEntry[];
  /** Entries to forget whose file stays: the user has made it his own. */
  readonly released: string[];
  readonly waiting: string[];
  readonly incomplete: string[];
  readonly settled: NodeId[];
}

const FILES_PER_ROUND = 512;

/** Brings the working directory in step. Holds the writer lock; durable when resolved. */
export async function materialise(input: MaterialiseInput): Promise<Materialised> {
  const { replica } = input;
  const dirty = replica.dirtyNodes();
  const total = { written: 0, removed: 0, waiting: [] as string[], incomplete: [] as string[], merged: [] as string[] };
  if (dirty.length === 0) return total;
  const plan = makePlan(input, dirty);
  total.waiting.push(...plan.waiting);
  total.incomplete.push(...plan.incomplete);
  for (let at = 0; at < plan.steps.length; at += FILES_PER_ROUND) {
    const round = plan.steps.slice(at, at + FILES_PER_ROUND);
    await writeRound(input, round);
    total.written += round.filter((step) => !step.inStep).length;
    total.merged.push(...round.filter((step) => step.merged).map((step) => step.entry.path));
    input.progress?.(Math.min(at + FILES_PER_ROUND, plan.steps.length), plan.steps.length);
  }
  total.removed = await removeRound(input, plan);
  replica.markInStep(plan.settled);
  await replica.flush(null);
  return total;
}

function makePlan(input: MaterialiseInput, dirty: readonly NodeId[]): Plan {
  const plan: Plan = { steps: [], removals: [], released: [], waiting: [], incomplete: [], settled: [] };
  const targets = affected(input, dirty);
  const claimed = new Set<string>();
  for (const entry of targets.values()) if (entry !== null) claimed.add(entry.path);
  for (const [node, entry] of targets) {
    const known = knownEntry(input.state, node);
    if (entry !== null) planEntry(input, plan, entry, known, targets);
    else if (known !== null && !claimed.has(known.path)) planRemoval(input, plan, known);
    if (entry === null) plan.settled.push(node);
  }
  plan.steps.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  return plan;
}

/** Every worknode whose path or content may differ from what is on disk, with what it shows as. */
function affected(
  { replica, state }: MaterialiseInput,
  dirty: readonly NodeId[],
): ReadonlyMap<NodeId, Entry | null> {
  const { view } = replica;
  const targets = new Map<NodeId, Entry | null>();
  const queue = [...dirty];
  let below: string[] | null = null;
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (targets.has(node) || node === replica.root) continue;
    const entry = view.entryOf(node);
    const own = entry !== null && entry.node === node;
    targets.set(node, own ? entry : null);
    if (entry !== null) queue.push(...entry.united);
    const oldPath = state.pathOf(node);
    if (view.typeOf(node) !== 'folder' || (oldPath !== null && oldPath === entry?.path)) continue;
    for (const child of entry === null ? [] : (view.children(entry.path) ?? [])) queue.push(...child.united);
    if (oldPath === null) continue;
    below ??= [...state.entries.keys()].sort();
    for (const path of pathsBelow(below, oldPath)) {
      const child = state.entries.get(path)?.node;
      if (child !== undefined) queue.push(child);
    }
  }
  return targets;
}

function* pathsBelow(sorted: readonly string[], folder: string): Iterable<string> {
  const prefix = `${folder}/`;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < sorted.length; at++) {
    const path = sorted[at] ?? '';
    if (!path.startsWith(prefix)) return;
    yield path;
  }
}

function knownEntry(state: TreeState, node: NodeId): TreeEntry | null {
  const path = state.pathOf(node);
  return path === null ? null : (state.entries.get(path) ?? null);
}

function planEntry(
  input: MaterialiseInput,
  plan: Plan,
  entry: Entry,
  known: TreeEntry | null,
  targets: ReadonlyMap<NodeId, Entry | null>,
): void {
  const { replica, dir, state } = input;
  const { path, node, type } = entry;
  if (known !== null && known.path === path && isInStep(replica, known)) {
    plan.settled.push(node);
    return;
  }
  const shown = shownAs(replica, node, path);
  if (shown === null) {
    plan.incomplete.push(path);
    return;
  }
  const onDisk = dir.stat(path);
  const occupant = state.entries.get(path);
  const ours = occupant !== undefined && (occupant.node === node || targets.has(occupant.node));
  const next = (hash: string, base: Uint8Array | null): TreeEntry => ({ path, node, type, stamp: null, hash, base });
  if (onDisk !== null && !ours && !(type === 'folder' && onDisk.kind === 'folder')) {
    if (shown.type !== 'file' || !sameBytes(dir, path, shown.hash)) {
      plan.waiting.push(path);
      return;
    }
    plan.steps.push({ entry: next(shown.hash, shown.base), shown, bytes: null, from: null, inStep: true, merged: false });
    plan.settled.push(node);
    return;
  }
  plan.settled.push(node);
  if (shown.type !== 'file') {
    const hash = shown.type === 'symlink' ? shown.hash : '';
    const inStep = shown.type === 'folder' && onDisk?.kind === 'folder';
    plan.steps.push({ entry: next(hash, null), shown, bytes: null, from: known?.path ?? null, inStep, merged: false });
    return;
  }
  const from = known?.path ?? null;
  const entryNext = next(shown.hash, shown.base);
  const edited = known === null ? null : uncommitted(dir, known);
  if (edited === null || known === null) {
    const inStep = known?.path === path && known.hash === shown.hash && onDisk?.executable === shown.executable;
    plan.steps.push({ entry: entryNext, shown, bytes: null, from, inStep, merged: false });
    return;
  }
  const merged = mergeEdits(input, node, path, known, edited);
  if (merged === null) {
    // Nothing that merges: the user's bytes stay, and committing them will keep both.
    plan.steps.push({ entry: { ...known, path }, shown, bytes: edited, from, inStep: known.path === path, merged: false });
    return;
  }
  plan.steps.push({ entry: entryNext, shown, bytes: merged, from, inStep: false, merged: true });
}

function sameBytes(dir: WorkDir, path: string, hash: string): boolean {
  const bytes = dir.read(path);
  return bytes !== null && fileHash(bytes) === hash;
}

/** Does the entry already say what the worknode shows as? Renders nothing. */
function isInStep(replica: Replica, known: TreeEntry): boolean {
  if (known.type === 'folder') return true;
  const { view } = replica;
  const body = view.attribute(known.node, ATTRIBUTE.body);
  if (known.type === 'symlink') return bodyHash(body) === known.hash;
  const executable = view.attribute(known.node, ATTRIBUTE.executable) === true;
  if (known.stamp === null || known.stamp.executable !== executable) return false;
  const isText = view.attribute(known.node, ATTRIBUTE.format) !== 'whole' || body === undefined;
  if (!isText) return known.base === null && bodyHash(body) === known.hash;
  if (known.base === null) return false;
  return sameBase(unpackBase(known.base), replica, known.node);
}

function sameBase(base: Base, replica: Replica, node: NodeId): boolean {
  if (!sameHeads(base.heads, headsOf(replica, node))) return false;
  const now = currentBase(replica, node);
  if (base.form.eol !== now.form.eol || base.form.bom !== now.form.bom) return false;
  if (base.fields.size !== now.fields.size) return false;
  return [...now.fields].every(([name, field]) => {
    const was = base.fields.get(name);
    if (was === undefined || was === 'unset' || field === 'unset') return was === field;
    return equalFields(was, field);
  });
}

/** The file's bytes if they aren't those that were last in step; null if they are, or there is none. */
function uncommitted(dir: WorkDir, known: TreeEntry): Uint8Array | null {
  const stat = dir.stat(known.path);
  if (stat?.kind !== 'file') return null;
  if (known.stamp !== null && sameStamp(known.stamp, stat)) return null;
  const bytes = dir.read(known.path);
  return bytes === null || fileHash(bytes) === known.hash ? null : bytes;
}

/**
 * The user's edits, understood against what he had on disk, merged with what the
 * document is now; null where either isn't text.
 */
function mergeEdits(
  { replica, schema }: MaterialiseInput,
  node: NodeId,
  path: string,
  known: TreeEntry,
  edited: Uint8Array,
): Uint8Array | null {
  const decoded = decodeText(edited);
  if (known.base === null || !decoded.ok || replica.view.content(node).kind !== 'text') return null;
  const base = unpackBase(known.base);
  const docText = textAt(replica, node, base.heads);
  const projection = project(docText, known.path, base.fields);
  const saved = readBack(path, projection, docText, decoded.text, schema);
  const runs = diffText(docText, saved.docText);
  const { document } = replica.view.record(node);
  const mergedText = replica.fold.documents.preview(node, document, base.heads, runs);
  const fields = new Map(currentBase(replica, node).fields);
  for (const [name, field] of saved.fields.set) fields.set(name, field);
  for (const name of saved.fields.unset) fields.set(name, 'unset');
  return encodeText(project(mergedText, path, fields).text, decoded);
}

function planRemoval({ dir }: MaterialiseInput, plan: Plan, known: TreeEntry): void {
  if (known.type === 'file' && uncommitted(dir, known) !== null) plan.released.push(known.path);
  else plan.removals.push(known);
}

async function writeRound(input: MaterialiseInput, steps: readonly Step[]): Promise<void> {
  const { replica, state, dir, nowMs } = input;
  const writes = steps.filter((step) => !step.inStep);
  if (writes.length > 0) {
    await replica.flush(null, [state.intend(writes.map((step) => step.entry))]);
  }
  const stats = new Map<string, FileStat>();
  for (const step of writes) {
    const stat = writeStep(dir, step, nowMs());
    if (stat !== null) stats.set(step.entry.path, stat);
  }
  const removed: string[] = [];
  const put = steps.map(({ entry, from, merged, bytes, inStep }) => {
    if (from !== null && from !== entry.path) removed.push(from);
    const stat = stats.get(entry.path) ?? (inStep ? dir.stat(entry.path) : null);
    const mine = merged || (bytes !== null && !merged);
    return { ...entry, stamp: stat === null || mine ? null : stampOf(stat, nowMs()) };
  });
  const kept = new Set(put.map((entry) => entry.path));
  const gone = removed.filter((path) => !kept.has(path) && !stillClaimed(input, path, steps));
  await replica.flush(null, [state.record({ put, removed: gone }, null)]);
}

/** Another worknode's file may have taken the path meanwhile. */
function stillClaimed({ state }: MaterialiseInput, path: string, steps: readonly Step[]): boolean {
  const occupant = state.entries.get(path);
  return occupant === undefined || !steps.some((step) => step.entry.node === occupant.node);
}

function writeStep(dir: WorkDir, step: Step, nowMs: number): FileStat | null {
  const { entry, shown, from } = step;
  const { path } = entry;
  if (shown.type === 'folder') {
    clearKind(dir, path, 'folder');
    dir.makeFolder(path);
    return null;
  }
  clearKind(dir, path, shown.type);
  if (shown.type === 'symlink') {
    dir.symlink(path, shown.target);
  } else {
    const saveAs = step.merged ? { saveAs: savedPath(nowMs, entry.node) } : {};
    dir.write(path, step.bytes ?? shown.bytes, { executable: shown.executable, ...saveAs });
  }
  if (from !== null && from !== path && dir.stat(from) !== null) dir.remove(from);
  return dir.stat(path);
}

/** Where a replaced file's bytes are kept for `wn restore --saved`. */
function savedPath(nowMs: number, node: NodeId): string {
  return `tree/saved/${nowMs}-${node}`;
}

/** A file where a folder is to be, or the other way round: only our own, and only if empty. */
function clearKind(dir: WorkDir, path: string, kind: 'folder' | 'file' | 'symlink'): void {
  const stat = dir.stat(path);
  if (stat === null || stat.kind === kind) return;
  if (stat.kind === 'folder') dir.removeFolder(path);
  else dir.remove(path);
}

async function removeRound(
  { replica, dir, state }: MaterialiseInput,
  plan: Plan,
): Promise<number> {
  const files = plan.removals.filter((entry) => entry.type !== 'folder');
  for (const entry of files) if (dir.stat(entry.path) !== null) dir.remove(entry.path);
  const folders = new Set(plan.removals.filter((entry) => entry.type === 'folder').map((entry) => entry.path));
  for (const step of plan.steps) if (step.shown.type === 'folder' && step.from !== null && step.from !== step.entry.path) folders.add(step.from);
  const deepest = [...folders].sort((a, b) => b.length - a.length);
  for (const path of deepest) if (dir.stat(path)?.kind === 'folder') dir.removeFolder(path);
  const removed = [...plan.removals.map((entry) => entry.path), ...plan.released];
  if (removed.length > 0) await replica.flush(null, [state.record({ put: [], removed }, null)]);
  return files.length;
}

/** Finishes what a killed process had begun: tells written files from unwritten ones. */
export async function recoverIntents({ replica, dir, state, nowMs }: MaterialiseInput): Promise<void> {
  if (state.intents.size === 0) return;
  const put: TreeEntry[] = [];
  for (const [path, intent] of state.intents) {
    const stat = dir.stat(path);
    const before = state.entries.get(path);
    if (stat === null) continue;
    const bytes = stat.kind === 'file' ? dir.read(path) : null;
    const written = bytes !== null && fileHash(bytes) === intent.hash;
    const untouched = bytes !== null && before !== undefined && fileHash(bytes) === before.hash;
    if (written) put.push({ ...intent, stamp: stampOf(stat, nowMs()) });
    else if (!untouched && bytes !== null && stat.ino !== before?.stamp?.ino) put.push(intent);
  }
  state.intents.clear();
  await replica.flush(null, [state.record({ put, removed: [] }, null)]);
}

