/**
 * A Raft group in memory for tests: members with storage that survives a crash, and a wire of
 * messages that move when a test says so. After every step of a member it checks what must
 * always hold (thesis, Figure 3.2): election safety, leader completeness, state machine safety,
 * and that a read sees all that was committed when it was asked for.
 */
import assert from 'node:assert/strict';
import { EMPTY_CONF } from '../../../src/consensus/raft/confchange.js';
import { decodeConfChange } from '../../../src/consensus/raft/confcodec.js';
import { MemoryStorage } from '../../../src/consensus/raft/memory.js';
import { mayPrecedePersistence, NO_BYTES } from '../../../src/consensus/raft/messages.js';
import { RaftNode } from '../../../src/consensus/raft/node.js';
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Config,
  type ConfState,
  type Entry,
  type Index,
  type MemberId,
  type Message,
  type Ready,
  type Snapshot,
  type Term,
} from '../../../src/consensus/raft/types.js';
import { toHex, utf8 } from '../../../src/core/bytes.js';
import { Seeded } from '../../sim/random.js';

export type Options = Partial<Omit<Config, 'id' | 'storage' | 'random'>>;

/** Where a crash may strike while a Ready is dealt with. */
export type Stage = 'taken' | 'sent early' | 'stored' | 'sent' | 'applied';
export const STAGES: readonly Stage[] = ['taken', 'sent early', 'stored', 'sent', 'applied'];

/** Work of an append thread: the message, and what goes out once it is done. */
interface Write {
  readonly message: Message;
  readonly after: readonly Message[];
}

export class Member {
  readonly id: MemberId;
  readonly storage = new MemoryStorage();
  node: RaftNode;
  writes: Write[] = [];
  applies: Message[] = [];
  applied: Index;
  #confState: ConfState;

  constructor(id: MemberId, start: Snapshot, options: Options, random: Seeded) {
    this.id = id;
    if (start.metadata.index > 0) this.storage.applySnapshot(start);
    this.applied = start.metadata.index;
    this.#confState = start.metadata.confState;
    const stored = this.storage.snapshot.bind(this.storage);
    this.storage.snapshot = () => {
      if (this.applied > stored().metadata.index) {
        this.storage.createSnapshot(this.applied, this.#confState, NO_BYTES);
      }
      return stored();
    };
    this.node = this.start(options, random);
  }

  /** As after a crash: what was under way is lost, what was stored is there. */
  start(options: Options, random: Seeded): RaftNode {
    const { index, confState } = MemoryStorage.prototype.snapshot.call(this.storage).metadata;
    this.applied = index;
    this.#confState = confState;
    this.writes = [];
    this.applies = [];
    this.node = new RaftNode({
      electionTick: 10,
      heartbeatTick: 1,
      ...options,
      id: this.id,
      storage: this.storage,
      applied: index,
      random: (below) => random.int(0, below - 1),
    });
    return this.node;
  }

  get role(): string {
    return this.node.raft.role;
  }

  get term(): Term {
    return this.node.raft.term;
  }

  get committed(): Index {
    return this.node.raft.log.committed;
  }

  /** `term:data` of every entry that is still in the log. */
  entries(): readonly string[] {
    const { log } = this.node.raft;
    return (log.entries(log.firstIndex(), Infinity) ?? []).map(shown);
  }

  store({ hardState, entries, snapshot }: Pick<Ready, 'hardState' | 'entries' | 'snapshot'>): void {
    if (hardState !== null) this.storage.setHardState(hardState);
    if (snapshot !== null) {
      this.storage.applySnapshot(snapshot);
      this.applied = snapshot.metadata.index;
      this.#confState = snapshot.metadata.confState;
    } else {
      this.storage.append(entries);
    }
  }

  apply(entries: readonly Entry[]): void {
    for (const { index, type, data } of entries) {
      assert.equal(index, this.applied + 1, `member ${this.id} applies in order`);
      if (type === 'confChange') {
        this.#confState = this.node.applyConfChange(decodeConfChange(data));
      }
      this.applied = index;
    }
  }
}

function shown({ term, type, data }: Entry): string {
  return `${term}:${type === 'confChange' ? toHex(data) : Buffer.from(data).toString()}`;
}

export function conf(voters: readonly MemberId[], learners: readonly MemberId[] = []): ConfState {
  return { ...EMPTY_CONF, voters, learners };
}

export class Group {
  readonly members = new Map<MemberId, Member>();
  readonly random: Seeded;
  wire: Message[] = [];
  /** What the wire makes of a message: null loses it. */
  carry: (message: Message) => Message | null = (message) => message;
  readonly #options: Options;
  readonly #leaders = new Map<Term, MemberId>();
  readonly #committed = new Map<Index, string>();
  #committedTo: Index = 1;
  readonly #checkedTo = new Map<MemberId, Index>();
  /** By context: how far everything was committed when the read was asked for. */
  readonly #reads = new Map<string, Index>();
  readsServed = 0;

  constructor(confState: ConfState, options: Options = {}, seed = 1) {
    this.#options = options;
    this.random = new Seeded(seed);
    const start = { metadata: { index: 1, term: 1, confState }, data: NO_BYTES };
    for (const id of [...confState.voters, ...confState.learners]) this.add(id, start);
  }

  /** Without `start`: one that knows nothing, not even whom it belongs to. */
  add(id: MemberId, start?: Snapshot): Member {
    const nothing = { metadata: { index: 0, term: 0, confState: EMPTY_CONF }, data: NO_BYTES };
    const member = new Member(id, start ?? nothing, this.#options, this.random);
    this.members.set(id, member);
    return member;
  }

  member(id: MemberId): Member {
    const member = this.members.get(id);
    assert.ok(member, `no member ${id}`);
    return member;
  }

  get all(): readonly Member[] {
    return [...this.members.values()];
  }

  /** Of the latest term. */
  get leader(): Member | undefined {
    return this.all.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term)[0];
  }

  crash(member: Member): void {
    member.start(this.#options, this.random);
    this.#checkedTo.delete(member.id);
    this.check(member);
  }

  read(member: Member): void {
    const context = `read ${this.#reads.size}`;
    this.#reads.set(context, this.#committedTo);
    member.node.readIndex(utf8(context));
  }

  /** Deals with one Ready as its docstring says; a crash at `stage` ends that early. */
  processReady(member: Member, stage?: Stage): void {
    const ready = member.node.ready();
    const steps: Record<Stage, () => void> = {
      taken: () => this.#takeReads(ready),
      'sent early': () => this.#send(ready.messages.filter(mayPrecedePersistence)),
      stored: () => member.store(ready),
      sent: () => this.#send(ready.messages.filter((m) => !mayPrecedePersistence(m))),
      applied: () => member.apply(ready.committedEntries),
    };
    for (const at of STAGES) {
      if (at === stage) return this.crash(member);
      steps[at]();
    }
    member.node.advance();
    this.check(member);
  }

  /** The same with asynchronous writes: the work is queued (`write`, `applyNext`). */
  takeReady(member: Member): void {
    const ready = member.node.ready();
    this.#takeReads(ready);
    const [appends, others] = split(ready.messages, ({ to }) => to === APPEND_THREAD);
    const [applies, outside] = split(others, ({ to }) => to === APPLY_THREAD);
    const [early, late] = split(outside, mayPrecedePersistence);
    assert.ok(late.length === 0 || appends.length > 0, 'a vote is asked for with a hard state');
    this.#send(early);
    member.applies.push(...applies);
    for (const message of appends) {
      member.writes.push({ message, after: [...late, ...message.responses] });
    }
    this.check(member);
  }

  /** The append thread's next work is done. */
  write(member: Member): void {
    const next = member.writes.shift();
    if (next === undefined) return;
    const { term, vote, commit, entries, snapshot } = next.message;
    member.store({ hardState: term === 0 ? null : { term, vote, commit }, entries, snapshot });
    this.#send(next.after);
  }

  /** The apply thread's next work is done. */
  applyNext(member: Member): void {
    const next = member.applies.shift();
    if (next === undefined) return;
    member.apply(next.entries);
    this.#send(next.responses);
  }

  #takeReads({ readStates }: Ready): void {
    for (const { index, context } of readStates) {
      const asked = this.#reads.get(Buffer.from(context).toString()) ?? Infinity;
      assert.ok(index >= asked, `a read at ${index} misses what was committed up to ${asked}`);
      this.readsServed++;
    }
  }

  /** What a member tells itself arrives at once; the rest waits on the wire. */
  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      const self = this.members.get(message.to);
      if (message.from === message.to || message.from >= APPLY_THREAD) {
        self?.node.step(message);
        if (self !== undefined) this.check(self);
      } else {
        this.wire.push(message);
      }
    }
  }

  /** Arrives, if the wire carries it and the receiver is there. */
  deliver(message: Message): void {
    const to = this.members.get(message.to);
    const carried = this.carry(message);
    if (to === undefined || carried === null) return;
    to.node.step(carried);
    this.check(to);
  }

  /** Only links for which `link` holds carry anything. */
  cut(link: (from: MemberId, to: MemberId) => boolean): void {
    this.carry = (message) => (link(message.from, message.to) ? message : null);
  }

  /** Nobody hears from `id`, nor it from anybody. */
  isolate(id: MemberId): void {
    this.cut((from, to) => from !== id && to !== id);
  }

  /** Everything that is under way arrives, and what follows from it, until nothing is. */
  settle(rounds = 1_000): void {
    for (let round = 0; round < rounds; round++) {
      for (const member of this.all) {
        if (member.node.raft.settings.asyncStorageWrites) {
          while (member.node.hasReady()) this.takeReady(member);
          while (member.writes.length > 0) this.write(member);
          while (member.applies.length > 0) this.applyNext(member);
        }
        while (member.node.hasReady()) this.processOne(member);
      }
      if (this.wire.length === 0) return;
      const wire = this.wire;
      this.wire = [];
      for (const message of wire) this.deliver(message);
    }
    assert.fail('the group does not come to rest');
  }

  processOne(member: Member): void {
    if (member.node.raft.settings.asyncStorageWrites) this.takeReady(member);
    else this.processReady(member);
  }

  /** Each member's clock goes on by one, and all that follows happens, `count` times. */
  tick(count = 1): void {
    for (let n = 0; n < count; n++) {
      for (const member of this.all) {
        member.node.tick();
        this.check(member);
      }
      this.settle();
    }
  }

  elect(id: MemberId): Member {
    const member = this.member(id);
    member.node.campaign();
    this.settle();
    assert.equal(member.role, 'leader', `member ${id} leads`);
    return member;
  }

  check(member: Member): void {
    const { role, term, log } = member.node.raft;
    if (role === 'leader' && this.#leaders.get(term) !== member.id) {
      assert.equal(this.#leaders.get(term), undefined, `one leader in term ${term}`);
      this.#leaders.set(term, member.id);
      this.#checkComplete(member);
    }
    const first = Math.max(this.#checkedTo.get(member.id) ?? 1, log.firstIndex() - 1) + 1;
    const entries = first > log.committed ? [] : log.slice(first, log.committed + 1, Infinity);
    for (const entry of entries ?? []) {
      const known = this.#committed.get(entry.index);
      const own = shown(entry);
      assert.equal(own, known ?? own, `entry ${entry.index}, committed at member ${member.id}`);
      this.#committed.set(entry.index, own);
    }
    this.#checkedTo.set(member.id, log.committed);
    this.#committedTo = Math.max(this.#committedTo, log.committed);
  }

  /** A leader has everything that was ever committed. */
  #checkComplete({ id, node }: Member): void {
    const { log } = node.raft;
    for (const [index, text] of this.#committed) {
      const term = log.term(index);
      if (index < log.firstIndex()) continue;
      assert.equal(`${term}:`, `${text.split(':')[0]}:`, `leader ${id} has entry ${index}`);
    }
  }

  /** Where two logs have an entry of one index and term, all before it are the same. */
  checkLogsMatch(): void {
    for (const a of this.all) for (const b of this.all) if (a.id < b.id) checkMatch(a, b);
  }
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function checkMatch(a: Member, b: Member): void {
  const [logA, logB] = [a.node.raft.log, b.node.raft.log];
  const first = Math.max(logA.firstIndex(), logB.firstIndex());
  let same = Math.min(logA.lastIndex(), logB.lastIndex());
  while (same >= first && logA.term(same) !== logB.term(same)) same--;
  if (same < first) return;
  const upTo = (log: typeof logA): readonly string[] =>
    (log.slice(first, same + 1, Infinity) ?? []).map(shown);
  assert.deepEqual(upTo(logA), upTo(logB), `logs of ${a.id} and ${b.id} up to ${same}`);
}
