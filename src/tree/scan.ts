/**
 * Looks at the working directory and tells what is there that wasn't when it was last
 * in step. Reads only what its stamp doesn't vouch for. Leaves out what the changes
 * mean: moves (`moves`), operations (`record`).
 */
import { hashHex } from '../core/crypto.js';
import { utf8 } from '../core/bytes.js';
import type { NodeType } from '../core/op.js';
import { TREE_DEPTH_MAX, WORKNODES_MAX } from '../core/limits.js';
import type { FileStat, LookAhead, WorkDir } from '../core/ports.js';
import type { Stamp, TreeEntry } from './entry.js';
import { IgnoreRules } from './ignore.js';
import { checkName, foldName, isOwnName, joinPath, leadsInside } from './names.js';
import type { TreeState } from './state.js';

/** Something on disk that is not as last in step, or new. */
export interface Found {
  readonly path: string;
  readonly type: NodeType;
  readonly stat: FileStat;
  /** Tagged hash of the content; '' for folders. */
  readonly hash: string;
}

export interface Refused {
  readonly path: string;
  readonly why: string;
}

/** Ignore patterns of a folder that aren't applied: there are too many, or they take too long. */
export interface SkippedPatterns {
  readonly folder: string;
  readonly first: string;
  readonly count: number;
}

export interface Scan {
  readonly added: readonly Found[];
  readonly modified: readonly Found[];
  /** Entries whose path holds nothing now, or something of another kind. */
  readonly vanished: readonly TreeEntry[];
  /** Entries whose content is as it was but whose stamp isn't: worth remembering. */
  readonly restamped: readonly TreeEntry[];
  readonly refused: readonly Refused[];
  readonly skippedPatterns: readonly SkippedPatterns[];
}

export interface ScanOptions {
  /** Only these paths and what is below them; all if left out. */
  readonly under?: readonly string[];
  /** The wall clock's milliseconds. */
  readonly nowMs: number;
  readonly progress?: (files: number) => void;
}

/** Coarser than the tick of any file system's clock that we met. */
const RACY_MS = 10;

interface Walk {
  readonly dir: WorkDir;
  readonly state: TreeState;
  readonly options: ScanOptions;
  /** By number of the entry: 1 for what was met, or wasn't looked for. */
  readonly seen: Uint8Array;
  readonly ahead: LookAhead | null;
  readonly added: Found[];
  readonly modified: Found[];
  readonly restamped: TreeEntry[];
  readonly refused: Refused[];
  readonly skippedPatterns: Map<string, SkippedPatterns>;
  files: number;
}

/** Scans. Throws only when the root itself can't be read. */
export function scan(dir: WorkDir, state: TreeState, options: ScanOptions): Scan {
  const walk: Walk = {
    dir,
    state,
    options,
    seen: new Uint8Array(state.entries.bound),
    // Of a part of the tree nobody knows how much it is.
    ahead: options.under === undefined ? dir.lookAhead(state.entries.filePaths()) : null,
    added: [],
    modified: [],
    restamped: [],
    refused: [],
    skippedPatterns: new Map(),
    files: 0,
  };
  try {
    enter(walk, '', ignoreRules(walk), 0);
  } finally {
    walk.ahead?.stop();
  }
  const { added, modified, restamped, refused } = walk;
  const skippedPatterns = [...walk.skippedPatterns.values()];
  return { added, modified, vanished: vanished(walk), restamped, refused, skippedPatterns };
}

function vanished({ state, options, seen }: Walk): readonly TreeEntry[] {
  const gone: TreeEntry[] = [];
  for (const number of state.entries.numbers()) {
    if (seen[number] === 1) continue;
    const path = state.entries.pathAt(number);
    if (!state.leftovers.has(path) && isUnder(path, options.under)) {
      gone.push(state.entries.at(number));
    }
  }
  return gone;
}

function ignoreRules({ dir, skippedPatterns }: Walk): IgnoreRules {
  return IgnoreRules.root({
    caseInsensitive: dir.traits.caseInsensitive,
    onSkipped: (folder, pattern) => {
      const { first, count } = skippedPatterns.get(folder) ?? { first: pattern, count: 0 };
      skippedPatterns.set(folder, { folder, first, count: count + 1 });
    },
  });
}

export function isUnder(path: string, under: readonly string[] | undefined): boolean {
  if (under === undefined) return true;
  return under.some((top) => top === '' || path === top || path.startsWith(`${top}/`));
}

/** A folder that holds one of the paths looked for is walked through, but not looked at itself. */
function leadsTo(path: string, under: readonly string[] | undefined): boolean {
  return under?.some((top) => top.startsWith(`${path}/`)) ?? false;
}

function enter(walk: Walk, folder: string, above: IgnoreRules, depth: number): void {
  const entries = walk.dir.list(folder);
  if (entries === null) return;
  const dotted = entries.filter(({ name }) => name.startsWith('.'));
  const holds = (name: string): boolean => dotted.some((entry) => entry.name === name);
  if (folder !== '' && (holds('.git') || holds('.wn'))) {
    refuse(walk, folder, 'holds a repository of its own');
    keepKnown(walk, folder);
    return;
  }
  const rules = above.enter(
    folder,
    holds('.gitignore') ? readText(walk.dir, joinPath(folder, '.gitignore')) : undefined,
    holds('.wnignore') ? readText(walk.dir, joinPath(folder, '.wnignore')) : undefined,
  );
  const taken = new Map<string, string>();
  for (const { name, kind } of entries) {
    const path = joinPath(folder, name);
    const inside = isUnder(path, walk.options.under);
    if (!inside && !leadsTo(path, walk.options.under)) continue;
    const known = walk.state.entries.findIn(folder, name);
    if (known < 0 && rules.ignores(path, kind === 'folder')) {
      if (isOddSpelling(name) && inside) refuse(walk, path, 'is reserved for Git or wn');
      continue;
    }
    if (known < 0 && !acceptable(walk, path, name, depth, taken)) continue;
    if (kind === 'folder') {
      if (inside) meetFolder(walk, path, known);
      enter(walk, path, rules, depth + 1);
    } else if (inside) {
      meetFile(walk, path, known);
    }
  }
}

/** What was tracked below a folder that became a boundary isn't deleted: nobody looked. */
function keepKnown({ state: { entries }, seen }: Walk, folder: string): void {
  for (const number of entries.numbers()) {
    if (isUnder(entries.pathAt(number), [folder])) seen[number] = 1;
  }
}

/** Of `.git` or `.wn`: those two themselves are left out without a word. */
function isOddSpelling(name: string): boolean {
  return name !== '.git' && name !== '.wn' && isOwnName(name);
}

function readText(dir: WorkDir, path: string): string | undefined {
  const bytes = dir.read(path);
  return bytes === null ? undefined : Buffer.from(bytes).toString('utf8');
}

/** May something new have this name in this place? */
function acceptable(
  walk: Walk,
  path: string,
  name: string,
  depth: number,
  taken: Map<string, string>,
): boolean {
  const checked = checkName(name);
  if (!checked.ok) {
    // A name that is no UTF-8 is listed with its bytes spelled out, and nothing is at that path.
    const decoded = walk.dir.stat(path) !== null;
    return refuse(walk, path, decoded ? checked.why : 'has a name that is not valid UTF-8');
  }
  if (depth >= TREE_DEPTH_MAX) return refuse(walk, path, `deeper than ${TREE_DEPTH_MAX} folders`);
  if (walk.state.entries.size + walk.added.length >= WORKNODES_MAX) {
    return refuse(walk, path, `over ${WORKNODES_MAX} worknodes`);
  }
  const folded = foldName(name, { caseInsensitive: true, normalises: true });
  const other = taken.get(folded);
  taken.set(folded, name);
  if (other !== undefined && walk.dir.traits.caseInsensitive) {
    return refuse(walk, path, `can't be told from ${other} on other systems`);
  }
  return true;
}

function refuse(walk: Walk, path: string, why: string): false {
  if (isUnder(path, walk.options.under)) walk.refused.push({ path, why });
  return false;
}

/** `known` is the number of the path's entry, or below 0. */
function meetFolder(walk: Walk, path: string, known: number): void {
  if (known >= 0 && walk.state.entries.typeAt(known) === 'folder') {
    see(walk, known);
    return;
  }
  const stat = walk.dir.stat(path);
  if (stat !== null) walk.added.push({ path, type: 'folder', stat, hash: '' });
}

function meetFile(walk: Walk, path: string, known: number): void {
  const { entries } = walk.state;
  const stat = lookAt(walk, path, known);
  if (stat === null) {
    refuse(walk, path, 'went away while it was looked at');
    return;
  }
  if (stat.kind === 'other') {
    see(walk, known);
    refuse(walk, path, 'is neither a file, a folder nor a link');
    return;
  }
  walk.files += 1;
  walk.options.progress?.(walk.files);
  if (known >= 0 && entries.isUntouched(known, stat)) see(walk, known);
  else meetTouched(walk, path, known, stat);
}

/** What was seen ahead vouches only for a file untouched: another is read right after its `stat`. */
function lookAt({ dir, state, ahead }: Walk, path: string, known: number): FileStat | null {
  const stat = known < 0 ? undefined : ahead?.stat(known);
  return stat !== undefined && state.entries.isUntouched(known, stat) ? stat : dir.stat(path);
}

function meetTouched(walk: Walk, path: string, at: number, stat: FileStat): void {
  const type: NodeType = stat.kind === 'symlink' ? 'symlink' : 'file';
  const known = at < 0 ? undefined : walk.state.entries.at(at);
  if (known?.type === type) see(walk, at);
  const hash = contentHash(walk.dir, path, type);
  if (hash === null) {
    see(walk, at);
    refuse(walk, path, "can't be read");
    return;
  }
  if (
    type === 'symlink' &&
    known?.hash !== hash &&
    !leadsInside(path, walk.dir.readLink(path) ?? '')
  ) {
    see(walk, at);
    refuse(walk, path, 'is a link to something outside the workspace');
    return;
  }
  if (known === undefined || known.type !== type) {
    walk.added.push({ path, type, stat, hash });
  } else if (known.hash !== hash || known.stamp?.executable !== stat.executable) {
    walk.modified.push({ path, type, stat, hash });
  } else {
    walk.restamped.push({ ...known, stamp: stampOf(stat, walk.options.nowMs) });
  }
}

function see({ seen }: Walk, known: number): void {
  if (known >= 0) seen[known] = 1;
}

/** Null if it can't be read, or changed while it was. */
function contentHash(dir: WorkDir, path: string, type: NodeType): string | null {
  try {
    if (type === 'symlink') {
      const target = dir.readLink(path);
      return target === null ? null : hashHex('wn/file/1', utf8(target));
    }
    const bytes = dir.read(path);
    return bytes === null ? null : hashHex('wn/file/1', bytes);
  } catch {
    return null; // named as refused; the rest is scanned
  }
}

/**
 * The stamp to remember. A file that changed so lately that a further change could leave
 * the same stamp ("racy Git") gets a time that none has: it is read again next time.
 */
export function stampOf(stat: FileStat, nowMs: number): Stamp {
  const { size, ctimeMs, birthtimeMs, ino, executable } = stat;
  const racy = Math.max(stat.mtimeMs, ctimeMs) >= nowMs - RACY_MS;
  return { size, mtimeMs: racy ? -1 : stat.mtimeMs, ctimeMs, birthtimeMs, ino, executable };
}
