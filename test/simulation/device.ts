/**
 * One simulated machine with a copy of the workspace on it: disk, index, files, clock
 * and key from a seed, and the product's own Replica and WorkCopy over them. Its process
 * may be killed and its power cut at any step (`Fuse`). Leaves out what users do
 * (`user.ts`) and whom it talks to (`world.ts`).
 */
import { createRequire } from 'node:module';
import { deflateRawSync } from 'node:zlib';
import { toHex } from '../../src/core/bytes.js';
import { signerFromSeed, type Signer } from '../../src/core/crypto.js';
import type { Clock, Deflate, KeyValue } from '../../src/core/ports.js';
import type { StrongChange } from '../../src/core/strong.js';
import type { DiamondTypes } from '../../src/crdt/text/diamond.js';
import { nodeDeflate } from '../../src/node/deflate.js';
import { Replica, type ReplicaPorts, type StrongTaken } from '../../src/repo/replica.js';
import { chunkBoundaries } from '../../src/tree/chunker.js';
import { WorkCopy } from '../../src/tree/workcopy.js';
import type { SimClock } from '../sim/clock.js';
import { SimDisk } from '../sim/disk.js';
import { SimFiles } from '../sim/files.js';
import { SimKeyValue } from '../sim/keyvalue.js';
import { type Seeded, SimRng } from '../sim/random.js';
import type { SimStorage } from '../sim/storage.js';
import { SimWorkDir } from '../sim/workdir.js';
import { Fuse } from './fuse.js';

const LOCK_TIMEOUT_MS = 0;

/** Deflates at once: a thread pool knows nothing of virtual time. */
const DEFLATE: Deflate = {
  ...nodeDeflate,
  deflateRaw: (bytes) => Promise.resolve(deflateRawSync(bytes)),
};

const require = createRequire(import.meta.url);
const diamondTypes = (): DiamondTypes => require('diamond-types-node') as DiamondTypes;

export interface DeviceOptions {
  readonly name: string;
  readonly random: Seeded;
  readonly clock: SimClock;
  /** Of the same person's other copy; a new one if absent. */
  readonly signer?: Signer;
}

export class Device {
  readonly name: string;
  readonly random: Seeded;
  readonly clock: SimClock;
  readonly signer: Signer;
  /** Of the process that runs now: counts its steps that reach disk or files, and ends it at one. */
  fuse = new Fuse();
  readonly disk: SimDisk;
  readonly files: SimFiles;
  placeMark: string;
  private index = new SimKeyValue();
  private readonly rng: SimRng;
  private boots = 1;
  private readonly strongLog: StrongChange[] = [];
  private storage: SimStorage;
  private dir: SimWorkDir;
  private opened: { readonly replica: Replica; readonly work: WorkCopy } | null = null;

  constructor({ name, random, clock, signer }: DeviceOptions) {
    this.name = name;
    this.random = random;
    this.clock = clock;
    this.signer = signer ?? signerFromSeed(random.bytes(32));
    this.rng = new SimRng(random.fork());
    this.disk = new SimDisk({ random: random.fork(), clock: this.diskClock });
    this.files = new SimFiles({ clock });
    this.placeMark = toHex(random.bytes(8));
    this.storage = this.disk.open();
    this.dir = this.openDir();
  }

  private get diskClock(): Clock {
    const write = (run: () => void): void => this.fuse.write(run);
    return {
      wallMs: () => 0,
      monotonicMs: () => 0,
      after: (_, run) => (write(run), () => undefined),
    };
  }

  get replica(): Replica {
    return this.running.replica;
  }

  get work(): WorkCopy {
    return this.running.work;
  }

  private get running(): { readonly replica: Replica; readonly work: WorkCopy } {
    if (this.opened === null) throw new Error(`${this.name} is not running`);
    return this.opened;
  }

  get ports(): ReplicaPorts {
    return {
      storage: this.storage,
      clock: this.clock,
      rng: this.rng,
      deflate: DEFLATE,
      diamondTypes,
      openIndex: (wipe) => {
        if (wipe) this.index.wipe();
        return Promise.resolve(this.fused(this.index));
      },
      bootId: `boot ${this.boots}`,
      placeMark: this.placeMark,
      chunks: chunkBoundaries,
      strong: (after) => Promise.resolve(this.strongAfter(after)),
    };
  }

  /** What the strong log held here did after an entry. */
  private strongAfter(after: number): StrongTaken {
    const changes = this.strongLog.filter((change) => change.index > after);
    return { index: this.strongLog.at(-1)?.index ?? 0, changes };
  }

  /** Takes in more of a strong log, as a ledger would. */
  async takeStrong(changes: readonly StrongChange[]): Promise<void> {
    await this.replica.takeStrong(() => {
      this.strongLog.push(...changes);
      return Promise.resolve({ index: this.strongLog.at(-1)?.index ?? 0, changes });
    });
  }

  /** The same repository with an index of its own, to be looked at beside the real one. */
  spare(): ReplicaPorts {
    const index = new SimKeyValue();
    return { ...this.ports, openIndex: () => Promise.resolve(index) };
  }

  /** Begins a process with a replica that was made or opened through `ports`. */
  run(replica: Replica): void {
    const signer = (): Promise<Signer> => Promise.resolve(this.signer);
    this.opened = { replica, work: new WorkCopy(replica, this.dir, signer, LOCK_TIMEOUT_MS) };
  }

  async open(): Promise<void> {
    this.run(await Replica.open(this.ports));
  }

  /** Ends the process properly and begins another. */
  async reopen(): Promise<void> {
    await this.replica.close();
    await this.open();
  }

  /** Rebuilds the index from nothing. */
  async reindex(): Promise<void> {
    await this.replica.close();
    this.run(await Replica.reindex(this.ports));
  }

  /** kill -9; what was written stays, acknowledged or not. */
  kill(): void {
    this.fuse.end();
    this.disk.kill(this.storage);
  }

  /** A power cut; the index, which nobody synced, comes back whole, older, or not at all. */
  cutPower(olderIndex: SimKeyValue | null = null): void {
    this.fuse.end();
    this.disk.crash();
    this.boots += 1;
    if (olderIndex !== null) this.index = olderIndex;
    else if (this.random.bool()) this.index.wipe();
  }

  /** What a backup of the index would hold. */
  async copyIndex(): Promise<SimKeyValue> {
    const copy = new SimKeyValue();
    const all = { from: Uint8Array.of(0), to: new Uint8Array(8).fill(255) };
    copy.write(this.index.range(all));
    return copy;
  }

  /** After the end of a process; the next one is begun by `open`. */
  restart(): void {
    this.fuse = new Fuse();
    this.opened = null;
    this.storage = this.disk.open();
    this.dir = this.openDir();
  }

  private openDir(): SimWorkDir {
    const { fuse } = this;
    const dir = new SimWorkDir(this.files, this.disk);
    dir.before = (step) => {
      if (step === 'list' || step === 'stat' || step === 'read') fuse.check();
      else fuse.burn();
    };
    return dir;
  }

  private fused(index: SimKeyValue): KeyValue {
    const { fuse } = this;
    return {
      get: (key) => index.get(key),
      range: (options) => index.range(options),
      write: (changes) => {
        fuse.burn();
        index.write(changes);
      },
      close: () => index.close(),
    };
  }

  /**
   * `cp -r` to another machine or folder: the same bytes in another place, to which the
   * device's key belongs too.
   */
  async copy(name: string, clock: SimClock): Promise<Device> {
    const twin = new Device({ name, random: this.random.fork(), clock, signer: this.signer });
    for (const path of await this.storage.list('')) {
      const bytes = await this.storage.read(path);
      if (bytes !== null) await twin.storage.replace(path, bytes);
    }
    twin.index = await this.copyIndex();
    copyFolder(this.files, twin.files, '');
    await twin.open();
    return twin;
  }
}

function copyFolder(from: SimFiles, to: SimFiles, folder: string): void {
  for (const { name, node } of from.find(folder)?.children.values() ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (node.kind === 'folder') {
      to.mkdir(path);
      copyFolder(from, to, path);
    } else if (node.kind === 'symlink') {
      to.symlink(path, node.target);
    } else {
      to.save(path, node.content.bytes);
      if (node.executable) to.chmod(path, true);
    }
  }
}
