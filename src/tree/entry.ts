/**
 * One path of the working directory as it was when last in step, and how that is packed:
 * every command reads all of them, so they are packed for speed. Leaves out the files
 * that hold them (`state`).
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import {
  asArray,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import type { NodeId } from '../core/ids.js';
import type { NodeType } from '../core/op.js';
import type { FileStat } from '../core/ports.js';
import type { Head } from '../crdt/text/op.js';
import type { Eol, TextForm } from './eol.js';
import type { Crdt, Field, FieldShown, FieldValue } from './field.js';

/** What must be equal for a file to count as untouched. */
export type Stamp = Pick<
  FileStat,
  'size' | 'mtimeMs' | 'ctimeMs' | 'birthtimeMs' | 'ino' | 'executable'
>;

/** The document version that was on disk, and the fields that were laid over it. */
export interface Base {
  readonly heads: readonly Head[];
  readonly fields: ReadonlyMap<string, FieldShown>;
  readonly form: TextForm;
  /** Whether heads, fields and form say what the file held; not where ops of the document were dead. */
  readonly exact: boolean;
}

export interface TreeEntry {
  readonly path: string;
  readonly node: NodeId;
  readonly type: NodeType;
  /** Null for folders, and where the file has to be looked at again. */
  readonly stamp: Stamp | null;
  /** Tagged hash of the file's bytes as last in step; '' for folders. */
  readonly hash: string;
  /** Packed `Base`; null for what isn't a text document. Read it with `unpackBase`. */
  readonly base: Uint8Array | null;
  /** Its front matter can't be read, or has a value that the schema of then doesn't allow. */
  readonly invalid: boolean;
}

const TYPES: readonly NodeType[] = ['folder', 'file', 'symlink'];
const TYPE_BITS = 3;
const FLAG = { stamped: 4, executable: 8, invalid: 16 } as const;

/** flags u8, node 16, hash 32, five doubles, path u16 + bytes, base u32 + CBOR. */
const STAMP_AT = 1 + 16 + 32;
const PATH_LENGTH_AT = STAMP_AT + 40;
const BASE_LENGTH_AT = PATH_LENGTH_AT + 2;
const FIXED_BYTES = BASE_LENGTH_AT + 4;

export function packEntry(entry: TreeEntry): Buffer {
  const path = utf8(entry.path);
  const base = entry.base ?? new Uint8Array();
  const bytes = Buffer.alloc(FIXED_BYTES + path.byteLength + base.byteLength);
  const { stamp } = entry;
  const flags =
    TYPES.indexOf(entry.type) |
    (stamp === null ? 0 : FLAG.stamped) |
    (stamp?.executable === true ? FLAG.executable : 0) |
    (entry.invalid ? FLAG.invalid : 0);
  bytes.writeUInt8(flags, 0);
  bytes.set(fromHex(entry.node), 1);
  bytes.set(fromHex(entry.hash), 17);
  if (stamp !== null) {
    const { size, mtimeMs, ctimeMs, birthtimeMs, ino } = stamp;
    [size, mtimeMs, ctimeMs, birthtimeMs, ino].forEach((value, index) =>
      bytes.writeDoubleLE(value, STAMP_AT + index * 8),
    );
  }
  bytes.writeUInt16LE(path.byteLength, PATH_LENGTH_AT);
  bytes.writeUInt32LE(base.byteLength, BASE_LENGTH_AT);
  bytes.set(path, FIXED_BYTES);
  bytes.set(base, FIXED_BYTES + path.byteLength);
  return bytes;
}

const NO_HASH = '00'.repeat(32);

/** Null for bytes that are no entry. */
export function unpackEntry(bytes: Buffer, at: number): [entry: TreeEntry, next: number] | null {
  const next = packedEnd(bytes, at);
  if (next === null) return null;
  const flags = bytes.readUInt8(at);
  const baseLength = bytes.readUInt32LE(at + BASE_LENGTH_AT);
  const double = (index: number): number => bytes.readDoubleLE(at + STAMP_AT + index * 8);
  const hash = bytes.toString('hex', at + 17, at + 49);
  const entry: TreeEntry = {
    path: packedPath(bytes, at),
    node: packedNode(bytes, at),
    type: packedType(bytes, at),
    stamp:
      (flags & FLAG.stamped) === 0
        ? null
        : {
            size: double(0),
            mtimeMs: double(1),
            ctimeMs: double(2),
            birthtimeMs: double(3),
            ino: double(4),
            executable: (flags & FLAG.executable) !== 0,
          },
    hash: hash === NO_HASH ? '' : hash,
    base: baseLength === 0 ? null : bytes.subarray(next - baseLength, next),
    invalid: isPackedInvalid(bytes, at),
  };
  return [entry, next];
}

const CRDTS: readonly Crdt[] = ['register', 'set', 'counter'];

export function packBase(base: Base): Uint8Array {
  return encodeCanonical([
    base.heads.map((head): Canonical => [fromHex(head.log), head.seq, head.index]),
    [...base.fields].map(([name, field]): Canonical =>
      field === 'unset' ? [name] : [name, CRDTS.indexOf(field.crdt), field.value],
    ),
    [base.form.eol, base.form.bom, base.exact],
  ]);
}

export function unpackBase(bytes: Uint8Array): Base {
  const [heads, fields, form] = asArray(decodeCanonical(bytes), 'base', 3);
  const [eol, bom, exact] = asArray(form, 'form', 3);
  return {
    heads: asArray(heads, 'heads').map((part) => {
      const [log, seq, index] = asArray(part, 'head', 3);
      return {
        log: toHex(log as Uint8Array),
        seq: asUint(seq, 'seq'),
        index: asUint(index, 'index'),
      };
    }),
    fields: new Map(asArray(fields, 'fields').map(unpackField)),
    form: { eol: eol as Eol, bom: bom === true },
    exact: exact === true,
  };
}

function unpackField(part: Canonical): [string, FieldShown] {
  const [name, crdt, value] = asArray(part, 'field');
  if (crdt === undefined) return [name as string, 'unset'];
  const field = { crdt: CRDTS[asUint(crdt, 'type')] ?? 'register', value: value as FieldValue };
  return [name as string, field as Field];
}

/** Has a file or link stayed as it was when its stamp was taken? */
export function isUntouched({ type, stamp }: TreeEntry, now: FileStat): boolean {
  return (
    stamp !== null &&
    stamp.mtimeMs === now.mtimeMs &&
    stamp.size === now.size &&
    stamp.ctimeMs === now.ctimeMs &&
    stamp.ino === now.ino &&
    stamp.executable === now.executable &&
    type === now.kind
  );
}

/** The same of the packed entry at `at`. */
export function isPackedUntouched(view: DataView, at: number, now: FileStat): boolean {
  const flags = view.getUint8(at);
  return (
    (flags & FLAG.stamped) !== 0 &&
    view.getFloat64(at + STAMP_AT + 8, true) === now.mtimeMs &&
    view.getFloat64(at + STAMP_AT, true) === now.size &&
    view.getFloat64(at + STAMP_AT + 16, true) === now.ctimeMs &&
    view.getFloat64(at + STAMP_AT + 32, true) === now.ino &&
    ((flags & FLAG.executable) !== 0) === now.executable &&
    TYPES[flags & TYPE_BITS] === now.kind
  );
}

/** Where the packed entry at `at` ends; null for bytes that are no entry. */
export function packedEnd(bytes: Buffer, at: number): number | null {
  if (at + FIXED_BYTES > bytes.length) return null;
  const end = packedPathEnd(bytes, at) + bytes.readUInt32LE(at + BASE_LENGTH_AT);
  return end > bytes.length ? null : end;
}

/** A packed entry's path begins here, and ends at `packedPathEnd`. */
export function packedPathStart(at: number): number {
  return at + FIXED_BYTES;
}

export function packedPathEnd(bytes: Buffer, at: number): number {
  return at + FIXED_BYTES + bytes.readUInt16LE(at + PATH_LENGTH_AT);
}

export function packedPath(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', packedPathStart(at), packedPathEnd(bytes, at));
}

export function packedNode(bytes: Buffer, at: number): NodeId {
  return bytes.toString('hex', at + 1, at + 17);
}

export function packedType(bytes: Buffer, at: number): NodeType {
  return TYPES[bytes.readUInt8(at) & TYPE_BITS] ?? 'file';
}

export function isPackedInvalid(bytes: Buffer, at: number): boolean {
  return (bytes.readUInt8(at) & FLAG.invalid) !== 0;
}
