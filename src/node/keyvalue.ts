/**
 * The disposable index on LMDB: memory-mapped, transactions across processes, readers
 * that never wait. Nothing is synced; after a power cut without a clean close the
 * caller throws the files away (`wipeKeyValue`) and builds them anew. The writable map
 * stays off: on a full disk it would kill the process (SIGBUS). Leaves out what the
 * keys mean.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type * as Lmdb from 'lmdb';
import { assert, WnError } from '../core/errors.js';
import { INDEX_KEY_BYTES_MAX, INDEX_MAP_BYTES, INDEX_WRITE_TRIES_MAX } from '../core/limits.js';
import type { KeyValue } from '../core/ports.js';
import { ensureFolder, FILE_MODE } from './durable.js';
import { errnoOf, READ_ONLY_HINT, worldFault } from './faults.js';

const FILE_NAME = 'index.mdb';
const FILE_NAMES = [FILE_NAME, `${FILE_NAME}-lock`];
/** Pairs that a range copies out at once; between two lots anything may be written. */
const RANGE_LOT = 256;

type Database = Lmdb.RootDatabase<Buffer, Uint8Array>;
type Range = Parameters<KeyValue['range']>[0];
type Pair = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Opens the map in folder `dir`, which is made if need be. Where the disk is read-only
 * an existing map is opened for reading, and `write` throws `read_only`. Throws
 * `damage` for a file that is no map: wipe and open again. Damage further inside may
 * kill the process, as LMDB trusts its pages: wipe before opening whenever the last
 * writer may have lost power. One process opens one `dir` at most once at a time.
 */
export async function openKeyValue(dir: string): Promise<KeyValue> {
  const file = `${dir}/${FILE_NAME}`;
  const readOnly = prepare(dir, file);
  if (!isMap(file)) throw damaged();
  // The CommonJS build loads in two thirds of the time that `import('lmdb')` takes.
  const { open } = createRequire(import.meta.url)('lmdb') as typeof Lmdb;
  const settings = {
    path: file,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: INDEX_MAP_BYTES,
    permissionsMode: FILE_MODE,
    readOnly,
    noSync: true,
    overlappingSync: false,
    noMemInit: true,
  } as const;
  try {
    return new LmdbKeyValue(open<Buffer, Uint8Array>(settings), dir, readOnly);
  } catch (error) {
    throw indexFault(error, dir);
  }
}

/**
 * Removes the map's files from `dir`, and whatever stands in the folder's place. No process
 * may have them open for writing.
 */
export function wipeKeyValue(dir: string): void {
  try {
    if (fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === false) fs.rmSync(dir);
    for (const name of FILE_NAMES) fs.rmSync(`${dir}/${name}`, { force: true });
  } catch (error) {
    throw worldFault(error, 'index');
  }
}

/** Makes the folder and the file; true if the disk only lets us read. */
function prepare(dir: string, file: string): boolean {
  try {
    ensureFolder(dir);
    fs.closeSync(fs.openSync(file, 'a', FILE_MODE));
    return false;
  } catch (error) {
    const errno = errnoOf(error);
    if ((errno === 'EROFS' || errno === 'EACCES') && fs.existsSync(file)) return true;
    throw worldFault(error, 'index');
  }
}

const META_MAGIC = 0xbeef_c0de;
const META_MAGIC_AT = 24;
const META_PAGE_SIZE_AT = 48;

/**
 * False if one of the two pages that lead to all others isn't there. LMDB would walk
 * into what it finds instead and the process would die, again at every start.
 */
function isMap(file: string): boolean {
  const fd = fs.openSync(file, 'r');
  try {
    const size = fs.fstatSync(fd).size;
    if (size === 0) return true; // LMDB lays it out
    const meta = Buffer.alloc(META_PAGE_SIZE_AT + 4);
    fs.readSync(fd, meta, 0, meta.byteLength, 0);
    const pageSize = meta.readUInt32LE(META_PAGE_SIZE_AT);
    if (meta.readUInt32LE(META_MAGIC_AT) !== META_MAGIC || size < 2 * pageSize) return false;
    fs.readSync(fd, meta, 0, meta.byteLength, pageSize);
    return meta.readUInt32LE(META_MAGIC_AT) === META_MAGIC;
  } finally {
    fs.closeSync(fd);
  }
}

class LmdbKeyValue implements KeyValue {
  readonly #database: Database;
  readonly #dir: string;
  readonly #readOnly: boolean;

  constructor(database: Database, dir: string, readOnly: boolean) {
    this.#database = database;
    this.#dir = dir;
    this.#readOnly = readOnly;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    checkKey(key);
    const value = this.#database.getBinary(key);
    return value === undefined ? undefined : plain(value);
  }

  *range({ from, to, reverse = false, limit = Infinity }: Range): Generator<Pair> {
    let [low, high] = [from, to];
    let after: Uint8Array | undefined;
    for (let left = limit; left > 0; left -= RANGE_LOT) {
      if (Buffer.compare(low, high) >= 0) return;
      const lot = this.#lot(low, high, reverse, after !== undefined, Math.min(left, RANGE_LOT));
      yield* lot;
      after = lot.at(-1)?.[0];
      if (after === undefined || lot.length < RANGE_LOT) return;
      if (reverse) high = after;
      else low = after;
    }
  }

  /** At most `limit` pairs of `[low, high)`, or of `(low, high)` once `low` was given out. */
  #lot(low: Uint8Array, high: Uint8Array, reverse: boolean, open: boolean, limit: number): Pair[] {
    const bounds = reverse
      ? { start: high, exclusiveStart: true, end: low, inclusiveEnd: true }
      : { start: low, exclusiveStart: open, end: high };
    const found: Pair[] = [];
    // A lot is read at one go, so it needs no snapshot of its own, which would cost half as much again.
    const options = { ...bounds, reverse, limit, snapshot: false };
    for (const { key, value } of this.#database.getRange(options)) {
      found.push([plain(key), plain(value)]);
    }
    return found;
  }

  write(changes: Iterable<readonly [key: Uint8Array, value: Uint8Array | null]>): void {
    if (this.#readOnly) {
      throw new WnError('read_only', "can't write the index: the file system is read-only", {
        hint: READ_ONLY_HINT,
      });
    }
    const all = [...changes];
    try {
      retryAborted(() => {
        this.#database.transactionSync(() => {
          for (const [key, value] of all) {
            checkKey(key);
            if (value === null) this.#database.removeSync(key);
            else this.#database.putSync(key, value as Buffer);
          }
        });
      });
    } catch (error) {
      throw indexFault(error, this.#dir);
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

const MDB_BAD_TXN = -30782;

/**
 * LMDB as lmdb-js ships it now and then gives up a transaction of many pages at its commit
 * ("reserved freelist had a data entry with zero-size"), whole, and forgets the list of free
 * pages that it had got wrong. So the same transaction is tried again; another error, or one
 * that comes again and again, is thrown.
 */
export function retryAborted(transaction: () => void): void {
  for (let tries = 1; ; tries++) {
    try {
      return transaction();
    } catch (error) {
      const isAborted = error instanceof Error && 'code' in error && error.code === MDB_BAD_TXN;
      if (!isAborted || tries === INDEX_WRITE_TRIES_MAX) throw error;
    }
  }
}

function checkKey(key: Uint8Array): void {
  const bytes = key.byteLength;
  assert(bytes > 0 && bytes <= INDEX_KEY_BYTES_MAX, `an index key of ${bytes} bytes`);
}

/** Without Buffer's own `slice`, which shares memory where Uint8Array's copies. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const EIO = 5;
/** A disk with less room than this is what a failed write of LMDB's is put down to. */
const ROOM_BYTES_MIN = 1024 * 1024;

/** LMDB tells the system's errors as positive numbers and its own as negative ones. */
function indexFault(error: unknown, dir: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (typeof error.code !== 'number') return error;
  if (error.code < 0) return damaged(error);
  // A write that was cut short for want of room is reported as EIO (mdb_page_flush).
  const full = error.code === EIO && roomBytes(dir) < ROOM_BYTES_MIN;
  const errno = full ? 'ENOSPC' : getSystemErrorName(-error.code);
  return worldFault(Object.assign(new Error(error.message), { code: errno }), 'index');
}

function roomBytes(dir: string): number {
  const { bavail, bsize } = fs.statfsSync(dir);
  return bavail * bsize;
}

function damaged(cause?: Error): WnError {
  return new WnError('damage', 'the index is damaged; it is only a cache, the history is whole', {
    hint: 'wn reindex',
    cause,
  });
}
