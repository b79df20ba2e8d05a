import assert from 'node:assert/strict';
import type { MemberId } from '../../../src/consensus/raft/types.js';
import { utf8 } from '../../../src/core/bytes.js';
import { Seeded } from '../../sim/random.js';
import { conf, Group } from './group.js';

const ELECTION_TICKS = 10;
/** How long links stay cut: enough for everyone to try again and again. */
const CUT_TICKS = 20 * ELECTION_TICKS;
/** What a group may take to elect somebody; split votes included. */
const RECOVERY_TICKS = 15 * ELECTION_TICKS;

/** The directed links that work. */
type Graph = ReadonlySet<string>;

function linksOf(members: readonly MemberId[]): readonly string[] {
  return members.flatMap((from) => members.flatMap((to) => (from === to ? [] : [`${from}>${to}`])));
}

/** Members that `id` exchanges messages with, both ways, itself included. */
function peersOf(id: MemberId, members: readonly MemberId[], graph: Graph): readonly MemberId[] {
  return members.filter(
    (other) => other === id || (graph.has(`${id}>${other}`) && graph.has(`${other}>${id}`)),
  );
}

/** Whether some majority is linked fully, each with each, both ways. */
function hasConnectedQuorum(members: readonly MemberId[], graph: Graph): boolean {
  return [...Array(1 << members.length).keys()]
    .map((bits) => members.filter((_, at) => (bits & (1 << at)) !== 0))
    .filter((set) => set.length * 2 > members.length)
    .some((set) => set.every((id) => set.every((to) => peersOf(id, members, graph).includes(to))));
}

/** Cuts a group with a leader down to `graph`, then heals it. */
function run(members: readonly MemberId[], graph: Graph, seed: number): void {
  const group = new Group(conf(members), { electionTick: ELECTION_TICKS }, seed);
  const leader = group.elect(1);
  const { term } = leader;
  group.cut((from, to) => graph.has(`${from}>${to}`));
  group.tick(CUT_TICKS);

  const stable = peersOf(1, members, graph).length * 2 > members.length;
  if (stable) {
    assert.equal(leader.role, 'leader', 'one who exchanges messages with a majority leads on');
    assert.equal(leader.term, term, 'and nobody has disturbed its term');
  }
  if (hasConnectedQuorum(members, graph)) assertCommits(group, 'a connected majority');

  group.cut(() => true);
  if (stable) {
    group.tick(2 * ELECTION_TICKS);
    assert.deepEqual(
      group.all.map((member) => member.term),
      members.map(() => term),
      'who was cut off disturbs nobody when it comes back',
    );
  }
  group.tick(RECOVERY_TICKS);
  assertCommits(group, 'a healed group');
  assert.deepEqual(
    group.all.map(({ committed }) => committed),
    members.map(() => group.leader?.committed),
    'all have caught up',
  );
  group.checkLogsMatch();
}

function assertCommits(group: Group, who: string): void {
  const before = Math.max(...group.all.map(({ committed }) => committed));
  for (const member of group.all) if (member.role === 'leader') member.node.propose(utf8('x'));
  group.settle();
  group.tick(2);
  const after = Math.max(...group.all.map(({ committed }) => committed));
  assert.ok(after > before, `${who} commits`);
}

function told(graph: Graph, seed: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    const why = error instanceof Error ? error.stack : String(error);
    throw new Error(`links ${[...graph].join(' ')}, seed ${seed}: ${why}`);
  }
}

describe('raft: partial partitions', () => {
  it('of three members, every graph of one-way links', () => {
    const members = [1, 2, 3];
    const links = linksOf(members);
    for (let bits = 0; bits < 1 << links.length; bits++) {
      const graph = new Set(links.filter((_, at) => (bits & (1 << at)) !== 0));
      told(graph, bits, () => run(members, graph, bits));
    }
  });

  it('of five members, graphs of one-way and of two-way links by seed', () => {
    const members = [1, 2, 3, 4, 5];
    const links = linksOf(members);
    const fresh = Math.floor(Math.random() * 2 ** 31);
    for (const seed of [...Array(60).keys(), fresh, fresh + 1]) {
      const random = new Seeded(seed);
      const [alive, oneWay] = [random.pick([0.3, 0.5, 0.7, 0.9]), random.bool()];
      const up = new Set(links.filter(() => random.chance(alive)));
      const isUp = (link: string): boolean => up.has(link) && (oneWay || up.has(reversed(link)));
      const graph = new Set(links.filter(isUp));
      told(graph, seed, () => run(members, graph, seed));
    }
  });
});

function reversed(link: string): string {
  return link.split('>').reverse().join('>');
}
