/**
 * A disk in memory that forgets what a real one may forget. What was acknowledged
 * survives a power cut; what was on its way is there wholly, not at all, or (appends)
 * torn, with zeros where the file grew before its bytes came. Faults are planned by the
 * test. Leaves out a power cut that loses what was acknowledged: no disk may.
 */
import type { Clock, Path } from '../../src/core/ports.js';
import { worldFault } from '../../src/node/faults.js';
import { foldersAbove } from '../../src/node/paths.js';
import type { Seeded } from './random.js';
import { SimStorage } from './storage.js';

/** Bytes that a file shares with its hard links; see `files.ts`. */
export interface Content {
  bytes: Uint8Array;
}

/** What a file was at one time; null if there was none. */
export interface State {
  readonly path: Path;
  readonly content: Content | null;
  /** An append: after a power cut, part of what it added may be there. */
  readonly mayTear: boolean;
}

export type DiskOp = 'read' | 'write' | 'sync';

export interface SimDiskOptions {
  readonly random: Seeded;
  /** Where a write takes time, and how long at most; without, it takes one turn. */
  readonly clock?: Clock;
  readonly latencyMs?: number;
}

export class SimDisk {
  /** Room on the disk; a write beyond it fails with `disk_full` and changes nothing. */
  capacityBytes = Infinity;
  readOnly = false;
  readonly #options: SimDiskOptions;
  /** Per file, from what is surely on disk (first) to what is seen (last). Never empty. */
  readonly #files = new Map<Path, State[]>();
  readonly #locks = new Map<Path, SimStorage>();
  readonly #processes = new Set<SimStorage>();
  readonly #planned: { op: DiskOp; path: RegExp; times: number }[] = [];

  constructor(options: SimDiskOptions) {
    this.#options = options;
  }

  /** The storage as a process has it open. */
  open(): SimStorage {
    const process = new SimStorage(this);
    this.#processes.add(process);
    return process;
  }

  /** kill -9: what the process wrote is seen by others, acknowledged or not. */
  kill(process: SimStorage): void {
    process.die();
    this.#processes.delete(process);
    for (const [path, holder] of this.#locks) if (holder === process) this.#locks.delete(path);
  }

  /** A power cut: all processes die, and the disk keeps what it must and what it likes. */
  crash(): void {
    for (const process of [...this.#processes]) this.kill(process);
    for (const [path, states] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const content = this.#survivor(states);
      if (content === null) this.#files.delete(path);
      else this.#files.set(path, [{ path, content, mayTear: false }]);
    }
  }

  /** Makes the next `times` operations of that kind on a matching path fail. */
  plan(op: DiskOp, path = /^/, times = 1): void {
    this.#planned.push({ op, path, times });
  }

  /** Throws as a disk with an input/output error would, if the test planned it. */
  failIfPlanned(op: DiskOp, path: Path): void {
    const fault = this.#planned.find((plan) => plan.op === op && plan.path.test(path));
    if (fault === undefined) return;
    fault.times -= 1;
    if (fault.times <= 0) this.#planned.splice(this.#planned.indexOf(fault), 1);
    throw diskFault('EIO', path);
  }

  /** Flips one bit of a file on disk: bit `at`, or a random one. */
  flipBit(path: Path, at?: number): void {
    for (const { content } of this.#files.get(path) ?? []) {
      if (content === null || content.bytes.byteLength === 0) continue;
      const bit = at ?? this.#options.random.int(0, 8 * content.bytes.byteLength - 1);
      content.bytes = content.bytes.slice();
      content.bytes[bit >> 3] = (content.bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
  }

  /** What a file holds now, its writes on the way included; null if there is none. */
  bytes(path: Path): Uint8Array | null {
    return this.#files.get(path)?.at(-1)?.content?.bytes ?? null;
  }

  exists(path: Path): boolean {
    return this.bytes(path) !== null || this.paths(path).length > 0;
  }

  /** Every file below a folder ('' for all), sorted by code unit. */
  paths(prefix: Path): readonly Path[] {
    const start = prefix === '' ? '' : `${prefix}/`;
    const found = [...this.#files.keys()].filter((path) => path.startsWith(start));
    return found.filter((path) => this.bytes(path) !== null).sort();
  }

  /** Throws what a write of `added` more bytes to `path` would meet. */
  checkWrite(path: Path, added: number): void {
    if (this.readOnly) throw diskFault('EROFS', path);
    this.failIfPlanned('write', path);
    for (const folder of foldersAbove(path)) {
      if (this.bytes(folder) !== null) throw diskFault('ENOTDIR', path);
    }
    if (this.paths(path).length > 0) throw diskFault('EISDIR', path);
    const used = this.paths('').reduce((sum, each) => sum + (this.bytes(each)?.byteLength ?? 0), 0);
    if (added > 0 && used + added > this.capacityBytes) throw diskFault('ENOSPC', path);
  }

  /** A new state of a file, seen from now on, not yet surely on disk. */
  push(path: Path, bytes: Uint8Array | null, options: { mayTear?: boolean } = {}): State {
    return this.#push(path, bytes === null ? null : { bytes }, options.mayTear === true);
  }

  /** A hard link to a file of the working directory, on disk at once. */
  link(path: Path, content: Content): void {
    this.checkWrite(path, 0);
    if (this.exists(path)) throw diskFault('EEXIST', path);
    this.keep(this.#push(path, content, false));
  }

  #push(path: Path, content: Content | null, mayTear: boolean): State {
    const state = { path, content, mayTear };
    const states = this.#files.get(path);
    if (states !== undefined) states.push(state);
    else this.#files.set(path, [{ path, content: null, mayTear: false }, state]);
    return state;
  }

  /** From now on the file is never older than `state`. */
  keep(state: State): void {
    const states = this.#files.get(state.path) ?? [];
    const index = states.indexOf(state);
    if (index > 0) states.splice(0, index);
    if (states.length === 1 && state.content === null) this.#files.delete(state.path);
  }

  lock(path: Path, process: SimStorage): (() => void) | null {
    if (this.readOnly) throw diskFault('EROFS', path);
    if (this.#locks.has(path)) return null;
    if (this.bytes(path) === null) this.push(path, new Uint8Array(0));
    this.#locks.set(path, process);
    let held = true;
    return () => {
      if (held && this.#locks.get(path) === process) this.#locks.delete(path);
      held = false;
    };
  }

  /** As long as a write is on its way to the disk. */
  async pause(): Promise<void> {
    const { clock, latencyMs = 1, random } = this.#options;
    if (clock === undefined) return;
    const delayMs = random.float() * latencyMs;
    await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
  }

  /** What the power cut leaves of a file: any of its states, or the next one torn. */
  #survivor(states: readonly State[]): Content | null {
    const { random } = this.#options;
    const index = random.int(0, states.length - 1);
    const old = states[index]?.content ?? null;
    const next = states[index + 1];
    if (next?.mayTear !== true || next.content === null || random.bool()) return old;
    const from = old?.bytes.byteLength ?? 0;
    const bytes = next.content.bytes.slice(0, random.int(from, next.content.bytes.byteLength));
    if (random.chance(0.25)) bytes.fill(0, random.int(from, bytes.byteLength));
    return { bytes };
  }
}

export function diskFault(errno: string, path: Path): unknown {
  return worldFault(Object.assign(new Error(errno), { code: errno }), path);
}
