/**
 * One process's view of a simulated disk (`disk.ts`). Its writes are seen at once, as
 * through a page cache, and acknowledged a while later; between the two the process may
 * be killed or the power cut. Leaves out temporary files: they are the real one's own.
 */
import { WnError } from '../../src/core/errors.js';
import type { Path, Storage } from '../../src/core/ports.js';
import { checkPath } from '../../src/node/paths.js';
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

  async read(path: Path, from?: number, to?: number): Promise<Uint8Array | null> {
    const dead = this.#live();
    if (dead !== undefined) await dead;
    return this.readSync(path, from, to);
  }

  readSync(path: Path, from = 0, to = Infinity): Uint8Array | null {
    checkPath(path);
    if (!this.#alive) throw new Error('a dead process reads');
    this.#disk.failIfPlanned('read', path);
    const bytes = this.#disk.bytes(path);
    return bytes === null ? null : bytes.slice(from, Math.max(from, to));
  }

  async size(path: Path): Promise<number | null> {
    checkPath(path);
    const dead = this.#live();
    if (dead !== undefined) await dead;
    return this.#disk.bytes(path)?.byteLength ?? null;
  }

  async list(prefix: Path): Promise<readonly Path[]> {
    if (prefix !== '') checkPath(prefix);
    const dead = this.#live();
    if (dead !== undefined) await dead;
    return this.#disk.paths(prefix);
  }

  append(path: Path, bytes: Uint8Array): Promise<void> {
    return this.appendAll([{ path, bytes }]);
  }

  async appendAll(
    writes: readonly { readonly path: Path; readonly bytes: Uint8Array }[],
  ): Promise<void> {
    for (const { path } of writes) checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    const added = writes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    for (const { path } of writes) this.#disk.checkWrite(path, added);
    const states = writes.map(({ path, bytes }) => {
      const old = this.#disk.bytes(path) ?? new Uint8Array(0);
      return this.#disk.push(path, joined(old, bytes), { mayTear: true });
    });
    await this.#acknowledge(states, writes[0]?.path ?? '');
  }

  async truncate(path: Path, length: number): Promise<void> {
    checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    this.#disk.checkWrite(path, 0);
    const old = this.#disk.bytes(path);
    if (old === null) throw new WnError('unreadable', `there is no '${path}'`);
    const state = this.#disk.push(path, old.slice(0, length));
    await this.#acknowledge([state], path);
  }

  async replace(path: Path, bytes: Uint8Array): Promise<void> {
    checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    this.#disk.checkWrite(path, bytes.byteLength);
    await this.#pause(); // the temporary file is written
    await this.#acknowledge([this.#disk.push(path, bytes.slice())], path);
  }

  async create(path: Path, bytes: Uint8Array): Promise<boolean> {
    checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    if (this.#disk.exists(path)) return false;
    this.#disk.checkWrite(path, bytes.byteLength);
    await this.#pause(); // the temporary file is written
    if (this.#disk.exists(path)) return false;
    await this.#acknowledge([this.#disk.push(path, bytes.slice())], path);
    return true;
  }

  async remove(path: Path): Promise<void> {
    checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    this.#disk.checkWrite(path, 0);
    if (this.#disk.bytes(path) === null) return;
    await this.#acknowledge([this.#disk.push(path, null)], path);
  }

  async lock(path: Path): Promise<(() => void) | null> {
    checkPath(path);
    const dead = this.#writable();
    if (dead !== undefined) await dead;
    return this.#disk.lock(path, this);
  }

  /** A dead process's promises never settle. */
  #live(): Promise<void> | undefined {
    return this.#alive ? undefined : new Promise(() => undefined);
  }

  /** The same, and no more writes after a failed sync. */
  #writable(): Promise<void> | undefined {
    if (this.#poison !== null && this.#alive) throw this.#poison;
    return this.#live();
  }

  async #pause(): Promise<void> {
    await this.#disk.pause();
    const dead = this.#live();
    if (dead !== undefined) await dead;
  }

  async #acknowledge(states: readonly State[], path: Path): Promise<void> {
    await this.#pause();
    try {
      this.#disk.failIfPlanned('sync', path);
    } catch (error) {
      this.#poison = new WnError('failed', 'the disk failed to keep a write', { cause: error });
      throw this.#poison;
    }
    for (const state of states) this.#disk.keep(state);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.byteLength + b.byteLength);
  bytes.set(a);
  bytes.set(b, a.byteLength);
  return bytes;
}
