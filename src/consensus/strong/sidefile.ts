/**
 * A disposable file beside the ledger that only grows: what was written up to the last
 * checkpoint, and behind it what is in memory until the next. Leaves out what is in it.
 */
import { concat } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import type { Path, Storage } from '../../core/ports.js';

export class SideFile {
  private tail: Uint8Array[] = [];
  private tailBytes = 0;

  /** `written`: how many bytes of the file count; what stands behind them is cut. */
  constructor(
    private readonly storage: Storage,
    private readonly path: Path,
    private written: number,
  ) {}

  get size(): number {
    return this.written + this.tailBytes;
  }

  /** What a checkpoint would write. */
  get unwritten(): number {
    return this.tailBytes;
  }

  append(bytes: Uint8Array): void {
    this.tail.push(bytes);
    this.tailBytes += bytes.byteLength;
  }

  /** Bytes [from, to); throws `damage` where the file has lost them. */
  read(from: number, to: number): Uint8Array {
    const end = Math.min(to, this.written);
    const onDisk = from < end ? this.storage.readSync(this.path, from, end) : null;
    if (from < end && onDisk?.byteLength !== end - from) {
      throw new WnError('damage', `${this.path} lost its end. Nothing else was touched.`, {
        hint: `remove ${this.path}: it is made again`,
      });
    }
    if (to <= this.written) return onDisk ?? new Uint8Array(0);
    const inMemory = this.joined().subarray(Math.max(from - this.written, 0), to - this.written);
    return onDisk === null ? inMemory : concat([onDisk, inMemory]);
  }

  /** The appends since the last look as one piece, so that reading is no walk. */
  private joined(): Uint8Array {
    if (this.tail.length > 1) this.tail = [concat(this.tail)];
    return this.tail[0] ?? new Uint8Array(0);
  }

  /** Makes what is in memory durable. */
  async write(): Promise<void> {
    const size = await this.storage.size(this.path);
    if (size !== null && size > this.written) await this.storage.truncate(this.path, this.written);
    if (this.tailBytes === 0) return;
    await this.storage.append(this.path, this.joined());
    this.written += this.tailBytes;
    this.tail = [];
    this.tailBytes = 0;
  }
}
