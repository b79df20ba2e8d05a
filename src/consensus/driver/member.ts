/**
 * A member of a consensus group at work: drives the Raft machine, makes durable before it
 * promises, evaluates, votes, settles what is certified in the ledger and tells those who
 * asked. One batch is under way at a time; what arrives meanwhile is the next, so requests
 * share a sync. Time, disk, network and keys are the caller's. A failed write ends it.
 */
import { assert, WnError } from '../../core/errors.js';
import {
  RAFT_ELECTION_TICKS,
  RAFT_HEARTBEAT_TICKS,
  STRONG_FORWARDED_TOGETHER_MAX,
  STRONG_LEADER_AHEAD_MS,
  STRONG_WAITING_MAX,
} from '../../core/limits.js';
import { mayPrecedePersistence } from '../raft/messages.js';
import { RaftNode } from '../raft/node.js';
import { LEAVE_JOINT } from '../raft/confcodec.js';
import type { Entry, Index, Message, Ready, Status } from '../raft/types.js';
import { configurationMade } from '../strong/receipt.js';
import { raftChanges } from '../strong/configuration.js';
import { decodeEntryData, encodeEntryData } from '../strong/entry.js';
import { Leases } from '../strong/leases.js';
import { decodeRequest, requestId } from '../strong/request.js';
import type { Settled } from '../strong/aside.js';
import type {
  Configuration,
  Member as GroupMember,
  MemberId,
  RequestId,
  SignedRequest,
} from '../strong/types.js';
import { Certifier } from './certifier.js';
import type { MemberOptions } from './options.js';
import { Overlay } from './overlay.js';
import { proposable, timeOf } from './proposals.js';
import { noQuorum, Reads } from './reads.js';
import { confChangeOf, toStrong } from './translate.js';
import { Voting } from './voting.js';
import { WriteAheadLog } from './wal.js';
import { Waiters } from './waiters.js';
import { decodeFrame, encodeFrame, type Frame } from './wire.js';

export class Member {
  private readonly raft: RaftNode;
  private readonly overlay: Overlay;
  private readonly voting: Voting;
  private readonly waiters = new Waiters();
  private readonly reads: Reads;
  private readonly certifier: Certifier;
  private readonly inbox: Message[] = [];
  /** Contexts of reads that Raft hasn't heard of yet. */
  private readonly asking: Uint8Array[] = [];
  /** Requests that are not in a log yet. */
  private queue: SignedRequest[] = [];
  /** Where appends of the batch under way end: there its votes are. */
  private ends: Index[] = [];
  private leases: Leases | null = null;
  private unsaved: Ready['hardState'] = null;
  private running: Promise<void> | null = null;
  private kicked = false;
  private missedTicks = 0;
  private stopped = false;
  private cancelTick: () => void = () => undefined;

  private constructor(
    private readonly options: MemberOptions,
    private readonly log: WriteAheadLog,
  ) {
    const { id, ledger, signer, rng } = options;
    this.overlay = new Overlay(ledger.state);
    const last = log.lastIndex();
    const from = ledger.head().index + 1;
    if (from <= last) this.overlay.append(log.entries(from, last + 1, Infinity));
    this.voting = new Voting(ledger.state.group.id, id, signer, this.overlay);
    this.reads = new Reads(rng);
    this.certifier = this.newCertifier();
    this.raft = new RaftNode({
      id,
      electionTick: RAFT_ELECTION_TICKS,
      heartbeatTick: RAFT_HEARTBEAT_TICKS,
      storage: log,
      random: (below) => Buffer.from(rng.bytes(6)).readUIntBE(0, 6) % below,
      applied: ledger.head().index,
      disableProposalForwarding: true,
    });
  }

  private newCertifier(): Certifier {
    const { ledger, clock, settled } = this.options;
    const { overlay, voting, waiters, reads } = this;
    return new Certifier({
      ...{ ledger, clock, overlay, voting, waiters, reads },
      send: (to, frame) => this.send(to, frame),
      others: () => this.others(),
      leader: () => (this.isLeader ? null : this.memberOf(this.leader)),
      observe: (effects) => this.leases?.observe(effects, clock.monotonicMs()),
      settled,
      failed: (error) => this.fail(error),
    });
  }

  /** Opens what is on disk and begins. Throws `damage`. */
  static async start(options: MemberOptions): Promise<Member> {
    const log = await WriteAheadLog.open(options.storage, options.ledger);
    const member = new Member(options, log);
    const { voters, outgoing } = options.ledger.state.configuration;
    // Who decides alone needn't wait until a leader has been missed.
    if (voters.length === 1 && voters[0]?.id === options.id && outgoing.length === 0) {
      member.raft.campaign();
    }
    member.tick();
    return member;
  }

  /** Lets go; what is under way ends first. Those who wait are told that they can't know. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTick();
    await this.running;
    await this.certifier.idle();
    this.waiters.abandon();
  }

  status(): Status {
    return this.raft.status();
  }

  get configuration(): Configuration {
    return this.overlay.last.configuration;
  }

  get isLeader(): boolean {
    return this.raft.raft.role === 'leader';
  }

  get leader(): MemberId {
    return this.raft.raft.lead;
  }

  // What others want

  /**
   * Asks for entries of these requests and tells what became of each, once that is certified.
   * Throws `unknown_outcome` where nobody can say by `timeoutMs` whether it ever will be.
   */
  submit(requests: readonly SignedRequest[], timeoutMs: number): readonly Promise<Settled>[] {
    return requests.map((signed) => {
      const id = requestId(signed.bytes);
      const known = this.answered(id);
      if (known !== null) return Promise.resolve(known);
      if (this.waiters.size >= STRONG_WAITING_MAX) return Promise.reject(crowded());
      this.queue.push(signed);
      this.kick();
      return this.waiters.wait(id, this.options.clock, timeoutMs);
    });
  }

  private answered(id: RequestId): Settled | null {
    const index = this.options.ledger.find(id);
    return index === null ? null : this.options.ledger.settled(index);
  }

  /** Resolves once the ledger holds all that was certain when this was asked. */
  read(timeoutMs: number): Promise<void> {
    const { context, confirmed } = this.reads.ask(this.options.clock, timeoutMs);
    this.asking.push(context);
    this.kick();
    return confirmed;
  }

  /** A frame of the member `from`; anything may come. Throws `invalid`. */
  receive(frame: Uint8Array, from: GroupMember): void {
    const read = decodeFrame(frame);
    switch (read.frame) {
      case 'raft':
        if (read.message.from !== from.id || read.message.to !== this.options.id) return;
        if (this.isTooFarAhead(read.message)) return;
        this.inbox.push(read.message);
        return this.kick();
      case 'vote':
        if (read.vote.member === from.id) this.certifier.count(read.vote);
        return this.kick();
      case 'certificate':
        this.certifier.take(read.certificate);
        return this.kick();
      case 'forward':
        this.queue.push(...read.requests.slice(0, STRONG_FORWARDED_TOGETHER_MAX));
        return this.kick();
      case 'ballot':
        return this.voteAt(read.index, from);
      case 'ask':
        return this.certifier.hand(read.after, from);
      case 'records':
        this.certifier.offered(read);
        return this.kick();
    }
  }

  // The loop

  private tick(): void {
    if (this.stopped) return;
    this.cancelTick = this.options.clock.after(this.options.tickMs, () => {
      this.raftTick();
      this.tick();
    });
  }

  private raftTick(): void {
    if (this.running === null) this.raft.tick();
    else this.missedTicks += 1;
    this.expireClaims();
    if (this.isLeader) this.certifier.remind(this.log.lastIndex());
    this.certifier.askIfStuck();
    this.kick();
  }

  private kick(): void {
    this.kicked = true;
    if (this.running !== null || this.stopped) return;
    this.running = this.run()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.running = null;
        if (this.kicked) this.kick();
      });
  }

  private fail(error: unknown): void {
    this.stopped = true;
    this.cancelTick();
    this.waiters.abandon();
    this.options.failed(error);
  }

  private async run(): Promise<void> {
    for (;;) {
      this.kicked = false;
      this.takeIn();
      await this.catchUp();
      this.certifier.certify(this.raft.raft.log.applied);
      if (this.stopped || !this.raft.hasReady()) return;
      await this.handle(this.raft.ready());
      this.raft.advance();
    }
  }

  /** What Raft's log has beyond records that were taken in is evaluated anew. */
  private async catchUp(): Promise<void> {
    if (!(await this.certifier.takeOffered())) return;
    const rest = this.raft.raft.log.entries(this.overlay.headIndex + 1, Infinity);
    this.overlay.append(rest ?? []);
    await this.log.trim();
  }

  /** The leader has missed a vote of ours. */
  private voteAt(index: Index, leader: GroupMember): void {
    if (this.certifier.voteAgain(index, leader) || index > this.log.lastIndex()) return;
    this.ends.push(index);
    this.kick();
  }

  /** All that has arrived since the last batch. */
  private takeIn(): void {
    for (; this.missedTicks > 0; this.missedTicks--) this.raft.tick();
    for (const message of this.inbox.splice(0)) {
      if (message.type === 'MsgApp' && message.entries.length > 0) {
        this.ends.push(message.index + message.entries.length);
      }
      this.raft.step(message);
    }
    for (const context of this.asking.splice(0)) {
      if (this.raft.readIndex(context) !== 'ok') this.reads.fail(context, noQuorum());
    }
    this.propose();
  }

  private propose(): void {
    if (this.queue.length === 0) return;
    const { lead, role } = this.raft.raft;
    if (role === 'leader') {
      const timeMs = Math.max(this.options.clock.wallMs(), this.overlay.last.timeMs);
      const { requests, change, later } = proposable(this.queue, this.raft.admitsConfChange);
      const data = requests.map((signed) => encodeEntryData(timeMs, signed));
      if (data.length > 0 && this.raft.propose(...data) !== 'ok') return;
      this.queue = [...later];
      if (change === null) return;
      const result = this.raft.proposeConfChange(confChangeOf(encodeEntryData(timeMs, change)));
      if (result !== 'ok') this.queue.unshift(change);
    } else if (lead !== 0) {
      const leader = this.memberOf(lead);
      for (let at = 0; at < this.queue.length; at += STRONG_FORWARDED_TOGETHER_MAX) {
        const requests = this.queue.slice(at, at + STRONG_FORWARDED_TOGETHER_MAX);
        if (leader !== null) this.send(leader, { frame: 'forward', requests });
      }
      this.queue = [];
    } else if (this.queue.length > STRONG_WAITING_MAX) {
      this.queue = this.queue.slice(-STRONG_WAITING_MAX);
    }
  }

  private async handle(ready: Ready): Promise<void> {
    const { messages, entries } = ready;
    const hardState = ready.hardState ?? this.unsaved;
    for (const message of messages) if (mayPrecedePersistence(message)) this.sendRaft(message);
    this.overlay.append(entries);
    if (ready.softState !== null) this.changedRole();
    const ends = [...this.ends.splice(0), ...entries.filter(isEnd(entries)).map((e) => e.index)];
    const ballots = this.voting.ballots(ends, this.raft.raft.term, this.log.lastBallot);
    if (ready.mustSync || ballots.length > 0) {
      await this.log.append({ hardState, entries, ballots });
      this.unsaved = null;
    } else {
      this.unsaved = hardState;
    }
    for (const message of messages) if (!mayPrecedePersistence(message)) this.sendRaft(message);
    for (const ballot of ballots) this.certifier.vote(ballot);
    for (const entry of ready.committedEntries) this.apply(entry);
    for (const { index, context } of ready.readStates) this.reads.confirmed(context, index);
    if (ready.readStates.length > 0) this.reads.applied(this.options.ledger.head().index);
  }

  /** Changes of the configuration; all else counts once it is certified. */
  private apply(entry: Entry): void {
    if (entry.type !== 'confChange') return;
    const outcome =
      this.overlay.at(entry.index)?.evaluation.outcome ??
      this.options.ledger.settled(entry.index).outcome;
    if (configurationMade(outcome) === null) return;
    const { data } = toStrong(entry);
    if (data.byteLength === 0) {
      this.raft.applyConfChange(LEAVE_JOINT);
      return;
    }
    const { signed } = decodeEntryData(data);
    const [action] = decodeRequest(signed.bytes).actions;
    assert(action?.action === 'configure', 'a change that changes nothing');
    const changes = raftChanges(action.changes);
    this.raft.applyConfChange({ transition: 'implicit', changes, context: new Uint8Array() });
  }

  private changedRole(): void {
    const leads = this.isLeader;
    if (leads && this.leases === null) {
      this.leases = Leases.restarted(this.overlay.last, this.options.clock.monotonicMs());
    } else if (!leads) {
      this.leases = null;
    }
  }

  // Claims

  private expireClaims(): void {
    if (this.leases === null) return;
    const due = this.leases.due(this.options.clock.monotonicMs());
    if (due.length > 0) this.queue.push(...this.options.expire(due));
  }

  // Sending

  private sendRaft(message: Message): void {
    const to = this.memberOf(message.to);
    if (to !== null) this.send(to, { frame: 'raft', message });
  }

  private send(to: GroupMember, frame: Frame): void {
    this.options.send(to, encodeFrame(frame));
  }

  private others(): readonly GroupMember[] {
    return membersOf(this.configuration).filter(({ id }) => id !== this.options.id);
  }

  private memberOf(id: MemberId): GroupMember | null {
    return membersOf(this.configuration).find((member) => member.id === id) ?? null;
  }

  /** A leader's clock that is far ahead would make all others' requests too old. */
  private isTooFarAhead(message: Message): boolean {
    const latest = this.options.clock.wallMs() + STRONG_LEADER_AHEAD_MS;
    return message.entries.some((entry) => timeOf(entry) > latest);
  }
}

function membersOf({ voters, outgoing, learners }: Configuration): readonly GroupMember[] {
  const known = new Map([...voters, ...outgoing, ...learners].map((one) => [one.id, one]));
  return [...known.values()];
}

/** Where a voter votes: at the end of a batch, and at each change of the configuration. */
function isEnd(entries: readonly Entry[]): (entry: Entry) => boolean {
  const last = entries.at(-1);
  return (entry) => entry === last || entry.type === 'confChange';
}

function crowded(): WnError {
  return new WnError('busy', 'too many requests wait for an answer here', {
    hint: 'nothing was asked; try again in a moment',
  });
}
