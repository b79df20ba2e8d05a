/**
 * A file system in memory, as the user and other programs see it: inodes, birth times,
 * hard-linked contents, symlinks, executable bits, and if wanted names that ignore case
 * or normalisation. Tests edit it between the program's calls; the program sees it
 * through `SimWorkDir`. Leaves out rights, owners and crashes: the working directory
 * has a journal for those, and the journal stands in the storage.
 */
import type { Clock, FileKind } from '../../src/core/ports.js';
import { parentOf } from '../../src/node/paths.js';
import type { Content } from './disk.js';

export interface Traits {
  readonly caseInsensitive: boolean;
  readonly normalises: boolean;
}

export interface Node {
  readonly ino: number;
  readonly kind: FileKind;
  readonly birthtimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  executable: boolean;
  /** Of a file. */
  readonly content: Content;
  /** Of a symlink. */
  readonly target: string;
  /** Of a folder: by folded name. */
  readonly children: Map<string, { name: string; node: Node }>;
}

export interface SimFilesOptions {
  readonly clock: Clock;
  /** The step in which times are kept: two changes within one can't be told apart by it. */
  readonly granularityMs?: number;
  readonly traits?: Partial<Traits>;
}

export class SimFiles {
  readonly traits: Traits;
  readonly #clock: Clock;
  readonly #granularityMs: number;
  readonly #root: Node;
  #inodes = 1;

  constructor(options: SimFilesOptions) {
    this.traits = { caseInsensitive: false, normalises: false, ...options.traits };
    this.#clock = options.clock;
    this.#granularityMs = options.granularityMs ?? 4;
    this.#root = this.create('folder');
  }

  // What the user does; each throws an Error where the command would fail.

  /** Writes as most editors do: a new file takes the name. Missing folders are made. */
  save(path: string, text: string | Uint8Array): void {
    const old = this.find(path);
    const node = this.create('file', { bytes: toBytes(text) });
    node.executable = old?.executable ?? false;
    this.mkdir(parentOf(path));
    this.put(path, node);
  }

  /** Truncates and writes the same file: inode and hard links stay. */
  overwrite(path: string, text: string | Uint8Array): void {
    const node = this.find(path);
    if (node?.kind !== 'file') return this.save(path, text);
    node.content.bytes = toBytes(text);
    node.mtimeMs = node.ctimeMs = this.now();
  }

  /** Opens a file as an editor does that keeps it open; returns how it writes later. */
  hold(path: string): (text: string) => void {
    const node = this.find(path);
    if (node?.kind !== 'file') throw new Error(`open ${path}: no file`);
    return (content) => {
      node.content.bytes = toBytes(content);
      node.mtimeMs = node.ctimeMs = this.now();
    };
  }

  text(path: string): string | null {
    const node = this.find(path);
    return node?.kind === 'file' ? Buffer.from(node.content.bytes).toString('utf8') : null;
  }

  mkdir(path: string): void {
    if (path === '') return;
    const there = this.find(path);
    if (there?.kind === 'folder') return;
    if (there !== null) throw new Error(`mkdir ${path}: exists`);
    this.mkdir(parentOf(path));
    this.put(path, this.create('folder'));
  }

  /** rename(2): replaces a file or an empty folder. */
  move(from: string, to: string): void {
    const node = this.take(from);
    node.ctimeMs = this.now();
    this.put(to, node);
  }

  /** rm -r */
  rm(path: string): void {
    this.take(path);
  }

  symlink(path: string, target: string): void {
    this.mkdir(parentOf(path));
    this.put(path, this.create('symlink', { target }));
  }

  /** Makes a pipe, a device or the like. */
  special(path: string): void {
    this.put(path, this.create('other'));
  }

  chmod(path: string, executable: boolean): void {
    const node = this.find(path);
    if (node === null) throw new Error(`chmod ${path}: not there`);
    node.executable = executable;
    node.ctimeMs = this.now();
  }

  /** Sets the modification time, as `touch -d` and archivers do. */
  touch(path: string, mtimeMs: number): void {
    const node = this.find(path);
    if (node === null) throw new Error(`touch ${path}: not there`);
    node.mtimeMs = mtimeMs;
    node.ctimeMs = this.now();
  }

  /** Every file and symlink with its text or target, for comparing whole trees. */
  all(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    const walk = (folder: Node, prefix: string): void => {
      for (const { name, node } of folder.children.values()) {
        if (node.kind === 'folder') walk(node, `${prefix}${name}/`);
        else if (node.kind === 'symlink') found[`${prefix}${name}`] = `→ ${node.target}`;
        else found[`${prefix}${name}`] = Buffer.from(node.content.bytes).toString('utf8');
      }
    };
    walk(this.#root, '');
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  // What `SimWorkDir` builds on; symlinks are never followed.

  find(path: string): Node | null {
    let node: Node | undefined = this.#root;
    for (const part of path === '' ? [] : path.split('/')) {
      node = node?.children.get(this.fold(part))?.node;
    }
    return node ?? null;
  }

  /** Gives a node a name, replacing what had it. */
  put(path: string, node: Node): void {
    const folder = this.#folderOf(path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const there = folder.children.get(this.fold(name));
    if (there?.node.kind === 'folder' && there.node.children.size > 0) {
      throw new Error(`${path}: a folder with something in it`);
    }
    // A name that is taken over keeps its spelling, as on real disks that ignore case.
    folder.children.set(this.fold(name), { name: there?.name ?? name, node });
    folder.mtimeMs = folder.ctimeMs = this.now();
  }

  /** Takes a name away and returns what had it. */
  take(path: string): Node {
    const folder = this.#folderOf(path);
    const key = this.fold(path.slice(path.lastIndexOf('/') + 1));
    const there = folder.children.get(key);
    if (there === undefined) throw new Error(`${path}: not there`);
    folder.children.delete(key);
    folder.mtimeMs = folder.ctimeMs = this.now();
    return there.node;
  }

  create(kind: FileKind, what: { bytes?: Uint8Array; target?: string } = {}): Node {
    const nowMs = this.now();
    return {
      ino: this.#inodes++,
      kind,
      birthtimeMs: nowMs,
      mtimeMs: nowMs,
      ctimeMs: nowMs,
      executable: kind === 'folder',
      content: { bytes: what.bytes ?? new Uint8Array(0) },
      target: what.target ?? '',
      children: new Map(),
    };
  }

  now(): number {
    const nowMs = this.#clock.wallMs();
    return nowMs - (nowMs % this.#granularityMs);
  }

  /** What two spellings of one name have in common here. */
  fold(name: string): string {
    const normal = this.traits.normalises ? name.normalize('NFC') : name;
    return this.traits.caseInsensitive ? normal.toLowerCase() : normal;
  }

  #folderOf(path: string): Node {
    const folder = this.find(parentOf(path));
    if (folder?.kind !== 'folder') throw new Error(`${path}: no such folder`);
    return folder;
  }
}

function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Uint8Array.from(Buffer.from(text, 'utf8')) : text.slice();
}
