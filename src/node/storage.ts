/**
 * The repository's own files on a real disk. Small reads and writes go straight to the
 * page cache (a trip through the thread pool costs ten times as much); only syncs are
 * awaited. Leaves out whether the folder may be trusted (`root.ts`) and what the files
 * mean (`repo`).
 */
import * as fs from 'node:fs';
import { WnError } from '../core/errors.js';
import type { Path, Storage } from '../core/ports.js';
import * as durable from './durable.js';
import { isMissing, worldFault } from './faults.js';
import { Folders } from './folders.js';
import { tryLock } from './lock.js';
import { OpenFiles } from './openfiles.js';
import type { OpenFile } from './openfiles.js';
import { parentOf } from './paths.js';
import { readRange } from './readrange.js';
import { checkOwner, checkRoot } from './root.js';

export interface NodeStorage extends Storage {
  /**
   * Removes what a crash left half-written and returns how many files that were. Only
   * for the holder of the repository's lock: another's unfinished file looks the same.
   */
  sweep(): Promise<number>;
  /** Closes the files kept open for appending; nothing is lost without it. */
  close(): void;
}

/**
 * The storage in `root`, which must be a folder that `checkRoot` accepts. Opening
 * writes nothing, so that it works on a full or read-only disk.
 */
export function openStorage(root: string): NodeStorage {
  checkRoot(root);
  return new DiskStorage(root);
}

interface Write {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

/** An append in the page cache, and how long the file was before. */
interface Written {
  readonly file: OpenFile;
  readonly length: number;
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

class DiskStorage implements NodeStorage {
  readonly #root: string;
  readonly #folders: Folders;
  readonly #files = new OpenFiles();
  #poison: WnError | null = null;

  constructor(root: string) {
    this.#root = root;
    this.#folders = new Folders(root);
  }

  async read(path: Path, from?: number, to?: number): Promise<Uint8Array | null> {
    return this.readSync(path, from, to);
  }

  readSync(path: Path, from = 0, to = Infinity): Uint8Array | null {
    const file = this.#folders.locate(path);
    try {
      const fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        return readRange(fd, from, to);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      if (isMissing(error)) return null;
      throw worldFault(error, path);
    }
  }

  async size(path: Path): Promise<number | null> {
    this.#folders.locate(path);
    const stat = this.#folders.stat(path);
    return stat?.isFile() === true ? stat.size : null;
  }

  async list(prefix: Path): Promise<readonly Path[]> {
    return this.#folders
      .filesBelow(prefix)
      .filter((path) => !isTemp(path))
      .sort();
  }

  append(path: Path, bytes: Uint8Array): Promise<void> {
    return this.appendAll([{ path, bytes }]);
  }

  async appendAll(writes: readonly Write[]): Promise<void> {
    const written = this.#writeAll(writes);
    const files = new Set(written.map(({ file }) => file));
    const synced = await Promise.allSettled(
      [...files].flatMap((file) => [durable.syncData(file.fd), this.#syncNames(file)]),
    );
    for (const { file } of written) this.#files.unpin(file);
    for (const each of synced) if (each.status === 'rejected') this.#poisonedBy(each.reason);
    // A failed sync is told to one of those who wait for it, not to all.
    this.#refusePoisoned();
  }

  async truncate(path: Path, length: number): Promise<void> {
    await this.#change(path, async (file) => {
      const fd = fs.openSync(file, O_WRONLY | O_NOFOLLOW);
      try {
        if (fs.fstatSync(fd).size > length) fs.ftruncateSync(fd, length);
        await durable.syncData(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  async replace(path: Path, bytes: Uint8Array): Promise<void> {
    await this.#change(path, async (file) => {
      this.#folders.make(path);
      await Promise.all([durable.replaceFile(file, bytes), this.#folders.syncNames(path)]);
    });
  }

  async create(path: Path, bytes: Uint8Array): Promise<boolean> {
    return this.#change(path, async (file) => {
      this.#folders.make(path);
      const [made] = await Promise.all([
        durable.createFile(file, bytes),
        this.#folders.syncNames(path),
      ]);
      return made;
    });
  }

  async remove(path: Path): Promise<void> {
    await this.#change(path, async (file) => {
      try {
        fs.unlinkSync(file);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await durable.syncFolder(this.#folders.absolute(parentOf(path)));
    });
  }

  async lock(path: Path): Promise<(() => void) | null> {
    return this.#change(path, async (file) => {
      checkOwner(this.#root);
      this.#folders.make(path);
      return tryLock(file);
    });
  }

  async sweep(): Promise<number> {
    const leftovers = this.#folders.filesBelow('').filter(isTemp);
    for (const path of leftovers) await this.remove(path);
    return leftovers.length;
  }

  close(): void {
    this.#files.closeAll();
  }

  /** All appends in the page cache, in order; taken back if one of them fails. */
  #writeAll(writes: readonly Write[]): readonly Written[] {
    for (const { path } of writes) this.#folders.locate(path);
    this.#refusePoisoned();
    const written: Written[] = [];
    for (const { path, bytes } of writes) {
      try {
        const file = this.#openForAppend(path);
        written.push({ file, length: fs.fstatSync(file.fd).size });
        durable.writeFully(file.fd, bytes);
      } catch (error) {
        this.#takeBack(written);
        throw worldFault(error, path);
      }
    }
    return written;
  }

  /**
   * Cuts off what a failed append wrote: a torn frame in the middle of a log would be
   * taken for damage. Where that fails too, nothing may be written behind it.
   */
  #takeBack(written: readonly Written[]): void {
    for (const { file, length } of [...written].reverse()) {
      try {
        fs.ftruncateSync(file.fd, length);
      } catch (error) {
        this.#poisonedBy(error);
      }
      this.#files.unpin(file);
    }
  }

  #openForAppend(path: Path): OpenFile {
    const absolute = this.#folders.absolute(path);
    const open = this.#files.take(path, absolute);
    if (open !== null) return open;
    this.#folders.make(path);
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    const fd = fs.openSync(absolute, flags, durable.FILE_MODE);
    const stat = fs.fstatSync(fd);
    if (stat.isFile()) return this.#files.add(path, fd, stat);
    fs.closeSync(fd);
    throw new WnError('unreadable', `'${path}' is not a regular file`);
  }

  /** Runs a change that ends with a sync, with every failure told as ours. */
  async #change<T>(path: Path, run: (file: string) => Promise<T>): Promise<T> {
    const file = this.#folders.locate(path);
    this.#refusePoisoned();
    try {
      const result = await run(file);
      this.#refusePoisoned();
      return result;
    } catch (error) {
      if (error instanceof durable.SyncFailed) throw this.#poisonedBy(error);
      throw worldFault(error, path);
    }
  }

  #refusePoisoned(): void {
    if (this.#poison !== null) throw this.#poison;
  }

  /** After a failed sync nobody knows what the disk holds, so this storage writes no more. */
  #poisonedBy(error: unknown): WnError {
    this.#poison ??= new WnError(
      'failed',
      'the disk failed to keep a write; all that was acknowledged before is kept, ' +
        'and this process writes nothing more',
      { hint: 'check the disk, then run `wn fsck`', cause: error },
    );
    return this.#poison;
  }

  /** Puts a file's name on disk, and those of its folders. */
  #syncNames(file: OpenFile): Promise<unknown> {
    file.named ??= durable.syncFolder(this.#folders.absolute(parentOf(file.path)));
    return Promise.all([file.named, this.#folders.syncNames(file.path)]);
  }
}

function isTemp(path: Path): boolean {
  return path.startsWith(durable.TEMP_PREFIX, path.lastIndexOf('/') + 1);
}
