/**
 * The words of Raft that every part shares: entries, hard state, configuration, messages,
 * what a machine asks of its driver (`Ready`) and of its log (`LogStorage`). Data only.
 * Names follow etcd-io/raft; the algorithm is Ongaro's thesis (2014), cited by section.
 */

/** A member of the group inside the core: 1 to 2^53 - 3; what it stands for is mapped outside. */
export type MemberId = number;
/** Counts from 1; 0 before the first election. */
export type Term = number;
/** Counts from 1; 0 is before the first entry. */
export type Index = number;

/** No member: no leader known, no vote cast. */
export const NONE: MemberId = 0;
/** Where messages to a driver's own storage go with `asyncStorageWrites`; never members. */
export const APPEND_THREAD: MemberId = Number.MAX_SAFE_INTEGER;
export const APPLY_THREAD: MemberId = Number.MAX_SAFE_INTEGER - 1;

/** A `confChange` entry's data is an encoded `ConfChange` (`confcodec.ts`), or empty. */
export type EntryType = 'normal' | 'confChange';

export interface Entry {
  readonly term: Term;
  readonly index: Index;
  readonly type: EntryType;
  /** Empty for the entry that opens a term and for one that leaves a joint configuration. */
  readonly data: Uint8Array;
}

/** What must survive a crash besides entries and snapshot. Commit may lag. */
export interface HardState {
  readonly term: Term;
  /** Whom this member voted for in `term`; `NONE` if nobody yet. */
  readonly vote: MemberId;
  readonly commit: Index;
}

/**
 * A configuration. Joint (thesis §4.3) iff `votersOutgoing` isn't empty: then both
 * majorities decide. Every list is ascending and without repetition. No member is both
 * voter and learner; who is voter of the outgoing half and shall become a learner stands
 * in `learnersNext` until the joint configuration is left.
 */
export interface ConfState {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly learnersNext: readonly MemberId[];
  /** The leader leaves the joint configuration by itself once it is applied. */
  readonly autoLeave: boolean;
}

export interface ConfChangeSingle {
  /** Make a voter, make a learner, remove, or (without effect on quorums) an address changed. */
  readonly type: 'voter' | 'learner' | 'remove' | 'update';
  /** `NONE`: changes nothing. */
  readonly id: MemberId;
}

/**
 * A change of configuration. No changes with `auto`: leave the joint configuration.
 * `auto` goes joint only for more than one change; `implicit` and `explicit` always do,
 * and only `implicit` (and a joint `auto`) is left by the leader itself.
 */
export interface ConfChange {
  readonly transition: 'auto' | 'implicit' | 'explicit';
  readonly changes: readonly ConfChangeSingle[];
  /** The application's own; the core only carries it. */
  readonly context: Uint8Array;
}

export interface SnapshotMetadata {
  readonly index: Index;
  readonly term: Term;
  readonly confState: ConfState;
}

export interface Snapshot {
  readonly metadata: SnapshotMetadata;
  /** The application's own; may only name what is fetched by other means. */
  readonly data: Uint8Array;
}

export type MessageType =
  // To oneself, never over a network.
  | 'MsgHup'
  | 'MsgBeat'
  | 'MsgCheckQuorum'
  | 'MsgUnreachable'
  | 'MsgSnapStatus'
  | 'MsgForgetLeader'
  | 'MsgStorageAppend'
  | 'MsgStorageAppendResp'
  | 'MsgStorageApply'
  | 'MsgStorageApplyResp'
  // Between members.
  | 'MsgProp'
  | 'MsgApp'
  | 'MsgAppResp'
  | 'MsgVote'
  | 'MsgVoteResp'
  | 'MsgPreVote'
  | 'MsgPreVoteResp'
  | 'MsgSnap'
  | 'MsgHeartbeat'
  | 'MsgHeartbeatResp'
  | 'MsgTransferLeader'
  | 'MsgTimeoutNow'
  | 'MsgReadIndex'
  | 'MsgReadIndexResp';

/** One shape for all messages; a field that a type doesn't use is 0, empty, null or false. */
export interface Message {
  readonly type: MessageType;
  readonly to: MemberId;
  readonly from: MemberId;
  /** 0 for messages to oneself, proposals and read requests. */
  readonly term: Term;
  /** MsgApp: term of the entry before `entries`. Votes: of the candidate's last. */
  readonly logTerm: Term;
  /** MsgApp: index of the entry before `entries`. MsgAppResp: last stored, or what was refused. */
  readonly index: Index;
  readonly entries: readonly Entry[];
  readonly commit: Index;
  /** MsgStorageAppend alone: with `term` and `commit` the hard state to store, if term isn't 0. */
  readonly vote: MemberId;
  readonly snapshot: Snapshot | null;
  readonly reject: boolean;
  /** Refused MsgAppResp: the largest index at which the logs may match, of term `logTerm`. */
  readonly rejectHint: Index;
  /** MsgVote: the leader asked for this election, so a lease doesn't stand against it. */
  readonly transfer: boolean;
  /** Heartbeats and their replies: how many reads of this term the reply confirms. */
  readonly reads: number;
  /** Reads: what the caller knows the request by. */
  readonly context: Uint8Array;
  /** MsgStorageAppend, MsgStorageApply: to be delivered once the work is done. */
  readonly responses: readonly Message[];
}

export type Role = 'follower' | 'candidate' | 'leader' | 'preCandidate';

/** What need not survive a crash. */
export interface SoftState {
  readonly lead: MemberId;
  readonly role: Role;
}

/** A read may be served from any state that has applied `index` (thesis §6.4). */
export interface ReadState {
  readonly index: Index;
  readonly context: Uint8Array;
}

/**
 * What the driver has to do, in this order (without `asyncStorageWrites`):
 *
 * 1. send those `messages` for which `mayPrecedePersistence` holds, or keep them for 3;
 * 2. store `entries` (cutting off what was at or behind the first of them), `snapshot` and
 *    `hardState`; with `mustSync` nothing more happens before that is durable;
 * 3. send the other `messages`;
 * 4. apply `snapshot`, then `committedEntries` in order, and call `applyConfChange` for each
 *    change of configuration among them that the application takes, none for one it rejects,
 *    before the next `tick`, `step` or `ready`;
 * 5. `advance()`.
 *
 * With `asyncStorageWrites`, 2, 4 and 5 come as messages to `APPEND_THREAD` and
 * `APPLY_THREAD`: each thread works in order, and when a message's work is done (and
 * durable, for MsgStorageAppend with responses) its `responses` are delivered.
 */
export interface Ready {
  /** Null unless changed. */
  readonly softState: SoftState | null;
  /** Null unless changed. */
  readonly hardState: HardState | null;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** False: a crash may lose this `hardState`, which then moves only the commit index. */
  readonly mustSync: boolean;
}

/**
 * What the core reads of the log that is stored (or is being stored in order). Synchronous;
 * it changes only by what a `Ready` said, and by compaction up to an applied index. What it
 * throws (an unreadable disk) passes through the core and leaves the machine unusable.
 */
export interface LogStorage {
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries of [lo, hi), at least one, then as many as stay within `maxBytes`
   * (`entrySize`); null if `lo` is compacted away. Never asked beyond `lastIndex`.
   */
  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] | null;
  /** Known for [firstIndex - 1, lastIndex]; null elsewhere. */
  term(index: Index): Term | null;
  /** First index that `entries` may hold; one behind the snapshot when there are none. */
  firstIndex(): Index;
  lastIndex(): Index;
  /**
   * The latest, not older than firstIndex - 1; null while there is none to give yet. A member
   * whose joining it doesn't include would refuse it: best as of the last applied entry.
   */
  snapshot(): Snapshot | null;
}

export interface Config {
  readonly id: MemberId;
  /** Ticks without a leader before an election; each time 1 to 2 times as many, by `random`. */
  readonly electionTick: number;
  /** Ticks between a leader's heartbeats; fewer than `electionTick`, best a tenth. */
  readonly heartbeatTick: number;
  readonly storage: LogStorage;
  /** A whole number in [0, below), evenly distributed. */
  readonly random: (below: number) => number;
  /** Last index that the application has applied durably; 0 or absent: the snapshot's. */
  readonly applied?: Index;
  /** Storage work as messages that may overlap, instead of one Ready at a time. */
  readonly asyncStorageWrites?: boolean;
  /** Bytes of entries in one MsgApp; one entry always goes. */
  readonly maxSizePerMsg?: number;
  /** Bytes of committed entries handed out and not yet applied. */
  readonly maxCommittedSizePerReady?: number;
  /** Payload bytes that a leader holds uncommitted before it drops proposals. */
  readonly maxUncommittedSize?: number;
  /** MsgApps on their way to one member, and the payload bytes in them. */
  readonly maxInflightMsgs?: number;
  readonly maxInflightBytes?: number;
  /** Thesis §9.6 and §6.2; on unless a conformance case says otherwise. */
  readonly preVote?: boolean;
  readonly checkQuorum?: boolean;
  /** A leader that isn't voter any more steps down; on unless a conformance case says otherwise. */
  readonly stepDownOnRemoval?: boolean;
  /** A follower refuses proposals instead of passing them on to the leader. */
  readonly disableProposalForwarding?: boolean;
  /** Only for a caller that checks changes itself: an invalid one that is applied stops the member. */
  readonly disableConfChangeValidation?: boolean;
  /** Told what an operator may want to know. */
  readonly onNotice?: (notice: Notice) => void;
  /** Told each step that the TLA+ trace specification of etcd-io/raft knows (`trace.ts`). */
  readonly onTrace?: (event: TraceEvent) => void;
}

/** Something unusual that isn't an error of the caller. */
export type Notice =
  | { readonly kind: 'unpromotable' }
  | { readonly kind: 'confChangePending' }
  | { readonly kind: 'quorumInactive' }
  | { readonly kind: 'uncommittedFull' }
  | { readonly kind: 'confChangeRefused'; readonly reason: string }
  | { readonly kind: 'foreignSnapshot'; readonly index: Index };

/** What became of a step. Everything but `ok` has changed nothing. */
export type StepResult = 'ok' | DropReason | 'localMessage' | 'unknownMember';

/** Why a proposal or read was dropped; the caller may try again. */
export type DropReason =
  'noLeader' | 'notForwarded' | 'notMember' | 'transferring' | 'uncommittedFull' | 'tooManyReads';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** What a leader knows of one member's log (thesis §10.2.1). */
export interface ProgressStatus {
  readonly state: ProgressState;
  readonly match: Index;
  readonly next: Index;
  readonly learner: boolean;
  readonly paused: boolean;
  readonly recentActive: boolean;
  /** Index of the snapshot under way, 0 for none. */
  readonly pendingSnapshot: Index;
  readonly inflight: number;
  readonly inflightFull: boolean;
}

export interface Status {
  readonly id: MemberId;
  readonly hardState: HardState;
  readonly softState: SoftState;
  readonly lastIndex: Index;
  readonly applied: Index;
  readonly leadTransferee: MemberId;
  readonly confState: ConfState;
  /** Empty unless this member leads. */
  readonly progress: ReadonlyMap<MemberId, ProgressStatus>;
}

/** One step of the machine as `Traceetcdraft.tla` reads it; ids are decimal text there. */
export interface TraceEvent {
  readonly name: string;
  readonly nid: string;
  readonly state: { readonly term: Term; readonly vote: string; readonly commit: Index };
  readonly role: string;
  /** The last index. */
  readonly log: Index;
  readonly conf: readonly [readonly string[], readonly string[]];
  readonly msg?: Readonly<Record<string, string | number | boolean>>;
  readonly prop?: Readonly<Record<string, unknown>>;
}
