/**
 * Files kept open for appending, a bounded number, least recently used closed first.
 * Opening costs as much as a small write, and a log is appended to again and again.
 */
import * as fs from 'node:fs';
import { OPEN_FILES_MAX } from '../core/limits.js';
import type { Path } from '../core/ports.js';

export interface OpenFile {
  readonly path: Path;
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  /** Resolves when the file's name is on disk; null before anybody asked. */
  named: Promise<void> | null;
  /** Appends that wait for its sync; it stays open for them. */
  pins: number;
}

export class OpenFiles {
  /** Least recently used first. */
  readonly #files = new Map<Path, OpenFile>();

  /** The open file of that path, pinned, if it is still the one that the name leads to. */
  take(path: Path, absolute: string): OpenFile | null {
    const file = this.#files.get(path);
    if (file === undefined) return null;
    this.#files.delete(path);
    const stat = fs.lstatSync(absolute, { throwIfNoEntry: false });
    if (stat?.ino !== file.ino || stat.dev !== file.dev) {
      this.#closeUnlessPinned(file);
      return null;
    }
    this.#files.set(path, file);
    file.pins += 1;
    return file;
  }

  /** Keeps a descriptor that was just opened; pinned. */
  add(path: Path, fd: number, stat: fs.Stats): OpenFile {
    const file = { path, fd, dev: stat.dev, ino: stat.ino, named: null, pins: 1 };
    this.#files.set(path, file);
    for (const oldest of this.#files.values()) {
      if (this.#files.size <= OPEN_FILES_MAX) break;
      if (oldest.pins > 0) continue;
      this.#files.delete(oldest.path);
      fs.closeSync(oldest.fd);
    }
    return file;
  }

  unpin(file: OpenFile): void {
    file.pins -= 1;
    if (this.#files.get(file.path) !== file) this.#closeUnlessPinned(file);
  }

  /** Closes what nobody waits for; the rest closes when it is unpinned. */
  closeAll(): void {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const file of files) this.#closeUnlessPinned(file);
  }

  #closeUnlessPinned(file: OpenFile): void {
    if (file.pins === 0) fs.closeSync(file.fd);
  }
}
