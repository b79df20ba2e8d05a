/**
 * From the view to files: brings every worknode that changed to the path and bytes that
 * it shows as. What a user has not committed yet is merged in, or left alone, but never
 * overwritten. Killed half-way it is finished next time: worknodes stay marked until
 * they are in step, and what is about to happen to a file is noted before it does.
 *
 * First what has room is written, so that everything that moved is in its new place
 * before it leaves the old one; then old files go; then what they were in the way of is
 * written. Leaves out what has to happen (`plan`) and what follows a crash (`recover`).
 */
import type { NodeId } from '../core/ids.js';
import type { FileStat, WorkDir } from '../core/ports.js';
import type { Stamp, TreeEntry } from './entry.js';
import { foldName } from './names.js';
import { look, obstacle } from './ondisk.js';
import { isRespelled, makePlan, type Plan, type PlanInput, type Step } from './plan.js';
import { fileHash } from './project.js';
import { leftFrom } from './recover.js';
import { stampOf } from './scan.js';
import type { Intent, TreeState } from './state.js';

export interface Materialised {
  readonly written: number;
  readonly removed: number;
  /** Paths where an uncommitted file of the user's stands in the way. */
  readonly waiting: readonly string[];
  /** Paths whose content isn’t all here yet, or that no file may have. */
  readonly incomplete: readonly string[];
  /** Paths whose uncommitted edits were merged with what arrived. */
  readonly merged: readonly string[];
}

export interface MaterialiseInput extends PlanInput {
  readonly nowMs: () => number;
  readonly progress?: (done: number, total: number) => void;
}

interface Progress extends MaterialiseInput {
  readonly plan: Plan;
  readonly settled: NodeId[];
  readonly waiting: string[];
  readonly merged: string[];
  written: number;
  removed: number;
}

const FILES_PER_ROUND = 512;

/** Brings the working directory in step. Holds the writer lock; durable when resolved. */
export async function materialise(input: MaterialiseInput): Promise<Materialised> {
  const { replica, state } = input;
  const dirty = replica.dirtyNodes();
  const nothing = { written: 0, removed: 0, waiting: [], incomplete: [], merged: [] };
  if (dirty.length === 0 && state.leftovers.size === 0) return nothing;
  const plan = makePlan(input, dirty);
  const settled = [...plan.settled];
  const progress: Progress = {
    ...input,
    ...nothing,
    plan,
    settled,
    waiting: [...plan.waiting],
    merged: [],
  };
  await writeAll(progress, plan.free);
  await clear(progress, [...plan.hidden, ...leftoversOf(state), ...sourcesInTheWay(input, plan)]);
  await writeAll(
    progress,
    plan.blocked.filter((step) => hasRoom(progress, step)),
  );
  await clear(progress, leftoversOf(state));
  settled.push(
    ...plan.hidden.filter(({ node }) => state.pathOf(node) === null).map(({ node }) => node),
  );
  replica.markInStep(settled);
  await replica.flush(null);
  const { written, removed, waiting, merged } = progress;
  return { written, removed, waiting, incomplete: plan.incomplete, merged };
}

// Writing

async function writeAll(progress: Progress, steps: readonly Step[]): Promise<void> {
  for (let at = 0; at < steps.length; at += FILES_PER_ROUND) {
    const round = steps.slice(at, at + FILES_PER_ROUND);
    await writeRound(progress, round);
    progress.settled.push(...round.map((step) => step.entry.node));
    progress.written += round.filter((step) => step.writes).length;
    progress.merged.push(...round.filter((step) => step.merged).map((step) => step.entry.path));
    progress.progress?.(Math.min(at + FILES_PER_ROUND, steps.length), steps.length);
  }
}

async function writeRound(input: MaterialiseInput, steps: readonly Step[]): Promise<void> {
  const { replica, state, dir, nowMs } = input;
  const writes = steps.filter((step) => step.writes);
  if (writes.length > 0) await replica.flush(null, [state.intend(writes.map(intentOf), [])]);
  for (const step of writes) writeStep(input, step);
  const put: TreeEntry[] = [];
  const removed: string[] = [];
  for (const step of steps) {
    const { entry, from } = step;
    if (from !== null && isRespelled(dir, from.path, entry.path)) removed.push(from.path);
    // What is left of an edited file in its old place is what was merged, and no new file.
    else if (from !== null && from.path !== entry.path && step.mine !== null)
      put.push(leftFrom(dir, from));
    put.push({ ...entry, stamp: entry.stamp ?? stampAfter(dir.stat(entry.path), step, nowMs()) });
  }
  await replica.flush(null, [state.record({ put, removed }, null)]);
}

function intentOf({ entry, shown, mine }: Step): Intent {
  if (mine !== null) return { entry, hash: fileHash(mine) };
  return { entry, hash: shown.type === 'folder' ? '' : shown.hash };
}

/**
 * A file that holds the user's own changes is looked at again by the next scan. Its
 * mode is compared with what the worknode has.
 */
function stampAfter(stat: FileStat | null, { shown, mine }: Step, nowMs: number): Stamp | null {
  if (stat === null || stat.kind === 'folder') return null;
  const stamp = stampOf(stat, nowMs);
  const executable = shown.type === 'file' && shown.executable;
  return mine === null && stamp.executable === executable
    ? stamp
    : { ...stamp, mtimeMs: -1, executable };
}

function writeStep({ replica, dir, nowMs }: MaterialiseInput, step: Step): void {
  const { entry, shown, from, mine, executable } = step;
  const { path } = entry;
  if (from !== null && isRespelled(dir, from.path, path)) dir.rename(from.path, path);
  if (shown.type === 'folder') {
    dir.makeFolder(path);
  } else if (shown.type === 'symlink') {
    if (dir.stat(path) !== null) dir.remove(path);
    dir.symlink(path, shown.target);
  } else {
    const saved = step.merged
      ? { saveAs: savedPath(replica.ports.storage, nowMs(), entry.node) }
      : {};
    dir.write(path, mine === null ? shown.pieces() : [mine], { executable, ...saved });
  }
}

/** Where a replaced file's bytes are kept for `wn restore --saved`; the time is when. */
function savedPath(
  storage: MaterialiseInput['replica']['ports']['storage'],
  nowMs: number,
  node: NodeId,
): string {
  let ms = nowMs;
  while (storage.readSync(`tree/saved/${ms}-${node}`, 0, 0) !== null) ms += 1;
  return `tree/saved/${ms}-${node}`;
}

// Making room

/** Looks again: a folder may hold what nobody knew of, a user may have been quicker. */
function hasRoom({ dir, state, waiting }: Progress, { entry, from }: Step): boolean {
  const { path, type } = entry;
  const at = obstacle(dir, path, type);
  if (at === null) return true;
  const there = state.entries.get(path);
  const isOldFile = at === path && there !== undefined && type === 'file' && there.type === 'file';
  if (isOldFile && (there.node === from?.node || look(dir, there).is === 'same')) return true;
  waiting.push(path);
  return false;
}

function leftoversOf({ leftovers, entries }: TreeState): readonly TreeEntry[] {
  return [...leftovers].flatMap((path) => entries.get(path) ?? []);
}

/** Blocked worknodes may wait for each other: file for folder, or for what is in the folder. */
function sourcesInTheWay({ dir }: MaterialiseInput, { blocked }: Plan): readonly TreeEntry[] {
  const places = blocked.map(({ entry }) => obstacle(dir, entry.path, entry.type));
  return blocked.flatMap(({ from }) => {
    const isInTheWay = places.some(
      (at) => at !== null && `${from?.path ?? ''}/`.startsWith(`${at}/`),
    );
    return from !== null && isInTheWay ? [from] : [];
  });
}

/**
 * Removes files and folders that show nowhere, or elsewhere, by now. One that another
 * file is about to replace stays for that, so that its path is never without a file.
 */
async function clear(progress: Progress, entries: readonly TreeEntry[]): Promise<void> {
  const { replica, dir, state, plan } = progress;
  const next = new Map(
    [...plan.free, ...plan.blocked].map(({ entry }) => [entry.path, entry.type]),
  );
  const gone = [...new Set(entries)].filter(({ path, type }) => next.get(path) !== type);
  const released = plan.released.filter((path) => state.leftovers.has(path));
  if (gone.length + released.length === 0) return;
  const paths = gone.map(({ path }) => path);
  await replica.flush(null, [state.intend([], paths)]);
  const files = gone.filter(({ type }) => type !== 'folder');
  const removed = [...released];
  for (const entry of files) if (removeFile(progress, entry)) removed.push(entry.path);
  const folders = gone
    .filter(({ type }) => type === 'folder')
    .sort((a, b) => b.path.length - a.path.length);
  for (const { path } of folders) if (removeFolder(dir, state, path, removed)) removed.push(path);
  progress.removed += files.length;
  await replica.flush(null, [state.record({ put: [], removed }, null)]);
}

/** False if it was edited meanwhile. */
function removeFile({ dir, state }: Progress, entry: TreeEntry): boolean {
  const seen = look(dir, entry);
  if (seen.is === 'edited') return false;
  if (seen.is === 'same' && !isSpelledElsewhere(dir, state, entry)) dir.remove(entry.path);
  return true;
}

/** The old spelling of a name leads to the same file, where case doesn't count. */
function isSpelledElsewhere(
  { traits }: WorkDir,
  { entries, leftovers }: TreeState,
  { path }: TreeEntry,
): boolean {
  if (!traits.caseInsensitive && !traits.normalises) return false;
  const folded = foldName(path, traits);
  return [...entries.keys()].some(
    (other) => other !== path && !leftovers.has(other) && foldName(other, traits) === folded,
  );
}

/** False if something of a worknode's is still in it; what is only the user's makes it his folder. */
function removeFolder(
  dir: WorkDir,
  { entries }: TreeState,
  path: string,
  removed: readonly string[],
): boolean {
  if (dir.stat(path)?.kind !== 'folder' || dir.removeFolder(path)) return true;
  const cleared = new Set(removed);
  return ![...entries.keys()].some((other) => other.startsWith(`${path}/`) && !cleared.has(other));
}
