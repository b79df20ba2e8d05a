/**
 * What stands in a folder and what `lstat` says, in the program's own shapes. Written
 * for 100,000 files at a time.
 */
import { isUtf8 } from 'node:buffer';
import * as fs from 'node:fs';
import type { DirEntry, FileKind, FileStat } from '../core/ports.js';
import { TEMP_PREFIX } from './durable.js';

const { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } = fs.constants;
const OWNER_MAY_RUN = 0o100;

/** What is needed of `fs.Stats`. */
export type StatPart = Pick<
  fs.Stats,
  'mode' | 'size' | 'mtimeMs' | 'ctimeMs' | 'birthtimeMs' | 'ino'
>;

export function toFileStat(stat: StatPart): FileStat {
  return {
    kind: kindOfMode(stat.mode),
    size: stat.size,
    mtimeMs: stat.mtimeMs,
    ctimeMs: stat.ctimeMs,
    birthtimeMs: stat.birthtimeMs,
    ino: stat.ino,
    executable: (stat.mode & OWNER_MAY_RUN) !== 0,
  };
}

function kindOfMode(mode: number): FileKind {
  const type = mode & S_IFMT;
  if (type === S_IFREG) return 'file';
  if (type === S_IFDIR) return 'folder';
  return type === S_IFLNK ? 'symlink' : 'other';
}

/** Entries of a folder without what a crash left of ours. Throws the system's errors. */
export function entriesOf(folder: string): readonly DirEntry[] {
  const found: DirEntry[] = [];
  let undecoded = false;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(TEMP_PREFIX)) continue;
    if (entry.name.includes('\uFFFD')) undecoded = true;
    found.push({ name: entry.name, kind: kindOfEntry(entry) });
  }
  return undecoded ? entriesByBytes(folder) : found;
}

function kindOfEntry(entry: fs.Dirent): FileKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}

/** The slow way, where a U+FFFD may stand for bytes that are no UTF-8. */
function entriesByBytes(folder: string): readonly DirEntry[] {
  const found = new Map<string, FileKind>();
  const foreign: Buffer[] = [];
  for (const bytes of fs.readdirSync(folder, { encoding: 'buffer' })) {
    if (!isUtf8(bytes)) {
      foreign.push(bytes);
      continue;
    }
    const name = bytes.toString('utf8');
    const stat = fs.lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
    if (stat !== undefined && !name.startsWith(TEMP_PREFIX)) found.set(name, kindOfMode(stat.mode));
  }
  for (const bytes of foreign) found.set(escapedName(bytes, found), 'other');
  return [...found].map(([name, kind]) => ({ name, kind }));
}

/** `caf\xe9`: bytes beyond ASCII spelled out; longer where a file really has that name. */
function escapedName(bytes: Buffer, taken: ReadonlyMap<string, FileKind>): string {
  let name = bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  while (taken.has(name)) name += '\\';
  return name;
}
