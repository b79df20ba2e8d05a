/**
 * What has to happen on disk for the files to show the view: which are written where,
 * which go, and which have to wait because the user's own work, not committed yet, is in
 * the way. Only reads; `materialise` carries it out.
 */
import { assert } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { WorkDir } from '../core/ports.js';
import { diffText } from '../crdt/text/diff.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { unpackBase, type TreeEntry } from './entry.js';
import { decodeText, encodeText } from './eol.js';
import { whyInvalid } from './invalid.js';
import { checkPath, foldName, leadsInside } from './names.js';
import { look, obstacle, type Look } from './ondisk.js';
import { isInStep } from './instep.js';
import {
  currentBase,
  fileHash,
  project,
  shownAs,
  textAt,
  type Shown,
  type ShownFile,
} from './project.js';
import { supportsFields } from './overlay.js';
import { readBack } from './readback.js';
import type { Schema } from './schema.js';
import type { TreeState } from './state.js';
import { targetsOf, type Targets } from './targets.js';

export interface PlanInput {
  readonly replica: Replica;
  readonly dir: WorkDir;
  readonly state: TreeState;
  readonly schema: Schema;
}

/** A worknode to be put where it shows. */
export interface Step {
  /** As it is recorded then; a stamp that is null is taken then, too. */
  readonly entry: TreeEntry;
  readonly shown: Shown;
  /** The user's own bytes, or what he did merged with what arrived; null for `shown`'s. */
  readonly mine: Uint8Array | null;
  /** What the file gets; the user may have changed it and not committed it. */
  readonly executable: boolean;
  /** What it was when last in step; its file may be elsewhere, or be what was edited. */
  readonly from: TreeEntry | null;
  /** False where all on disk is as it should be. */
  readonly writes: boolean;
  readonly merged: boolean;
}

export interface Plan {
  /** Their places are free, or hold their own files. In the order of paths. */
  readonly free: readonly Step[];
  /** Their places become free when what leaves them has left. In the order of paths. */
  readonly blocked: readonly Step[];
  /** Entries whose files show nowhere any more. */
  readonly hidden: readonly TreeEntry[];
  /** Entries to forget: their worknode is elsewhere, and the file is the user's by now. */
  readonly released: readonly string[];
  readonly waiting: readonly string[];
  readonly incomplete: readonly string[];
  /** In step once the plan is carried out; steps aside. */
  readonly settled: readonly NodeId[];
}

interface Planning extends PlanInput {
  readonly targets: Targets;
  readonly steps: Map<NodeId, Step>;
  readonly hidden: Map<NodeId, TreeEntry>;
  readonly settled: NodeId[];
  readonly incomplete: string[];
  readonly released: string[];
  /** Worknodes whose files stay as they are, and the paths that this is about. */
  readonly staying: Map<NodeId, string>;
}

export function makePlan(input: PlanInput, dirty: readonly NodeId[]): Plan {
  const targets = targetsOf(input.replica, input.state, dirty);
  const planning: Planning = {
    ...input,
    targets,
    steps: new Map(),
    hidden: new Map(),
    settled: [],
    incomplete: [],
    released: releasedOf(input),
    staying: new Map(),
  };
  for (const [node, entry] of targets) {
    const path = input.state.pathOf(node);
    const known = path === null ? null : (input.state.entries.get(path) ?? null);
    if (entry !== null) planShown(planning, entry, known);
    else if (known !== null) planHidden(planning, known);
    else planning.settled.push(node);
  }
  return sortOut(planning);
}

/**
 * A name that could leave the folder, shadow `.git` or fool a system, or a link out of
 * the tree: no honest program commits one, and none is written here.
 */
function isHostile(path: string, shown: Shown): boolean {
  if (!checkPath(path).ok) return true;
  return shown.type === 'symlink' && !leadsInside(path, shown.target);
}

/** Old files of worknodes that are elsewhere now, edited since a killed process left them. */
function releasedOf({ state, dir }: PlanInput): string[] {
  return [...state.leftovers].filter((path) => {
    const known = state.entries.get(path);
    return known !== undefined && look(dir, known).is === 'edited';
  });
}

/** What was edited stays: committing it will bring the worknode back. */
function planHidden({ dir, hidden, staying }: Planning, known: TreeEntry): void {
  if (look(dir, known).is === 'edited') staying.set(known.node, known.path);
  else hidden.set(known.node, known);
}

function planShown(planning: Planning, { path, node, type }: Entry, known: TreeEntry | null): void {
  const { replica, dir, schema } = planning;
  if (known?.path === path && isInStep(replica, known)) {
    planning.settled.push(node);
    return;
  }
  const shown = shownAs(replica, node, path);
  if (shown === null || isHostile(path, shown)) {
    planning.incomplete.push(path);
    planning.staying.set(node, path);
    return;
  }
  const seen = known === null ? null : look(dir, known);
  if (seen?.is === 'replaced') {
    planning.staying.set(node, path);
    return;
  }
  const hash = shown.type === 'folder' ? '' : shown.hash;
  const base = shown.type === 'file' ? shown.base : null;
  const invalid = shown.type === 'file' && isInvalid(path, shown.read, schema);
  const entry: TreeEntry = { path, node, type, stamp: null, hash, base, invalid };
  planning.steps.set(node, stepTo(planning, entry, unread(replica, entry, shown), known, seen));
}

function isInvalid(path: string, read: () => Uint8Array, schema: Schema): boolean {
  return supportsFields(path) && whyInvalid(path, read(), schema) !== null;
}

/** As `shown`, but without its bytes in hand: all that has to be written may be more than fits. */
function unread(replica: Replica, { node, path }: TreeEntry, shown: Shown): Shown {
  if (shown.type !== 'file') return shown;
  const again = (): ShownFile => {
    const now = shownAs(replica, node, path);
    assert(now?.type === 'file' && now.hash === shown.hash, 'a file that changed under the lock');
    return now;
  };
  return { ...shown, read: () => again().read(), pieces: () => again().pieces() };
}

function stepTo(
  planning: Planning,
  entry: TreeEntry,
  shown: Shown,
  known: TreeEntry | null,
  seen: Look | null,
): Step {
  const { dir } = planning;
  const step = {
    entry,
    shown,
    mine: null,
    from: known,
    writes: true,
    merged: false,
    executable: false,
  };
  if (shown.type !== 'file') {
    const there = shown.type === 'folder' && dir.stat(entry.path)?.kind === 'folder';
    return { ...step, writes: !there };
  }
  const { executable } = shown;
  if (known === null || seen?.is !== 'edited') {
    const same = known?.path === entry.path && known.hash === entry.hash;
    return { ...step, executable, writes: !same || known.stamp?.executable !== executable };
  }
  const mode =
    known.stamp !== null && known.stamp.executable !== seen.executable
      ? seen.executable
      : executable;
  if (fileHash(seen.bytes) === known.hash) return { ...step, executable: mode };
  const merged = mergeEdits(planning, entry, known, seen.bytes);
  if (merged !== null) return { ...step, executable: mode, mine: merged, merged: true };
  // Nothing that merges: the user's bytes stay, and committing them will keep both.
  const stays = known.path === entry.path;
  const kept = stays ? known : { ...known, path: entry.path, stamp: null };
  return { ...step, entry: kept, executable: mode, mine: seen.bytes, writes: !stays };
}

/**
 * The user's edits, understood against what he had on disk, merged with what the
 * document is now; null where either isn't text.
 */
function mergeEdits(
  { replica, schema }: Planning,
  { node, path }: TreeEntry,
  known: TreeEntry,
  edited: Uint8Array,
): Uint8Array | null {
  const decoded = decodeText(edited);
  if (known.base === null || !decoded.ok || replica.view.content(node).kind !== 'text') return null;
  const base = unpackBase(known.base);
  const docText = textAt(replica, node, base.heads);
  const projection = project(docText, known.path, base.fields);
  const saved = readBack(known.path, projection, docText, decoded.text, schema);
  const runs = diffText(docText, saved.docText);
  const { document } = replica.view.record(node);
  const mergedText = replica.fold.documents.preview(node, document, base.heads, runs);
  const now = currentBase(replica, node);
  const fields = new Map(now.fields);
  for (const [name, field] of saved.fields.set) fields.set(name, field);
  for (const name of saved.fields.unset) fields.set(name, 'unset');
  const form = {
    eol: decoded.eol === base.form.eol ? now.form.eol : decoded.eol,
    bom: decoded.bom === base.form.bom ? now.form.bom : decoded.bom,
  };
  return encodeText(project(mergedText, path, fields).text, form);
}

// Who is in whose way

/** Decides which steps are free, which have to follow others, and which have to wait. */
function sortOut(planning: Planning): Plan {
  const { dir, state, steps, staying, hidden } = planning;
  const obstacles = new Map<NodeId, string>();
  for (const [node, step] of [...steps]) {
    const { path, type } = step.entry;
    if (step.from !== null && (step.from.path === path || isRespelled(dir, step.from.path, path)))
      continue;
    const at = obstacle(dir, path, type);
    if (at === null) continue;
    if (at === path && !state.entries.has(path) && isThere(planning, step)) {
      steps.set(node, { ...step, writes: false });
    } else {
      obstacles.set(node, at);
    }
  }
  stopRivals(planning);
  while (stopSome(planning, obstacles));
  const inOrder = [...steps.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  return {
    free: inOrder.filter((step) => !obstacles.has(step.entry.node)),
    blocked: inOrder.filter((step) => obstacles.has(step.entry.node)),
    hidden: [...hidden.values()],
    released: planning.released,
    waiting: [...staying.values()].filter((path) => !planning.incomplete.includes(path)),
    incomplete: planning.incomplete,
    settled: planning.settled,
  };
}

/** One name in two spellings, on a file system that takes them for the same. */
export function isRespelled({ traits }: WorkDir, from: string, to: string): boolean {
  return from !== to && foldName(from, traits) === foldName(to, traits);
}

/** A file of the user's that nobody knew has the very bytes that are to be there. */
function isThere({ dir }: Planning, { entry, shown, mine }: Step): boolean {
  if (shown.type !== 'file' || mine !== null) return false;
  const bytes = dir.read(entry.path);
  return bytes !== null && fileHash(bytes) === shown.hash;
}

/** Of two names that this file system takes for one, the first has the place. */
function stopRivals({ dir, steps, staying }: Planning): void {
  if (!dir.traits.caseInsensitive && !dir.traits.normalises) return;
  const taken = new Set<string>();
  for (const [node, { entry }] of [...steps]) {
    const folded = foldName(entry.path, dir.traits);
    if (!taken.has(folded)) taken.add(folded);
    else if (steps.delete(node)) staying.set(node, entry.path);
  }
}

/** Lets steps wait whose place won't become free; true if that may concern others. */
function stopSome(planning: Planning, obstacles: Map<NodeId, string>): boolean {
  let stopped = false;
  for (const [node, at] of [...obstacles]) {
    const step = planning.steps.get(node);
    if (step === undefined) continue;
    // What the user did is safe only once it is written, so it can't leave its place first.
    if (step.mine === null && leaves(planning, at)) continue;
    planning.steps.delete(node);
    obstacles.delete(node);
    planning.staying.set(node, step.entry.path);
    stopped = true;
  }
  return stopped;
}

/** Will what stands at a path be taken away by this plan? */
function leaves({ state, targets, staying, released }: Planning, path: string): boolean {
  const owner = state.entries.get(path);
  if (owner === undefined || released.includes(path)) return false;
  if (state.leftovers.has(path)) return true;
  const target = targets.get(owner.node);
  return target !== undefined && target?.path !== path && !staying.has(owner.node);
}
