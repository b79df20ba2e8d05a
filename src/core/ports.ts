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

/**
 * Relative to the port's root: `/` between parts, no empty part, no `.` or `..`, no NUL,
 * well-formed Unicode. Every method throws `WnError('invalid')` for anything else.
 */
export type Path = string;

/**
 * The repository's own files (`.wn/…`). What a crash may do is part of the contract.
 * Every method throws `WnError` (`disk_full`, `read_only`, `unreadable`) for the
 * world's faults; a write that failed so has changed nothing. A failed sync is final:
 * it throws `failed`, the storage is poisoned and every later write throws. What is
 * read is the caller's own memory.
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
  /** Durable once resolved; no error if there is no such file. */
  remove(path: Path): Promise<void>;
  /**
   * Tries once for an exclusive lock that the operating system ties to this process;
   * null when another holder lives, in this process too. A dead one holds nothing; the
   * empty file stays. Throws `busy` with the reason where no lock is proven to exclude
   * others (a network file system), `unsafe_mode` for another user's repository.
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

/**
 * An ordered map from bytes to bytes; disposable, not synced. One write is atomic. Keys
 * have 1 to `INDEX_KEY_BYTES_MAX` bytes. What is read is the caller's own memory.
 */
export interface KeyValue {
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Pairs with `from <= key < to` in byte order (`reverse`: the same pairs, descending).
   * Lazy; a write between two steps is allowed and may or may not be seen.
   */
  range(options: {
    readonly from: Uint8Array;
    readonly to: Uint8Array;
    readonly reverse?: boolean;
    readonly limit?: number;
  }): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /** Applies all changes in order, or none; a null value removes the key. */
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

/**
 * Many paths in UTF-8: that of number `n` ends at `ends[n]`, where the next begins. Both
 * on SharedArrayBuffers, so that threads read them where they are.
 */
export interface PackedPaths {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Looks at many files that are under way beside the caller. */
export interface LookAhead {
  /**
   * What `stat` gave for the path of that number since it was asked for; undefined if that
   * isn't known (yet), and `stat` says it.
   */
  stat(number: number): FileStat | undefined;
  /** Nothing more will be asked. */
  stop(): void;
}

export interface DirEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/**
 * The working directory: the user's files. Synchronous, because a scan of 100,000
 * files is bound by calls, not by waiting. Paths are relative to the root with `/`
 * between parts, '' is the root itself. No component is ever followed if it is a
 * symlink: such a path throws `WnError('unreadable')`. Looks (`list`, `stat`, `read`,
 * `readLink`) may take a folder for what it was earlier in the same turn of the event
 * loop; changes look anew. Changes are durable when they return, and `ENOSPC` and the
 * like (`disk_full`, `read_only`, `unreadable`) leave everything as it was.
 */
export interface WorkDir {
  /** How this file system treats names; probed once. */
  readonly traits: { readonly caseInsensitive: boolean; readonly normalises: boolean };
  /**
   * Entries of a folder in no particular order, without our own temporary files; null if
   * it isn't a folder. A name that isn't UTF-8 is shown escaped (`caf\xe9`), as `other`,
   * and has no `stat`.
   */
  list(path: Path): readonly DirEntry[] | null;
  stat(path: Path): FileStat | null;
  /** Whole content; null if there is no such regular file. Throws `too_large`. */
  read(path: Path): Uint8Array | null;
  readLink(path: Path): string | null;
  /**
   * Begins to look at many files at once; null where that wins nothing. An empty path is
   * none. Folders on the way are taken for folders: ask only for what is in one that
   * `list` has listed meanwhile.
   */
  lookAhead(paths: PackedPaths): LookAhead | null;
  /**
   * Writes a file whole, piece behind piece: temporary file in the same folder, fsync, rename. Missing
   * folders are made. A regular file that is replaced is first hard-linked to
   * `saveAs` (a path in the repository's storage, throws `exists` if taken), if given.
   * It leaves its rights to the new one, its executable bit too unless told otherwise.
   * Throws `exists` if a folder has the name, or a file that of a folder on the way.
   * What the pieces throw is thrown on, and nothing has changed then.
   */
  write(
    path: Path,
    content: Uint8Array | Iterable<Uint8Array>,
    options?: { executable?: boolean; saveAs?: Path },
  ): FileStat;
  /** Of a file; throws `not_found` if there is none. */
  setExecutable(path: Path, executable: boolean): FileStat;
  /** Makes a symlink, and the folders on the way; throws `exists` if the name is taken. */
  symlink(path: Path, target: string): FileStat;
  /** Makes a folder and those on the way; throws `exists` if something else has a name. */
  makeFolder(path: Path): void;
  /**
   * Renames a file, symlink or folder without replacing anything: throws `exists` if `to`
   * is taken (other than by another spelling of `from`), `not_found` without `from`.
   * Missing folders are made.
   */
  rename(from: Path, to: Path): FileStat;
  /** Removes a file or symlink, if there; saved first as in `write`. Throws `invalid` for a folder. */
  remove(path: Path, options?: { saveAs?: Path }): void;
  /** Removes a folder if it is empty or gone; false if it isn't. Throws `invalid` for a file. */
  removeFolder(path: Path): boolean;
}

/** A pipe of whole frames to an authenticated peer. */
export interface SecureChannel {
  /** The peer's device (hex public key), proven by the transport; null for a local file path. */
  readonly peer: string | null;
  /** In order; ends when either side has closed, throws `unreachable` when the line broke. */
  frames(): AsyncIterable<Uint8Array>;
  /**
   * Resolves when the frame is handed over with room for the next (back pressure). Throws
   * `unreachable` once either side has closed or the line broke.
   */
  send(frame: Uint8Array): Promise<void>;
  /** No more frames from here; those already sent still arrive. May be called again. */
  close(): Promise<void>;
}

/** What a peer tells the local network: a name of this time only, and what members know it by. */
export interface Announcement {
  readonly instance: string;
  readonly tag: string;
  readonly port: number;
}

/** What somebody has told: of that form, and nothing more is known of it. */
export interface Sighting extends Announcement {
  /** The IP address that it came from: of a network that this machine is in. */
  readonly host: string;
}

/** The networks that this machine is in, by multicast DNS (RFC 6762, RFC 6763). */
export interface LocalNetwork {
  /**
   * Tells who asks until the result is called, which takes it back. Asks `next` for what to
   * tell: at once, and again whenever the machine has come into other networks. Throws
   * `unreachable` where there is no network that could be told.
   */
  announce(next: () => Announcement): Promise<() => Promise<void>>;
  /** Asks who is there until the result is called. Throws `unreachable` in the same case. */
  browse(seen: (sighting: Sighting) => void): Promise<() => void>;
}
