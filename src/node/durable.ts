/**
 * Writing so that it survives a power cut, in absolute paths: whole writes, synced
 * folders, files that appear whole or not at all. A failed sync is told apart from
 * every other failure (`SyncFailed`), because after it nobody knows what the disk
 * holds: the page may be marked clean though it was never written (LSFMM 2018,
 * "PostgreSQL's fsync() surprise"). Leaves out locks and relative paths.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf } from './faults.js';

const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const open = promisify(fs.open);

/** How a file begins its name that a crash may have left half-written. */
export const TEMP_PREFIX = '.wn-tmp-';

export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

export class SyncFailed extends Error {
  constructor(cause: unknown) {
    super('a sync failed', { cause });
    this.name = 'SyncFailed';
  }
}

const failSync = (error: unknown): never => {
  throw new SyncFailed(error);
};

/** Content and length on disk, once resolved. */
export function syncData(fd: number): Promise<void> {
  return fdatasync(fd).catch(failSync);
}

/** The names in a folder on disk, once resolved. Windows has no such call and no need of it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    await fsync(fd).finally(() => fs.closeSync(fd));
  } catch (error) {
    failSync(error);
  }
}

/** The same without leaving the turn; throws the system's own error. */
export function syncFolderSync(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes all of `bytes` at the file's position: a write may take less than it was given. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += fs.writeSync(fd, bytes, done, bytes.byteLength - done);
  }
}

/** Makes one folder, durably; false if something of that name is there. */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  await syncFolder(dirname(folder));
  return true;
}

/** Makes a folder and those above it, if need be. `mkdir -p` of Node hides why it failed. */
export function ensureFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return;
    if (errno !== 'ENOENT' || dirname(folder) === folder) throw error;
    ensureFolder(dirname(folder));
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  }
}

/** The new content under a temporary name beside `path`, synced. */
async function writeTemp(path: string, bytes: Uint8Array): Promise<string> {
  const temp = `${dirname(path)}/${TEMP_PREFIX}${randomBytes(8).toString('hex')}`;
  // Making a name may wait for a sync of another file, and many are made at a time.
  const fd = await open(temp, 'wx', FILE_MODE);
  try {
    writeFully(fd, bytes);
    await fsync(fd).catch(failSync);
  } catch (error) {
    fs.rmSync(temp, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return temp;
}

/** Replaces or makes a file; after a crash it holds the old or the new content whole. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temp = await writeTemp(path, bytes);
  try {
    fs.renameSync(temp, path);
  } catch (error) {
    fs.rmSync(temp, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes a file whole or not at all; false, and nothing changed, if `path` exists. */
export async function createFile(path: string, bytes: Uint8Array): Promise<boolean> {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  const temp = await writeTemp(path, bytes);
  try {
    if (!linkOrRename(temp, path)) return false;
  } finally {
    fs.rmSync(temp, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
}

const NO_HARD_LINKS = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives a finished temporary file its name unless the name is taken. link(2) decides
 * atomically. Where there are no hard links (FAT, Android) the name is looked up and
 * then taken, which is exclusive only among those who hold the repository's lock.
 */
function linkOrRename(temp: string, path: string): boolean {
  try {
    fs.linkSync(temp, path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return false;
    if (errno === undefined || !NO_HARD_LINKS.has(errno)) throw error;
  }
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  fs.renameSync(temp, path);
  return true;
}
