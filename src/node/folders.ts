/**
 * The folders of a storage: paths made absolute without crossing a symlink, missing
 * folders made, their names put on disk, their files listed. Leaves out the files'
 * contents.
 */
import * as fs from 'node:fs';
import { WnError } from '../core/errors.js';
import type { Path } from '../core/ports.js';
import { FOLDER_MODE, syncFolder } from './durable.js';
import { errnoOf, isMissing, worldFault } from './faults.js';
import { checkPath, foldersAbove, parentOf } from './paths.js';

export class Folders {
  readonly #root: string;
  /** Folders known to be folders and no symlinks. The root is ours alone: nobody swaps them. */
  readonly #known = new Set<Path>();
  /** Folders whose own name is on disk, or on its way there. */
  readonly #named = new Map<Path, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  absolute(path: Path): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  /** The absolute path of a file, once no folder on the way to it is a symlink. */
  locate(path: Path): string {
    checkPath(path);
    for (const folder of foldersAbove(path)) {
      if (!this.#known.has(folder) && !this.#isFolder(folder)) break;
    }
    return this.absolute(path);
  }

  stat(path: Path): fs.Stats | undefined {
    try {
      return fs.lstatSync(this.absolute(path), { throwIfNoEntry: false });
    } catch (error) {
      throw worldFault(error, path);
    }
  }

  /** Makes the folders above `path` that are missing. Throws the system's errors. */
  make(path: Path): void {
    for (const folder of foldersAbove(path)) {
      if (this.#known.has(folder)) continue;
      try {
        fs.mkdirSync(this.absolute(folder), { mode: FOLDER_MODE });
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
      this.#isFolder(folder); // what was there may be a symlink
    }
  }

  /**
   * Puts the names of the folders above `path` on disk, each once in this storage's
   * life: a folder that we find may be the work of a process that was killed before it
   * came to sync the name.
   */
  async syncNames(path: Path): Promise<void> {
    const names = [...foldersAbove(path)].map((folder) => {
      const synced = this.#named.get(folder) ?? syncFolder(this.absolute(parentOf(folder)));
      this.#named.set(folder, synced);
      return synced;
    });
    await Promise.all(names);
  }

  /** Every regular file below a folder; symlinks are neither followed nor shown. */
  filesBelow(prefix: Path): Path[] {
    if (prefix !== '') {
      this.locate(prefix);
      if (!this.#isFolder(prefix)) return [];
    }
    const found: Path[] = [];
    const unread = [prefix];
    for (let folder = unread.pop(); folder !== undefined; folder = unread.pop()) {
      for (const entry of this.#entries(folder)) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) unread.push(path);
        else if (entry.isFile()) found.push(path);
      }
    }
    return found;
  }

  #isFolder(path: Path): boolean {
    const stat = this.stat(path);
    if (stat?.isSymbolicLink() === true) {
      throw new WnError('unsafe_mode', `'${path}' is a symlink, which isn't followed`, {
        hint: 'put the folder itself in the place of the symlink',
      });
    }
    if (stat?.isDirectory() !== true) return false;
    this.#known.add(path);
    return true;
  }

  #entries(folder: Path): readonly fs.Dirent[] {
    try {
      return fs.readdirSync(this.absolute(folder), { withFileTypes: true });
    } catch (error) {
      if (isMissing(error)) return [];
      throw worldFault(error, folder);
    }
  }
}
