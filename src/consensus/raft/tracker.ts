/**
 * The configuration in force, and for each of its members what the leader knows of it and how
 * it voted. Leaves out how a configuration changes (`confchange.ts`).
 */
import { EMPTY_CONF, membersOf } from './confchange.js';
import { Inflights } from './inflights.js';
import { Progress } from './progress.js';
import { quorumCommitted, quorumVote, type VoteResult } from './quorum.js';
import type { ConfState, Index, MemberId } from './types.js';

export class Tracker {
  conf: ConfState = EMPTY_CONF;
  /** Of every member, ascending by id. */
  progress: ReadonlyMap<MemberId, Progress> = new Map();
  readonly #votes = new Map<MemberId, boolean>();
  readonly #maxInflightMsgs: number;
  readonly #maxInflightBytes: number;

  constructor(maxInflightMsgs: number, maxInflightBytes: number) {
    this.#maxInflightMsgs = maxInflightMsgs;
    this.#maxInflightBytes = maxInflightBytes;
  }

  /** Takes over `conf`; what is known of the members in `kept` stays known. */
  switchTo(conf: ConfState, kept: ReadonlySet<MemberId>, lastIndex: Index): void {
    const learners = new Set(conf.learners);
    const progress = new Map<MemberId, Progress>();
    for (const id of membersOf(conf)) {
      const known = kept.has(id) ? this.progress.get(id) : undefined;
      const member = known ?? this.#newProgress(lastIndex);
      member.isLearner = learners.has(id);
      progress.set(id, member);
    }
    this.conf = conf;
    this.progress = progress;
  }

  /**
   * Of a member that was just added: it counts as active, or a leader might step down before
   * the new member had a chance to say anything.
   */
  #newProgress(lastIndex: Index): Progress {
    const inflights = new Inflights(this.#maxInflightMsgs, this.#maxInflightBytes);
    return new Progress(Math.max(lastIndex, 1), false, true, inflights);
  }

  /** One voter that decides alone. */
  get isSingleton(): boolean {
    return this.conf.voters.length === 1 && this.conf.votersOutgoing.length === 0;
  }

  /** What a quorum has stored; whether it may be committed depends on its term. */
  committed(): Index {
    return quorumCommitted(this.conf, (id) => this.progress.get(id)?.match);
  }

  /** Whether a quorum was heard from since the last check. */
  quorumActive(): boolean {
    const active = new Map<MemberId, boolean>();
    for (const [id, { isLearner, recentActive }] of this.progress) {
      if (!isLearner) active.set(id, recentActive);
    }
    return quorumVote(this.conf, active) === 'won';
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** A member's first answer counts. */
  recordVote(id: MemberId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  tally(): VoteResult {
    return quorumVote(this.conf, this.#votes);
  }
}
