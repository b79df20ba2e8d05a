/**
 * A replica in memory, made of real signed commits, that keeps the rules a session relies
 * on: causal order, runs that end at a signature, a signature that wasn't checked isn't
 * kept, forks keep both branches. It judges no authority beyond membership.
 */
import { decodeCanonical, asArray, asBytes } from '../../src/core/canonical.js';
import { fromHex, toHex } from '../../src/core/bytes.js';
import {
  checkCommit,
  encodeGroup,
  makeCommit,
  signCommit,
  verifyCommit,
  type Commit,
} from '../../src/core/commit.js';
import { hash, hashHex, verify, type Signer } from '../../src/core/crypto.js';
import { WnError } from '../../src/core/errors.js';
import { decodePayload, encodePayload } from '../../src/core/frame.js';
import { hlcFromMs, type Hlc } from '../../src/core/hlc.js';
import { type CommitId, type DeviceId, type Epoch, type WorkspaceId } from '../../src/core/ids.js';
import { SYNC_RUN_BYTES_TARGET } from '../../src/core/limits.js';
import { ATTRIBUTE, type Op } from '../../src/core/op.js';
import type {
  Admission,
  BundleSource,
  Checkpoint,
  Chunk,
  HaveEntry,
  Ingested,
  Rejection,
  Run,
  SyncStore,
} from '../../src/sync/store.js';

const CAP = hashHex('wn/cap/1', Buffer.from('everybody'));
const NODE = 'ab'.repeat(16);

interface Held {
  readonly commit: Commit;
  readonly key: string;
  /** The commit before in the same log, and its capability: the frame's place. */
  readonly prev: CommitId | null;
  readonly cap: string | null;
  readonly payload: Uint8Array;
}

interface Log {
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly at: Map<number, CommitId[]>;
  readonly leaves: Set<CommitId>;
  newest: number;
  forked: boolean;
}

/** The founder's key admits: a credential is a device and the founder's word for it. */
export class MemoryStore implements SyncStore, BundleSource {
  readonly device: DeviceId;
  readonly held = new Map<CommitId, Held>();
  readonly chunks = new Map<string, Uint8Array>();
  readonly checkpoints = new Map<DeviceId, Checkpoint>();
  /** Bytes of payload in each call of `ingest`. */
  readonly batches: number[] = [];
  pendingRuns: Run[] = [];
  /** Thrown by the next write. */
  failure: Error | null = null;
  private readonly order: CommitId[] = [];
  private readonly logs = new Map<string, Log>();
  private readonly wanted = new Set<string>();
  private readonly named = new Set<CommitId>();
  private own: Commit | null = null;
  private greatestTime: Hlc = hlcFromMs(1_000);
  private epoch: Epoch;
  private epochs = 0;
  private salts = 0;

  constructor(
    readonly workspace: WorkspaceId,
    readonly founder: DeviceId,
    private readonly signer: Signer,
    private shown: Uint8Array,
  ) {
    this.device = signer.publicKey;
    this.epoch = this.mintEpoch();
  }

  // What a user does

  /** One signed commit that sets a field to `value`. */
  commit(value: string | Uint8Array = `v${this.salts}`): Commit {
    return this.commitOps([{ op: 'field', node: NODE, path: ['value'], type: 0, arg: value }]);
  }

  /** A commit that refers to the chunks, which are kept here unless `hold` is false. */
  commitChunks(chunks: readonly Uint8Array[], hold = true): readonly string[] {
    const hashes = chunks.map((chunk) => hashHex('wn/blob/1', chunk));
    this.commitOps([
      { op: 'field', node: NODE, path: [ATTRIBUTE.body], type: 0, arg: hashes.map(fromHex) },
    ]);
    if (hold) hashes.forEach((each, at) => this.hold(each, chunks[at] ?? new Uint8Array()));
    return hashes;
  }

  /** The next commit begins a new log that continues the last, as in a copied folder. */
  newEpoch(): void {
    this.epoch = this.mintEpoch();
  }

  /** A replica with the same key and the same log, which from here on forks it. */
  twin(): MemoryStore {
    const twin = new MemoryStore(this.workspace, this.founder, this.signer, this.shown);
    for (const id of this.order) {
      const held = this.held.get(id);
      if (held !== undefined) twin.add(held.commit, held.prev, held.cap);
    }
    twin.epoch = this.epoch;
    twin.salts = this.salts + 1_000_000;
    return twin;
  }

  private commitOps(ops: readonly Op[]): Commit {
    const salt = hash('wn/node/1', fromHex(this.device), Buffer.from(`${this.salts++}`)).slice(
      0,
      16,
    );
    const group = encodeGroup({ salt, scope: null, msg: null, ops });
    const { own } = this;
    const tips = this.have().filter((entry) => entry.dev !== this.device);
    const deps = tips.map((tip) => tip.head).filter((head) => !this.named.has(head));
    const commit = makeCommit(
      {
        ws: this.workspace,
        dev: this.device,
        epoch: this.epoch,
        seq: own === null ? 0 : own.header.seq + 1,
        prev: own?.id ?? null,
        deps: [...new Set(deps)].sort().slice(0, 64),
        hlc: this.greatestTime + 8n,
        cap: CAP,
        kind: 'change',
      },
      [{ bytes: group, ops: ops.length, form: 'plain' }],
    );
    const signed = { ...commit, sig: signCommit(commit.id, this.signer) };
    const continues = own !== null && own.header.epoch === this.epoch;
    this.add(signed, continues ? own.id : null, continues ? own.header.cap : null);
    return signed;
  }

  private mintEpoch(): Epoch {
    const seed = Buffer.from(`${this.signer.publicKey}/${this.epochs++}/${this.salts}`);
    return toHex(hash('wn/log/1', seed)).slice(0, 16);
  }

  // What a session asks

  /** Every commit held, sorted: equal stores, equal lists. */
  contents(): readonly CommitId[] {
    return [...this.held.keys()].sort();
  }

  have(): readonly HaveEntry[] {
    return [...this.logs.values()].flatMap(({ dev, epoch, leaves }) =>
      [...leaves].map((head) => {
        const seq = this.held.get(head)?.commit.header.seq ?? 0;
        return { dev, epoch, seq, head };
      }),
    );
  }

  headsAt(dev: DeviceId, epoch: Epoch, seq: number): readonly CommitId[] {
    return this.logs.get(dev + epoch)?.at.get(seq) ?? [];
  }

  since(have: readonly HaveEntry[]): Iterable<Run> {
    return this.runs(this.coveredBy(have), this.order.length);
  }

  private coveredBy(have: readonly HaveEntry[]): (held: Held) => boolean {
    const upTo = new Map<string, number>();
    const ids = new Set<CommitId>();
    for (const entry of have) {
      const key = entry.dev + entry.epoch;
      const log = this.logs.get(key);
      if (log === undefined) continue;
      if (!log.forked) {
        upTo.set(key, entry.seq);
        continue;
      }
      const head = log.at.get(entry.seq)?.find((id) => id.startsWith(entry.head));
      for (let at: CommitId | null = head ?? null; at !== null;) {
        ids.add(at);
        at = this.held.get(at)?.prev ?? null;
      }
    }
    return ({ commit, key }) => commit.header.seq <= (upTo.get(key) ?? -1) || ids.has(commit.id);
  }

  private *runs(covered: (held: Held) => boolean, end: number): Generator<Run> {
    let run: Held[] = [];
    let bytes = 0;
    for (const id of this.order.slice(0, end)) {
      const held = this.held.get(id);
      if (held === undefined || covered(held)) continue;
      const last = run.at(-1);
      const follows = last === undefined || held.prev === last.commit.id;
      const full = last !== undefined && last.commit.sig !== null && bytes >= SYNC_RUN_BYTES_TARGET;
      if (!follows || full) {
        yield runOf(run);
        run = [];
        bytes = 0;
      }
      run.push(held);
      bytes += held.payload.byteLength;
    }
    if (run.length > 0) yield runOf(run);
  }

  async ingest(runs: readonly Run[]): Promise<Ingested> {
    await Promise.resolve();
    this.throwFailure();
    const bytes = runs.flatMap((run) => run.payloads).reduce((sum, each) => sum + each.length, 0);
    this.batches.push(bytes);
    const rejected: Rejection[] = [];
    const counts = { added: 0, pending: 0, forks: 0 };
    for (const run of runs) {
      try {
        const stored = this.takeRun(run, counts);
        if (!stored) this.pendingRuns.push(run);
        if (!stored) counts.pending += run.payloads.length;
      } catch (error) {
        if (!(error instanceof WnError)) throw error;
        rejected.push({ what: `${run.dev}/${run.epoch}/${run.firstSeq}`, why: error.message });
      }
    }
    this.retryPending(counts);
    return { ...counts, rejected };
  }

  private retryPending(counts: { added: number; forks: number }): void {
    for (let before = -1; before !== this.pendingRuns.length;) {
      before = this.pendingRuns.length;
      this.pendingRuns = this.pendingRuns.filter((run) => !this.takeRun(run, counts));
    }
  }

  /** Stores a run whole; false if it waits for something. Throws `invalid` for a bad one. */
  private takeRun(run: Run, counts: { added: number; forks: number }): boolean {
    const decoded: Held[] = [];
    let [prev, cap] = [run.prev, run.cap];
    run.payloads.forEach((payload, at) => {
      const place = { ws: this.workspace, dev: run.dev, epoch: run.epoch, prev, cap };
      const commit = decodePayload(payload, { ...place, seq: run.firstSeq + at });
      checkCommit(commit);
      decoded.push({ commit, key: run.dev + run.epoch, prev, cap, payload });
      [prev, cap] = [commit.id, commit.header.cap];
    });
    const fresh = decoded.filter(({ commit }) => !this.held.has(commit.id));
    const last = fresh.at(-1);
    if (last === undefined) return true;
    if (last !== decoded.at(-1) || !verifyCommit(last.commit)) {
      throw new WnError('invalid', 'a run without a signature at its end');
    }
    const within = new Set(fresh.map(({ commit }) => commit.id));
    const ready = fresh.every(({ commit: { header } }) =>
      [header.prev, ...header.deps].every(
        (id) => id === null || this.held.has(id) || within.has(id),
      ),
    );
    if (!ready) return false;
    for (const { commit, prev: before, cap: capBefore } of fresh) {
      const kept = commit === last.commit ? commit : { ...commit, sig: null };
      if (this.add(kept, before, capBefore)) counts.forks += 1;
      counts.added += 1;
    }
    return true;
  }

  /** True if this commit proves a fork that wasn't known. */
  private add(commit: Commit, prev: CommitId | null, cap: string | null): boolean {
    const { dev, epoch, seq } = commit.header;
    const key = dev + epoch;
    const log = this.logs.get(key) ?? {
      dev,
      epoch,
      at: new Map<number, CommitId[]>(),
      leaves: new Set<CommitId>(),
      newest: -1,
      forked: false,
    };
    this.logs.set(key, log);
    const place = { ws: this.workspace, dev, epoch, seq, prev, cap };
    this.held.set(commit.id, { commit, key, prev, cap, payload: encodePayload(commit, place) });
    this.order.push(commit.id);
    if (commit.header.hlc > this.greatestTime) this.greatestTime = commit.header.hlc;
    if (dev === this.device) {
      if (this.own === null || seq >= this.own.header.seq) this.own = commit;
      for (const dep of commit.header.deps) this.named.add(dep);
    }
    const rivals = log.at.get(seq) ?? [];
    log.at.set(seq, [...rivals, commit.id]);
    if (prev !== null) log.leaves.delete(prev);
    log.leaves.add(commit.id);
    log.newest = Math.max(log.newest, seq);
    for (const wanted of chunksOf(commit)) if (!this.chunks.has(wanted)) this.wanted.add(wanted);
    const proves = rivals.length > 0 && !log.forked;
    log.forked ||= rivals.length > 0;
    return proves;
  }

  blobsWanted(limit: number): readonly string[] {
    return [...this.wanted].slice(0, limit);
  }

  *blobsSince(have: readonly HaveEntry[]): Iterable<string> {
    const covered = this.coveredBy(have);
    for (const held of this.held.values()) {
      if (covered(held)) continue;
      for (const each of chunksOf(held.commit)) if (this.chunks.has(each)) yield each;
    }
  }

  readBlob(hashOf: string): Uint8Array | null {
    return this.chunks.get(hashOf) ?? null;
  }

  async writeBlobs(chunks: readonly Chunk[]): Promise<number> {
    await Promise.resolve();
    this.throwFailure();
    const good = chunks.filter(({ hash, bytes }) => hashHex('wn/blob/1', bytes) === hash);
    for (const { hash, bytes } of good) this.hold(hash, bytes);
    return chunks.length - good.length;
  }

  private hold(hashOf: string, bytes: Uint8Array): void {
    this.chunks.set(hashOf, bytes);
    this.wanted.delete(hashOf);
  }

  private throwFailure(): void {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
  }

  credential(): Uint8Array {
    return this.shown;
  }

  admit(device: DeviceId | null, credential: Uint8Array): Admission {
    try {
      const [subject, sig] = asArray(decodeCanonical(credential), 'credential', 2);
      const id = asBytes(subject, 'device', 32);
      const vouched = verify(this.founder, hash('wn/cap/1', id), asBytes(sig, 'signature', 64));
      if (!vouched) return { ok: false, why: 'the founder never said so' };
      if (device !== null && device !== toHex(id)) return { ok: false, why: 'another device' };
      return { ok: true };
    } catch {
      return { ok: false, why: 'malformed' };
    }
  }

  checkpoint(peer: DeviceId): Checkpoint | null {
    return this.checkpoints.get(peer) ?? null;
  }

  remember(peer: DeviceId, checkpoint: Checkpoint): void {
    this.checkpoints.set(peer, checkpoint);
  }

  /** Shows something else on admission. */
  show(credential: Uint8Array): void {
    this.shown = credential;
  }
}

function runOf(run: readonly Held[]): Run {
  const first = run[0];
  if (first === undefined) throw new Error('bug: an empty run');
  const { dev, epoch, seq } = first.commit.header;
  const payloads = run.map((held) => held.payload);
  return { dev, epoch, firstSeq: seq, prev: first.prev, cap: first.cap, payloads };
}

/** The chunks that a commit's body fields name. */
function chunksOf(commit: Commit): readonly string[] {
  return checkCommit(commit).flatMap((group) =>
    (group?.ops ?? []).flatMap((op) =>
      op.op === 'field' && op.path[0] === ATTRIBUTE.body && Array.isArray(op.arg)
        ? (op.arg as readonly Uint8Array[]).map(toHex)
        : [],
    ),
  );
}
