/**
 * The entries of a snapshot as they stand there, found by path without being unpacked:
 * most commands need a hundred thousand stamps and nothing else of them. They are
 * numbered in tree order: each folder, then what is in it, siblings by the bytes of their
 * names, which is how a scan meets them. Leaves out what has changed since (`entries`).
 */
import { assert } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { NodeType } from '../core/op.js';
import type { FileStat, PackedPaths } from '../core/ports.js';
import {
  isPackedInvalid,
  isPackedUntouched,
  packedEnd,
  packedNode,
  packedPath,
  packedPathEnd,
  packedPathStart,
  packedType,
  unpackEntry,
  type TreeEntry,
} from './entry.js';
import { joinPath } from './names.js';

const SLASH = 0x2f;
const ASCII_MAX = 0x7f;
/** Offsets are kept in 32 bits. */
const SNAPSHOT_BYTES_MAX = 2 ** 32 - 1;
/** A JavaScript string's code unit has at most so many bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

export class PackedEntries {
  private readonly view: DataView;
  private readonly unpacked = new Map<number, TreeEntry>();
  private sought = Buffer.alloc(1_024);
  /** The one after this is mostly the next that is asked for. */
  private lastFound = -1;

  private constructor(
    private readonly bytes: Buffer,
    private readonly offsets: Uint32Array,
    /** Paths of those marked as invalid. */
    readonly invalid: readonly string[],
    /** They stand in tree order; early versions wrote them as they came. */
    readonly inOrder: boolean,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static none(): PackedEntries {
    return new PackedEntries(Buffer.alloc(0), new Uint32Array(), [], true);
  }

  /** The `count` entries that fill `bytes` from one offset to another; null if they don't. */
  static read(bytes: Buffer, from: number, to: number, count: number): PackedEntries | null {
    if (bytes.length > SNAPSHOT_BYTES_MAX || count > to - from) return null;
    const offsets = new Uint32Array(count);
    const invalid: string[] = [];
    let inOrder = true;
    let at = from;
    for (let number = 0; number < count; number++) {
      const end = packedEnd(bytes, at);
      if (end === null || end > to) return null;
      offsets[number] = at;
      if (isPackedInvalid(bytes, at)) invalid.push(packedPath(bytes, at));
      if (inOrder && number > 0) inOrder = compare(bytes, offsets[number - 1] ?? 0, bytes, at) < 0;
      at = end;
    }
    if (at !== to) return null;
    if (!inOrder) {
      offsets.set([...offsets].sort((a, b) => compare(bytes, a, bytes, b)));
      for (let number = 1; number < count; number++) {
        const [before = 0, here = 0] = offsets.subarray(number - 1);
        if (compare(bytes, before, bytes, here) === 0) return null;
      }
    }
    return new PackedEntries(bytes, offsets, invalid, inOrder);
  }

  get count(): number {
    return this.offsets.length;
  }

  /** The number of the entry with a name in a folder ('' is the root); -1 if there is none. */
  findIn(folder: string, name: string): number {
    return this.isNext(folder, name) ? ++this.lastFound : this.find(joinPath(folder, name));
  }

  /** Whether it is the one after the last that was found; false where that takes decoding. */
  private isNext(folder: string, name: string): boolean {
    const at = this.offsets[this.lastFound + 1];
    if (at === undefined) return false;
    const from = packedPathStart(at);
    const end = packedPathEnd(this.bytes, at);
    const nameFrom = end - name.length;
    if (!isAscii(this.bytes, nameFrom, name)) return false;
    if (folder === '') return nameFrom === from;
    if (nameFrom - 1 - from !== folder.length) return false;
    return this.bytes[nameFrom - 1] === SLASH && isAscii(this.bytes, from, folder);
  }

  /** The number of the entry at a path; -1 if there is none. */
  find(path: string): number {
    if (this.sought.length < path.length * UTF8_BYTES_PER_UNIT_MAX) {
      this.sought = Buffer.alloc(path.length * UTF8_BYTES_PER_UNIT_MAX);
    }
    const length = this.sought.write(path);
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.compareSought(length, middle);
      if (order === 0) return (this.lastFound = middle);
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    return -1;
  }

  private compareSought(length: number, number: number): number {
    const { bytes, sought } = this;
    const at = this.offset(number);
    return comparePaths(sought, 0, length, bytes, packedPathStart(at), packedPathEnd(bytes, at));
  }

  private offset(number: number): number {
    const at = this.offsets[number];
    assert(at !== undefined, 'a number of an entry of the snapshot');
    return at;
  }

  /** Unpacked at first use: the same object each time. */
  entry(number: number): TreeEntry {
    const known = this.unpacked.get(number);
    if (known !== undefined) return known;
    const unpacked = unpackEntry(this.bytes, this.offset(number));
    assert(unpacked !== null, 'an entry of the snapshot that was there when it was read');
    this.unpacked.set(number, unpacked[0]);
    return unpacked[0];
  }

  path(number: number): string {
    return packedPath(this.bytes, this.offset(number));
  }

  node(number: number): NodeId {
    return packedNode(this.bytes, this.offset(number));
  }

  type(number: number): NodeType {
    return packedType(this.bytes, this.offset(number));
  }

  isUntouched(number: number, now: FileStat): boolean {
    return isPackedUntouched(this.view, this.offset(number), now);
  }

  /** As it stands in the snapshot. */
  packed(number: number): Buffer {
    const at = this.offset(number);
    return this.bytes.subarray(at, packedEnd(this.bytes, at) ?? at);
  }

  /** By number, in memory that threads can share; an empty one for what is no file. */
  filePaths(): PackedPaths {
    const ends = new Uint32Array(new SharedArrayBuffer(4 * this.count));
    let length = 0;
    for (let number = 0; number < this.count; number++) {
      const at = this.offset(number);
      if (packedType(this.bytes, at) !== 'folder') {
        length += packedPathEnd(this.bytes, at) - packedPathStart(at);
      }
      ends[number] = length;
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(length));
    for (let number = 0, to = 0; number < this.count; number++) {
      const end = ends[number] as number;
      // Byte by byte: for so few, a call of `set` takes five times as long.
      for (let from = packedPathStart(this.offset(number)); to < end; from++, to++) {
        bytes[to] = this.bytes[from] as number;
      }
    }
    return { bytes, ends };
  }
}

/** Entries of both, each packed and in tree order, as one such list. */
export function mergePacked(a: readonly Buffer[], b: readonly Buffer[]): readonly Buffer[] {
  const merged: Buffer[] = [];
  let at = 0;
  for (const packed of a) {
    for (let next = b[at]; next !== undefined && inTreeOrder(next, packed) < 0; next = b[++at]) {
      merged.push(next);
    }
    merged.push(packed);
  }
  return [...merged, ...b.slice(at)];
}

/** For sorting packed entries. */
export function inTreeOrder(a: Buffer, b: Buffer): number {
  return compare(a, 0, b, 0);
}

/** Of two packed entries. */
function compare(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  return comparePaths(
    a,
    packedPathStart(aAt),
    packedPathEnd(a, aAt),
    b,
    packedPathStart(bAt),
    packedPathEnd(b, bAt),
  );
}

/** Whether `text` is ASCII and stands in `bytes` at `from`. */
function isAscii(bytes: Buffer, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > ASCII_MAX || code !== bytes[from + at]) return false;
  }
  return true;
}

/** By bytes, but a slash comes before all else: `a`, `a/b`, `a.b`. */
function comparePaths(
  a: Buffer,
  aFrom: number,
  aEnd: number,
  b: Buffer,
  bFrom: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aFrom, bEnd - bFrom);
  for (let at = 0; at < length; at++) {
    const left = a[aFrom + at] as number;
    const right = b[bFrom + at] as number;
    if (left === right) continue;
    if (left === SLASH) return -1;
    return right === SLASH ? 1 : left - right;
  }
  return aEnd - aFrom - (bEnd - bFrom);
}
