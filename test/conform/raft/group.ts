/**
 * Members of one group in a scripted case, with the messages between them and the work of
 * their storage: all moves only when the script says so. The state machine of each appends
 * what it applies.
 */
import { EMPTY_CONF } from '../../../src/consensus/raft/confchange.js';
import { decodeConfChange } from '../../../src/consensus/raft/confcodec.js';
import { MemoryStorage } from '../../../src/consensus/raft/memory.js';
import { isStorageThread, NO_BYTES } from '../../../src/consensus/raft/messages.js';
import { RaftNode } from '../../../src/consensus/raft/node.js';
import {
  APPEND_THREAD,
  type Config,
  type Entry,
  type HardState,
  type MemberId,
  type Message,
  type MessageType,
  type Notice,
  type Snapshot,
  type StepResult,
} from '../../../src/consensus/raft/types.js';
import { concat } from '../../../src/core/bytes.js';
import { describeMessage, describeReady } from './describe.js';
import { Output } from './output.js';

/** etcd's defaults in these cases: no bounds, and none of what the product always has on. */
const DEFAULTS = {
  electionTick: 3,
  heartbeatTick: 1,
  maxSizePerMsg: Infinity,
  maxCommittedSizePerReady: Infinity,
  maxUncommittedSize: Infinity,
  maxInflightMsgs: 2 ** 31 - 1,
  maxInflightBytes: Infinity,
  preVote: false,
  checkQuorum: false,
  stepDownOnRemoval: false,
} as const;

export const EMPTY_SNAPSHOT: Snapshot = {
  metadata: { index: 0, term: 0, confState: EMPTY_CONF },
  data: NO_BYTES,
};

export type Options = Partial<Omit<Config, 'id' | 'storage' | 'random'>>;

/** A file that asks for what this Raft doesn't have. */
export class Unsupported extends Error {}

export interface Member {
  readonly id: MemberId;
  readonly node: RaftNode;
  readonly storage: MemoryStorage;
  readonly options: Options;
  appendWork: Message[];
  applyWork: Message[];
  /** The state after each applied entry, the last of which is sent as a snapshot. */
  readonly history: Snapshot[];
}

export interface Recipient {
  readonly id: MemberId;
  readonly drop: boolean;
}

export class Group {
  readonly output = new Output();
  readonly members: Member[] = [];
  messages: Message[] = [];

  member(id: MemberId): Member {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  add(options: Options, snapshot: Snapshot): void {
    const id = this.members.length + 1;
    const storage = new MemoryStorage();
    const history = [snapshot];
    if (snapshot !== EMPTY_SNAPSHOT) storage.applySnapshot(snapshot);
    storage.snapshot = () => history.at(-1) ?? EMPTY_SNAPSHOT;
    const node = new RaftNode({
      ...DEFAULTS,
      ...options,
      id,
      storage,
      random: () => 0,
      onNotice: (notice) => this.#notice(member, notice),
    });
    const member: Member = { id, node, storage, options, appendWork: [], applyWork: [], history };
    this.members.push(member);
  }

  #notice({ id, node }: Member, notice: Notice): void {
    const text = noticeText(id, node, notice);
    if (text !== null) this.output.log('WARN', text);
  }

  processReady(member: Member): void {
    const { node, options } = member;
    const ready = node.ready();
    this.output.write(describeReady(ready));
    if (options.asyncStorageWrites === true) {
      for (const message of ready.messages) this.#enqueue(member, message);
      return;
    }
    storeWork(member, ready.hardState, ready.entries, ready.snapshot);
    applyWork(member, ready.committedEntries);
    this.messages.push(...ready.messages);
    node.advance();
  }

  #enqueue(member: Member, message: Message): void {
    if (!isStorageThread(message.to)) this.messages.push(message);
    else if (message.to === APPEND_THREAD) member.appendWork.push(message);
    else member.applyWork.push(message);
  }

  processAppendThread(member: Member): void {
    const work = member.appendWork.shift();
    if (work === undefined) {
      this.output.write('no append work to perform');
      return;
    }
    this.#begin(work);
    const { term, vote, commit } = work;
    const hardState = term === 0 ? null : { term, vote, commit };
    storeWork(member, hardState, work.entries, work.snapshot);
    this.#finish(work);
  }

  processApplyThread(member: Member): void {
    const work = member.applyWork.shift();
    if (work === undefined) {
      this.output.write('no apply work to perform');
      return;
    }
    this.#begin(work);
    applyWork(member, work.entries);
    this.#finish(work);
  }

  #begin(work: Message): void {
    this.output.write(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
  }

  #finish({ responses }: Message): void {
    const lines = responses.map((response) => `${describeMessage(response)}\n`);
    this.output.write(`Responses:\n${lines.join('')}`);
    this.messages.push(...responses);
  }

  waitingFor({ id, drop }: Recipient, type?: MessageType): readonly Message[] {
    return this.messages.filter(
      (message) =>
        message.to === id &&
        !(drop && isOwn(message)) &&
        (type === undefined || message.type === type),
    );
  }

  /** Delivers or drops what waits for each; returns how many messages that were. */
  deliver(recipients: readonly Recipient[], type?: MessageType): number {
    let count = 0;
    for (const recipient of recipients) {
      const waiting = new Set(this.waitingFor(recipient, type));
      this.messages = this.messages.filter((message) => !waiting.has(message));
      count += waiting.size;
      for (const message of waiting) {
        this.output.write(`${recipient.drop ? 'dropped: ' : ''}${describeMessage(message)}\n`);
        if (recipient.drop) continue;
        const refused = refusalOf(this.member(recipient.id).node.step(message));
        if (refused !== null) this.output.write(`${refused}\n`);
      }
    }
    return count;
  }

  /** Until nothing is left to do for `members`. */
  stabilize(members: readonly Member[]): void {
    for (let busy = true; busy;) {
      busy = false;
      const each = (
        title: string,
        waits: (m: Member) => boolean,
        run: (m: Member) => void,
      ): void => {
        for (const member of members.filter(waits)) {
          this.output.write(`> ${member.id} ${title}\n`);
          run(member);
          busy = true;
        }
      };
      const indented = (run: () => void): void => this.output.indented(run);
      each(
        'handling Ready',
        (m) => m.node.hasReady(),
        (m) => indented(() => this.processReady(m)),
      );
      each(
        'receiving messages',
        ({ id }) => this.waitingFor({ id, drop: false }).length > 0,
        ({ id }) => indented(() => void this.deliver([{ id, drop: false }])),
      );
      each(
        'processing append thread',
        (m) => m.appendWork.length > 0,
        (m) => {
          while (m.appendWork.length > 0) indented(() => this.processAppendThread(m));
        },
      );
      each(
        'processing apply thread',
        (m) => m.applyWork.length > 0,
        (m) => {
          while (m.applyWork.length > 0) indented(() => this.processApplyThread(m));
        },
      );
    }
  }
}

/** What a member tells itself can't get lost. */
function isOwn({ from, to }: Message): boolean {
  return from === to || isStorageThread(from) || isStorageThread(to);
}

/** The error that etcd returns for a step that changed nothing. */
export function refusalOf(result: StepResult): string | null {
  switch (result) {
    case 'ok':
      return null;
    case 'localMessage':
      return 'raft: cannot step raft local message';
    case 'unknownMember':
      return 'raft: cannot step as peer not found';
    default:
      return 'raft proposal dropped';
  }
}

function noticeText(id: MemberId, { raft }: RaftNode, notice: Notice): string | null {
  const who = id.toString(16);
  switch (notice.kind) {
    case 'unpromotable':
      return `${who} is unpromotable and can not campaign`;
    case 'confChangePending':
      return `${who} cannot campaign at term ${raft.term} since there are still pending configuration changes to apply`;
    case 'quorumInactive':
      return `${who} stepped down to follower since quorum is not active`;
    case 'uncommittedFull':
      return `${who} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`;
    // etcd tells of these at INFO, or in Go's notation.
    case 'confChangeRefused':
    case 'foreignSnapshot':
      return null;
  }
}

function storeWork(
  { storage }: Member,
  hardState: HardState | null,
  entries: readonly Entry[],
  snapshot: Snapshot | null,
): void {
  if (hardState !== null) storage.setHardState(hardState);
  if (snapshot !== null) storage.applySnapshot(snapshot);
  else storage.append(entries);
}

function applyWork({ node, history }: Member, entries: readonly Entry[]): void {
  for (const { index, term, type, data } of entries) {
    const before = history.at(-1) ?? EMPTY_SNAPSHOT;
    const change = type === 'confChange' ? decodeConfChange(data) : null;
    const confState = change === null ? before.metadata.confState : node.applyConfChange(change);
    const update = change === null ? data : change.context;
    history.push({ metadata: { index, term, confState }, data: concat([before.data, update]) });
  }
}
