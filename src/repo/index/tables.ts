/**
 * The index: one ordered map on disk (`KeyValue`), with what this process changed and
 * hasn't written yet laid over it. Keys are hex; the first byte names the table, the
 * layouts stand here and nowhere else. Everything in it can be rebuilt from the logs.
 */
import { fromHex, toHex, utf8 } from '../../core/bytes.js';
import { timeDigits } from '../../core/hlc.js';
import type { CapId, CommitId, LogId, NodeId } from '../../core/ids.js';
import type { KeyValue } from '../../core/ports.js';
import { decodeSeq } from './records.js';

export type Key = string;

/** Table numbers. Changing any of them, or a record's layout, raises INDEX_VERSION. */
export const INDEX_VERSION = 4;
const TABLE = {
  meta: '00',
  log: '01',
  commit: '02',
  commitById: '03',
  knowledge: '04',
  node: '05',
  child: '06',
  touch: '07',
  text: '08',
  dirty: '09',
  conflict: '0a',
  folderMove: '0b',
  cap: '0c',
  device: '0d',
  blob: '0e',
  pending: '0f',
  strongKnowledge: '10',
  claim: '11',
} as const;

export type TableName = keyof typeof TABLE;

const ZEROS = '0'.repeat(16);
const uint = (value: number, bytes: number): string => {
  const digits = value.toString(16);
  return ZEROS.slice(0, bytes * 2 - digits.length) + digits;
};

/** A log's number in this index: short, local, never on the wire. */
export type LogNumber = number;
const SEQ_BYTES = 6;

export const key = {
  meta: (name: string): Key => TABLE.meta + toHex(utf8(name)),
  log: (log: LogId): Key => TABLE.log + log,
  /** A block of commits, by its first seq. */
  commits: (log: LogNumber, seq: number): Key => TABLE.commit + uint(log, 4) + uint(seq, SEQ_BYTES),
  commitsOf: (log: LogNumber): Key => TABLE.commit + uint(log, 4),
  /** A prefix of the id, so that prefixes can be looked up; the rest names the commit. */
  commitById: (id: CommitId, log: LogNumber, seq: number): Key =>
    TABLE.commitById + id.slice(0, 16) + uint(log, 4) + uint(seq, SEQ_BYTES),
  commitByPrefix: (idPrefix: string): Key => TABLE.commitById + idPrefix.slice(0, 16),
  /** What the log knew of `of` from its commit `seq` on. */
  knowledge: (log: LogNumber, of: LogNumber, seq: number): Key =>
    TABLE.knowledge + uint(log, 4) + uint(of, 4) + uint(seq, SEQ_BYTES),
  knowledgeOf: (log: LogNumber, of: LogNumber): Key => TABLE.knowledge + uint(log, 4) + uint(of, 4),
  /** What the log had folded of the strong log from its commit `seq` on. */
  strongKnowledge: (log: LogNumber, seq: number): Key =>
    TABLE.strongKnowledge + uint(log, 4) + uint(seq, SEQ_BYTES),
  strongKnowledgeOf: (log: LogNumber): Key => TABLE.strongKnowledge + uint(log, 4),
  /** A worknode that somebody has claimed. */
  claim: (node: NodeId): Key => TABLE.claim + node,
  node: (node: NodeId): Key => TABLE.node + node,
  child: (parent: NodeId, name: string, node: NodeId): Key =>
    `${TABLE.child}${parent}${toHex(utf8(name))}00${node}`,
  childrenNamed: (parent: NodeId, name: string): Key =>
    `${TABLE.child}${parent}${toHex(utf8(name))}00`,
  children: (parent: NodeId): Key => TABLE.child + parent,
  /** A run of ops that bear on a worknode, by the first one's time. */
  touches: (node: NodeId, time: bigint, log: LogNumber): Key =>
    TABLE.touch + node + timeDigits(time) + uint(log, 4),
  touchesOf: (node: NodeId): Key => TABLE.touch + node,
  text: (node: NodeId): Key => TABLE.text + node,
  dirty: (node: NodeId): Key => TABLE.dirty + node,
  conflict: (node: NodeId): Key => TABLE.conflict + node,
  folderMove: (time: bigint, log: LogNumber): Key =>
    TABLE.folderMove + timeDigits(time) + uint(log, 4),
  cap: (cap: CapId): Key => TABLE.cap + cap,
  device: (device: string): Key => TABLE.device + device,
  blob: (hash: string): Key => TABLE.blob + hash,
  pending: (log: LogNumber): Key => TABLE.pending + uint(log, 4),
  table: (name: TableName): Key => TABLE[name],
} as const;

/** Node and parent of a child key, and the name. */
export function parseChild(child: Key): { parent: NodeId; name: string; node: NodeId } {
  return {
    parent: child.slice(2, 34),
    name: Buffer.from(child.slice(34, -34), 'hex').toString('utf8'),
    node: child.slice(-32),
  };
}

/** The log of a run of touches. */
export function parseTouches(at: Key): LogNumber {
  return parseInt(at.slice(50), 16);
}

export function parseFolderMove(at: Key): { time: bigint; log: LogNumber } {
  return { time: BigInt(`0x${at.slice(2, 18)}`), log: parseInt(at.slice(18), 16) };
}

export function parseCommitById(at: Key): { log: LogNumber; seq: number } {
  return { log: parseInt(at.slice(18, 26), 16), seq: parseInt(at.slice(26), 16) };
}

export function seqOfKey(at: Key): number {
  return parseInt(at.slice(-SEQ_BYTES * 2), 16);
}

/** The least key greater than every key that starts with `prefix`. */
function afterPrefix(prefix: Key): Uint8Array {
  const bytes = Uint8Array.from(fromHex(prefix));
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0;
    if (byte < 255) {
      bytes[at] = byte + 1;
      return bytes.subarray(0, at + 1);
    }
  }
  return Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255);
}

/**
 * Keys share a bucket when they agree in what is looked for together: table and worknode
 * mostly, an id's prefix, a pair of logs.
 */
const BUCKET_DIGITS = 34;
const SHORT_BUCKET_DIGITS = 18;

function bucketDigits(at: Key): number {
  const short = at.startsWith(TABLE.commitById) || at.startsWith(TABLE.knowledge);
  return short ? SHORT_BUCKET_DIGITS : BUCKET_DIGITS;
}
/** No prefix is shorter: the first byte names the table. */
const TABLE_DIGITS = 2;

export class Tables {
  private readonly changed = new Map<Key, Uint8Array | null>();
  /** By table, then by the first digits of the key. */
  private readonly buckets = new Map<string, Map<string, Key[]>>();
  /** Keys of `changed` that stand in no bucket yet: writing many is cheap while nobody looks. */
  private unsorted: Key[] = [];

  constructor(private readonly stored: KeyValue) {}

  get(at: Key): Uint8Array | undefined {
    const change = this.changed.get(at);
    if (change !== undefined) return change ?? undefined;
    return this.stored.get(fromHex(at));
  }

  /** What was put and isn't written yet; a removal counts as nothing. */
  unwritten(at: Key): Uint8Array | undefined {
    return this.changed.get(at) ?? undefined;
  }

  has(at: Key): boolean {
    return this.get(at) !== undefined;
  }

  put(at: Key, value: Uint8Array): void {
    this.change(at, value);
  }

  remove(at: Key): void {
    this.change(at, null);
  }

  private change(at: Key, value: Uint8Array | null): void {
    const before = this.changed.size;
    this.changed.set(at, value);
    if (this.changed.size > before) this.unsorted.push(at);
  }

  private sortIntoBuckets(): void {
    for (const at of this.unsorted) {
      const table = at.slice(0, TABLE_DIGITS);
      let ofTable = this.buckets.get(table);
      if (ofTable === undefined) this.buckets.set(table, (ofTable = new Map<string, Key[]>()));
      const bucketKey = at.slice(0, bucketDigits(at));
      const bucket = ofTable.get(bucketKey);
      if (bucket === undefined) ofTable.set(bucketKey, [at]);
      else bucket.push(at);
    }
    this.unsorted = [];
  }

  /** All pairs whose key starts with `prefix`, in order (`reverse`: descending). */
  prefix(prefix: Key, options: { reverse?: boolean } = {}): Iterable<readonly [Key, Uint8Array]> {
    return this.merged(fromHex(prefix), afterPrefix(prefix), prefix, options.reverse ?? false);
  }

  /** The greatest pair with the prefix whose key is at most `at`. */
  floor(prefix: Key, at: Key): readonly [Key, Uint8Array] | undefined {
    const end = Buffer.concat([fromHex(at), Uint8Array.of(0)]);
    for (const pair of this.merged(fromHex(prefix), end, prefix, true)) {
      if (pair[0] <= at) return pair;
    }
    return undefined;
  }

  /** Pairs from `from` on, within the prefix. */
  from(prefix: Key, from: Key): Iterable<readonly [Key, Uint8Array]> {
    return this.merged(fromHex(from), afterPrefix(prefix), prefix, false, from);
  }

  private *merged(
    from: Uint8Array,
    to: Uint8Array,
    prefix: Key,
    reverse: boolean,
    least: Key = prefix,
  ): Iterable<readonly [Key, Uint8Array]> {
    const sign = reverse ? -1 : 1;
    const overlay = this.changedWith(prefix)
      .filter((at) => at >= least)
      .sort((a, b) => (a < b ? -sign : sign));
    let next = 0;
    for (const [storedKey, value] of this.stored.range({ from, to, reverse })) {
      const at = toHex(storedKey);
      for (; next < overlay.length; next++) {
        const changedKey = overlay[next] ?? '';
        if (reverse ? changedKey < at : changedKey > at) break;
        const change = this.changed.get(changedKey);
        if (change) yield [changedKey, change];
      }
      if (!this.changed.has(at)) yield [at, value];
    }
    for (; next < overlay.length; next++) {
      const changedKey = overlay[next] ?? '';
      const change = this.changed.get(changedKey);
      if (change) yield [changedKey, change];
    }
  }

  private changedWith(prefix: Key): Key[] {
    if (this.changed.size === 0) return [];
    this.sortIntoBuckets();
    const found: Key[] = [];
    const ofTable = this.buckets.get(prefix.slice(0, TABLE_DIGITS));
    if (ofTable === undefined) return found;
    const digits = bucketDigits(prefix);
    if (prefix.length >= digits) {
      for (const at of ofTable.get(prefix.slice(0, digits)) ?? []) {
        if (at.startsWith(prefix)) found.push(at);
      }
      return found;
    }
    for (const [bucketKey, bucket] of ofTable) {
      if (!bucketKey.startsWith(prefix) && !prefix.startsWith(bucketKey)) continue;
      for (const at of bucket) if (at.startsWith(prefix)) found.push(at);
    }
    return found;
  }

  /** A second overlay on what is written; it is read from, and never flushed. */
  overlay(): Tables {
    return new Tables(this.stored);
  }

  get size(): number {
    return this.changed.size;
  }

  get dirty(): boolean {
    return this.changed.size > 0;
  }

  /** Writes what changed, all or nothing. */
  flush(): void {
    if (this.changed.size === 0) return;
    this.stored.write([...this.changed].map(([at, value]) => [fromHex(at), value] as const));
    this.discard();
  }

  /** Writes one pair at once, past the overlay: a mark that must stand before the next append. */
  mark(at: Key, value: Uint8Array): void {
    this.stored.write([[fromHex(at), value]]);
  }

  /** Forgets what wasn't written. */
  discard(): void {
    this.changed.clear();
    this.buckets.clear();
    this.unsorted = [];
  }

  close(): Promise<void> {
    return this.stored.close();
  }
}

/** Whether the index was laid out by a program of this version. */
export function isOfThisVersion(tables: Tables): boolean {
  const version = tables.get(key.meta('version'));
  return version !== undefined && decodeSeq(version) === INDEX_VERSION;
}
