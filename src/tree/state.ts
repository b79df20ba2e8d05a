/**
 * What the working directory looked like when it was last in step: for each path the
 * worknode, the stamp, and the base: which version of the document was on disk, with
 * which fields laid over it. Durable: an edit is understood against it.
 *
 *   tree/state    snapshot: every entry, packed
 *   tree/journal  records since: entries put and removed, and intents
 *
 * A journal record that goes with a commit counts only if that commit is held: both are
 * made durable together, and a torn pair falls apart into nothing. An intent says what a
 * file is about to become; see `recover`.
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import {
  asArray,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import { encodeRecord, readRecord, RECORD_HEAD_BYTES } from '../core/frame.js';
import type { CommitId, NodeId } from '../core/ids.js';
import { TREE_JOURNAL_BYTES_MAX, TREE_RECORD_BYTES_MAX } from '../core/limits.js';
import type { NodeType } from '../core/op.js';
import type { FileStat, Storage } from '../core/ports.js';
import type { Head } from '../crdt/text/op.js';
import { ALONGSIDE_PATH } from '../repo/rebuild.js';
import type { Extra } from '../repo/writer.js';
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
}

/** What a file is about to become. */
export interface Intent {
  /** As it will be recorded. */
  readonly entry: TreeEntry;
  /** Tagged hash of what will be written; the user's own edits may be in it. '' for folders. */
  readonly hash: string;
}

export interface Changes {
  readonly put: readonly TreeEntry[];
  readonly removed: readonly string[];
}

const SNAPSHOT = 'tree/state';
const JOURNAL = ALONGSIDE_PATH;
const MAGIC = 'wntree-1';

export class TreeState {
  readonly entries = new Map<string, TreeEntry>();
  private readonly paths = new Map<NodeId, string>();
  /** Paths of entries whose worknode has its file elsewhere by now: the old file is to go. */
  readonly leftovers = new Set<string>();
  /** Files that were about to be written when the process ended, by path. */
  readonly intents = new Map<string, Intent>();
  /** Paths whose files were about to be removed then. */
  readonly removals = new Set<string>();
  private journalBytes = 0;
  private snapshotBytes = 0;
  /** Where the journal's last whole record ends. */
  private goodBytes = 0;
  /** The journal speaks of commits that aren't held, or not yet. */
  private doubtful = false;

  private constructor(private readonly storage: Storage) {}

  /** Reads it; `holds` tells whether a commit is held. Throws `damage`. */
  static async load(storage: Storage, holds: (commit: CommitId) => boolean): Promise<TreeState> {
    const state = new TreeState(storage);
    const snapshot = await storage.read(SNAPSHOT);
    if (snapshot !== null) state.readSnapshot(snapshot);
    const journal = await storage.read(JOURNAL);
    if (journal !== null) state.readJournal(journal, holds);
    return state;
  }

  /** True if another process has written since. */
  async isStale(): Promise<boolean> {
    const journal = (await this.storage.size(JOURNAL)) ?? 0;
    const snapshot = (await this.storage.size(SNAPSHOT)) ?? 0;
    return this.doubtful || journal !== this.journalBytes || snapshot !== this.snapshotBytes;
  }

  /** Nothing may be appended behind the torn end that a killed process left. */
  async heal(): Promise<void> {
    if (this.goodBytes === this.journalBytes) return;
    await this.storage.truncate(JOURNAL, this.goodBytes);
    this.journalBytes = this.goodBytes;
  }

  pathOf(node: NodeId): string | null {
    return this.paths.get(node) ?? null;
  }

  private apply({ put, removed }: Changes): void {
    for (const path of removed) {
      const known = this.entries.get(path);
      if (known !== undefined && this.paths.get(known.node) === path) this.paths.delete(known.node);
      this.entries.delete(path);
      this.leftovers.delete(path);
    }
    for (const entry of put) this.place(entry);
    this.intents.clear();
    this.removals.clear();
  }

  private place(entry: TreeEntry): void {
    const { path, node } = entry;
    const known = this.entries.get(path);
    if (known !== undefined && this.paths.get(known.node) === path) this.paths.delete(known.node);
    const before = this.paths.get(node);
    if (before !== undefined && before !== path) this.leftovers.add(before);
    this.entries.set(path, entry);
    this.paths.set(node, path);
    this.leftovers.delete(path);
  }

  /**
   * Takes changes in and returns the record to append, together with the commit that it
   * goes with (null: with none).
   */
  record(changes: Changes, commit: CommitId | null): Extra {
    this.apply(changes);
    return this.journaled([
      0,
      commit === null ? null : fromHex(commit),
      changes.removed,
      changes.put.map(encodeEntry),
    ]);
  }

  /** The record that says what is about to happen to files, until the next that says what did. */
  intend(writes: readonly Intent[], removals: readonly string[]): Extra {
    this.plan(writes, removals);
    return this.journaled([1, writes.map(encodeIntent), removals]);
  }

  private plan(writes: readonly Intent[], removals: readonly string[]): void {
    for (const intent of writes) this.intents.set(intent.entry.path, intent);
    for (const path of removals) this.removals.add(path);
  }

  private journaled(record: Canonical): Extra {
    const bytes = encodeRecord(encodeCanonical(record));
    this.journalBytes += bytes.byteLength;
    this.goodBytes = this.journalBytes;
    return { path: JOURNAL, bytes };
  }

  /** Folds the journal into a new snapshot where it has grown long, or speaks of no commit held. */
  async compact(force = false): Promise<void> {
    const long = this.journalBytes > Math.max(TREE_JOURNAL_BYTES_MAX, this.snapshotBytes);
    if (!this.doubtful && !long && !(force && this.journalBytes > 0)) return;
    if (this.intents.size + this.removals.size + this.leftovers.size > 0) return;
    const bytes = this.encodeSnapshot();
    await this.storage.replace(SNAPSHOT, bytes);
    await this.storage.remove(JOURNAL);
    this.snapshotBytes = bytes.byteLength;
    this.journalBytes = this.goodBytes = 0;
    this.doubtful = false;
  }

  private readJournal(bytes: Uint8Array, holds: (commit: CommitId) => boolean): void {
    let at = 0;
    for (;;) {
      const read = readRecord(bytes, at, TREE_RECORD_BYTES_MAX);
      if (!read.ok) {
        if (read.why === 'damaged' && isFollowed(bytes, at)) throw damaged(JOURNAL);
        break;
      }
      this.readChange(read.payload, holds);
      at = read.next;
    }
    this.journalBytes = bytes.byteLength;
    this.goodBytes = at;
  }

  private readChange(payload: Uint8Array, holds: (commit: CommitId) => boolean): void {
    const parts = asArray(decodeCanonical(payload, TREE_RECORD_BYTES_MAX), 'tree record');
    if (parts[0] === 1) {
      this.plan(asArray(parts[1], 'intents').map(decodeIntent), parts[2] as readonly string[]);
      return;
    }
    const [, commit, removed, put] = parts;
    if (commit instanceof Uint8Array && !holds(toHex(commit))) {
      this.doubtful = true;
      return;
    }
    this.apply({
      removed: asArray(removed, 'removed') as readonly string[],
      put: asArray(put, 'entries').map(decodeEntry),
    });
  }

  // The snapshot: read whole by every command, so it is packed for speed.

  private encodeSnapshot(): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    const push = (part: Uint8Array): void => {
      parts.push(part);
      length += part.byteLength;
    };
    push(utf8(MAGIC));
    for (const entry of this.entries.values()) push(packEntry(entry));
    const body = Buffer.concat(parts, length);
    return Buffer.concat([body, encodeRecord(utf8(`${this.entries.size} ${length}`))]);
  }

  private readSnapshot(bytes: Uint8Array): void {
    this.snapshotBytes = bytes.byteLength;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.subarray(0, 8).toString('latin1') !== MAGIC) throw damaged(SNAPSHOT);
    let at = 8;
    let count = 0;
    while (at < buffer.length) {
      const end = readRecord(buffer, at, 64);
      if (end.ok && end.next === buffer.length) {
        if (Buffer.from(end.payload).toString('latin1') !== `${count} ${at}`)
          throw damaged(SNAPSHOT);
        return;
      }
      const [entry, next] = unpackEntry(buffer, at);
      this.place(entry);
      count += 1;
      at = next;
    }
    throw damaged(SNAPSHOT);
  }
}

/** A whole record behind a bad one: no crash leaves that. */
function isFollowed(bytes: Uint8Array, at: number): boolean {
  const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
  const next = at + RECORD_HEAD_BYTES + length;
  return next < bytes.byteLength && readRecord(bytes, next, TREE_RECORD_BYTES_MAX).ok;
}

function damaged(file: string): WnError {
  return new WnError('damage', `the record of the working directory (${file}) is damaged`, {
    hint: 'your files are untouched; run: wn fsck --repair',
  });
}

const TYPES: readonly NodeType[] = ['folder', 'file', 'symlink'];

function encodeIntent({ entry, hash }: Intent): Canonical {
  return [encodeEntry(entry), fromHex(hash)];
}

function decodeIntent(value: Canonical): Intent {
  const [entry = null, hash] = asArray(value, 'intent', 2);
  return { entry: decodeEntry(entry), hash: toHex(hash as Uint8Array) };
}

function encodeEntry(entry: TreeEntry): Canonical {
  return packEntry(entry);
}

function decodeEntry(value: Canonical): TreeEntry {
  const bytes = value as Uint8Array;
  return unpackEntry(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)[0];
}

/** flags u8, node 16, hash 32, five doubles, path u16 + bytes, base u32 + CBOR. */
const FIXED_BYTES = 1 + 16 + 32 + 40 + 2 + 4;

function packEntry(entry: TreeEntry): Uint8Array {
  const path = utf8(entry.path);
  const base = entry.base ?? new Uint8Array();
  const bytes = Buffer.alloc(FIXED_BYTES + path.byteLength + base.byteLength);
  const { stamp } = entry;
  const flags =
    TYPES.indexOf(entry.type) | (stamp === null ? 0 : 4) | (stamp?.executable === true ? 8 : 0);
  bytes.writeUInt8(flags, 0);
  bytes.set(fromHex(entry.node), 1);
  bytes.set(fromHex(entry.hash), 17);
  if (stamp !== null) {
    const { size, mtimeMs, ctimeMs, birthtimeMs, ino } = stamp;
    [size, mtimeMs, ctimeMs, birthtimeMs, ino].forEach((value, index) =>
      bytes.writeDoubleLE(value, 49 + index * 8),
    );
  }
  bytes.writeUInt16LE(path.byteLength, 89);
  bytes.writeUInt32LE(base.byteLength, 91);
  bytes.set(path, FIXED_BYTES);
  bytes.set(base, FIXED_BYTES + path.byteLength);
  return bytes;
}

const NO_HASH = '00'.repeat(32);

function unpackEntry(bytes: Buffer, at: number): [entry: TreeEntry, next: number] {
  if (at + FIXED_BYTES > bytes.length) throw damaged(SNAPSHOT);
  const flags = bytes.readUInt8(at);
  const pathLength = bytes.readUInt16LE(at + 89);
  const baseLength = bytes.readUInt32LE(at + 91);
  const pathEnd = at + FIXED_BYTES + pathLength;
  if (pathEnd + baseLength > bytes.length) throw damaged(SNAPSHOT);
  const double = (index: number): number => bytes.readDoubleLE(at + 49 + index * 8);
  const hash = bytes.toString('hex', at + 17, at + 49);
  const entry: TreeEntry = {
    path: bytes.toString('utf8', at + FIXED_BYTES, pathEnd),
    node: bytes.toString('hex', at + 1, at + 17),
    type: TYPES[flags & 3] ?? 'file',
    stamp:
      (flags & 4) === 0
        ? null
        : {
            size: double(0),
            mtimeMs: double(1),
            ctimeMs: double(2),
            birthtimeMs: double(3),
            ino: double(4),
            executable: (flags & 8) !== 0,
          },
    hash: hash === NO_HASH ? '' : hash,
    base: baseLength === 0 ? null : bytes.subarray(pathEnd, pathEnd + baseLength),
  };
  return [entry, pathEnd + baseLength];
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

/** Has a file stayed as it was when the stamp was taken? */
export function sameStamp(stamp: Stamp, now: FileStat): boolean {
  return (
    stamp.mtimeMs === now.mtimeMs &&
    stamp.size === now.size &&
    stamp.ctimeMs === now.ctimeMs &&
    stamp.ino === now.ino &&
    stamp.executable === now.executable
  );
}
