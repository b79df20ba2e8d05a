/**
 * The entries of the working directory by path: those of the snapshot, which stay packed
 * until somebody asks for one, and those that were put or removed since.
 *
 * Each has a number, by which a scan notes what it has met: those of the snapshot first,
 * in tree order, then the others as they came.
 */
import type { NodeId } from '../core/ids.js';
import type { NodeType } from '../core/op.js';
import type { FileStat, PackedPaths } from '../core/ports.js';
import { isUntouched, packEntry, type TreeEntry } from './entry.js';
import { joinPath } from './names.js';
import { inTreeOrder, mergePacked, PackedEntries } from './packed.js';

export class TreeEntries {
  private snapshot = PackedEntries.none();
  /** By number in the snapshot: 1 for what was put or removed since. */
  private replaced = new Uint8Array();
  private replacedCount = 0;
  /** What was put since, by number less `snapshot.count`; null for what is gone again. */
  private readonly later: (TreeEntry | null)[] = [];
  private laterCount = 0;
  private readonly laterByPath = new Map<string, number>();
  private readonly invalid = new Set<string>();

  get size(): number {
    return this.snapshot.count - this.replacedCount + this.laterCount;
  }

  /** More than any entry's number. */
  get bound(): number {
    return this.snapshot.count + this.later.length;
  }

  /** Takes the entries of a snapshot for all there are. */
  adopt(snapshot: PackedEntries): void {
    this.snapshot = snapshot;
    this.replaced = new Uint8Array(snapshot.count);
    this.replacedCount = 0;
    this.later.length = this.laterCount = 0;
    this.laterByPath.clear();
    this.invalid.clear();
    for (const path of snapshot.invalid) this.invalid.add(path);
  }

  /** The number of the entry at a path; -1 if there is none. */
  find(path: string): number {
    return this.laterNumber(path) ?? this.kept(this.snapshot.find(path));
  }

  /** The same by the name in a folder: fast for one after the other in tree order. */
  findIn(folder: string, name: string): number {
    const later = this.laterByPath.size > 0 ? this.laterNumber(joinPath(folder, name)) : undefined;
    return later ?? this.kept(this.snapshot.findIn(folder, name));
  }

  private laterNumber(path: string): number | undefined {
    const number = this.laterByPath.get(path);
    return number === undefined || this.putAt(number) !== undefined ? number : -1;
  }

  private kept(number: number): number {
    return this.replaced[number] === 1 ? -1 : number;
  }

  /** Of all entries. */
  *numbers(): Generator<number> {
    for (let number = 0; number < this.snapshot.count; number++) {
      if (this.replaced[number] === 0) yield number;
    }
    for (const number of this.laterByPath.values()) {
      if (this.putAt(number) !== undefined) yield number;
    }
  }

  /** Of the entry with a number that `find` or `numbers` gave. */
  at(number: number): TreeEntry {
    return this.putAt(number) ?? this.snapshot.entry(number);
  }

  pathAt(number: number): string {
    return this.putAt(number)?.path ?? this.snapshot.path(number);
  }

  typeAt(number: number): NodeType {
    return this.putAt(number)?.type ?? this.snapshot.type(number);
  }

  /** Whether this is the very file or link that was last in step. */
  isUntouched(number: number, now: FileStat): boolean {
    const put = this.putAt(number);
    return put === undefined ? this.snapshot.isUntouched(number, now) : isUntouched(put, now);
  }

  private putAt(number: number): TreeEntry | undefined {
    if (number < this.snapshot.count) return undefined; // an index below 0 would be slow
    return this.later[number - this.snapshot.count] ?? undefined;
  }

  has(path: string): boolean {
    return this.find(path) >= 0;
  }

  get(path: string): TreeEntry | undefined {
    const number = this.find(path);
    return number < 0 ? undefined : this.at(number);
  }

  *keys(): Generator<string> {
    for (const number of this.numbers()) yield this.pathAt(number);
  }

  *values(): Generator<TreeEntry> {
    for (const number of this.numbers()) yield this.at(number);
  }

  /** The worknode of each path. */
  *nodes(): Generator<readonly [path: string, node: NodeId]> {
    for (const number of this.numbers()) {
      yield [this.pathAt(number), this.putAt(number)?.node ?? this.snapshot.node(number)];
    }
  }

  /** Paths of the entries that are marked as invalid. */
  invalidPaths(): readonly string[] {
    return [...this.invalid];
  }

  /** Paths of the files among those of the snapshot, by number; an empty one for the rest. */
  filePaths(): PackedPaths {
    return this.snapshot.filePaths();
  }

  set(path: string, entry: TreeEntry): void {
    this.delete(path);
    const number = this.laterByPath.get(path) ?? this.bound;
    this.laterByPath.set(path, number);
    this.later[number - this.snapshot.count] = entry;
    this.laterCount += 1;
    if (entry.invalid) this.invalid.add(path);
  }

  delete(path: string): void {
    const number = this.find(path);
    if (number < 0) return;
    this.invalid.delete(path);
    if (number < this.snapshot.count) {
      this.replaced[number] = 1;
      this.replacedCount += 1;
    } else {
      this.later[number - this.snapshot.count] = null;
      this.laterCount -= 1;
    }
  }

  /** All of them for a snapshot: packed, in tree order. */
  packed(): readonly Buffer[] {
    const kept: Buffer[] = [];
    for (let number = 0; number < this.snapshot.count; number++) {
      if (this.replaced[number] === 0) kept.push(this.snapshot.packed(number));
    }
    const put = this.later.flatMap((entry) => (entry === null ? [] : [packEntry(entry)]));
    return mergePacked(kept, put.sort(inTreeOrder));
  }
}
