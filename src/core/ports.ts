/**
 * The ports: everything that pure code needs from the outside world. `src/node`
 * implements them on real Node.js, `test/sim` in memory with virtual time and
 * faults. One conformance suite per port (`test/conform`) runs over both.
 */

export interface Clock {
  /** Milliseconds since 1970, as the machine's wall clock says. May jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary point; never goes back. */
  monotonicMs(): number;
  /** Runs `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export interface Rng {
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array;
}

/** Relative to the storage's root, `/` between parts, no empty part, no `.` or `..`. */
export type Path = string;

/**
 * The repository's own files (`.wn/…`). What a crash may do is part of the contract.
 * Every method throws `WnError` (`disk_full`, `read_only`, `unreadable`) for the
 * world's faults. A failed sync is final: the storage is poisoned and every later
 * write throws.
 */
export interface Storage {
  /** Bytes `[from, to)` of a file, cut at its end; null if there is none. */
  read(path: Path, from?: number, to?: number): Promise<Uint8Array | null>;
  /** The same, at once: the fold reads history without yielding. */
  readSync(path: Path, from?: number, to?: number): Uint8Array | null;
  /** Length in bytes; null if there is none. */
  size(path: Path): Promise<number | null>;
  /** Every file below `prefix` (a folder, or '' for all), sorted by code unit. */
  list(prefix: Path): Promise<readonly Path[]>;
  /** Durable once resolved (the folder too where the file was born); a crash may tear the tail. */
  append(path: Path, bytes: Uint8Array): Promise<void>;
  /** Several appends made durable together; none is acknowledged before all are. */
  appendAll(writes: readonly { readonly path: Path; readonly bytes: Uint8Array }[]): Promise<void>;
  /** Cuts a file to `length` bytes; durable once resolved. */
  truncate(path: Path, length: number): Promise<void>;
  /** Atomic and durable, folder synced. */
  replace(path: Path, bytes: Uint8Array): Promise<void>;
  /** Exclusive and durable, and whole or absent after a crash; false if the file exists. */
  create(path: Path, bytes: Uint8Array): Promise<boolean>;
  remove(path: Path): Promise<void>;
  /**
   * Tries once for an exclusive lock that the operating system ties to this process;
   * null when another holder lives. Nothing is left behind by a dead one.
   */
  lock(path: Path): Promise<(() => void) | null>;
}

/** Raw deflate (RFC 1951), for sealed segments. */
export interface Deflate {
  deflateRaw(bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * Exactly what one whole deflate stream holds; null if `bytes` isn't one, has anything
   * behind it, or would grow beyond `sizeMax` (which it never allocates).
   */
  inflateRaw(bytes: Uint8Array, sizeMax: number): Uint8Array | null;
}

/** An ordered map from bytes to bytes; disposable, not synced. One write is atomic. */
export interface KeyValue {
  get(key: Uint8Array): Uint8Array | undefined;
  /** Pairs with `from <= key < to` in byte order (`reverse`: the same pairs, descending). */
  range(options: {
    readonly from: Uint8Array;
    readonly to: Uint8Array;
    readonly reverse?: boolean;
    readonly limit?: number;
  }): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /** Applies all changes or none; a null value removes the key. */
  write(changes: Iterable<readonly [key: Uint8Array, value: Uint8Array | null]>): void;
  close(): Promise<void>;
}

export type FileKind = 'file' | 'folder' | 'symlink' | 'other';

/** What `lstat` says. Times are milliseconds with their fraction, as far as a double holds it. */
export interface FileStat {
  readonly kind: FileKind;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  readonly ino: number;
  readonly executable: boolean;
}

export interface DirEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/**
 * The working directory: the user's files. Synchronous, because a scan of 100,000
 * files is bound by calls, not by waiting. Paths are relative to the root with `/`
 * between parts, '' is the root itself. No component is ever followed if it is a
 * symlink: such a path throws `WnError('unreadable')`.
 */
export interface WorkDir {
  /** How this file system treats names; probed once. */
  readonly traits: { readonly caseInsensitive: boolean; readonly normalises: boolean };
  /** Entries of a folder in no particular order; null if it isn't a folder. */
  list(path: Path): readonly DirEntry[] | null;
  stat(path: Path): FileStat | null;
  /** Whole content; null if there is no such regular file. */
  read(path: Path): Uint8Array | null;
  readLink(path: Path): string | null;
  /**
   * Writes a file whole: temporary file in the same folder, fsync, rename. Missing
   * folders are made. A regular file that is replaced is first hard-linked to
   * `saveAs` (a path in the repository's storage), if given.
   */
  write(path: Path, bytes: Uint8Array, options?: { executable?: boolean; saveAs?: Path }): FileStat;
  setExecutable(path: Path, executable: boolean): FileStat;
  symlink(path: Path, target: string): FileStat;
  makeFolder(path: Path): void;
  /** Renames without replacing anything: throws `exists` if `to` is taken (other than a case change). */
  rename(from: Path, to: Path): FileStat;
  /** Removes a file or symlink; saved first as in `write`. */
  remove(path: Path, options?: { saveAs?: Path }): void;
  /** Removes a folder if it is empty; false if it isn't. */
  removeFolder(path: Path): boolean;
}

/** A pipe of whole frames to an authenticated peer. */
export interface SecureChannel {
  /** The peer's device (hex public key), proven by the transport; null for a local file path. */
  readonly peer: string | null;
  frames(): AsyncIterable<Uint8Array>;
  /** Resolves when the frame is handed over with room for the next (back pressure). */
  send(frame: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
