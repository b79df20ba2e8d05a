/**
 * A member of a Raft group, for its driver: messages and ticks in, `Ready` out. It has no
 * clock, disk or network; the same calls give the same results, given the same `random`.
 */
import { assert } from '../../core/errors.js';
import { createRaft } from './create.js';
import { encodeConfChange } from './confcodec.js';
import { isLocal, isResponse, isStorageThread, newMessage } from './messages.js';
import { storageAppend, storageAppendResponse, storageApply } from './threads.js';
import { storageApplyResponse } from './threads.js';
import { isSettled } from './propose.js';
import { applyConfChange } from './reconfigure.js';
import { hardStateOf, softStateOf, type Raft } from './state.js';
import { statusOf } from './status.js';
import { step, tick } from './step.js';
import { traceNode } from './trace.js';
import type { Config, ConfChange, ConfState, EntryType, HardState } from './types.js';
import type { MemberId, Message, Ready, SoftState, Status, StepResult } from './types.js';

export class RaftNode {
  /** The machine's own state: for those who simulate and test it. */
  readonly raft: Raft;
  #softState: SoftState;
  #hardState: HardState;
  /** What the machine tells itself once the Ready that is out has been dealt with. */
  #onAdvance: readonly Message[] | null = null;

  /** Throws `WnError('damage')` where what is stored contradicts itself. */
  constructor(config: Config) {
    this.raft = createRaft(config);
    this.#softState = softStateOf(this.raft);
    this.#hardState = hardStateOf(this.raft);
  }

  /** One unit of time has passed. */
  tick(): void {
    tick(this.raft);
  }

  /** Begins an election now, as if its time had come. */
  campaign(): void {
    step(this.raft, newMessage('MsgHup', { from: this.raft.id }));
  }

  /**
   * Proposes entries, all or none; `ok` says that they are on their way, not that they will be
   * committed. A follower passes them on, and then nobody tells whether they got lost.
   * Several at once cost hardly more than one.
   */
  propose(...data: readonly Uint8Array[]): StepResult {
    return this.#propose('normal', data);
  }

  /** As leader: whether a change of the configuration would be admitted now. */
  get admitsConfChange(): boolean {
    return isSettled(this.raft);
  }

  /**
   * The same. One that the leader doesn't admit is replaced by an empty entry. Throws
   * `WnError('invalid')` for more than `RAFT_CONF_CHANGES_MAX` changes at once.
   */
  proposeConfChange(change: ConfChange): StepResult {
    return this.#propose('confChange', [encodeConfChange(change)]);
  }

  #propose(type: EntryType, data: readonly Uint8Array[]): StepResult {
    const entries = data.map((bytes) => ({ term: 0, index: 0, type, data: bytes }));
    return step(this.raft, newMessage('MsgProp', { from: this.raft.id, entries }));
  }

  /**
   * Puts a change in force whose entry is being applied. Throws `WnError('invalid')` if the
   * configuration doesn't admit it.
   */
  applyConfChange(change: ConfChange): ConfState {
    return applyConfChange(this.raft, change);
  }

  /**
   * Takes a message of another member, or a response of a storage thread. Throws `damage` if it
   * proves that a disk has lost what its member had promised to keep.
   */
  step(message: Message): StepResult {
    const ofThread = isStorageThread(message.from);
    if (isLocal(message.type) && !ofThread) return 'localMessage';
    const known = ofThread || this.raft.tracker.progress.has(message.from);
    if (isResponse(message.type) && !known) return 'unknownMember';
    return step(this.raft, message);
  }

  /** Asks for an index that a linearizable read has to wait for; answered in `readStates`. */
  readIndex(context: Uint8Array): StepResult {
    return step(this.raft, newMessage('MsgReadIndex', { from: this.raft.id, context }));
  }

  /** Asks the leader to hand over to `transferee`; it gives up after an election time-out. */
  transferLeader(transferee: MemberId): void {
    step(this.raft, newMessage('MsgTransferLeader', { from: transferee }));
  }

  /** Makes a follower that knows its leader to be gone ready to vote before its lease ends. */
  forgetLeader(): void {
    step(this.raft, newMessage('MsgForgetLeader'));
  }

  /** The last messages to a member didn't get there. */
  reportUnreachable(id: MemberId): void {
    step(this.raft, newMessage('MsgUnreachable', { from: id }));
  }

  /** Whether a snapshot has arrived at a member; to be called for every MsgSnap. */
  reportSnapshot(id: MemberId, arrived: boolean): void {
    step(this.raft, newMessage('MsgSnapStatus', { from: id, reject: !arrived }));
  }

  status(): Status {
    return statusOf(this.raft);
  }

  hasReady(): boolean {
    const r = this.raft;
    const { log } = r;
    return (
      r.messages.length + r.messagesAfterAppend.length + r.readStates.length > 0 ||
      log.unstable.hasNextEntries ||
      log.unstable.nextSnapshot() !== null ||
      log.hasNextCommitted(this.#appliesUnstable) ||
      this.#changedSoftState() !== null ||
      this.#changedHardState() !== null
    );
  }

  /** Hands out what is to be done; without `asyncStorageWrites`, `advance` comes before the next. */
  ready(): Ready {
    const r = this.raft;
    const hardState = this.#changedHardState();
    const entries = r.log.unstable.nextEntries();
    const work = {
      softState: this.#changedSoftState(),
      hardState,
      readStates: r.readStates,
      entries,
      snapshot: r.log.unstable.nextSnapshot(),
      committedEntries: r.log.nextCommitted(this.#appliesUnstable),
      mustSync: entries.length > 0 || this.#mustSync(hardState),
    };
    const ready = { ...work, messages: [...r.messages, ...this.#storageMessages(work)] };
    this.#accept(ready);
    return ready;
  }

  /** All of the last Ready is done: stored, sent and applied. */
  advance(): void {
    assert(this.#onAdvance !== null, 'advanced without a Ready');
    const messages = this.#onAdvance;
    this.#onAdvance = null;
    for (const message of messages) step(this.raft, message);
  }

  /** With asynchronous writes only what is known to be stored is applied. */
  get #appliesUnstable(): boolean {
    return !this.raft.settings.asyncStorageWrites;
  }

  #changedSoftState(): SoftState | null {
    const { lead, role } = this.raft;
    const held = this.#softState;
    return lead === held.lead && role === held.role ? null : softStateOf(this.raft);
  }

  #changedHardState(): HardState | null {
    const now = hardStateOf(this.raft);
    const { term, vote, commit } = this.#hardState;
    return now.term === term && now.vote === vote && now.commit === commit ? null : now;
  }

  #mustSync(changed: HardState | null): boolean {
    const { term, vote } = this.#hardState;
    return changed !== null && (changed.term !== term || changed.vote !== vote);
  }

  #storageMessages(work: Omit<Ready, 'messages'>): readonly Message[] {
    const r = this.raft;
    if (!r.settings.asyncStorageWrites)
      return r.messagesAfterAppend.filter(({ to }) => to !== r.id);
    return [...storageAppend(r, work), ...storageApply(r, work)];
  }

  #accept(ready: Ready): void {
    const r = this.raft;
    if (ready.softState !== null) this.#softState = ready.softState;
    if (ready.hardState !== null) this.#hardState = ready.hardState;
    if (!r.settings.asyncStorageWrites) {
      assert(this.#onAdvance === null, 'a second Ready before advancing');
      this.#onAdvance = [
        ...r.messagesAfterAppend.filter(({ to }) => to === r.id),
        ...storageAppendResponse(r, ready),
        ...storageApplyResponse(r, ready),
      ];
    }
    r.readStates = [];
    r.messages = [];
    r.messagesAfterAppend = [];
    r.log.unstable.acceptInProgress();
    if (ready.committedEntries.length > 0) {
      r.log.acceptApplying(ready.committedEntries, this.#appliesUnstable);
    }
    traceNode(r, 'Ready');
  }
}
