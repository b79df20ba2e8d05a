/**
 * One device's copy of a workspace: logs, index and fold behind one door. Every change
 * happens inside `transact`, under the writer lock, and counts once `flush` resolved:
 * then logs (and what else was given) are on disk. Reading never takes the lock.
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import { checkCommit, type Commit } from '../core/commit.js';
import type { Signer } from '../core/crypto.js';
import { assert, WnError } from '../core/errors.js';
import { rootNode, type DeviceId, type NodeId } from '../core/ids.js';
import { LOCK_TIMEOUT_MS } from '../core/limits.js';
import type { Clock, Deflate, KeyValue, Rng, Storage } from '../core/ports.js';
import type { StrongChange } from '../core/strong.js';
import type { DiamondTypes } from '../crdt/text/diamond.js';
import { Author } from './author.js';
import { Authority } from './authority.js';
import { Blobs } from './blobs.js';
import { changedHere, withTrustedCommands } from './commands.js';
import { Fold } from './fold/fold.js';
import { History } from './history.js';
import { decodeSeq, encodeSeq, PRESENT, type CommitState } from './index/records.js';
import { INDEX_VERSION, isOfThisVersion, key, Tables } from './index/tables.js';
import { waitForLock } from './lock.js';
import type { Damage } from './log/scan.js';
import { LogStore } from './log/store.js';
import { settlePending } from './pending.js';
import { rebuild, recover } from './rebuild.js';
import {
  readConfig,
  readJoining,
  readPlace,
  writeConfig,
  type Config,
  type Joining,
  type Place,
} from './settings.js';
import type { Chunk } from './travel.js';
import { View } from './view.js';
import { WantedBlobs } from './wanted.js';
import { writeCommits, type Extra } from './writer.js';

export interface ReplicaPorts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly deflate: Deflate;
  /** Loads the text merge engine, at the first concurrent edit of a document. */
  readonly diamondTypes: () => DiamondTypes;
  /** Opens the disposable index; `wipe` begins with an empty one. */
  readonly openIndex: (wipe: boolean) => Promise<KeyValue>;
  /** Which boot of the machine this is: the index isn't synced, so it is good for one. */
  readonly bootId: string;
  /** Where this copy stands: a copied or restored one has another mark. */
  readonly placeMark: string;
  readonly chunks: (bytes: Uint8Array) => Iterable<readonly [number, number]>;
  /** What the strong log that is held here did after an entry; for a new index. */
  readonly strong: (after: number) => Promise<StrongTaken>;
}

/** Entries of the strong log, taken in up to `index`. */
export interface StrongTaken {
  readonly index: number;
  readonly changes: readonly StrongChange[];
}

export const NO_STRONG_LOG: StrongTaken = { index: 0, changes: [] };

/** Which boot of the machine the index was last written in. */
const BOOT_PATH = 'index/boot';
const OVERLAY_KEYS_MAX = 50_000;

export class Replica {
  readonly history: History;
  readonly fold: Fold;
  readonly view: View;
  readonly authority: Authority;
  readonly blobs: Blobs;
  readonly author: Author;
  readonly root: NodeId;
  private readonly wanted: WantedBlobs;
  private readonly damages: Damage[] = [];
  /** Made and folded, not yet written, in order. */
  private readonly queue: Commit[] = [];
  private release: (() => void) | null = null;
  private settings: Config;
  private generation = '';
  /** Commits may be waiting for their time or their past; false if there were none. */
  private mayWait = true;

  private constructor(
    readonly ports: ReplicaPorts,
    settings: Config,
    readonly tables: Tables,
    readonly store: LogStore,
    place: Place | null,
    joining: Joining | null,
  ) {
    this.settings = withTrustedCommands(settings, ports.placeMark);
    const ws = settings.workspace;
    this.root = rootNode(ws);
    this.history = new History(tables, ws, (log, position) =>
      store.payload({ dev: log.dev, epoch: log.epoch }, position),
    );
    this.fold = new Fold(tables, this.history, ports.diamondTypes);
    this.authority = new Authority(tables, this.history, this.fold, ws);
    this.blobs = new Blobs(ports.storage, ports.chunks);
    this.author = new Author(this, place, joining);
    this.wanted = new WantedBlobs(tables, this.blobs);
    this.view = new View(tables, this.history, this.fold, this.blobs, this.root);
    this.generation = this.readGeneration();
  }

  /** Opens the repository of `ports.storage`; builds the index anew where it can't be trusted. */
  static async open(ports: ReplicaPorts, lockTimeoutMs = LOCK_TIMEOUT_MS): Promise<Replica> {
    const config = await readConfig(ports.storage);
    const place = await readPlace(ports.storage);
    const store = new LogStore(ports.storage, ports.deflate);
    const joining = await readJoining(ports.storage);
    // An index of another boot may be torn: it isn't even opened.
    if (await isOfThisBoot(ports)) {
      const tables = new Tables(await ports.openIndex(false));
      if (isOfThisVersion(tables)) return new Replica(ports, config, tables, store, place, joining);
      await tables.close();
    }
    return Replica.reindex(ports, lockTimeoutMs);
  }

  /**
   * Opens with an index built anew from the logs. Throws `damage` where they can't all be
   * read, unless that is what the caller looks for: then the index holds what can be.
   */
  static async reindex(
    ports: ReplicaPorts,
    lockTimeoutMs = LOCK_TIMEOUT_MS,
    tolerant = false,
  ): Promise<Replica> {
    const release = await waitForLock(ports, lockTimeoutMs);
    try {
      const config = await readConfig(ports.storage);
      const place = await readPlace(ports.storage);
      const store = new LogStore(ports.storage, ports.deflate);
      const joining = await readJoining(ports.storage);
      const tables = new Tables(await ports.openIndex(true));
      const replica = new Replica(ports, config, tables, store, place, joining);
      replica.foldStrong(await ports.strong(0));
      await rebuild(replica);
      const [damage] = replica.damages;
      if (damage !== undefined) {
        if (tolerant) return replica;
        await tables.close();
        throw damaged(damage);
      }
      tables.put(key.meta('version'), encodeSeq(INDEX_VERSION));
      await replica.flush(null);
      await ports.storage.replace(BOOT_PATH, utf8(ports.bootId));
      return replica;
    } finally {
      release();
    }
  }

  get config(): Config {
    return this.settings;
  }

  /** Changes the configuration, as it is on disk now. */
  async configure(change: (config: Config) => Config): Promise<void> {
    assert(this.release !== null, 'a change of the configuration without the lock');
    const before = await readConfig(this.ports.storage);
    this.settings = changedHere(before, this.ports.placeMark, change);
    await writeConfig(this.ports.storage, this.settings);
  }

  get ws(): string {
    return this.config.workspace;
  }

  get device(): DeviceId {
    return this.config.device;
  }

  async close(): Promise<void> {
    this.unlock();
    await this.tables.close();
  }

  // The writer lock

  /** Runs `work` as the only writer. Nested calls share the lock. */
  async transact<T>(work: () => Promise<T>, timeoutMs = LOCK_TIMEOUT_MS): Promise<T> {
    if (this.release !== null) return work();
    await this.lock(timeoutMs);
    try {
      return await work();
    } catch (error) {
      this.abandon();
      throw error;
    } finally {
      this.unlock();
    }
  }

  /** Takes the lock until `end`: for a group of changes that become durable together. */
  async begin(timeoutMs: number): Promise<void> {
    if (this.release === null) await this.lock(timeoutMs);
  }

  get inGroup(): boolean {
    return this.release !== null;
  }

  end(): void {
    if (this.queue.length > 0) this.abandon();
    this.unlock();
  }

  private async lock(timeoutMs: number): Promise<void> {
    this.release = await waitForLock(this.ports, timeoutMs);
    if (this.readGeneration() !== this.generation) this.refresh();
    const wasKilled = this.tables.has(key.meta('writing'));
    if (wasKilled) await recover(this);
    if (this.tables.has(key.meta('takingStrong'))) {
      this.foldStrong(await this.ports.strong(this.strongIndex));
    }
    if (wasKilled || this.mayWait) this.mayWait = settlePending(this);
    await this.flush(null);
  }

  private unlock(): void {
    this.release?.();
    this.release = null;
  }

  private readGeneration(): string {
    return toHex(this.tables.get(key.meta('generation')) ?? new Uint8Array());
  }

  /** Sees what another process has written; false if nothing has changed. */
  catchUp(): boolean {
    if (this.release !== null || this.readGeneration() === this.generation) return false;
    this.refresh();
    return true;
  }

  /** Forgets what another process may have changed since this one last looked. */
  refresh(): void {
    this.generation = this.readGeneration();
    this.mayWait = true;
    this.author.refresh();
    this.history.refresh();
    this.fold.refresh();
    this.authority.refresh();
    this.view.refresh();
  }

  /** Drops everything that wasn't flushed. */
  abandon(): void {
    this.queue.length = 0;
    this.tables.discard();
    this.history.forgetUnwritten();
    this.refresh();
  }

  // Taking commits in

  /** Holds, learns and folds a commit whose past is folded; it is written by the next flush. */
  accept(commit: Commit, state: CommitState): void {
    this.queue.push(commit);
    this.history.hold(commit, state, null);
    this.foldHeld(commit, state);
  }

  /** Holds a commit that can't be folded yet. */
  acceptPending(commit: Commit): void {
    this.queue.push(commit);
    this.history.hold(commit, 'held', null);
    this.mayWait = true;
    const number = this.history.log(commit.log)?.number ?? 0;
    this.tables.put(key.pending(number), encodeSeq(commit.header.seq));
  }

  foldHeld(commit: Commit, state: CommitState): void {
    this.history.learn(commit, state);
    this.authority.take(commit, this.fold.groups.of(commit));
    this.wanted.note(this.fold.groups.of(commit));
    if (state !== 'held') this.fold.apply(commit, state === 'live');
    this.author.saw(commit.log);
  }

  // The strong log

  /** Up to which entry the strong log is folded. */
  get strongIndex(): number {
    const index = this.tables.get(key.meta('strong'));
    return index === undefined ? 0 : decodeSeq(index);
  }

  /** Folds what `append` has made durable of the strong log; killed meanwhile, the next lock does. */
  takeStrong(append: () => Promise<StrongTaken>): Promise<StrongTaken> {
    return this.transact(async () => {
      this.tables.mark(key.meta('takingStrong'), PRESENT);
      const taken = await append();
      this.foldStrong(taken);
      settlePending(this);
      await this.flush(null);
      return taken;
    });
  }

  private foldStrong({ index, changes }: StrongTaken): void {
    this.fold.applyStrong(changes);
    this.tables.put(key.meta('strong'), encodeSeq(index));
    this.tables.remove(key.meta('takingStrong'));
  }

  // Writing

  /** Signs, writes and syncs everything queued, with `extra`; then the index. */
  async flush(signer: Signer | null, extra: readonly Extra[] = []): Promise<void> {
    if (this.queue.length > 0) {
      await writeCommits(this, this.queue, signer, extra);
      this.queue.length = 0;
    } else if (extra.length > 0) {
      await this.ports.storage.appendAll(extra);
    }
    if (!this.fold.unsaved && !this.tables.dirty) return;
    this.fold.save();
    this.history.save();
    this.generation = toHex(this.ports.rng.bytes(8));
    this.tables.put(key.meta('generation'), fromHex(this.generation));
    this.tables.remove(key.meta('writing'));
    this.tables.flush();
    this.view.refresh();
  }

  /** A log could not be read to its end; see `reindex`. */
  noteDamage(damage: Damage): void {
    this.damages.push(damage);
  }

  /** The index was built from logs that could not all be read. */
  get isIncomplete(): boolean {
    return this.damages.length > 0;
  }

  // Blobs

  /** Hashes of chunks that content refers to and that aren't held. */
  wantedBlobs(limit: number): readonly string[] {
    return this.wanted.list(limit);
  }

  /** Stores chunks that a peer sent; durable when resolved. Gives how many weren't their hash. */
  async takeBlobs(chunks: readonly Chunk[]): Promise<number> {
    const stored = await this.blobs.write(chunks);
    await this.transact(async () => {
      for (const hash of stored) this.wanted.arrived(hash);
      await this.flush(null);
    });
    return chunks.length - stored.length;
  }

  // The working directory

  /** Worknodes that changed since the working directory was last brought in step. */
  dirtyNodes(): readonly NodeId[] {
    return [...this.tables.prefix(key.table('dirty'))].map(([at]) => at.slice(2));
  }

  markInStep(nodes: readonly NodeId[]): void {
    for (const node of nodes) this.tables.remove(key.dirty(node));
    this.tables.remove(key.dirty(this.root));
  }

  /** Keeps a long fold's memory bounded: what is folded goes to the index before all is. */
  saveIfLarge(): void {
    if (this.tables.size < OVERLAY_KEYS_MAX) return;
    this.fold.save();
    this.history.save();
    this.tables.flush();
  }

  /** Decodes and checks a commit that came from outside; throws `invalid`. */
  check(commit: Commit): void {
    this.fold.groups.keep(commit.id, checkCommit(commit));
  }
}

function damaged({ file, offset, what }: Damage): WnError {
  return new WnError('damage', `${file}, offset ${offset}: ${what}`, {
    hint: 'nothing was changed; fetch what is lost from a peer: wn fsck --repair',
    details: { file, offset },
  });
}

async function isOfThisBoot({ storage, bootId }: ReplicaPorts): Promise<boolean> {
  const boot = await storage.read(BOOT_PATH);
  return boot !== null && Buffer.from(boot).toString('utf8') === bootId;
}
