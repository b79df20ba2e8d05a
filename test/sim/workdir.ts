/**
 * The program's view of simulated files. A test may look in between the steps of a call
 * (`before`), to edit files there as another program would, or to make the step fail.
 */
import { WnError } from '../../src/core/errors.js';
import type {
  DirEntry,
  FileStat,
  LookAhead,
  PackedPaths,
  Path,
  WorkDir,
} from '../../src/core/ports.js';
import { checkPath, foldersAbove } from '../../src/node/paths.js';
import type { SimDisk } from './disk.js';
import type { Node, SimFiles, Traits } from './files.js';

/** `replace` is the moment after the old file was saved and before the new one takes its name. */
export type Step = 'list' | 'stat' | 'read' | 'write' | 'replace' | 'remove' | 'rename' | 'folder';

export class SimWorkDir implements WorkDir {
  /** Called before each step; what it throws the program gets. */
  before: (step: Step, path: Path) => void = () => undefined;
  readonly #files: SimFiles;
  readonly #saved: SimDisk | null;

  /** `saved` is the disk of the repository's storage, where `saveAs` leads. */
  constructor(files: SimFiles, saved: SimDisk | null = null) {
    this.#files = files;
    this.#saved = saved;
  }

  get traits(): Traits {
    return this.#files.traits;
  }

  list(path: Path): readonly DirEntry[] | null {
    const node = this.#look('list', path);
    if (node?.kind !== 'folder') return null;
    return [...node.children.values()].map(({ name, node: { kind } }) => ({ name, kind }));
  }

  stat(path: Path): FileStat | null {
    const node = this.#look('stat', path);
    return node === null ? null : toStat(node);
  }

  read(path: Path): Uint8Array | null {
    checkPath(path);
    const node = this.#look('read', path);
    return node?.kind === 'file' ? node.content.bytes.slice() : null;
  }

  readLink(path: Path): string | null {
    checkPath(path);
    const node = this.#look('read', path);
    return node?.kind === 'symlink' ? node.target : null;
  }

  /** Of every other file, as it is now: the rest isn't seen in time. */
  lookAhead({ bytes, ends }: PackedPaths): LookAhead {
    const seen = new Map<number, FileStat>();
    for (let number = 0; number < ends.length; number += 2) {
      const path = Buffer.from(bytes.subarray(ends[number - 1] ?? 0, ends[number])).toString();
      const node = path === '' ? null : this.#files.find(path);
      if (node !== null) seen.set(number, toStat(node));
    }
    return { stat: (number) => seen.get(number), stop: () => undefined };
  }

  write(
    path: Path,
    content: Uint8Array | Iterable<Uint8Array>,
    options: { executable?: boolean; saveAs?: Path } = {},
  ): FileStat {
    this.#change('write', path);
    const bytes = Buffer.concat(content instanceof Uint8Array ? [content] : [...content]);
    this.#makeFolders(path);
    const old = this.#files.find(path);
    if (old?.kind === 'folder') throw taken(path);
    const node = this.#files.create('file', { bytes: new Uint8Array(bytes) });
    node.executable = options.executable ?? (old?.kind === 'file' && old.executable);
    if (old?.kind === 'file') this.#save(old, options.saveAs);
    this.before('replace', path);
    this.#reachable(path);
    this.#files.put(path, node);
    return toStat(node);
  }

  setExecutable(path: Path, executable: boolean): FileStat {
    this.#change('write', path);
    const node = this.#files.find(path);
    if (node?.kind !== 'file') throw notFound(path);
    this.#files.chmod(path, executable);
    return toStat(node);
  }

  symlink(path: Path, target: string): FileStat {
    this.#change('write', path);
    this.#makeFolders(path);
    if (this.#files.find(path) !== null) throw taken(path);
    const node = this.#files.create('symlink', { target });
    this.#files.put(path, node);
    return toStat(node);
  }

  makeFolder(path: Path): void {
    this.#change('folder', path);
    this.#makeFolders(`${path}/.`);
  }

  rename(from: Path, to: Path): FileStat {
    checkPath(to);
    this.#change('rename', from);
    this.#reachable(to);
    const node = this.#files.find(from);
    if (node === null) throw notFound(from);
    this.#makeFolders(to);
    const there = this.#files.find(to);
    if (there !== null && (there !== node || this.#files.fold(from) !== this.#files.fold(to))) {
      throw taken(to);
    }
    this.#files.move(from, to);
    return toStat(node);
  }

  remove(path: Path, options: { saveAs?: Path } = {}): void {
    this.#change('remove', path);
    const node = this.#files.find(path);
    if (node === null) return;
    if (node.kind === 'folder') throw new WnError('invalid', `'${path}' is a folder, not a file`);
    if (node.kind === 'file') this.#save(node, options.saveAs);
    this.#files.take(path);
  }

  removeFolder(path: Path): boolean {
    this.#change('folder', path);
    const node = this.#files.find(path);
    if (node === null) return true;
    if (node.kind !== 'folder') throw new WnError('invalid', `'${path}' is not a folder`);
    if (node.children.size > 0) return false;
    this.#files.take(path);
    return true;
  }

  #look(step: Step, path: Path): Node | null {
    if (path !== '') checkPath(path);
    this.before(step, path);
    return path === '' || this.#reachable(path) ? this.#files.find(path) : null;
  }

  #change(step: Step, path: Path): void {
    checkPath(path);
    this.before(step, path);
    this.#reachable(path);
  }

  /** False if a folder above `path` is missing; throws if one is a symlink. */
  #reachable(path: Path): boolean {
    for (const folder of foldersAbove(path)) {
      const node = this.#files.find(folder);
      if (node?.kind === 'symlink') throw behindSymlink(path, folder);
      if (node?.kind !== 'folder') return false;
    }
    return true;
  }

  #makeFolders(path: Path): void {
    for (const folder of foldersAbove(path)) {
      const node = this.#files.find(folder);
      if (node?.kind === 'symlink') throw behindSymlink(path, folder);
      if (node !== null && node.kind !== 'folder') throw taken(folder);
      this.#files.mkdir(folder);
    }
  }

  #save(node: Node, saveAs: Path | undefined): void {
    if (saveAs === undefined) return;
    if (this.#saved === null) throw new Error('saveAs without a storage');
    checkPath(saveAs);
    if (this.#saved.exists(saveAs)) throw taken(saveAs);
    this.#saved.link(saveAs, node.content);
  }
}

function toStat(node: Node): FileStat {
  return {
    kind: node.kind,
    size: node.kind === 'symlink' ? node.target.length : node.content.bytes.byteLength,
    mtimeMs: node.mtimeMs,
    ctimeMs: node.ctimeMs,
    birthtimeMs: node.birthtimeMs,
    ino: node.ino,
    executable: node.executable,
  };
}

function taken(path: Path): WnError {
  return new WnError('exists', `there is something at '${path}' already; it was left as it is`);
}

function notFound(path: Path): WnError {
  return new WnError('not_found', `there is no '${path}'`);
}

function behindSymlink(path: Path, folder: Path): WnError {
  return new WnError('unreadable', `'${path}' is behind the symlink '${folder}': not followed`);
}
