/**
 * One random history of a consensus group: requests, crashes inside and between writes, cut
 * and one-way links, loss, clocks that jump, disks that fill up or fail to sync. After each
 * step what must always hold is checked; in the end all is healed, and the group must go on
 * and agree. Everything follows from the seed.
 */
import assert from 'node:assert/strict';
import { toHex } from '../../../src/core/bytes.js';
import type { Settled } from '../../../src/consensus/strong/aside.js';
import { rootOf } from '../../../src/consensus/strong/merkle.js';
import { requestId } from '../../../src/consensus/strong/request.js';
import type { MemberId, SignedRequest } from '../../../src/consensus/strong/types.js';
import { Seeded } from '../../sim/random.js';
import { A, B, C, CREATOR, set } from '../strong/fixtures.js';
import { Cluster, type Machine } from './cluster.js';

const NODES = [A, B, C];
const STEP_MS_MAX = 1_500;
/** Election time-outs after which a healed group must have answered. */
const HEALED_MS = 60_000;

export interface HistoryCounts {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly elections: number;
  readonly crashes: number;
  readonly cuts: number;
}

interface Run {
  readonly cluster: Cluster;
  readonly random: Seeded;
  readonly size: number;
  /** Who led a term. */
  readonly leaders: Map<number, MemberId>;
  /** What each entry is, by whoever settled it first. */
  readonly entries: Map<number, string>;
  /** What clients were told. */
  readonly acknowledged: Map<string, number>;
  /** Root of the tree of so many entries. */
  readonly roots: Map<number, string>;
  unknown: number;
  crashes: number;
  cuts: number;
}

/** Throws what doesn't hold. */
export async function runHistory(
  seed: number,
  { steps, size = 3 }: { readonly steps: number; readonly size?: number },
  story: string[],
): Promise<HistoryCounts> {
  const cluster = await Cluster.begin(seed, size);
  const run: Run = {
    cluster,
    random: new Seeded(seed ^ 0x5eed),
    size,
    leaders: new Map(),
    entries: new Map(),
    acknowledged: new Map(),
    roots: new Map(),
    ...{ unknown: 0, crashes: 0, cuts: 0 },
  };
  for (let step = 0; step < steps; step++) {
    story.push(await takeStep(run));
    await cluster.clock.advance(run.random.int(1, STEP_MS_MAX));
    check(run);
  }
  await heal(run);
  check(run);
  const { unknown, crashes, cuts } = run;
  return {
    acknowledged: run.acknowledged.size,
    elections: run.leaders.size,
    ...{ unknown, crashes, cuts },
  };
}

async function takeStep(run: Run): Promise<string> {
  const { cluster, random } = run;
  const id = random.int(1, run.size);
  const machine = cluster.machine(id);
  const kind = random.float();
  if (kind < 0.5) return ask(run, id);
  if (kind < 0.66) {
    if (machine.member === null) {
      await restart(run, machine);
      return `${id} starts`;
    }
    const power = random.bool();
    run.crashes += 1;
    cluster.crash(id, power);
    return `${id} ${power ? 'loses power' : 'is killed'}`;
  }
  if (kind < 0.86) {
    const to = random.int(1, run.size);
    run.cuts += 1;
    if (random.chance(0.4)) cluster.cuts.clear();
    else cluster.cuts.add(`${id}>${to}`);
    if (random.bool()) cluster.cuts.add(`${to}>${id}`);
    return `cut: ${[...cluster.cuts].join(' ')}`;
  }
  if (kind < 0.93) {
    cluster.lossChance = random.pick([0, 0, 0.1, 0.4]);
    return `loss ${cluster.lossChance}`;
  }
  const ms = random.int(-30_000, 30_000);
  machine.clock.jump(ms);
  return `the clock of ${id} jumps ${ms} ms`;
}

/** Some of the same requests again, as a client does that heard nothing. */
function ask(run: Run, id: MemberId): string {
  const { cluster, random } = run;
  const { member } = cluster.machine(id);
  if (member === null) return `${id} is down`;
  const signed = Array.from({ length: random.int(1, 4) }, () =>
    cluster.signed(CREATOR, [set(random.pick(NODES), random.int(0, 9))]),
  );
  for (const [at, answer] of member.submit(signed, 5_000).entries()) {
    answer.then(
      (settled) => told(run, signed[at], settled),
      () => (run.unknown += 1),
    );
  }
  return `${signed.length} requests at ${id}`;
}

function told(run: Run, signed: SignedRequest | undefined, settled: Settled): void {
  assert(signed !== undefined);
  const request = requestId(signed.bytes);
  assert.equal(settled.request, request, 'an answer to another request');
  const before = run.acknowledged.get(request);
  assert(before === undefined || before === settled.index, 'one request, two entries');
  run.acknowledged.set(request, settled.index);
}

async function restart({ cluster }: Run, machine: Machine): Promise<void> {
  machine.error = null;
  await cluster.start(machine.id);
}

/** What holds at every moment. */
function check(run: Run): void {
  for (const machine of run.cluster.machines.values()) {
    const { id, member, ledger, error } = machine;
    if (error !== null) throw new Error(`member ${id} gave up`, { cause: error });
    if (member?.isLeader === true) {
      const { term } = member.status().hardState;
      const known = run.leaders.get(term) ?? id;
      assert.equal(known, id, `two leaders of term ${term}`);
      run.leaders.set(term, id);
    }
    if (ledger === null) continue;
    for (const settled of machine.settled.splice(0)) checkEntry(run, id, settled);
    const { index, tree } = ledger.state;
    const root = toHex(rootOf(tree));
    assert.equal(run.roots.get(index) ?? root, root, `two roots at ${index}`);
    run.roots.set(index, root);
  }
  for (const [request, index] of run.acknowledged) {
    const entry = run.entries.get(index);
    assert(
      entry === undefined || entry.includes(request),
      `entry ${index} was acknowledged, and lost`,
    );
  }
}

function checkEntry({ entries }: Run, id: MemberId, settled: Settled): void {
  const entry = JSON.stringify([settled.request, settled.timeMs, settled.outcome.outcome]);
  const known = entries.get(settled.index) ?? entry;
  assert.equal(entry, known, `member ${id} has another entry ${settled.index}`);
  entries.set(settled.index, entry);
}

/** All faults end; then whatever was said must be so everywhere, and something new be decided. */
async function heal(run: Run): Promise<void> {
  const { cluster } = run;
  cluster.cuts.clear();
  cluster.lossChance = 0;
  for (const machine of cluster.machines.values()) {
    if (machine.member === null) await restart(run, machine);
  }
  await cluster.clock.advance(5_000);
  const { leader } = await cluster.leader();
  const settled = await cluster.ask(leader, cluster.signed(CREATOR, [set(A, 'healed')]), HEALED_MS);
  await cluster.clock.advance(5_000);
  check(run);
  for (const { id, ledger } of cluster.machines.values()) {
    assert.ok((ledger?.head().index ?? 0) >= settled.index, `member ${id} does not catch up`);
  }
  for (const [request, index] of run.acknowledged) {
    assert(run.entries.get(index)?.includes(request), `entry ${index} was acknowledged, and lost`);
  }
}
