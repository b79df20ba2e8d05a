/**
 * Single steps on one file of the working directory, by absolute path and without ever
 * following a symlink. They throw the system's errors; `workdir.ts` says which path.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { ensureFolder, FILE_MODE, syncFolderSync, TEMP_PREFIX, writeFully } from './durable.js';
import { errnoOf, isMissing } from './faults.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
const PERMISSION_BITS = 0o777;
const READ_BITS = 0o444;
const RUN_BITS = 0o111;

/** What tells one file or folder from another on this machine. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

export function sameFile(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

export function statOf(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A descriptor for reading a regular file; null for anything else. A pipe doesn't block. */
export function openRegular(path: string): number | null {
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (isMissing(error) || errno === 'ELOOP' || errno === 'ENXIO') return null;
    throw error;
  }
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  return null;
}

/** The target as it stands in the file system; null if `path` is no symlink. */
export function readLinkBytes(path: string): Buffer | null {
  try {
    return fs.readlinkSync(path, { encoding: 'buffer' });
  } catch (error) {
    if (isMissing(error) || errnoOf(error) === 'EINVAL') return null;
    throw error;
  }
}

/**
 * The new content beside `target`, synced, with the rights of the file it will replace,
 * or those that a new file gets here. The name is always the same, as one write goes on
 * at a time; what a crash left there goes.
 */
export function writeTemp(
  target: string,
  pieces: Iterable<Uint8Array>,
  old: fs.Stats | null,
  executable = old !== null && (old.mode & RUN_BITS) !== 0,
): string {
  const temp = `${dirname(target)}/${TEMP_PREFIX}write`;
  const fd = openNew(temp, executable ? 0o777 : 0o666);
  try {
    for (const piece of pieces) writeFully(fd, piece);
    if (old !== null) fs.fchmodSync(fd, withRunBits(old.mode, executable));
    fs.fsyncSync(fd);
  } catch (error) {
    fs.rmSync(temp, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return temp;
}

function openNew(path: string, mode: number): number {
  try {
    return fs.openSync(path, 'wx', mode);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  fs.unlinkSync(path);
  return fs.openSync(path, 'wx', mode);
}

/** Whoever may read a file may run it, or nobody. */
export function withRunBits(mode: number, executable: boolean): number {
  const plain = mode & PERMISSION_BITS & ~RUN_BITS;
  return executable ? plain | ((mode & READ_BITS) >> 2) : plain;
}

/**
 * A second name for a file, in a folder that is made if need be, and that name on disk.
 * Where no hard link can be made (another file system, FAT) a copy.
 */
export function linkOrCopy(file: string, link: string): void {
  ensureFolder(dirname(link));
  try {
    fs.linkSync(file, link);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw error;
    copy(file, link);
  }
  syncFolderSync(dirname(link));
}

function copy(file: string, to: string): void {
  fs.copyFileSync(file, to, fs.constants.COPYFILE_EXCL);
  fs.chmodSync(to, FILE_MODE);
  const fd = fs.openSync(to, 'r+');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Changes a name to one that the file system takes for the same. In two steps, as
 * rename(2) of a file onto itself may do nothing. The name between is a visible one:
 * after a crash there the file is found, not lost.
 */
export function respell(from: string, to: string): void {
  const between = `${to}.renamed`;
  if (statOf(between) !== undefined) {
    throw Object.assign(new Error('taken'), { code: 'EEXIST' });
  }
  fs.renameSync(from, between);
  fs.renameSync(between, to);
}
