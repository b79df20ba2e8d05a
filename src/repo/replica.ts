/**
 * One device's copy of a workspace: logs, index and fold behind one door. Every change
 * happens inside `transact`, under the writer lock, and counts once `flush` resolved:
 * then logs (and what else was given) are on disk. Reading never takes the lock.
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import {
  checkCommit,
  commitId,
  encodeGroup,
  makeCommit,
  signCommit,
  type Commit,
  type CommitKind,
} from '../core/commit.js';
import type { Signer } from '../core/crypto.js';
import { assert, WnError } from '../core/errors.js';
import { encodePayload } from '../core/frame.js';
import { hlcMs, nextHlc } from '../core/hlc.js';
import {
  logId,
  NO_WORKSPACE,
  rootNode,
  type CapId,
  type DeviceId, type LogId, type NodeId } from '../core/ids.js';
import { CLOCK_AHEAD_MAX_MS, DEPS_MAX, LOCK_TIMEOUT_MS } from '../core/limits.js';
import type { Clock, Deflate, KeyValue, Path, Rng, Storage } from '../core/ports.js';
import type { DiamondTypes } from '../crdt/text/diamond.js';
import { encodeCap } from '../caps/cap.js';
import { Authority } from './authority.js';
import { Blobs } from './blobs.js';
import type { Op } from '../core/op.js';
import { beginLog } from './exchange.js';
import { Draft, type EncodedGroup } from './draft.js';
import { Fold } from './fold/fold.js';
import { History, type CommitRef } from './history.js';
import { encodeSeq } from './index/records.js';
import { INDEX_VERSION, key, Tables } from './index/tables.js';
import type { Damage } from './log/scan.js';
import { placeAfter, type LogOffset } from './log/segment.js';
import { LogStore, type Batch } from './log/store.js';
import { rebuild, recover } from './rebuild.js';
import {
  FORMAT_LINE,
  readConfig,
  readJoining,
  readPlace,
  writeConfig,
  writeJoining,
  writePlace,
  type Config,
  type Joining,
  type Place,
} from './settings.js';
import { View } from './view.js';
import { WantedBlobs } from './wanted.js';

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
}

/** Bytes that must be durable together with the commits of one flush. */
export interface Extra {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

const LOCK_PATH = 'lock';
const LOCK_RETRY_MS = 20;
const OVERLAY_KEYS_MAX = 50_000;

export class Replica {
  readonly history: History;
  readonly fold: Fold;
  readonly view: View;
  readonly authority: Authority;
  readonly blobs: Blobs;
  readonly root: NodeId;
  private readonly wanted: WantedBlobs;
  private readonly damages: Damage[] = [];
  /** Made and folded, not yet written, in order. */
  private readonly queue: Commit[] = [];
  private release: (() => void) | null = null;
  private generation = '';
  /** Logs whose head moved since this copy's newest commit; null where not known. */
  private moved: Set<LogId> | null = null;

  private constructor(
    readonly ports: ReplicaPorts,
    private settings: Config,
    readonly tables: Tables,
    readonly store: LogStore,
    private place: Place | null,
    /** What this device was given when it joined, until its first commit carries it. */
    readonly joining: Joining | null,
  ) {
    const ws = settings.workspace;
    this.root = rootNode(ws);
    this.history = new History(tables, ws, (log, position) =>
      store.payload({ dev: log.dev, epoch: log.epoch }, position),
    );
    this.fold = new Fold(tables, this.history, ports.diamondTypes);
    this.authority = new Authority(tables, this.fold, ws);
    this.blobs = new Blobs(ports.storage, ports.chunks);
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
    const index = await ports.openIndex(false);
    if (indexIsGood(new Tables(index), ports.bootId)) {
      return new Replica(ports, config, new Tables(index), store, place, joining);
    }
    await index.close();
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
      await rebuild(replica);
      const [damage] = replica.damages;
      if (damage !== undefined) {
        if (tolerant) return replica;
        await tables.close();
        throw damaged(damage);
      }
      tables.put(key.meta('version'), encodeSeq(INDEX_VERSION));
      tables.put(key.meta('boot'), Buffer.from(ports.bootId));
      await replica.flush(null);
      return replica;
    } finally {
      release();
    }
  }

  /** Begins a workspace: writes the repository's files and the genesis commit. */
  static async create(ports: ReplicaPorts, signer: Signer, birth: Birth): Promise<Replica> {
    const { storage, rng, clock, placeMark } = ports;
    const epoch = toHex(rng.bytes(8));
    const genesis = genesisCommit(signer, epoch, nextHlc(clock.wallMs(), 0n), birth, rng);
    await writeConfig(storage, {
      workspace: genesis.id,
      name: birth.name,
      device: signer.publicKey,
      remotes: [],
      settings: {},
    });
    await writePlace(storage, { epoch, mark: placeMark });
    await storage.replace('format', utf8(FORMAT_LINE));
    const replica = await Replica.open(ports);
    await replica.transact(async () => {
      beginLog(replica, genesis);
      replica.accept(genesis, 'live');
      await replica.flush(signer);
    });
    return replica;
  }

  /** Begins a copy of a workspace that exists elsewhere; a sync fills it. */
  static async adopt(ports: ReplicaPorts, config: Config, joining: Joining): Promise<Replica> {
    const { storage } = ports;
    await writeConfig(storage, config);
    await writeJoining(storage, joining);
    await storage.replace('format', utf8(FORMAT_LINE));
    return Replica.open(ports);
  }

  get config(): Config {
    return this.settings;
  }

  /** Changes the configuration, as it is on disk now. */
  async configure(change: (config: Config) => Config): Promise<void> {
    assert(this.release !== null, 'a change of the configuration without the lock');
    this.settings = change(await readConfig(this.ports.storage));
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
    if (this.tables.has(key.meta('writing'))) await recover(this);
    await this.settlePending();
  }

  private unlock(): void {
    this.release?.();
    this.release = null;
  }

  private readGeneration(): string {
    return toHex(this.tables.get(key.meta('generation')) ?? new Uint8Array());
  }

  /** Forgets what another process may have changed since this one last looked. */
  refresh(): void {
    this.generation = this.readGeneration();
    this.moved = null;
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

  // Committing

  /** The log that the next commit of this copy goes to; known once there is a draft. */
  writingLog(): LogId {
    return this.ownLogId();
  }

  async draft(message: string | null): Promise<Draft> {
    assert(this.release !== null, 'a draft without the lock');
    await this.ownLog();
    return new Draft(this.device, this.ports.rng, message);
  }

  /**
   * Makes commits of a draft and folds them; durable after `flush`. Throws `denied`
   * before anything is changed if the capability doesn't allow every op. Returns the
   * last commit, and how many ops there were in all.
   */
  commit(draft: Draft): { readonly last: Commit; readonly ops: number } {
    assert(this.release !== null, 'a commit without the lock');
    const ops = draft.size;
    const actAs = this.introduce(draft);
    const parts = draft.commits();
    this.declareWideDeps();
    let last: Commit | null = null;
    for (const [index, groups] of parts.entries()) {
      last = this.make(groups, index === parts.length - 1 ? 'change' : 'part', actAs);
    }
    assert(last !== null, 'a draft without commits');
    return { last, ops };
  }

  /** The first commit of a device that joined carries what lets it. */
  private introduce(draft: Draft): CapId | undefined {
    const own = this.joining?.caps.at(-1);
    if (this.joining === null || own === undefined) return undefined;
    if (this.authority.deviceOf(this.device).caps.includes(own.id)) return undefined;
    for (const { cap, sig } of this.joining.caps) {
      if (sig !== null) draft.add({ op: 'grant', cap: encodeCap(cap), sig });
    }
    draft.add({ op: 'device', name: this.joining.deviceName });
    return own.id;
  }

  private make(groups: readonly EncodedGroup[], kind: CommitKind, actAs?: CapId): Commit {
    const log = this.ownLogId();
    const record = this.history.log(log);
    assert(record !== null, 'no log of our own');
    const deps = this.takeMoved(log);
    const cap = actAs ?? this.authority.actingCap(this.device, this.ports.clock.wallMs())?.id;
    if (cap === undefined) throw denied('this device holds no capability here that is still good');
    const before = this.previous(log);
    const greatest = [before, ...deps].reduce((max, ref) => {
      const time = ref === null ? 0n : this.lastTimeOf(ref);
      return time > max ? time : max;
    }, 0n);
    const wall = this.ports.clock.wallMs();
    const hlc = nextHlc(wall, greatest);
    if (hlcMs(hlc) > wall + CLOCK_AHEAD_MAX_MS) {
      throw new WnError('clock', 'the newest commit is stamped far ahead of this clock', {
        hint: 'nothing was changed; set the clock, or wait until it has caught up',
      });
    }
    const header = {
      ws: this.ws,
      dev: record.dev,
      epoch: record.epoch,
      seq: record.stored.seq + 1,
      prev: before === null ? null : (this.history.record(before)?.id ?? null),
      deps: deps.map((ref) => this.history.record(ref)?.id ?? '').sort(),
      hlc,
      cap,
      kind,
    };
    const commit = makeCommit(header, groups);
    const decoded = groups.map(({ group }) => group);
    this.fold.groups.keep(commit.id, decoded);
    const verdict = this.authority.judge(commit, decoded);
    if (verdict.state !== 'live') throw denied(verdict.why);
    this.accept(commit, 'live');
    return commit;
  }

  /** Holds, learns and folds a commit whose past is folded; it is written by the next flush. */
  accept(commit: Commit, state: 'live' | 'dead' | 'held'): void {
    this.queue.push(commit);
    this.history.hold(commit, state, null);
    this.foldHeld(commit, state);
  }

  /** Holds a commit that can't be folded yet. */
  acceptPending(commit: Commit): void {
    this.queue.push(commit);
    this.history.hold(commit, 'held', null);
    const number = this.history.log(commit.log)?.number ?? 0;
    this.tables.put(key.pending(number), encodeSeq(commit.header.seq));
  }

  foldHeld(commit: Commit, state: 'live' | 'dead' | 'held'): void {
    this.history.learn(commit, state);
    this.authority.take(commit, this.fold.groups.of(commit));
    this.wanted.note(this.fold.groups.of(commit));
    if (state !== 'held') this.fold.apply(commit, state === 'live');
    if (commit.log !== this.currentLog()) this.moved?.add(commit.log);
  }

  private currentLog(): LogId | null {
    return this.place === null ? null : logId(this.device, this.place.epoch);
  }

  private ownLogId(): LogId {
    const log = this.currentLog();
    assert(log !== null, 'no place yet');
    return log;
  }

  /** Makes sure that this copy has a log that no other copy writes. */
  private async ownLog(): Promise<void> {
    const { rng, placeMark, storage } = this.ports;
    if (this.place === null || this.place.mark !== placeMark) {
      const place = { epoch: toHex(rng.bytes(8)), mark: placeMark };
      await writePlace(storage, place);
      this.place = place;
      this.moved = null;
    }
    const log = this.ownLogId();
    if (this.history.log(log) !== null) return;
    const before = this.newestOwn();
    const firstSeq = before === null ? 0 : before.seq + 1;
    this.history.putLog(log, {
      number: this.history.nextLogNumber(),
      dev: this.device,
      epoch: this.place.epoch,
      link: before,
      firstSeq,
      stored: { seq: firstSeq - 1, id: '', lastTime: 0n },
      folded: firstSeq - 1,
      cap: null,
      held: 0,
      end: { segment: firstSeq, offset: 0 },
    });
    this.moved = null;
  }

  /** The newest commit of this device in any of its logs. */
  private newestOwn(): CommitRef | null {
    let newest: CommitRef | null = null;
    for (const record of this.history.allLogs()) {
      if (record.dev !== this.device || record.folded < record.firstSeq) continue;
      if (newest === null || record.folded > newest.seq) {
        newest = { log: this.history.logIdOf(record), seq: record.folded };
      }
    }
    return newest;
  }

  /** The commit that the next one of `log` links to. */
  private previous(log: LogId): CommitRef | null {
    const record = this.history.log(log);
    if (record === null) return null;
    return record.stored.seq >= record.firstSeq ? { log, seq: record.stored.seq } : record.link;
  }

  private lastTimeOf(ref: CommitRef): bigint {
    const record = this.history.record(ref);
    return record === null ? 0n : record.hlc + BigInt(Math.max(record.ops, 1) - 1);
  }

  private movedSince(log: LogId): Set<LogId> {
    if (this.moved !== null) return this.moved;
    const before = this.previous(log);
    const moved = new Set<LogId>();
    for (const record of this.history.allLogs()) {
      const other = this.history.logIdOf(record);
      if (other === log || record.folded < record.firstSeq) continue;
      if (before !== null && this.history.knows(before, other) >= record.folded) continue;
      moved.add(other);
    }
    this.moved = moved;
    return moved;
  }

  /** Heads of other logs that moved since our newest commit; they count as declared now. */
  private takeMoved(log: LogId): CommitRef[] {
    const moved = this.movedSince(log);
    const taken = [...moved].slice(0, DEPS_MAX);
    for (const other of taken) moved.delete(other);
    return taken.map((other) => ({ log: other, seq: this.history.log(other)?.folded ?? 0 }));
  }

  /** More heads than one header takes are declared by commits that carry nothing else. */
  private declareWideDeps(): void {
    while (this.movedSince(this.ownLogId()).size > DEPS_MAX) this.make([], 'part');
  }

  // Writing

  /** Signs, writes and syncs everything queued, with `extra`; then the index. */
  async flush(signer: Signer | null, extra: readonly Extra[] = []): Promise<void> {
    if (this.queue.length > 0) {
      await this.writeQueue(signer, extra);
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

  private async writeQueue(signer: Signer | null, extra: readonly Extra[]): Promise<void> {
    const signed = this.signTail(signer);
    const byLog = new Map<LogId, Commit[]>();
    for (const commit of signed) {
      const commits = byLog.get(commit.log);
      if (commits === undefined) byLog.set(commit.log, [commit]);
      else commits.push(commit);
    }
    this.tables.mark(key.meta('writing'), Buffer.from([...byLog.keys()].join('\n')));
    const runs = [...byLog.values()];
    const batches = runs.map((commits) => this.batch(commits));
    const positions = await this.store.append(batches, extra);
    runs.forEach((commits, run) =>
      commits.forEach((commit, index) => {
        const position = positions[run]?.[index];
        assert(position !== undefined, 'a commit without a position');
        this.history.written(commit, position);
      }),
    );
    this.queue.length = 0;
  }

  /** Commits that continue one log, as the log store takes them. */
  private batch(commits: readonly Commit[]): Batch {
    const first = commits[0];
    assert(first !== undefined, 'an empty run');
    const place = this.history.place({ log: first.log, seq: first.header.seq });
    let next = place;
    const payloads = commits.map((commit) => {
      const payload = encodePayload(commit, next);
      next = placeAfter(commit, next);
      return payload;
    });
    return { place, after: this.endOf(first.log), payloads };
  }

  /** Where a log's last acknowledged record ends; null for one that has none. */
  private endOf(log: LogId): LogOffset | null {
    const record = this.history.log(log);
    return record === null || record.end.offset === 0 ? null : record.end;
  }

  /** The queue with our own newest commit signed: it vouches for those before it. */
  private signTail(signer: Signer | null): readonly Commit[] {
    const own = this.currentLog();
    const last = this.queue.findLastIndex((commit) => commit.log === own && commit.sig === null);
    if (last < 0) return this.queue;
    if (signer === null || signer.publicKey !== this.device) {
      throw denied('the key of this device is not the one that this repository was made with');
    }
    return this.queue.map((commit, index) =>
      index === last ? { ...commit, sig: signCommit(commit.id, signer) } : commit,
    );
  }

  /** A log could not be read to its end; see `reindex`. */
  noteDamage(damage: Damage): void {
    this.damages.push(damage);
  }

  // Blobs

  /** Hashes of chunks that content refers to and that aren't held. */
  wantedBlobs(limit: number): readonly string[] {
    return this.wanted.list(limit);
  }

  /** Stores a chunk that a peer sent; durable when resolved. Throws `invalid`. */
  async takeBlob(hash: string, bytes: Uint8Array): Promise<void> {
    await this.blobs.write(hash, bytes);
    await this.transact(async () => {
      this.wanted.arrived(hash);
      await this.flush(null);
    });
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

  // Pending commits, index

  /** Folds commits whose time has come or whose past has arrived. */
  async settlePending(): Promise<void> {
    let progress = true;
    while (progress) {
      progress = false;
      for (const [at] of [...this.tables.prefix(key.table('pending'))]) {
        const log = this.history.logOfNumber(parseInt(at.slice(2), 16));
        if (this.settleLog(log)) progress = true;
      }
    }
    await this.flush(null);
  }

  private settleLog(log: LogId): boolean {
    let progress = false;
    for (;;) {
      const record = this.history.log(log);
      if (record === null || record.folded >= record.stored.seq) {
        if (record !== null) this.tables.remove(key.pending(record.number));
        return progress;
      }
      const commit = this.history.commit({ log, seq: record.folded + 1 });
      if (!this.ready(commit)) return progress;
      const verdict = this.authority.judge(commit, this.fold.groups.of(commit));
      this.history.setState({ log, seq: commit.header.seq }, verdict.state);
      this.foldHeld(commit, verdict.state);
      progress = true;
    }
  }

  /** Its time has come, and its past is folded. */
  ready(commit: Commit): boolean {
    const { hlc, deps } = commit.header;
    if (hlcMs(hlc) > this.ports.clock.wallMs() + CLOCK_AHEAD_MAX_MS) return false;
    return deps.every((dep) => {
      const ref = this.history.find(dep);
      return ref !== null && ref.seq <= (this.history.log(ref.log)?.folded ?? -1);
    });
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
    assert(commit.id === commitId(commit.header), 'a commit under a false id');
  }
}

/** What genesis says. */
export interface Birth {
  readonly name: string;
  readonly deviceName: string;
  /** Public key of the recovery key. */
  readonly recovery: DeviceId | null;
}

function genesisCommit(signer: Signer, epoch: string, hlc: bigint, birth: Birth, rng: Rng): Commit {
  const { name, deviceName, recovery } = birth;
  const ops: readonly Op[] = [
    { op: 'genesis', name, clockAheadMaxMs: CLOCK_AHEAD_MAX_MS, recovery },
    { op: 'device', name: deviceName },
  ];
  const bytes = encodeGroup({ salt: rng.bytes(16), scope: null, msg: null, ops });
  const header = {
    ws: NO_WORKSPACE,
    dev: signer.publicKey,
    epoch,
    seq: 0,
    prev: null,
    deps: [],
    hlc,
    cap: null,
    kind: 'genesis',
  } as const;
  return makeCommit(header, [{ bytes, ops: ops.length, form: 'control' }]);
}

async function waitForLock({ storage, clock }: ReplicaPorts, timeoutMs: number): Promise<() => void> {
  const start = clock.monotonicMs();
  for (;;) {
    const release = await storage.lock(LOCK_PATH);
    if (release !== null) return release;
    if (clock.monotonicMs() - start >= timeoutMs) {
      throw new WnError('busy', 'another wn process is writing to this repository', {
        hint: 'nothing was changed; run the command again, or wait longer: --lock-timeout 30s',
      });
    }
    await new Promise<void>((resolve) => clock.after(LOCK_RETRY_MS, resolve));
  }
}

function damaged({ file, offset, what }: Damage): WnError {
  return new WnError('damage', `${file}, offset ${offset}: ${what}`, {
    hint: 'nothing was changed; fetch what is lost from a peer: wn fsck --repair',
    details: { file, offset },
  });
}

function indexIsGood(tables: Tables, bootId: string): boolean {
  const version = tables.get(key.meta('version'));
  const boot = tables.get(key.meta('boot'));
  return (
    version !== undefined &&
    Buffer.compare(version, encodeSeq(INDEX_VERSION)) === 0 &&
    boot !== undefined &&
    Buffer.from(boot).toString('utf8') === bootId
  );
}

function denied(why: string): WnError {
  return new WnError('denied', why, {
    hint: 'nothing was written; ask someone who may for a grant: wn invite --act …',
  });
}
