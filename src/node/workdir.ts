/**
 * The user's files on a real disk. Node has no openat(2), so a path is checked part by
 * part, and again right before a rename: whoever may write in the folder can still race
 * that last step. Leaves out what the files mean and which names the tree may use.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { assert, WnError } from '../core/errors.js';
import { WORKDIR_FILE_BYTES_MAX } from '../core/limits.js';
import type { DirEntry, FileStat, LookAhead, PackedPaths, Path, WorkDir } from '../core/ports.js';
import { syncFolderSync, TEMP_PREFIX } from './durable.js';
import { entriesOf, toFileStat } from './entries.js';
import { errnoOf, isMissing, worldFault } from './faults.js';
import { startLookAhead, threadsFor } from './lookahead.js';
import { checkName, checkPath, foldersAbove, parentOf } from './paths.js';
import { readRange } from './readrange.js';
import { probeTraits } from './traits.js';
import type { Traits } from './traits.js';
import * as workfile from './workfile.js';

/**
 * The working directory `root`. `savedRoot` is the repository's storage, where `saveAs`
 * leads. Opening touches nothing.
 */
export function openWorkDir(root: string, options: { readonly savedRoot?: string } = {}): WorkDir {
  return new DiskWorkDir(root, options.savedRoot ?? null);
}

class DiskWorkDir implements WorkDir {
  readonly #root: string;
  readonly #savedRoot: string | null;
  readonly #checked = new Set<Path>();
  #traits: Traits | null = null;

  constructor(root: string, savedRoot: string | null) {
    this.#root = root;
    this.#savedRoot = savedRoot;
  }

  /** Probed in the storage if that is on the same file system, where nobody watches. */
  get traits(): Traits {
    if (this.#traits === null) {
      const saved = this.#savedRoot === null ? undefined : workfile.statOf(this.#savedRoot);
      const here = workfile.statOf(this.#root);
      const sameDisk = saved !== undefined && saved.dev === here?.dev;
      this.#traits = probeTraits(sameDisk ? (this.#savedRoot ?? this.#root) : this.#root);
    }
    return this.#traits;
  }

  list(path: Path): readonly DirEntry[] | null {
    if (this.stat(path)?.kind !== 'folder') return null;
    this.#remember(path);
    try {
      return entriesOf(this.#absolute(path));
    } catch (error) {
      if (isMissing(error)) return null;
      throw worldFault(error, path);
    }
  }

  stat(path: Path): FileStat | null {
    return this.#look(path, (absolute) => {
      const stat = workfile.statOf(absolute);
      return stat === undefined ? null : toFileStat(stat);
    });
  }

  read(path: Path): Uint8Array | null {
    return this.#look(path, (absolute) => {
      const fd = workfile.openRegular(absolute);
      if (fd === null) return null;
      try {
        const { size } = fs.fstatSync(fd);
        if (size > WORKDIR_FILE_BYTES_MAX) throw tooLarge(path, size);
        return readRange(fd, 0, WORKDIR_FILE_BYTES_MAX);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  readLink(path: Path): string | null {
    return this.#look(path, (absolute) => {
      const target = workfile.readLinkBytes(absolute);
      if (target === null) return null;
      const text = target.toString('utf8');
      if (Buffer.from(text, 'utf8').equals(target)) return text;
      throw new WnError('unreadable', `the target of the symlink '${path}' isn't UTF-8`);
    });
  }

  lookAhead(paths: PackedPaths): LookAhead | null {
    const threads = threadsFor(paths.ends.length);
    return threads === 0 ? null : startLookAhead(this.#root, paths, threads);
  }

  write(
    path: Path,
    content: Uint8Array | Iterable<Uint8Array>,
    options: { executable?: boolean; saveAs?: Path } = {},
  ): FileStat {
    this.#change(path, (target) => {
      this.#makeFolders(path);
      const old = workfile.statOf(target);
      if (old?.isDirectory() === true) throw taken(path);
      const regular = old?.isFile() === true ? old : null;
      const folder = workfile.statOf(dirname(target));
      const temp = workfile.writeTemp(target, piecesOf(content), regular, options.executable);
      try {
        if (regular !== null) this.#save(path, target, regular, options.saveAs);
        this.#expectFolder(path, folder);
        fs.renameSync(temp, target);
      } catch (error) {
        fs.rmSync(temp, { force: true });
        throw error;
      }
      syncFolderSync(dirname(target));
    });
    return this.#made(path);
  }

  setExecutable(path: Path, executable: boolean): FileStat {
    this.#change(path, (target) => {
      const fd = workfile.openRegular(target);
      if (fd === null) throw new WnError('not_found', `there is no file '${path}'`);
      try {
        fs.fchmodSync(fd, workfile.withRunBits(fs.fstatSync(fd).mode, executable));
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
    return this.#made(path);
  }

  symlink(path: Path, target: string): FileStat {
    this.#change(path, (absolute) => {
      this.#makeFolders(path);
      fs.symlinkSync(target, absolute);
      syncFolderSync(dirname(absolute));
    });
    return this.#made(path);
  }

  makeFolder(path: Path): void {
    this.#change(path, () => this.#makeFolders(`${path}/.`));
  }

  rename(from: Path, to: Path): FileStat {
    this.#change(from, (source) => {
      const target = this.#locate(to);
      const moving = workfile.statOf(source);
      if (moving === undefined) throw new WnError('not_found', `there is no '${from}'`);
      this.#makeFolders(to);
      const there = workfile.statOf(target);
      const respelled = workfile.sameFile(moving, there) && this.#fold(from) === this.#fold(to);
      if (there !== undefined && !respelled) throw taken(to);
      if (respelled) workfile.respell(source, target);
      else fs.renameSync(source, target);
      syncFolderSync(dirname(target));
      if (parentOf(from) !== parentOf(to)) syncFolderSync(dirname(source));
    });
    return this.#made(to);
  }

  remove(path: Path, options: { saveAs?: Path } = {}): void {
    this.#change(path, (target) => {
      const old = workfile.statOf(target);
      if (old === undefined) return;
      if (old.isDirectory()) throw new WnError('invalid', `'${path}' is a folder, not a file`);
      if (old.isFile()) this.#save(path, target, old, options.saveAs);
      fs.unlinkSync(target);
      syncFolderSync(dirname(target));
    });
  }

  removeFolder(path: Path): boolean {
    return this.#change(path, (folder) => {
      const stat = workfile.statOf(folder);
      if (stat === undefined) return true;
      if (!stat.isDirectory()) throw new WnError('invalid', `'${path}' is not a folder`);
      const names = fs.readdirSync(folder);
      if (names.some((name) => !name.startsWith(TEMP_PREFIX))) return false;
      for (const leftover of names) fs.unlinkSync(`${folder}/${leftover}`);
      fs.rmdirSync(folder);
      syncFolderSync(dirname(folder));
      return true;
    });
  }

  #absolute(path: Path): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  /** Runs a look at `path`; null where a folder on the way is missing. */
  #look<T>(path: Path, run: (absolute: string) => T | null): T | null {
    try {
      if (path !== '' && !this.#reachable(path)) return null;
      return run(this.#absolute(path));
    } catch (error) {
      throw worldFault(error, path);
    }
  }

  /** Runs a change at `path`, its folders looked at anew. */
  #change<T>(path: Path, run: (absolute: string) => T): T {
    try {
      return run(this.#locate(path));
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw taken(path);
      throw worldFault(error, path);
    } finally {
      this.#checked.clear();
    }
  }

  #locate(path: Path): string {
    this.#checked.clear();
    this.#reachable(path);
    return this.#absolute(path);
  }

  /** False if a folder above `path` is missing; throws if one is a symlink. */
  #reachable(path: Path): boolean {
    const parent = parentOf(path);
    if (this.#checked.has(parent)) {
      checkName(path, parent);
      return true;
    }
    checkPath(path);
    for (const folder of foldersAbove(path)) {
      if (this.#checked.has(folder)) continue;
      const stat = workfile.statOf(this.#absolute(folder));
      if (stat?.isSymbolicLink() === true) throw behindSymlink(path, folder);
      if (stat?.isDirectory() !== true) return false;
      this.#remember(folder);
    }
    return true;
  }

  /**
   * A folder that was looked at need not be looked at again for each of its files, for
   * as long as nothing but us can run in this process: until the turn ends, or we
   * change something.
   */
  #remember(folder: Path): void {
    if (this.#checked.size === 0) queueMicrotask(() => this.#checked.clear());
    this.#checked.add(folder);
  }

  #makeFolders(path: Path): void {
    for (const folder of foldersAbove(path)) {
      const absolute = this.#absolute(folder);
      const stat = workfile.statOf(absolute);
      if (stat?.isSymbolicLink() === true) throw behindSymlink(path, folder);
      if (stat?.isDirectory() === true) continue;
      if (stat !== undefined) throw taken(folder);
      fs.mkdirSync(absolute);
      syncFolderSync(dirname(absolute));
    }
  }

  /** Throws unless the folder of `path` is still the one that the new content was put in. */
  #expectFolder(path: Path, folder: fs.Stats | undefined): void {
    this.#locate(path);
    if (workfile.sameFile(folder, workfile.statOf(this.#absolute(parentOf(path))))) return;
    throw new WnError('busy', `the folder of '${path}' was replaced just now; it was left alone`, {
      hint: 'run the command again',
    });
  }

  /** Keeps what is about to go, and makes sure that it is what goes. */
  #save(path: Path, target: string, old: fs.Stats, saveAs: Path | undefined): void {
    if (saveAs === undefined) return;
    assert(this.#savedRoot !== null, 'saveAs without a storage');
    checkPath(saveAs);
    try {
      workfile.linkOrCopy(target, `${this.#savedRoot}/${saveAs}`);
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? taken(saveAs) : worldFault(error, saveAs);
    }
    if (workfile.sameFile(old, workfile.statOf(target))) return;
    throw new WnError('busy', `'${path}' was replaced by another program just now; it is kept`, {
      hint: 'run the command again',
    });
  }

  #fold(path: Path): string {
    const { caseInsensitive, normalises } = this.traits;
    const normal = normalises ? path.normalize('NFC') : path;
    return caseInsensitive ? normal.toLowerCase() : normal;
  }

  #made(path: Path): FileStat {
    const stat = this.stat(path);
    if (stat !== null) return stat;
    throw new WnError('busy', `'${path}' was removed by another program as it was written`, {
      hint: 'run the command again',
    });
  }
}

function piecesOf(content: Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  return content instanceof Uint8Array ? [content] : content;
}

function taken(path: Path): WnError {
  return new WnError('exists', `there is something at '${path}' already; it was left as it is`);
}

function tooLarge(path: Path, size: number): WnError {
  const message = `'${path}' has ${size} bytes; a file may have ${WORKDIR_FILE_BYTES_MAX}`;
  return new WnError('too_large', message, { hint: 'list it in .wnignore' });
}

function behindSymlink(path: Path, folder: Path): WnError {
  return new WnError('unreadable', `'${path}' is behind the symlink '${folder}': not followed`);
}
