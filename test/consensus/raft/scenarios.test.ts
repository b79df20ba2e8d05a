import assert from 'node:assert/strict';
import type { Entry, MemberId, Message, Term } from '../../../src/consensus/raft/types.js';
import { NO_BYTES } from '../../../src/consensus/raft/messages.js';
import { utf8 } from '../../../src/core/bytes.js';
import { conf, Group, type Member, type Options } from './group.js';

/** Raft as in the paper: whoever asks first is answered, leases or not. */
const PLAIN: Options = { preVote: false, checkQuorum: false };

/** Entries behind the start (index 1, term 1), one of each term. */
function entriesOf(terms: readonly Term[]): readonly Entry[] {
  return terms.map((term, at) => ({ term, index: at + 2, type: 'normal', data: utf8(`${term}`) }));
}

/** A group whose members have come back with these logs. */
function groupWith(logs: readonly (readonly Term[])[], options: Options): Group {
  const group = new Group(conf(logs.map((_, at) => at + 1)), options);
  for (const member of group.all) {
    const terms = logs[member.id - 1] ?? [];
    member.storage.append(entriesOf(terms));
    member.storage.setHardState({ term: terms.at(-1) ?? 1, vote: 0, commit: 1 });
    group.crash(member);
  }
  return group;
}

function termsOf({ node }: Member): readonly Term[] {
  const { log } = node.raft;
  return (log.entries(2, Infinity) ?? []).map(({ term }) => term);
}

describe('raft: Figure 7 of the paper', () => {
  const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const FOLLOWERS = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];

  it('a leader brings every such follower to its own log, each after few probes', () => {
    const group = groupWith([LEADER, ...FOLLOWERS], {});
    const leader = group.member(1);
    // One who led in term 7 is back without anybody knowing: the new term is the eighth.
    leader.storage.setHardState({ term: 7, vote: 0, commit: 1 });
    group.crash(leader);
    const refusals = new Map<MemberId, number>();
    group.carry = (message) => {
      const { type, reject, from } = message;
      if (type === 'MsgAppResp' && reject) refusals.set(from, (refusals.get(from) ?? 0) + 1);
      return message;
    };
    group.elect(1);
    group.tick(3);
    for (const member of group.all) {
      assert.deepEqual(termsOf(member), [...LEADER, 8], `member ${member.id}`);
      assert.equal(member.committed, LEADER.length + 2);
      assert.ok((refusals.get(member.id) ?? 0) <= 2, `member ${member.id} was probed too often`);
    }
  });

  it('whose log is shorter than a majority of theirs is not elected', () => {
    const group = groupWith([FOLLOWERS[1] ?? [], LEADER, LEADER], {});
    group.member(1).node.campaign();
    group.settle();
    assert.notEqual(group.member(1).role, 'leader');
  });
});

describe('raft: Figure 8 of the paper', () => {
  /** Up to (c): an entry of term 2 stands on three of five, its leader is in term 4. */
  function upToC(): Group {
    const group = groupWith([[], [], [], [], []], { ...PLAIN, maxSizePerMsg: 0 });
    const only = (to: MemberId) => (m: Message) => (m.type !== 'MsgApp' || m.to === to ? m : null);
    group.carry = only(2);
    assert.equal(group.elect(1).term, 2);
    assert.deepEqual(termsOf(group.member(2)), [2]);

    group.carry = (m) => (m.from === 1 || m.to === 1 || m.type === 'MsgApp' ? null : m);
    assert.equal(group.elect(5).term, 3);

    for (const id of [1, 5]) group.crash(group.member(id));
    // Of what the new leader sends, nothing of its own term arrives, and at 4 and 5 nothing.
    group.carry = (m) => {
      if (m.from === 5 || m.to === 5) return null;
      if (m.type !== 'MsgApp') return m;
      return m.to === 4 ? null : { ...m, entries: m.entries.filter(({ term }) => term < 4) };
    };
    group.member(1).node.campaign();
    group.settle();
    assert.equal(group.elect(1).term, 4);
    return group;
  }

  it('an entry of an earlier term is not committed by being on a majority', () => {
    const group = upToC();
    for (const id of [1, 2, 3]) assert.equal(termsOf(group.member(id))[0], 2, `member ${id}`);
    const { progress } = group.member(1).node.status();
    assert.deepEqual([progress.get(2)?.match, progress.get(3)?.match], [2, 2]);
    assert.equal(group.member(1).committed, 1);
  });

  it('(d) it can still be overwritten', () => {
    const group = upToC();
    group.isolate(1);
    group.member(5).node.campaign();
    group.settle();
    group.elect(5);
    group.cut(() => true);
    group.tick(3);
    for (const member of group.all) assert.deepEqual(termsOf(member), [3, 5], `${member.id}`);
  });

  it('(e) with an entry of its own term on a majority, it is committed for good', () => {
    const group = upToC();
    group.cut((from, to) => from !== 5 && to !== 5);
    group.tick(2);
    assert.equal(group.member(1).committed, 3);
    group.isolate(1);
    for (let attempt = 0; attempt < 3; attempt++) {
      group.member(5).node.campaign();
      group.settle();
      assert.notEqual(group.member(5).role, 'leader');
    }
  });
});

describe('raft: leaders and votes', () => {
  it('a transfer to a dead member is given up after an election time-out', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    const { term } = leader;
    group.isolate(3);
    leader.node.propose(utf8('before'));
    group.settle();
    leader.node.transferLeader(3);
    assert.equal(leader.node.propose(utf8('while')), 'transferring');
    group.tick(10);
    assert.equal(leader.node.propose(utf8('after')), 'ok');
    group.settle();
    assert.deepEqual([leader.role, leader.term, leader.committed], ['leader', term, 4]);
  });

  it('a transfer to a member that lags brings it up to date first, and no lease hinders it', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    group.isolate(3);
    for (const text of ['a', 'b', 'c']) leader.node.propose(utf8(text));
    group.settle();
    group.cut(() => true);
    group.member(2).node.transferLeader(3);
    group.tick(2);
    assert.deepEqual([leader.role, group.member(3).role], ['follower', 'leader']);
  });

  it('a transfer to a member that is removed meanwhile is given up at once', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    group.isolate(3);
    leader.node.proposeConfChange({
      transition: 'auto',
      changes: [{ type: 'remove', id: 3 }],
      context: NO_BYTES,
    });
    leader.node.transferLeader(3);
    group.settle();
    assert.equal(leader.node.status().leadTransferee, 0);
    assert.equal(leader.node.propose(utf8('after')), 'ok');
  });

  it('a learner that was made a voter and does not know yet votes', () => {
    const group = new Group(conf([1, 2], [3]));
    const leader = group.elect(1);
    group.isolate(3);
    leader.node.proposeConfChange({
      transition: 'auto',
      changes: [{ type: 'voter', id: 3 }],
      context: NO_BYTES,
    });
    group.settle();
    assert.deepEqual(group.member(2).node.status().confState.voters, [1, 2, 3]);
    group.isolate(1);
    assert.ok(group.member(3).node.raft.isLearner);
    group.tick(40);
    assert.equal(group.member(2).role, 'leader');
    assert.ok(!group.member(3).node.raft.isLearner);
  });

  it('a leader that is removed steps down once that is applied', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    leader.node.proposeConfChange({
      transition: 'auto',
      changes: [{ type: 'remove', id: 1 }],
      context: NO_BYTES,
    });
    group.settle();
    assert.equal(leader.role, 'follower');
    group.tick(30);
    assert.ok(group.leader !== undefined && group.leader.id !== 1);
  });

  it('a leader that hears from no majority steps down within two time-outs', () => {
    const group = new Group(conf([1, 2, 3]));
    const leader = group.elect(1);
    // It is heard, and hears nobody.
    group.cut((_, to) => to !== 1);
    group.tick(20);
    assert.notEqual(leader.role, 'leader');
  });

  it('a vote is not asked for before the log that it tells of is stored', () => {
    const group = new Group(conf([1, 2, 3]), { ...PLAIN, asyncStorageWrites: true });
    const [a, c] = [group.member(1), group.elect(3)];
    c.node.propose(utf8('kept by 2 and 3'));
    // Member 1 takes the entry in and its disk hangs; the others store and commit it.
    group.takeReady(c);
    for (const message of group.wire.splice(0)) group.deliver(message);
    while (a.node.hasReady()) group.takeReady(a);
    for (const id of [3, 2]) {
      const member = group.member(id);
      while (member.node.hasReady()) group.takeReady(member);
      while (member.writes.length > 0) group.write(member);
    }
    for (const message of group.wire.splice(0)) group.deliver(message);
    assert.equal(c.committed, 3);
    // It asks for votes with that entry; what it sends arrives, and it crashes.
    a.node.campaign();
    group.takeReady(a);
    for (const message of group.wire.splice(0)) if (message.to === 2) group.deliver(message);
    group.crash(a);
    // In the same term, without the entry: a vote given for the longer log must not count.
    a.node.campaign();
    group.isolate(3);
    group.settle();
    assert.notEqual(a.role, 'leader');
  });
});
