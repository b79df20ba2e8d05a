/**
 * What the working directory looked like when it was last in step: for each path the
 * worknode, the stamp, and the base: which version of the document was on disk, with
 * which fields laid over it. Durable: an edit is understood against it.
 *
 *   tree/state    snapshot: every entry, packed
 *   tree/journal  records since: entries put and removed, and intents
 *
 * A journal record that goes with a commit counts only if that commit is held, and is
 * durable before it is: so there is never one without the other. An intent says what a
 * file is about to become; see `recover`.
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import { asArray, decodeCanonical, encodeCanonical, type Canonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import { encodeRecord, readRecord, RECORD_HEAD_BYTES } from '../core/frame.js';
import type { CommitId, NodeId } from '../core/ids.js';
import { TREE_JOURNAL_BYTES_MAX, TREE_RECORD_BYTES_MAX } from '../core/limits.js';
import type { Storage } from '../core/ports.js';
import type { Extra } from '../repo/writer.js';
import { TreeEntries } from './entries.js';
import { packEntry, unpackEntry, type TreeEntry } from './entry.js';
import { PackedEntries } from './packed.js';

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
const JOURNAL = 'tree/journal';
const MAGIC = 'wntree-1';
/** Of the record at its end: how many entries, in how many bytes. */
const SNAPSHOT_END_BYTES_MAX = 64;

export class TreeState {
  readonly entries = new TreeEntries();
  /** Null until somebody asks where a worknode is. */
  private pathsByNode: Map<NodeId, string> | null = null;
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
  /** The snapshot isn't in tree order: to be sorted at each reading, until it is written anew. */
  private disordered = false;

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

  private get paths(): Map<NodeId, string> {
    if (this.pathsByNode === null) {
      this.pathsByNode = new Map();
      for (const [path, node] of this.entries.nodes()) this.pathsByNode.set(node, path);
    }
    return this.pathsByNode;
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
    const asked = force && this.journalBytes > 0;
    if (!this.doubtful && !long && !asked && !this.disordered) return;
    if (this.intents.size + this.removals.size + this.leftovers.size > 0) return;
    const bytes = encodeSnapshot(this.entries);
    await this.storage.replace(SNAPSHOT, bytes);
    this.adopt(bytes);
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

  private readSnapshot(bytes: Uint8Array): void {
    this.snapshotBytes = bytes.byteLength;
    this.adopt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  private adopt(snapshot: Buffer): void {
    const end = endOf(snapshot);
    const packed =
      end === null ? null : PackedEntries.read(snapshot, MAGIC.length, end.at, end.count);
    if (packed === null) throw damaged(SNAPSHOT);
    this.entries.adopt(packed);
    this.disordered = !packed.inOrder;
  }
}

function encodeSnapshot(entries: TreeEntries): Buffer {
  const parts = [utf8(MAGIC), ...entries.packed()];
  const body = Buffer.concat(parts);
  return Buffer.concat([body, encodeRecord(utf8(`${parts.length - 1} ${body.length}`))]);
}

/** What the record at a snapshot's end tells: how many entries there are, and where they end. */
function endOf(snapshot: Buffer): { readonly count: number; readonly at: number } | null {
  if (snapshot.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return null;
  const first = Math.max(MAGIC.length, snapshot.length - SNAPSHOT_END_BYTES_MAX);
  for (let at = first; at < snapshot.length; at++) {
    const end = readRecord(snapshot, at, SNAPSHOT_END_BYTES_MAX);
    if (!end.ok || end.next !== snapshot.length) continue;
    const told = Buffer.from(end.payload).toString('latin1');
    const count = Number(told.split(' ')[0]);
    if (Number.isSafeInteger(count) && told === `${count} ${at}`) return { count, at };
  }
  return null;
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
  const unpacked = unpackEntry(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
  if (unpacked === null) throw damaged(JOURNAL);
  return unpacked[0];
}
