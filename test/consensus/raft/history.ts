/**
 * One random history of a Raft group from a seed: loss, duplicates, reordering, cuts (one-way
 * too), crashes within the handling of a Ready, changes of configuration, compaction,
 * transfers, reads. Safety is checked at every step (`group.ts`), progress at the end.
 */
import assert from 'node:assert/strict';
import { NO_BYTES } from '../../../src/consensus/raft/messages.js';
import type { ConfChange, ConfChangeSingle, MemberId } from '../../../src/consensus/raft/types.js';
import { utf8 } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import type { Seeded } from '../../sim/random.js';
import { conf, Group, STAGES, type Member, type Options } from './group.js';

export interface Plan {
  readonly seed: number;
  readonly steps: number;
  readonly asyncStorageWrites: boolean;
}

type Act = (group: Group, member: Member, random: Seeded, count: number) => void;

/** How often each happens, relative to the others. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [60, (group, member) => work(group, member)],
  [60, (group, _, random) => deliverOne(group, random)],
  [12, (group, member) => (member.node.tick(), group.check(member))],
  [8, (_, member, __, count) => void member.node.propose(utf8(`entry ${count}`))],
  [4, (group, _, random) => void group.wire.splice(at(group, random), 1)],
  [3, (group, _, random) => duplicateOne(group, random)],
  [2, (group, member) => group.read(member)],
  [1, crash],
  [1, (group, _, random) => cut(group, random)],
  [1, (_, member, random) => propose(member, random)],
  [1, (_, member, random) => member.node.transferLeader(random.int(1, MEMBERS))],
  [1, (_, member, random) => compact(member, random)],
  [1, (_, member, random) => reportToLeader(member, random)],
  [0.3, (_, member) => member.node.forgetLeader()],
];
const WEIGHTS = ACTS.reduce((sum, [weight]) => sum + weight, 0);
const MEMBERS = 5;
/** Ticks within which a healed group must commit; several times-out of an election. */
const HEALED_TICKS = 400;

export function runHistory({ seed, steps, asyncStorageWrites }: Plan): Group {
  const options: Options = { asyncStorageWrites, maxSizePerMsg: 60, maxInflightMsgs: 4 };
  const group = new Group(conf([1, 2, 3]), options, seed);
  for (let id = 4; id <= MEMBERS; id++) group.add(id);
  const { random } = group;
  for (let count = 0; count < steps; count++) {
    const member = random.pick(group.all);
    draw(random)(group, member, random, count);
    if (count % 200 === 0) group.checkLogsMatch();
  }
  heal(group);
  return group;
}

function draw(random: Seeded): Act {
  let left = random.float() * WEIGHTS;
  for (const [weight, act] of ACTS) {
    if (left < weight) return act;
    left -= weight;
  }
  return () => undefined;
}

function work(group: Group, member: Member): void {
  if (member.writes.length > 0 && group.random.bool()) group.write(member);
  else if (member.applies.length > 0 && group.random.bool()) group.applyNext(member);
  else if (member.node.hasReady()) group.processOne(member);
  group.check(member);
}

function at({ wire }: Group, random: Seeded): number {
  return random.int(0, Math.max(0, wire.length - 1));
}

function deliverOne(group: Group, random: Seeded): void {
  const [message] = group.wire.splice(at(group, random), 1);
  if (message !== undefined) group.deliver(message);
}

function duplicateOne(group: Group, random: Seeded): void {
  const message = group.wire[at(group, random)];
  if (message !== undefined) group.wire.push(message);
}

function crash(group: Group, member: Member, random: Seeded): void {
  const { asyncStorageWrites } = member.node.raft.settings;
  if (asyncStorageWrites || !member.node.hasReady()) group.crash(member);
  else group.processReady(member, random.pick(STAGES));
}

/** Cuts links of some one direction or the other, or heals them all. */
function cut(group: Group, random: Seeded): void {
  const share = random.pick([0, 0, 0.2, 0.5]);
  const dead = new Set<string>();
  for (let from = 1; from <= MEMBERS; from++) {
    for (let to = 1; to <= MEMBERS; to++) if (random.chance(share)) dead.add(`${from}>${to}`);
  }
  group.cut((from, to) => !dead.has(`${from}>${to}`));
}

function propose(member: Member, random: Seeded): void {
  const types = ['voter', 'voter', 'learner', 'remove'] as const;
  const changes: ConfChangeSingle[] = [];
  for (let left = random.pick([0, 1, 1, 2, 3]); left > 0; left--) {
    changes.push({ type: random.pick(types), id: random.int(1, MEMBERS) });
  }
  const transition = random.pick(['auto', 'implicit', 'explicit'] as const);
  if (admitted(member, { transition, changes, context: NO_BYTES })) {
    member.node.proposeConfChange({ transition, changes, context: NO_BYTES });
  }
}

/** The application's part: not to propose what would leave no voter. */
function admitted({ node }: Member, { changes }: ConfChange): boolean {
  const voters = new Set(node.raft.tracker.conf.voters);
  for (const { type, id } of changes) {
    if (type === 'voter') voters.add(id);
    else voters.delete(id);
  }
  return voters.size > 0;
}

function compact(member: Member, random: Seeded): void {
  const { index } = member.storage.snapshot().metadata;
  const to = index - random.int(0, 5);
  if (to >= member.storage.firstIndex()) member.storage.compact(to);
}

function reportToLeader(member: Member, random: Seeded): void {
  const id = random.int(1, MEMBERS);
  if (random.bool()) member.node.reportUnreachable(id);
  else member.node.reportSnapshot(id, false);
}

/** All links work again: within bounded time the group commits what is new. */
function heal(group: Group): void {
  group.cut(() => true);
  for (let tick = 0; tick < HEALED_TICKS; tick++) {
    group.tick();
    const leader = group.leader;
    if (leader === undefined || tick % 20 !== 19) continue;
    reportSnapshots(leader);
    leader.node.propose(utf8(`after ${tick}`));
    group.settle();
  }
  const leader = group.leader;
  assert.ok(leader, 'a healed group has a leader');
  leader.node.propose(utf8('last'));
  group.settle();
  const { log, tracker } = leader.node.raft;
  assert.equal(log.committed, log.lastIndex(), 'a healed group commits');
  for (const id of tracker.progress.keys()) assertCaughtUp(group, id, leader);
  group.checkLogsMatch();
}

/** The transport's part: to say what became of each snapshot, and most were lost here. */
function reportSnapshots({ node }: Member): void {
  for (const [id, { state }] of node.status().progress) {
    if (state === 'snapshot') node.reportSnapshot(id, false);
  }
}

function assertCaughtUp(group: Group, id: MemberId, leader: Member): void {
  assert.equal(group.member(id).applied, leader.applied, `member ${id} has caught up`);
}

/** As `runHistory`; what it throws names the seed. */
export function runSeeded(plan: Plan): Group {
  try {
    return runHistory(plan);
  } catch (error) {
    const what = error instanceof WnError || error instanceof Error ? error.stack : String(error);
    throw new Error(`seed ${plan.seed}, async ${plan.asyncStorageWrites}: ${what}`);
  }
}
