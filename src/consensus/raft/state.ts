/**
 * A Raft member's whole state, as plain mutable data that the functions of this folder work
 * on: `step.ts` says which of them when. Nothing outside the folder writes it.
 */
import type { RaftLog } from './log.js';
import type { Reads } from './reads.js';
import type { Tracker } from './tracker.js';
import type { Config, HardState, Index, LogStorage, MemberId, Message } from './types.js';
import type { ReadState, Role, SoftState, Term } from './types.js';

/** The configuration with every default filled in. */
export type Settings = Readonly<Required<Omit<Config, 'storage' | 'applied' | 'onTrace'>>> &
  Pick<Config, 'onTrace'> & { readonly storage: LogStorage };

export interface Raft {
  readonly id: MemberId;
  readonly settings: Settings;
  readonly log: RaftLog;

  term: Term;
  vote: MemberId;
  role: Role;
  lead: MemberId;
  isLearner: boolean;
  tracker: Tracker;

  /** To others, as soon as a Ready is taken (but see `mayPrecedePersistence`). */
  messages: Message[];
  /** To others and to itself, once all that was unstable when they were written is durable. */
  messagesAfterAppend: Message[];
  readStates: ReadState[];

  /** Ticks since an election began or, as a follower, since word from the leader. */
  electionElapsed: number;
  heartbeatElapsed: number;
  /** Drawn anew in [electionTick, 2 * electionTick) whenever the role or term changes. */
  randomizedElectionTimeout: number;

  /** The leader's: whom it is handing over to (thesis §3.10). */
  leadTransferee: MemberId;
  /**
   * The leader's: no change of configuration that isn't applied stands behind this index. At
   * most one may be on its way.
   */
  pendingConfIndex: Index;
  /** The leader's: payload bytes at the uncommitted end of its log; never too many. */
  uncommittedSize: number;
  reads: Reads;
  /** The leader's: read requests from before the first commit of its term. */
  earlyReads: Message[];
}

export function hardStateOf({ term, vote, log }: Raft): HardState {
  return { term, vote, commit: log.committed };
}

export function softStateOf({ lead, role }: Raft): SoftState {
  return { lead, role };
}

/** Whether it may become leader: a voter whose log is all there. */
export function isPromotable({ id, tracker, log }: Raft): boolean {
  const own = tracker.progress.get(id);
  return own !== undefined && !own.isLearner && log.unstable.snapshot === null;
}
