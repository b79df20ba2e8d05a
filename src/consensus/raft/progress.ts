/**
 * What a leader knows of one member's log, and how it may send to it. `probe`: one append at a
 * time, to find where the logs part. `replicate`: ahead of the answers, within a window.
 * `snapshot`: nothing until the snapshot has arrived. Leaves out the sending (`replicate.ts`).
 */
import { assert } from '../../core/errors.js';
import type { Inflights } from './inflights.js';
import type { Index, ProgressState, ProgressStatus } from './types.js';

export class Progress {
  /** Up to here the member's log is known to be the leader's. */
  match: Index = 0;
  /** The next entry to send; those between `match` and it are under way. */
  next: Index;
  state: ProgressState = 'probe';
  /** Of the snapshot under way; 0 in the other states. */
  pendingSnapshot: Index = 0;
  /** Heard from since the leader last checked its quorum. */
  recentActive: boolean;
  /** Appends wait for the next sign of life: a probe is out, or the window is full. */
  flowPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** The highest commit index under way to the member, or with it. */
  #sentCommit: Index = 0;

  constructor(next: Index, isLearner: boolean, recentActive: boolean, inflights: Inflights) {
    this.next = next;
    this.isLearner = isLearner;
    this.recentActive = recentActive;
    this.inflights = inflights;
  }

  /** Forgets all: a new term, or a leader that is none any more. */
  restart(match: Index, next: Index): void {
    this.#enter('probe');
    this.match = match;
    this.next = next;
    this.recentActive = false;
    this.#sentCommit = 0;
  }

  #enter(state: ProgressState): void {
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }

  becomeProbe(): void {
    // A snapshot that was sent is taken to have arrived; who knows that it hasn't sets
    // `pendingSnapshot` to 0 first.
    const arrived = this.state === 'snapshot' ? this.pendingSnapshot : 0;
    this.#enter('probe');
    this.next = Math.max(this.match, arrived) + 1;
    this.#forgetCommit();
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: Index): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.#sentCommit = index;
  }

  /** What was sent at or behind `next` may never have arrived. */
  #forgetCommit(): void {
    this.#sentCommit = Math.min(this.#sentCommit, this.next - 1);
  }

  sentEntries(count: number, bytes: number): void {
    assert(this.state !== 'snapshot', 'sent entries to a member that waits for a snapshot');
    if (this.state === 'probe') {
      if (count > 0) this.flowPaused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
    }
    // Whatever goes into a full window is a probe: one, then wait for a sign of life.
    this.flowPaused = this.inflights.full;
  }

  sentCommit(index: Index): void {
    this.#sentCommit = index;
  }

  /** Whether sending `index` could move the member's commit index, as far as is known. */
  canBumpCommit(index: Index): boolean {
    return index > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  /** The member has acknowledged up to `index`; false if that is no news. */
  maybeUpdate(index: Index): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.flowPaused = false;
    return true;
  }

  /** The member refused an append after `rejected`; false if that answer is stale. */
  maybeDecrease(rejected: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      // Probes go one at a time: another index was another probe.
      if (rejected !== this.next - 1) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.flowPaused = false;
    }
    this.#forgetCommit();
    return true;
  }

  get paused(): boolean {
    return this.state === 'snapshot' || this.flowPaused;
  }

  status(): ProgressStatus {
    return {
      state: this.state,
      match: this.match,
      next: this.next,
      learner: this.isLearner,
      paused: this.paused,
      recentActive: this.recentActive,
      pendingSnapshot: this.pendingSnapshot,
      inflight: this.inflights.count,
      inflightFull: this.inflights.full,
    };
  }
}
