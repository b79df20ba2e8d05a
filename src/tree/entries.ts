/**
 * The entries of the working directory by path. Those of the snapshot stay packed until
 * somebody asks for one: `status` compares a hundred thousand stamps and needs nothing else
 * of them.
 */
import { assert } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { FileStat } from '../core/ports.js';
import {
  isPackedUntouched,
  isUntouched,
  nodeOfPacked,
  readPacked,
  unpackEntry,
  type TreeEntry,
} from './entry.js';

export class TreeEntries {
  /** An entry, or where it begins in the snapshot. */
  private readonly byPath = new Map<string, TreeEntry | number>();
  private readonly invalid = new Set<string>();
  private packed: Buffer = Buffer.alloc(0);

  get size(): number {
    return this.byPath.size;
  }

  has(path: string): boolean {
    return this.byPath.has(path);
  }

  get(path: string): TreeEntry | undefined {
    const known = this.byPath.get(path);
    if (typeof known !== 'number') return known;
    const unpacked = unpackEntry(this.packed, known);
    assert(unpacked !== null, 'an entry of the snapshot that was there when it was read');
    this.byPath.set(path, unpacked[0]);
    return unpacked[0];
  }

  keys(): IterableIterator<string> {
    return this.byPath.keys();
  }

  *values(): Generator<TreeEntry> {
    for (const path of this.byPath.keys()) {
      const entry = this.get(path);
      if (entry !== undefined) yield entry;
    }
  }

  /** The worknode of each path. */
  *nodes(): Generator<readonly [path: string, node: NodeId]> {
    for (const [path, known] of this.byPath) {
      yield [path, typeof known === 'number' ? nodeOfPacked(this.packed, known) : known.node];
    }
  }

  /** Paths of the entries that are marked as invalid. */
  invalidPaths(): readonly string[] {
    return [...this.invalid];
  }

  /** Whether what is at a path is the very file or link that was last in step. */
  isUntouched(path: string, now: FileStat): boolean {
    const known = this.byPath.get(path);
    if (typeof known === 'number') return isPackedUntouched(this.packed, known, now);
    return known !== undefined && isUntouched(known, now);
  }

  set(path: string, entry: TreeEntry): void {
    this.byPath.set(path, entry);
    if (entry.invalid) this.invalid.add(path);
    else this.invalid.delete(path);
  }

  delete(path: string): void {
    this.byPath.delete(path);
    this.invalid.delete(path);
  }

  /** Takes the packed entry at an offset of the snapshot; where the next begins, null for damage. */
  take(snapshot: Buffer, at: number): number | null {
    const read = readPacked(snapshot, at);
    if (read === null) return null;
    this.packed = snapshot;
    this.byPath.set(read.path, at);
    if (read.invalid) this.invalid.add(read.path);
    return read.next;
  }
}
