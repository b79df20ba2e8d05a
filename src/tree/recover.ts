/**
 * After a killed materialise: tells the files that it came to write from those it didn't.
 * The user may have edited, moved or replaced them before anybody looks; then it has to be
 * told which version they are an edit of. A file that is still the old one, by its inode,
 * is an edit of that: each write makes a new one. But many an editor saves to a new file,
 * too; then the lines tell that came and went between the versions. Taken for an edit of
 * the wrong one, text would be there twice or, worse, what had arrived be lost.
 */
import { SIMILARITY_CANDIDATES_MAX } from '../core/limits.js';
import type { FileStat } from '../core/ports.js';
import { profileLines, similarity } from '../crdt/text/diff.js';
import { unpackBase, type TreeEntry } from './entry.js';
import { decodeText } from './eol.js';
import { look } from './ondisk.js';
import type { MaterialiseInput } from './materialise.js';
import { LIKENESS_MIN } from './moves.js';
import { fileHash, project, textAt } from './project.js';
import { scan, stampOf, type Found } from './scan.js';
import type { Intent } from './state.js';

interface Recovery extends MaterialiseInput {
  /** New files that aren't what was to be written to their place; null until somebody asks. */
  strays: readonly Found[] | null;
  /** Files that were read to tell whether they are an edit of one that moved away. */
  tried: number;
}

/** Records what a killed process had done of what it had begun. */
export async function recoverIntents(input: MaterialiseInput): Promise<void> {
  const { replica, dir, state } = input;
  if (state.intents.size + state.removals.size === 0) return;
  const recovery: Recovery = { ...input, strays: null, tried: 0 };
  const put = [...state.intents.values()].flatMap((intent) => written(recovery, intent));
  const paths = new Set(put.map(({ path }) => path));
  const removed = [...state.removals].filter((path) => !paths.has(path) && dir.stat(path) === null);
  await replica.flush(null, [state.record({ put, removed }, null)]);
}

/** The entries that hold if the file was written; none if it wasn't. */
function written(recovery: Recovery, intent: Intent): readonly TreeEntry[] {
  const { dir, state, nowMs } = recovery;
  const { entry, hash } = intent;
  const seen = look(dir, { ...entry, hash, stamp: null });
  if (seen.is === 'replaced') return movedAway(recovery, intent);
  const stat = dir.stat(entry.path);
  if (stat === null) return [];
  if (seen.is === 'edited' && !isEditOf(recovery, intent, stat, seen.bytes)) return [];
  const isMine = hash !== entry.hash || seen.is === 'edited';
  const stamp = entry.type === 'folder' ? null : stampOf(stat, nowMs());
  const now = { ...entry, stamp: stamp !== null && isMine ? { ...stamp, mtimeMs: -1 } : stamp };
  const before = state.entries.get(state.pathOf(entry.node) ?? entry.path);
  const isLeft = hash !== entry.hash && before !== undefined && before.path !== entry.path;
  return isLeft ? [leftFrom(dir, before), now] : [now];
}

/** What stays of an edited file in its old place is what was merged, and no new file. */
export function leftFrom(dir: MaterialiseInput['dir'], from: TreeEntry): TreeEntry {
  const seen = look(dir, from);
  return seen.is === 'edited' ? { ...from, hash: fileHash(seen.bytes), stamp: null } : from;
}

/** The file was written, and the user has moved it since: the next scan will find it by its inode. */
function movedAway(recovery: Recovery, intent: Intent): readonly TreeEntry[] {
  const { dir, nowMs } = recovery;
  const { entry } = intent;
  if (entry.type !== 'file' || dir.stat(entry.path) !== null) return [];
  recovery.strays ??= straysOf(recovery);
  const found = recovery.strays.filter((stray) => isIt(recovery, intent, stray));
  const [only] = found;
  if (only === undefined || found.length > 1) return [];
  return [{ ...entry, stamp: { ...stampOf(only.stat, nowMs()), mtimeMs: -1 } }];
}

function straysOf({ dir, state, nowMs }: Recovery): readonly Found[] {
  return scan(dir, state, { nowMs: nowMs() }).added.filter(
    ({ path, type, hash }) => type === 'file' && state.intents.get(path)?.hash !== hash,
  );
}

function isIt(recovery: Recovery, intent: Intent, { path, hash, stat }: Found): boolean {
  if (hash === intent.hash) return true;
  if (recovery.tried++ >= SIMILARITY_CANDIDATES_MAX) return false;
  const bytes = recovery.dir.read(path);
  return bytes !== null && isEditOf(recovery, intent, stat, bytes);
}

/** Is this rather an edit of what was to be written than of what stood there before? */
function isEditOf(
  input: MaterialiseInput,
  { entry }: Intent,
  stat: FileStat,
  bytes: Uint8Array,
): boolean {
  const { state, dir } = input;
  const known = state.entries.get(entry.path) ?? state.entries.get(state.pathOf(entry.node) ?? '');
  if (known !== undefined && isSameInode(known, stat)) return false;
  const decoded = decodeText(bytes);
  const text = textOf(input, entry);
  if (!decoded.ok || text === null) return false;
  const isLike = similarity(text, decoded.text) >= LIKENESS_MIN;
  const before = known === undefined ? null : textOf(input, known);
  if (known === undefined || before === null) return isLike;
  const balance = balanceOf(before, text, decoded.text);
  // The old file is where it was, so this one came to be beside it.
  const isBeside = known.path !== entry.path && look(dir, known).is !== 'replaced';
  return isBeside ? isLike && balance >= 0 : balance > 0;
}

/** Inodes are used again, but not with the same time of birth. */
function isSameInode({ stamp }: TreeEntry, { ino, birthtimeMs }: FileStat): boolean {
  return birthtimeMs > 0 && stamp?.ino === ino && stamp.birthtimeMs === birthtimeMs;
}

/**
 * Bytes of lines that show that the author of `edited` saw `after`, less those that show
 * that he saw `before`: he kept what only one of them has, or doesn't have what came. What
 * went says nothing by its absence: he may have taken it out himself.
 */
function balanceOf(before: string, after: string, edited: string): number {
  const [was, is, now] = [bytesOfLines(before), bytesOfLines(after), bytesOfLines(edited)];
  let balance = 0;
  for (const line of new Set([...was.keys(), ...is.keys()])) {
    const [old, next, kept] = [was.get(line) ?? 0, is.get(line) ?? 0, now.get(line) ?? 0];
    const share = Math.min(Math.max(kept - Math.min(old, next), 0), Math.abs(next - old));
    balance += next > old ? share - (next - old - share) : -share;
  }
  return balance;
}

/** The last line counts the same with a newline and without. */
function bytesOfLines(text: string): ReadonlyMap<string, number> {
  return profileLines(text.endsWith('\n') ? text : `${text}\n`).bytesOf;
}

/** What a file holds that is in step with its base; null for what is no text. */
function textOf({ replica }: MaterialiseInput, { node, path, base }: TreeEntry): string | null {
  if (base === null) return null;
  const { heads, fields } = unpackBase(base);
  return project(textAt(replica, node, heads), path, fields).text;
}
