/**
 * A storage in memory for the tests of the log store, with one planned crash: the n-th
 * change does nothing, half of itself, or all, and never returns. Leaves out time,
 * locks and syncs.
 */
import type { Path, Storage } from '../../../src/core/ports.js';

export class Crash extends Error {}

/** What the change that the crash interrupts leaves behind. */
export type Tear = 'nothing' | 'half' | 'zeros' | 'all';
export const TEARS: readonly Tear[] = ['nothing', 'half', 'zeros', 'all'];

export class MemoryStorage implements Storage {
  changes = 0;
  reads = 0;
  private crashAt = Infinity;
  private tear: Tear = 'nothing';

  constructor(readonly files = new Map<Path, Uint8Array>()) {}

  copy(): MemoryStorage {
    return new MemoryStorage(new Map(this.files));
  }

  /** The `n`-th change from now on crashes (1: the next). */
  crashIn(n: number, tear: Tear): void {
    this.crashAt = this.changes + n;
    this.tear = tear;
  }

  bytes(path: Path): Buffer {
    const found = this.files.get(path);
    if (found === undefined) throw new Error(`no file ${path}`);
    return Buffer.from(found);
  }

  readSync(path: Path, from = 0, to = Infinity): Uint8Array | null {
    this.reads += 1;
    return this.files.get(path)?.slice(from, to) ?? null;
  }

  read(path: Path, from?: number, to?: number): Promise<Uint8Array | null> {
    return Promise.resolve(this.readSync(path, from, to));
  }

  size(path: Path): Promise<number | null> {
    return Promise.resolve(this.files.get(path)?.byteLength ?? null);
  }

  list(prefix: Path): Promise<readonly Path[]> {
    const paths = [...this.files.keys()].filter((path) => path.startsWith(`${prefix}/`));
    return Promise.resolve(paths.sort());
  }

  append(path: Path, bytes: Uint8Array): Promise<void> {
    return this.appendAll([{ path, bytes }]);
  }

  /** Each write of one call is torn on its own. */
  appendAll(writes: readonly { readonly path: Path; readonly bytes: Uint8Array }[]): Promise<void> {
    return this.change((whole) => {
      for (const { path, bytes } of writes) {
        const part = whole ? bytes : torn(bytes, this.tear);
        this.files.set(path, Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), part]));
      }
    });
  }

  truncate(path: Path, length: number): Promise<void> {
    return this.change((whole) => {
      if (whole) this.files.set(path, this.bytes(path).subarray(0, length));
    });
  }

  replace(path: Path, bytes: Uint8Array): Promise<void> {
    return this.change((whole) => {
      if (whole) this.files.set(path, Uint8Array.from(bytes));
    });
  }

  create(path: Path, bytes: Uint8Array): Promise<boolean> {
    if (this.files.has(path)) return Promise.resolve(false);
    return this.replace(path, bytes).then(() => true);
  }

  remove(path: Path): Promise<void> {
    return this.change((whole) => {
      if (whole) this.files.delete(path);
    });
  }

  lock(): Promise<() => void> {
    return Promise.resolve(() => undefined);
  }

  private change(apply: (whole: boolean) => void): Promise<void> {
    this.changes += 1;
    if (this.changes < this.crashAt) {
      apply(true);
      return Promise.resolve();
    }
    if (this.changes === this.crashAt) apply(this.tear === 'all');
    return Promise.reject(new Crash(`crash at change ${this.changes}, ${this.tear} left`));
  }
}

function torn(bytes: Uint8Array, tear: Tear): Uint8Array {
  const half = bytes.subarray(0, Math.floor(bytes.byteLength / 2));
  if (tear === 'half') return half;
  return tear === 'zeros' ? new Uint8Array(bytes.byteLength) : new Uint8Array(0);
}
