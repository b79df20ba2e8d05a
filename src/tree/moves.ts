/**
 * Which vanished path and which new one are one worknode that moved: by inode and birth
 * time, by exact content, by likeness. What could be several things is none of them: it
 * stays a delete and a create, and is told.
 */
import { SIMILARITY_CANDIDATES_MAX } from '../core/limits.js';
import { similarity } from '../crdt/text/diff.js';
import type { TreeEntry } from './entry.js';
import { baseName, parentPath } from './names.js';
import type { Found, Scan } from './scan.js';

export interface Moves {
  /** New path to the entry that moved there. */
  readonly moved: ReadonlyMap<string, TreeEntry>;
  /** New paths that could have been a move of several. */
  readonly ambiguous: readonly string[];
}

export interface Texts {
  /** What the file held when it was last in step; null if it was no text. */
  before(entry: TreeEntry): string | null;
  /** What the new file holds; null if it is no text. */
  now(found: Found): string | null;
}

/** The share of common lines from which a vanished and a new file count as one. */
export const LIKENESS_MIN = 0.6;

export function findMoves({ added, vanished }: Scan, texts: Texts): Moves {
  const moved = new Map<string, TreeEntry>();
  const left = new Set(vanished);
  const take = (found: Found, entry: TreeEntry): void => {
    moved.set(found.path, entry);
    left.delete(entry);
  };
  const open = (): Found[] => added.filter((found) => !moved.has(found.path));
  pairBy(open(), left, inodeKey, entryInodeKey, take);
  const ambiguous = pairBy(open(), left, contentKey, entryContentKey, take);
  pairAlike(open(), left, texts, take);
  pairFolders(open(), left, moved, take);
  return { moved, ambiguous: ambiguous.filter((path) => !moved.has(path)) };
}

type Take = (found: Found, entry: TreeEntry) => void;

/** Pairs what has one key on each side; returns the new paths of keys that have more. */
function pairBy(
  added: readonly Found[],
  vanished: ReadonlySet<TreeEntry>,
  keyOf: (found: Found) => string | null,
  keyOfEntry: (entry: TreeEntry) => string | null,
  take: Take,
): string[] {
  const byKey = new Map<string, TreeEntry[]>();
  for (const entry of vanished) push(byKey, keyOfEntry(entry), entry);
  const newByKey = new Map<string, Found[]>();
  for (const found of added) push(newByKey, keyOf(found), found);
  const ambiguous: string[] = [];
  for (const [key, founds] of newByKey) {
    const entries = byKey.get(key) ?? [];
    if (entries.length === 0) continue;
    const pairs =
      founds.length === 1 && entries.length === 1
        ? [[founds[0], entries[0]] as const]
        : sameNames(founds, entries);
    for (const [found, entry] of pairs) if (found && entry) take(found, entry);
    if (pairs.length === 0) ambiguous.push(...founds.map((found) => found.path));
  }
  return ambiguous;
}

function push<T>(map: Map<string, T[]>, key: string | null, value: T): void {
  if (key === null) return;
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Of several with one content, those that kept their name and are alone in that. */
function sameNames(
  founds: readonly Found[],
  entries: readonly TreeEntry[],
): (readonly [Found, TreeEntry])[] {
  return founds.flatMap((found) => {
    const name = baseName(found.path);
    const same = entries.filter((entry) => baseName(entry.path) === name);
    const rivals = founds.filter((other) => baseName(other.path) === name);
    const [entry] = same;
    return entry !== undefined && same.length === 1 && rivals.length === 1
      ? [[found, entry] as const]
      : [];
  });
}

function inodeKey({ type, stat }: Found): string | null {
  return stat.birthtimeMs > 0 ? `${type} ${stat.ino} ${stat.birthtimeMs}` : null;
}

function entryInodeKey({ type, stamp }: TreeEntry): string | null {
  return stamp !== null && stamp.birthtimeMs > 0
    ? `${type} ${stamp.ino} ${stamp.birthtimeMs}`
    : null;
}

function contentKey({ type, hash, stat }: Found): string | null {
  return type === 'folder' || stat.size === 0 ? null : `${type} ${hash}`;
}

function entryContentKey({ type, hash, stamp }: TreeEntry): string | null {
  return type === 'folder' || stamp?.size === 0 ? null : `${type} ${hash}`;
}

/** Moved and edited: the likest pair first, files of the same name before others. */
function pairAlike(
  added: readonly Found[],
  vanished: ReadonlySet<TreeEntry>,
  texts: Texts,
  take: Take,
): void {
  const files = added.filter((found) => found.type === 'file');
  const gone = [...vanished].filter((entry) => entry.type === 'file' && entry.base !== null);
  if (files.length === 0 || gone.length === 0) return;
  const candidates: { found: Found; entry: TreeEntry; likeness: number }[] = [];
  let tried = 0;
  for (const sameName of [true, false]) {
    for (const found of files) {
      for (const entry of gone) {
        if ((baseName(found.path) === baseName(entry.path)) !== sameName) continue;
        if (tried++ >= SIMILARITY_CANDIDATES_MAX) break;
        const before = texts.before(entry);
        const now = before === null || before === '' ? null : texts.now(found);
        if (before === null || now === null) continue;
        const likeness = similarity(before, now);
        if (likeness >= LIKENESS_MIN)
          candidates.push({ found, entry, likeness: likeness + (sameName ? 1 : 0) });
      }
    }
  }
  candidates.sort((a, b) => b.likeness - a.likeness);
  const taken = new Set<string>();
  for (const { found, entry } of candidates) {
    if (taken.has(found.path) || !vanished.has(entry)) continue;
    taken.add(found.path);
    take(found, entry);
  }
}

/** A folder moved where most of what moved out of it went to one new folder. */
function pairFolders(
  added: readonly Found[],
  vanished: ReadonlySet<TreeEntry>,
  moved: ReadonlyMap<string, TreeEntry>,
  take: Take,
): void {
  const votes = new Map<string, Map<string, number>>();
  for (const [path, entry] of moved) {
    let [from, to] = [parentPath(entry.path), parentPath(path)];
    while (from !== '' && to !== '') {
      const targets = votes.get(from) ?? new Map<string, number>();
      targets.set(to, (targets.get(to) ?? 0) + 1);
      votes.set(from, targets);
      if (baseName(from) !== baseName(to)) break;
      [from, to] = [parentPath(from), parentPath(to)];
    }
  }
  const folders = new Map(
    added.filter(({ type }) => type === 'folder').map((found) => [found.path, found]),
  );
  for (const entry of [...vanished].filter(({ type }) => type === 'folder')) {
    const targets = [...(votes.get(entry.path) ?? [])].sort((a, b) => b[1] - a[1]);
    const all = targets.reduce((sum, [, count]) => sum + count, 0);
    const [target] = targets;
    const found = target === undefined ? undefined : folders.get(target[0]);
    if (found === undefined || target === undefined || target[1] * 2 <= all) continue;
    folders.delete(found.path);
    take(found, entry);
  }
}
