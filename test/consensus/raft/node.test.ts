import assert from 'node:assert/strict';
import { newMessage, NO_BYTES } from '../../../src/consensus/raft/messages.js';
import { Reads } from '../../../src/consensus/raft/reads.js';
import type { ConfChange, Entry, Notice } from '../../../src/consensus/raft/types.js';
import { utf8 } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { RAFT_READS_MAX } from '../../../src/core/limits.js';
import { conf, Group, type Member } from './group.js';

function adding(id: number): ConfChange {
  return { transition: 'auto', changes: [{ type: 'learner', id }], context: NO_BYTES };
}

/** Everything that member `id` says is lost, except what it says to itself. */
function mute(group: Group, id: number): void {
  group.cut((from) => from !== id);
}

function lastEntry({ node }: Member): Entry | undefined {
  const { log } = node.raft;
  return log.entries(log.lastIndex(), Infinity)?.at(-1);
}

describe('raft: one change of configuration at a time', () => {
  it('a second one, before the first is applied, becomes an empty entry', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    leader.node.proposeConfChange(adding(4));
    assert.equal(leader.node.proposeConfChange(adding(5)), 'ok');
    assert.deepEqual([lastEntry(leader)?.type, lastEntry(leader)?.data.byteLength], ['normal', 0]);
    group.settle();
    assert.deepEqual(leader.node.status().confState.learners, [4]);
  });

  it('a new leader takes none while its predecessor’s may be in its log', () => {
    const group = new Group(conf([1, 2, 3]));
    const first = group.elect(1);
    group.carry = (m) => (m.type === 'MsgAppResp' ? null : m);
    first.node.proposeConfChange(adding(4));
    group.settle();
    group.crash(first);
    for (const id of [2, 3]) group.member(id).node.forgetLeader();
    const second = group.elect(2);
    second.node.proposeConfChange(adding(5));
    assert.equal(lastEntry(second)?.type, 'normal');
    group.cut(() => true);
    group.tick(3);
    assert.deepEqual(second.node.status().confState.learners, [4]);
  });

  it('one that no configuration would admit never gets into the log', () => {
    const notices: Notice[] = [];
    const group = new Group(conf([1]), { onNotice: (notice) => notices.push(notice) });
    const leader = group.elect(1);
    const refused: readonly ConfChange[] = [
      { transition: 'auto', changes: [{ type: 'remove', id: 1 }], context: NO_BYTES },
      { transition: 'auto', changes: [], context: NO_BYTES },
      { transition: 'explicit', changes: [], context: NO_BYTES },
    ];
    for (const change of refused) leader.node.proposeConfChange(change);
    group.settle();
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      Array(3).fill('confChangeRefused'),
    );
    assert.deepEqual(leader.node.status().confState, conf([1]));
    // Joint already: neither another change nor an empty joint one.
    leader.node.proposeConfChange({ ...adding(2), transition: 'explicit' });
    group.settle();
    for (const change of [adding(3), refused[2] as ConfChange]) {
      leader.node.proposeConfChange(change);
      group.settle();
    }
    assert.equal(notices.length, 5);
    assert.deepEqual(leader.node.status().confState.votersOutgoing, [1]);
  });

  it('a member with a committed one that it has not applied asks for no votes', () => {
    const notices: Notice[] = [];
    const options = {
      asyncStorageWrites: true,
      onNotice: (notice: Notice) => notices.push(notice),
    };
    const group = new Group(conf([1, 2, 3]), options);
    const leader = group.elect(1);
    const slow = group.member(2);
    // Work of member 2's apply thread waits from here on.
    const applyNext = group.applyNext.bind(group);
    const waiting: (() => void)[] = [];
    group.applyNext = (member) => {
      if (member !== slow) return applyNext(member);
      const held = slow.applies.splice(0);
      waiting.push(() => (slow.applies.push(...held), held.forEach(() => applyNext(slow))));
    };
    leader.node.proposeConfChange(adding(4));
    group.tick(2);
    slow.node.campaign();
    assert.equal(slow.role, 'follower');
    assert.equal(notices.at(-1)?.kind, 'confChangePending');
    for (const apply of waiting) apply();
    slow.node.campaign();
    assert.equal(slow.role, 'preCandidate');
  });
});

describe('raft: reads', () => {
  it('wait for the first commit of the term, in a group of one too', () => {
    const group = new Group(conf([1]));
    const leader = group.elect(1);
    leader.node.propose(utf8('acknowledged'));
    group.settle();
    assert.equal(leader.committed, 3);
    // The commit index wasn't synced; the entries were.
    leader.storage.setHardState({ term: leader.term, vote: 1, commit: 1 });
    group.crash(leader);
    leader.node.campaign();
    while (leader.role !== 'leader') group.processReady(leader);
    assert.equal(leader.committed, 1);
    group.read(leader);
    group.settle();
    assert.equal(group.readsServed, 1);
  });

  it('are answered only after a majority has confirmed the leader', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    group.isolate(1);
    group.read(leader);
    group.tick(3);
    assert.equal(group.readsServed, 0);
    group.cut(() => true);
    group.tick();
    assert.equal(group.readsServed, 1);
  });

  it('asked of a follower go to the leader, and of nobody without one', () => {
    const group = new Group(conf([1, 2, 3]));
    assert.equal(group.member(2).node.readIndex(NO_BYTES), 'noLeader');
    group.elect(1);
    group.read(group.member(2));
    group.settle();
    assert.equal(group.readsServed, 1);
  });

  it(`wait in numbers up to ${RAFT_READS_MAX}`, () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    for (let n = 0; n < RAFT_READS_MAX; n++) {
      assert.equal(leader.node.readIndex(NO_BYTES), 'ok');
    }
    assert.equal(leader.node.readIndex(NO_BYTES), 'tooManyReads');
  });

  it('are not confirmed by a number that nobody was asked about', () => {
    const reads = new Reads();
    const quorum = { voters: [1, 2, 3], votersOutgoing: [] };
    reads.add(newMessage('MsgReadIndex'), 7);
    for (const id of [1, 2]) reads.acknowledge(id, 100);
    assert.equal(reads.takeConfirmed(quorum).length, 1);
    reads.add(newMessage('MsgReadIndex'), 8);
    assert.equal(reads.takeConfirmed(quorum).length, 0);
  });
});

describe('raft: bounds', () => {
  it('a leader holds no more uncommitted bytes than it may', () => {
    const group = new Group(conf([1, 2, 3]), { maxUncommittedSize: 10 });
    const leader = group.elect(1);
    assert.equal(leader.node.propose(utf8('123456')), 'ok');
    assert.equal(leader.node.propose(utf8('12345')), 'uncommittedFull');
    assert.equal(leader.node.propose(utf8('1234')), 'ok');
    group.settle();
    assert.equal(leader.node.propose(utf8('longer than all of that')), 'ok');
  });

  it('a member gets no more than its window, in messages and in bytes', () => {
    for (const options of [{ maxInflightMsgs: 3 }, { maxInflightBytes: 30, maxSizePerMsg: 10 }]) {
      const group = new Group(conf([1, 2]), options);
      const leader = group.elect(1);
      mute(group, 2);
      for (let n = 0; n < 10; n++) leader.node.propose(utf8('0123456789'));
      group.processReady(leader);
      const sent = group.wire.filter(
        ({ type, entries }) => type === 'MsgApp' && entries.length > 0,
      );
      assert.equal(sent.length, 3);
    }
  });

  it('what a member lacks goes out at once, not one message for each answer', () => {
    const group = new Group(conf([1, 2]), { maxSizePerMsg: 0 });
    const leader = group.elect(1);
    leader.node.reportUnreachable(2);
    for (let n = 0; n < 5; n++) leader.node.propose(utf8(`${n}`));
    group.processReady(leader);
    const [probe] = group.wire.splice(0);
    assert.equal(probe?.entries.length, 1);
    if (probe !== undefined) group.deliver(probe);
    group.processReady(group.member(2));
    for (const message of group.wire.splice(0)) group.deliver(message);
    group.processReady(leader);
    assert.equal(group.wire.filter(({ type }) => type === 'MsgApp').length, 4);
  });

  it('what is applied at a time stays within its bound', () => {
    const group = new Group(conf([1]), { maxCommittedSizePerReady: 100 });
    const leader = group.elect(1);
    for (let n = 0; n < 10; n++) leader.node.propose(utf8('x'.repeat(40)));
    const sizes: number[] = [];
    while (leader.node.hasReady()) {
      const ready = leader.node.ready();
      leader.store(ready);
      leader.apply(ready.committedEntries);
      sizes.push(ready.committedEntries.length);
      leader.node.advance();
    }
    assert.deepEqual(
      sizes.filter((size) => size > 2),
      [],
    );
    assert.equal(leader.applied, 12);
  });
});

describe('raft: what must not be', () => {
  it('a message to oneself, or from one nobody knows, is refused from the network', () => {
    const { node } = new Group(conf([1, 2, 3])).member(1);
    assert.equal(node.step(newMessage('MsgHup', { from: 2 })), 'localMessage');
    assert.equal(node.step(newMessage('MsgAppResp', { from: 9, term: 1 })), 'unknownMember');
    assert.equal(node.status().hardState.term, 0);
  });

  it('a member whose disk lost what it had confirmed stops instead of voting on', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    leader.node.propose(utf8('confirmed by all'));
    group.settle();
    const lost = group.member(3);
    lost.storage.append([{ term: 1, index: 2, type: 'normal', data: NO_BYTES }]);
    lost.storage.setHardState({ term: 1, vote: 1, commit: 2 });
    group.crash(lost);
    const isDamage = (error: unknown): boolean =>
      error instanceof WnError && error.code === 'damage';
    assert.throws(() => group.tick(), isDamage);
  });

  it('a start with a commit index beyond the log is refused', () => {
    const group = new Group(conf([1]));
    group.member(1).storage.setHardState({ term: 1, vote: 1, commit: 9 });
    assert.throws(
      () => group.crash(group.member(1)),
      (error: unknown) => error instanceof WnError && error.code === 'damage',
    );
  });

  it('entries stored in an earlier term are not taken for stored', () => {
    const { node } = new Group(conf([1, 2, 3]), { asyncStorageWrites: true }).member(1);
    const entry: Entry = { term: 1, index: 2, type: 'normal', data: utf8('x') };
    const head = { from: 2, to: 1, term: 1 };
    node.step(newMessage('MsgApp', { ...head, index: 1, logTerm: 1, entries: [entry] }));
    const [append] = node.ready().messages;
    node.step(newMessage('MsgHeartbeat', { from: 3, to: 1, term: 2 }));
    for (const response of append?.responses ?? []) if (response.to === 1) node.step(response);
    assert.ok(node.raft.log.unstable.hasEntries);
    const [again] = node.ready().messages.filter(({ type }) => type === 'MsgStorageAppend');
    for (const response of again?.responses ?? []) if (response.to === 1) node.step(response);
    assert.ok(!node.raft.log.unstable.hasEntries);
  });
});
