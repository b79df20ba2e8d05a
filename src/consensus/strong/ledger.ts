/**
 * What everybody holds of the strong log: its certified prefix, evaluated here. It grows by
 * what others hand on, which is believed for its certificates alone: each entry is
 * evaluated anew, the root computed and compared. Two certificates that contradict each
 * other are an alarm, and both are kept. Leaves out Raft, and how records travel.
 */
import { concat, equalBytes } from '../../core/bytes.js';
import { encodeRecord, readRecord, RECORD_HEAD_BYTES } from '../../core/frame.js';
import { hashHex } from '../../core/crypto.js';
import { assert, WnError } from '../../core/errors.js';
import {
  STRONG_CHECKPOINT_BYTES,
  STRONG_CHECKPOINT_ENTRIES,
  STRONG_ENTRY_BYTES_MAX,
  STRONG_TAKEN_BYTES_MAX,
} from '../../core/limits.js';
import type { Storage } from '../../core/ports.js';
import { Aside, type Head, type Settled } from './aside.js';
import { certificateFault } from './certificate.js';
import { encodeEvidence, type Evidence } from './evidence.js';
import { groupOf } from './group.js';
import { frontierOf, rootOf } from './merkle.js';
import { configurationMade } from './receipt.js';
import type { Evaluation } from './evaluate.js';
import {
  decodeLedgerRecord,
  encodeLedgerRecord,
  LOG,
  ledgerDamage,
  readRecords,
} from './records.js';
import { refused, Step } from './step.js';
import type { StrongState } from './state.js';
import type {
  Certificate,
  Configuration,
  Genesis,
  Group,
  Proof,
  Receipt,
  RequestId,
  StrongEntry,
} from './types.js';

export interface LedgerOptions {
  readonly storage: Storage;
  readonly genesis: Genesis;
  /** Whether this process holds the writer's lock: others write nothing. */
  readonly writer: boolean;
}

export class Ledger {
  private constructor(
    private readonly options: LedgerOptions,
    private readonly group: Group,
    private readonly aside: Aside,
    private current: StrongState,
    private certified: Head,
    private checkpointed: number,
  ) {}

  /** Throws `damage` for a log that is damaged before its end, or isn't its certificates'. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const group = groupOf(options.genesis);
    const { aside, state, head } = await Aside.open(options.storage, group);
    const ledger = new Ledger(options, group, aside, state, head, state.index);
    await ledger.replay();
    if (options.writer) await ledger.cutTail();
    return ledger;
  }

  /** As of the last certificate. */
  get state(): StrongState {
    return this.current;
  }

  /** Entries up to `index` are settled; the certificate is null while there are none. */
  head(): { readonly index: number; readonly certificate: Certificate | null } {
    return { index: this.current.index, certificate: this.certified.certificate };
  }

  /**
   * What follows entry `after`, as records for `take`: whole certified steps, as many as
   * `bytesMax` holds, but one at least where there is one.
   */
  async records(after: number, bytesMax: number): Promise<readonly Uint8Array[]> {
    if (after >= this.current.index) return [];
    const found: Uint8Array[] = [];
    let [bytes, whole] = [0, 0];
    for await (const { at, payload, record } of this.readFrom(after + 1)) {
      if (at >= this.certified.logEnd) break;
      bytes += payload.byteLength;
      if (bytes > bytesMax && whole > 0) break;
      found.push(payload.slice());
      if (record.record === 'certificate') whole = found.length;
    }
    return found.slice(0, whole);
  }

  /**
   * Takes in records that begin with entry `after` + 1, which is at most one further than
   * the head. Entries that are here are passed over, their certificates compared; what has
   * no certificate yet is left out.
   * Returns what came of each new entry, in order, once that is durable. Throws `invalid`
   * for what no honest peer sends, `damage` for a certificate that contradicts one of ours;
   * neither changes anything.
   */
  async take(after: number, payloads: readonly Uint8Array[]): Promise<readonly Settled[]> {
    assert(this.options.writer, 'a reader writes');
    if (after > this.current.index) throw refused('they begin behind what is here');
    const size = payloads.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (size > STRONG_TAKEN_BYTES_MAX) throw refused('they are too many at once');
    const step = new Step(this.group, this.current, this.certified.logEnd, after);
    for (const payload of payloads) {
      const certificate = step.take(payload);
      if (certificate !== null) await this.confront(certificate);
    }
    return this.append(step);
  }

  /**
   * Takes in what a voter of this process has evaluated itself, beginning behind the head,
   * with the certificate of the last. Durable when resolved.
   */
  async extend(
    evaluated: readonly { readonly entry: StrongEntry; readonly evaluation: Evaluation }[],
    certificate: Certificate,
  ): Promise<void> {
    assert(this.options.writer, 'a reader writes');
    const { logEnd } = this.certified;
    const frames: Uint8Array[] = [];
    const placed: { evaluation: Evaluation; at: number }[] = [];
    let at = logEnd;
    for (const { entry, evaluation } of evaluated) {
      const frame = encodeRecord(encodeLedgerRecord({ record: 'entry', entry }));
      frames.push(frame);
      placed.push({ evaluation, at });
      at += frame.byteLength;
    }
    frames.push(encodeRecord(encodeLedgerRecord({ record: 'certificate', certificate })));
    const bytes = concat(frames);
    await this.options.storage.append(LOG, bytes);
    this.adopt({ certificate, evaluated: placed }, logEnd + bytes.byteLength);
    await this.checkpointIfDue();
  }

  /** Entries of [lo, hi) that are here, as many as `bytesMax` holds, but one at least. */
  entries(lo: number, hi: number, bytesMax: number): readonly StrongEntry[] {
    const entries: StrongEntry[] = [];
    let bytes = 0;
    for (let index = lo; index < hi && index <= this.current.index; index++) {
      const entry = this.entry(index);
      bytes += entry.data.byteLength;
      if (bytes > bytesMax && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  private entry(index: number): StrongEntry {
    const at = this.aside.logOffset(index);
    const head = this.options.storage.readSync(LOG, at, at + RECORD_HEAD_BYTES);
    const length = head === null ? 0 : Buffer.from(head).readUInt32LE(0);
    const bytes = this.options.storage.readSync(LOG, at, at + RECORD_HEAD_BYTES + length);
    const read = bytes === null ? null : readRecord(bytes, 0, STRONG_ENTRY_BYTES_MAX);
    if (read?.ok !== true) throw ledgerDamage(at, 'a record can not be read');
    const record = decodeLedgerRecord(read.payload);
    assert(record.record === 'entry', 'a place that is no entry');
    const { term, type, data } = record;
    return { index, term, type, data };
  }

  /** Keeps a proof of who signed two things. */
  async keep(evidence: Evidence): Promise<string> {
    const bytes = encodeEvidence(evidence);
    const path = `strong/evidence/${hashHex('wn/blob/1', bytes)}`;
    if (this.options.writer) await this.options.storage.create(path, bytes);
    return path;
  }

  /** Compares a certificate with what is held; throws `damage` where both can't be. */
  async confront(certificate: Certificate): Promise<void> {
    const { index } = certificate;
    if (index > this.current.index) return;
    const root = rootOf(frontierOf(index, this.aside.readHash));
    if (equalBytes(root, certificate.root)) return;
    const theirs = this.configurationAt(certificate.configuration);
    if (theirs === null || certificateFault(this.group.id, theirs, certificate) !== null) {
      throw refused('a certificate among them is forged');
    }
    const ours = await this.certificateOf(index);
    const configuration = this.configurationAt(ours.configuration);
    assert(configuration !== null, 'a certificate of ours under a configuration we lack');
    await this.alarm({
      evidence: 'certificates',
      group: this.group.id,
      configurations: [configuration, theirs],
      certificates: [ours, certificate],
    });
  }

  /** What came of every entry behind `after`, in order: to build an index from. */
  *effects(after: number): Generator<Settled, void, undefined> {
    const { index } = this.current;
    for (let at = after + 1; at <= index; at++) yield this.settled(at);
  }

  settled(index: number): Settled {
    const { leaf: _leaf, ...settled } = this.aside.settled(index);
    return settled;
  }

  /** The entry that answered a request; null if none here did. */
  find(request: RequestId): number | null {
    return this.aside.find(request);
  }

  /** Proof of what became of entry `index`, which is here. */
  async receipt(index: number): Promise<Receipt> {
    const proof = await this.proof(index);
    const history: Proof[] = [];
    for (const made of this.current.configurations) {
      if (made <= proof.certificate.configuration) history.push(await this.proof(made));
    }
    return { group: this.group.id, genesis: this.options.genesis.header, proof, history };
  }

  /** Makes opening quick. Happens by itself now and then. */
  async checkpoint(): Promise<void> {
    assert(this.options.writer, 'a reader writes');
    if (this.checkpointed === this.current.index) return;
    await this.aside.checkpoint(this.current, this.certified);
    this.checkpointed = this.current.index;
  }

  private readFrom(index: number): ReturnType<typeof readRecords> {
    return readRecords(this.options.storage, this.aside.logOffset(index));
  }

  /** Evaluates what the log holds behind the checkpoint, up to its last certificate. */
  private async replay(): Promise<void> {
    let step = this.stepHere();
    for await (const read of readRecords(this.options.storage, this.certified.logEnd)) {
      if (!step.replay(read.record, read.payload)) {
        throw ledgerDamage(read.at, 'the entries before are not those of this certificate');
      }
      if (read.record.record === 'entry') continue;
      this.adopt(step.result(), read.next);
      step = this.stepHere();
      if (this.options.writer) await this.checkpointIfDue();
    }
  }

  private stepHere(): Step {
    return new Step(this.group, this.current, this.certified.logEnd, this.current.index);
  }

  private async cutTail(): Promise<void> {
    const { storage } = this.options;
    const size = await storage.size(LOG);
    if (size !== null && size > this.certified.logEnd) {
      await storage.truncate(LOG, this.certified.logEnd);
    }
  }

  private async append(step: Step): Promise<readonly Settled[]> {
    const result = step.result();
    if (result === null) return [];
    const from = this.current.index;
    const { logEnd } = this.certified;
    await this.options.storage.append(LOG, result.frames);
    this.adopt(result, logEnd + result.frames.byteLength);
    const settled = [...this.effects(from)];
    await this.checkpointIfDue();
    return settled;
  }

  private adopt(
    result: {
      readonly certificate: Certificate;
      readonly evaluated: readonly { readonly evaluation: Evaluation; readonly at: number }[];
    } | null,
    logEnd: number,
  ): void {
    if (result === null) return;
    for (const { evaluation, at } of result.evaluated) {
      this.aside.append(evaluation, at);
      this.current = evaluation.state;
    }
    this.certified = { certificate: result.certificate, logEnd };
  }

  private async checkpointIfDue(): Promise<void> {
    const isDue =
      this.current.index - this.checkpointed >= STRONG_CHECKPOINT_ENTRIES ||
      this.aside.unwrittenBytes >= STRONG_CHECKPOINT_BYTES;
    if (isDue) await this.checkpoint();
  }

  /** Null for an index at which none was made. */
  private configurationAt(index: number): Configuration | null {
    if (index === 0) return this.group.first;
    if (!this.current.configurations.includes(index)) return null;
    return configurationMade(this.aside.settled(index).outcome);
  }

  /** The first certificate that covers entry `index`. */
  private async certificateOf(index: number): Promise<Certificate> {
    for await (const { record } of this.readFrom(index)) {
      if (record.record === 'certificate') return record.certificate;
    }
    throw ledgerDamage(this.aside.logOffset(index), 'the certificate behind it is missing');
  }

  private async proof(index: number): Promise<Proof> {
    let entry: StrongEntry | null = null;
    for await (const { record } of this.readFrom(index)) {
      if (record.record === 'entry') {
        const { term, type, data } = record;
        entry ??= { index, term, type, data };
        continue;
      }
      assert(entry !== null, 'a place that is no entry');
      const { certificate } = record;
      const { outcome, leaf } = this.aside.settled(index);
      const siblings = this.aside.path(index, certificate.index);
      const prev = this.aside.entryHash(index - 1);
      return { entry, prev, outcome, leaf, siblings, certificate };
    }
    throw ledgerDamage(this.aside.logOffset(index), 'the certificate behind it is missing');
  }

  private async alarm(evidence: Evidence): Promise<never> {
    const path = await this.keep(evidence);
    throw new WnError(
      'damage',
      'The strong ledger here and the one that was offered contradict each other: voters have signed both. Nothing was taken in.',
      {
        hint: 'stop strong commits, and find out which voters signed twice',
        details: { evidence: path },
      },
    );
  }
}
