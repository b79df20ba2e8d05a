/**
 * The receiving half of a session: holds the peer to its credit, gathers what came into
 * batches for the store, gives credit back for what is stored, and asks for the chunks
 * that are wanted once the commits are in. Memory is bounded by the credit and by one
 * message in parts.
 */
import { equalBytes } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import {
  PENDING_COMMITS_MAX,
  SYNC_ABSENT_BLOBS_MAX,
  SYNC_ASKED_AGAIN_MAX,
  SYNC_CREDIT_BYTES,
  SYNC_CREDIT_STEP_BYTES,
  SYNC_REJECTED_MAX,
  SYNC_WANTS_PER_PAGE,
} from '../core/limits.js';
import { blobMark, bound, chained, NO_FRAMES } from './digest.js';
import type { SyncEffect } from './effects.js';
import { encodeMessage, type Blob, type End, type Message } from './frames.js';
import { Assembly } from './pack.js';
import { refusal } from './refusal.js';
import type { Chunk, Ingested, Rejection, Run, SyncReads } from './store.js';

export interface IncomingConfig {
  readonly store: Pick<SyncReads, 'blobsWanted'>;
  /** False in the direction that this session's mode leaves out. */
  readonly receiving: boolean;
  /** False: chunks are fetched when somebody needs them. */
  readonly wantsBlobs: boolean;
  /** What may be under way to here once chunks are asked for. */
  readonly creditMax: number;
}

export class Incoming {
  private readonly assembly = new Assembly();
  private readonly asked = new Set<string>();
  private readonly absent = new Set<string>();
  /** What the peer may still send, and what it may have under way in all. */
  private window = SYNC_CREDIT_BYTES;
  private credit = SYNC_CREDIT_BYTES;
  private owed = 0;
  private runs: Run[] = [];
  private chunks: Chunk[] = [];
  /** Bytes of frames whose runs or chunks wait for the store, and of those it works on. */
  private runsWaiting = 0;
  private chunksWaiting = 0;
  private storing = 0;
  private keeping = 0;
  private falseBlobs = 0;
  private digest: Uint8Array = NO_FRAMES;
  private commits = 0;
  private end: End | null = null;
  private settled = false;
  /** What comes now is no part of the exchange any more. */
  private live = false;
  /** Something has come since chunks were last asked for. */
  private unasked = false;
  private rejectedBefore = 0;
  /** How many commits had come when the store was last set to work. */
  private batchEnd = 0;

  /** Commits that the store is through with, whatever came of each. */
  storedCommits = 0;
  added = 0;
  pending = 0;
  forksProven = 0;
  blobs = 0;
  readonly rejected: Rejection[] = [];

  /** Set when the peer's vector is known: nothing is missing, and no chunk is wanted. */
  satisfied = false;

  constructor(private readonly config: IncomingConfig) {}

  /** Hashes that the peer doesn't hold either. */
  get blobsAbsent(): number {
    return this.absent.size;
  }

  /** All that came is stored, nothing more is wanted, and the peer has been told so. */
  get done(): boolean {
    return this.settled;
  }

  get peerEnd(): End | null {
    return this.end;
  }

  /** Takes RUNS, PART or BLOB; gives the runs that are complete with it. Throws `invalid` for what breaks the rules. */
  take(
    message: Extract<Message, { type: 'runs' | 'part' | 'blob' }>,
    frame: Uint8Array,
  ): readonly Run[] {
    if (!this.config.receiving) throw new WnError('invalid', 'content against the direction');
    if (frame.byteLength > this.window) throw new WnError('invalid', 'content beyond the credit');
    this.window -= frame.byteLength;
    const mark = message.type === 'blob' ? blobMark(message.hash, message.bytes) : frame;
    this.digest = chained(this.digest, mark);
    if (message.type === 'blob') {
      this.takeBlob(message, frame.byteLength);
      return [];
    }
    if (this.end !== null && !this.live) throw new WnError('invalid', 'commits after the end');
    if (message.type === 'runs' && this.assembly.open) {
      throw new WnError('invalid', 'runs amid parts');
    }
    const runs = message.type === 'runs' ? message.runs : this.assembly.add(message);
    if (runs === null) {
      // Parts are bounded on their own: without credit for them a large run would never end.
      this.owed += frame.byteLength;
      return [];
    }
    this.commits += runs.reduce((sum, run) => sum + run.payloads.length, 0);
    this.runs.push(...runs);
    this.runsWaiting += frame.byteLength;
    return runs;
  }

  private takeBlob(blob: Blob, bytes: number): void {
    if (!this.asked.delete(blob.hash)) throw new WnError('invalid', 'a blob that nobody asked for');
    if (blob.bytes === null) {
      this.absent.add(blob.hash);
      this.owed += bytes;
      return;
    }
    this.chunks.push({ hash: blob.hash, bytes: blob.bytes });
    this.chunksWaiting += bytes;
  }

  /** Takes END. Throws `invalid` if it tells another story than the frames before it. */
  takeEnd(end: End, greetings: readonly Uint8Array[]): void {
    if (this.end !== null) throw new WnError('invalid', 'a second end');
    if (this.assembly.open) throw new WnError('invalid', 'an end amid parts');
    if (end.commits !== this.commits || !equalBytes(end.digest, bound(greetings, this.digest))) {
      throw new WnError('invalid', 'an end that does not match what came before it');
    }
    this.end = end;
  }

  ingested(result: Ingested): void {
    this.stored();
    this.storedCommits = this.batchEnd;
    this.unasked = true;
    this.added += result.added;
    this.pending += result.pending;
    this.forksProven += result.forks;
    this.rejected.push(...result.rejected);
  }

  kept(refused: number): void {
    this.stored();
    this.unasked = true;
    this.blobs += this.keeping - refused;
    this.falseBlobs += refused;
    if (this.live) this.askAgain();
  }

  /** What the store was at work on is given up, or counted. */
  stored(): void {
    this.owed += this.storing;
    this.storing = 0;
  }

  /** Throws a refusal where the peer has sent too much that the store can't use. */
  checkStored(): void {
    if (this.falseBlobs > 0) throw refusal('protocol', 'a blob that is not what its hash says');
    if (this.live && this.rejected.length > this.rejectedBefore) {
      throw refusal('protocol', `commits that are no good: ${this.rejected.at(-1)?.why ?? ''}`);
    }
    if (this.rejected.length > SYNC_REJECTED_MAX) {
      throw refusal('protocol', `over ${SYNC_REJECTED_MAX} runs that are no good`);
    }
    if (this.pending > PENDING_COMMITS_MAX) {
      throw refusal('later', `over ${PENDING_COMMITS_MAX} commits that wait for others`);
    }
  }

  /** The store is at work for this session. */
  get busy(): boolean {
    return this.storing > 0;
  }

  /** What to do next: store, give credit, want, or say that all is done. */
  effects(greetings: readonly Uint8Array[]): readonly SyncEffect[] {
    if (this.settled) return [];
    const effects: SyncEffect[] = [...this.store(), ...this.giveCredit()];
    if (this.quiet && this.end !== null) effects.push(...this.wantOrSettle(this.end, greetings));
    return effects;
  }

  /** All that came is stored, and nothing is asked for. */
  get quiet(): boolean {
    return !this.busy && this.idle && this.asked.size === 0;
  }

  private get idle(): boolean {
    return this.runsWaiting === 0 && this.chunksWaiting === 0;
  }

  /** From now on commits come as they are made; see `live.ts`. */
  follow(): void {
    this.live = true;
    this.unasked = false;
    this.rejectedBefore = this.rejected.length;
  }

  /** As `effects`, once the exchange is through. */
  effectsLive(): readonly SyncEffect[] {
    const effects: SyncEffect[] = [...this.store(), ...this.giveCredit()];
    if (!this.quiet || !this.unasked) return effects;
    this.unasked = false;
    return [...effects, ...this.ask(this.wants())];
  }

  /** The peer may hold by now what it didn't when it was asked. */
  askAgain(): void {
    const again = [...this.absent].slice(0, SYNC_ASKED_AGAIN_MAX);
    for (const hash of again) this.absent.delete(hash);
    this.unasked ||= again.length > 0;
  }

  private giveCredit(): readonly SyncEffect[] {
    if (this.owed < SYNC_CREDIT_STEP_BYTES) return [];
    const frame = encodeMessage({ type: 'credit', bytes: this.owed });
    this.window += this.owed;
    this.owed = 0;
    return [{ do: 'send', frame }];
  }

  /**
   * Hands what waits to the store, unless it is at work: so batches grow as the store gets
   * slower, and never beyond the credit.
   */
  store(): readonly SyncEffect[] {
    if (this.busy || this.idle) return [];
    if (this.runs.length > 0) {
      this.storing = this.runsWaiting;
      this.runsWaiting = 0;
      this.batchEnd = this.commits;
      return [{ do: 'ingest', runs: this.runs.splice(0) }];
    }
    this.storing = this.chunksWaiting;
    this.chunksWaiting = 0;
    this.keeping = this.chunks.length;
    return [{ do: 'keep', chunks: this.chunks.splice(0) }];
  }

  private wantOrSettle(end: End, greetings: readonly Uint8Array[]): readonly SyncEffect[] {
    const nothingDue = this.satisfied && end.commits === 0;
    const wanted = this.ask(nothingDue ? [] : this.wants());
    if (wanted.length > 0) return wanted;
    this.settled = true;
    if (nothingDue) return [];
    const frame = encodeMessage({
      type: 'done',
      commits: this.commits,
      blobs: this.blobs,
      heldBack: this.heldBack,
      digest: bound(greetings, this.digest),
    });
    return [{ do: 'send', frame }];
  }

  private ask(hashes: readonly string[]): readonly SyncEffect[] {
    if (hashes.length === 0) return [];
    for (const hash of hashes) this.asked.add(hash);
    return [...this.widen(), { do: 'send', frame: encodeMessage({ type: 'want', hashes }) }];
  }

  /**
   * Chunks are made durable by the batch, a sync or more for each file: with little credit
   * the line would stand still meanwhile.
   */
  private widen(): readonly SyncEffect[] {
    const bytes = this.config.creditMax - this.credit;
    if (bytes === 0) return [];
    this.window += bytes;
    this.credit += bytes;
    return [{ do: 'send', frame: encodeMessage({ type: 'credit', bytes }) }];
  }

  /** Commits that came but can't be built on: with any, both sides don't hold the same. */
  get heldBack(): number {
    return this.pending + this.rejected.length;
  }

  /** The next page of wants. What the peer lacks too isn't asked for again. */
  private wants(): readonly string[] {
    const { receiving, wantsBlobs, store } = this.config;
    if (!receiving || !wantsBlobs || this.absent.size >= SYNC_ABSENT_BLOBS_MAX) return [];
    const wanted = new Set(store.blobsWanted(SYNC_WANTS_PER_PAGE + this.absent.size));
    return [...wanted].filter((hash) => !this.absent.has(hash)).slice(0, SYNC_WANTS_PER_PAGE);
  }
}
