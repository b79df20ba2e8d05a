/**
 * One process's view of a simulated disk (`disk.ts`). Its writes are seen at once, as
 * through a page cache, and acknowledged a while later; between the two the process may
 * be killed or the power cut. Leaves out temporary files: they are the real one's own.
 */
import { WnError } from '../../src/core/errors.js';
import type { Path, Storage } from '../../src/core/ports.js';
import { checkPath } from '../../src/node/paths.js';
import { diskFault } from './disk.js';
import type { SimDisk, State } from './disk.js';

export class SimStorage implements Storage {
  readonly #disk: SimDisk;
  #alive = true;
  #poison: WnError | null = null;

  /** Use `SimDisk.open`. */
  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  /** What the disk does to the processes that have it open when they die. */
  die(): void {
    this.#alive = false;
  }

  read(path: Path, from?: number, to?: number): Promise<Uint8Array | null> {
    return this.#whileAlive(async () => this.readSync(path, from, to));
  }

  readSync(path: Path, from = 0, to = Infinity): Uint8Array | null {
    checkPath(path);
    if (!this.#alive) throw new Error('a dead process reads');
    this.#disk.failIfPlanned('read', path);
    const bytes = this.#disk.bytes(path);
    return bytes === null ? null : bytes.slice(from, Math.max(from, to));
  }

  size(path: Path): Promise<number | null> {
    return this.#whileAlive(async () => {
      checkPath(path);
      return this.#disk.bytes(path)?.byteLength ?? null;
    });
  }

  list(prefix: Path): Promise<readonly Path[]> {
    return this.#whileAlive(async () => {
      if (prefix !== '') checkPath(prefix);
      return this.#disk.paths(prefix);
    });
  }

  append(path: Path, bytes: Uint8Array): Promise<void> {
    return this.appendAll([{ path, bytes }]);
  }

  appendAll(writes: readonly { readonly path: Path; readonly bytes: Uint8Array }[]): Promise<void> {
    const paths = writes.map(({ path }) => path);
    return this.#write(paths, async () => {
      const added = writes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
      for (const path of paths) this.#disk.checkWrite(path, added);
      const states = writes.map(({ path, bytes }) => {
        const old = this.#disk.bytes(path) ?? new Uint8Array(0);
        return this.#disk.push(path, joined(old, bytes), { mayTear: true });
      });
      await this.#acknowledge(states);
    });
  }

  truncate(path: Path, length: number): Promise<void> {
    return this.#write([path], async () => {
      this.#disk.checkWrite(path, 0);
      const old = this.#disk.bytes(path);
      if (old === null) throw diskFault('ENOENT', path);
      await this.#acknowledge([this.#disk.push(path, old.slice(0, length))]);
    });
  }

  replace(path: Path, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    return this.#write([path], async () => {
      this.#disk.checkWrite(path, copy.byteLength);
      await this.#pause(); // the temporary file is written
      await this.#acknowledge([this.#disk.push(path, copy)]);
    });
  }

  create(path: Path, bytes: Uint8Array): Promise<boolean> {
    const copy = bytes.slice();
    return this.#write([path], async () => {
      if (this.#disk.exists(path)) return false;
      this.#disk.checkWrite(path, copy.byteLength);
      await this.#pause(); // the temporary file is written
      if (this.#disk.exists(path)) return false;
      await this.#acknowledge([this.#disk.push(path, copy)]);
      return true;
    });
  }

  remove(path: Path): Promise<void> {
    return this.#write([path], async () => {
      this.#disk.checkWrite(path, 0);
      if (this.#disk.bytes(path) === null) return;
      await this.#acknowledge([this.#disk.push(path, null)]);
    });
  }

  lock(path: Path): Promise<(() => void) | null> {
    return this.#write([path], async () => this.#disk.lock(path, this));
  }

  /** Runs at once, up to the first wait; a dead process's promises never settle. */
  #whileAlive<T>(run: () => Promise<T>): Promise<T> {
    return this.#alive ? run() : new Promise(() => undefined);
  }

  #write<T>(paths: readonly Path[], run: () => Promise<T>): Promise<T> {
    return this.#whileAlive(async () => {
      for (const path of paths) checkPath(path);
      if (this.#poison !== null) throw this.#poison;
      return run();
    });
  }

  async #pause(): Promise<void> {
    await this.#disk.pause();
    await this.#whileAlive(async () => undefined);
  }

  async #acknowledge(states: readonly State[]): Promise<void> {
    await this.#pause();
    try {
      for (const { path } of states) this.#disk.failIfPlanned('sync', path);
    } catch (error) {
      this.#poison ??= new WnError('failed', 'the disk failed to keep a write', { cause: error });
    }
    if (this.#poison !== null) throw this.#poison;
    for (const state of states) this.#disk.keep(state);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.byteLength + b.byteLength);
  bytes.set(a);
  bytes.set(b, a.byteLength);
  return bytes;
}
