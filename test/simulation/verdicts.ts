/**
 * One random history in which commits are made void and valid again, on each device in
 * its own order. State must be a function of the set of commits and of which of them
 * live: what was folded step by step equals a fold from scratch, on every device, and of
 * each document shows what a live op inserted and no live op deleted, once.
 */
import assert from 'node:assert/strict';
import type { CommitId, NodeId } from '../../src/core/ids.js';
import type { Head } from '../../src/crdt/text/op.js';
import type { CommitRef } from '../../src/repo/history.js';
import { Replica } from '../../src/repo/replica.js';
import { checkAtRest, dump, pairs, settle, treeOf } from './agreement.js';
import { commit } from './converge.js';
import type { Device } from './device.js';
import { openOverruled, overrule } from './judgement.js';
import { Ledger, tokensOf } from './ledger.js';
import { User, type UserWish } from './user.js';
import { World } from './world.js';

export interface VerdictWish extends UserWish {
  readonly steps: number;
}

type Voided = Map<Device, Set<CommitId>>;

/** Throws what doesn't hold. */
export async function runVerdicts(
  seed: number,
  wish: VerdictWish,
  story: string[],
): Promise<World> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const users = new Map(world.devices.map((device) => [device, new User(device, ledger, wish)]));
  const voided: Voided = new Map(world.devices.map((device) => [device, new Set()]));
  for (const [device, set] of voided) overrule(device.replica, set);
  for (let step = 0; step < wish.steps; step++) {
    world.passTime();
    story.push(await takeStep(world, users, voided));
  }
  await settleVerdicts(world, voided);
  await checkVerdicts(world, voided);
  return world;
}

export async function takeStep(
  world: World,
  users: ReadonlyMap<Device, User>,
  voided: Voided,
): Promise<string> {
  const { random } = world;
  const device = random.pick(world.devices);
  const kind = random.float();
  if (kind < 0.5) return `${device.name}: ${(await users.get(device)?.act()) ?? ''}`;
  if (kind < 0.7) return commit(device);
  if (kind < 0.85) {
    const [near, far] = random.shuffle(world.devices);
    if (near === undefined || far === undefined) return 'nothing';
    await world.sync(near, far);
    return `${near.name} syncs with ${far.name}`;
  }
  // What is typed on text that becomes void before it is committed has no base any more.
  await commit(device);
  return toggle(device, random.pick(commitsOf(device)), voided);
}

/** Commits that may become void: all but the first of the workspace. */
function commitsOf({ replica }: Device): readonly (CommitRef & { readonly id: CommitId })[] {
  const { history } = replica;
  const refs = history.allLogs().flatMap((record) => {
    const log = history.logIdOf(record);
    return [...history.records(log, record.firstSeq, record.folded)].map(([seq, { id }]) => ({
      log,
      seq,
      id,
    }));
  });
  return refs.filter(({ id }) => id !== replica.ws);
}

async function toggle(
  device: Device,
  ref: CommitRef & { readonly id: CommitId },
  voided: Voided,
): Promise<string> {
  const { replica, work, name } = device;
  const set = voided.get(device);
  assert(set !== undefined);
  const live = set.delete(ref.id);
  if (!live) set.add(ref.id);
  await replica.transact(async () => {
    replica.fold.setLive(ref, live);
    await replica.flush(null);
  });
  await work.bringInStep();
  return `${name} makes ${ref.log.slice(0, 4)}/${ref.seq} ${live ? 'valid' : 'void'}`;
}

/** All come to hold the same commits for void, in any order, and come to rest. */
export async function settleVerdicts(world: World, voided: Voided): Promise<void> {
  await settle(world);
  const { random } = world;
  const final = new Set(
    commitsOf(world.first)
      .filter(() => random.chance(0.2))
      .map(({ id }) => id),
  );
  for (const device of random.shuffle(world.devices)) {
    const set = voided.get(device) ?? new Set();
    const changes = commitsOf(device).filter(({ id }) => set.has(id) !== final.has(id));
    for (const ref of random.shuffle(changes)) await toggle(device, ref, voided);
  }
  await settle(world);
}

export async function checkVerdicts(world: World, voided: Voided): Promise<void> {
  const [first, ...others] = world.devices;
  assert(first !== undefined);
  for (const device of world.devices) {
    await checkAtRest(device);
    await checkScratch(device, voided.get(device) ?? new Set());
  }
  for (const other of others) {
    const pair: string = `${first.name} and ${other.name}`;
    assert.deepEqual(dump(other.replica), dump(first.replica), `worknodes of ${pair}`);
    assert.deepEqual(treeOf(other.files), treeOf(first.files), `files of ${pair}`);
  }
  await checkTexts(first, voided);
  for (const [a, b] of pairs(world.devices))
    assert.equal(a.replica.view.hash(), b.replica.view.hash());
}

/** The same from an index that begins empty, where dead commits were never live. */
export async function checkScratch(device: Device, voided: ReadonlySet<CommitId>): Promise<void> {
  const before = dump(device.replica);
  const hash = device.replica.view.hash();
  const fresh = await openOverruled(() => Replica.reindex(device.spare()), voided);
  assert.deepEqual(dump(fresh), before, `${device.name}: folded from scratch`);
  assert.equal(fresh.view.hash(), hash, `${device.name}: view hash from scratch`);
  await fresh.close();
}

interface Changed extends Head {
  readonly inserted: readonly string[];
  readonly deleted: readonly string[];
  /** It deletes something where dead text counts too: perhaps what was deleted before. */
  readonly deletesAmongDead: boolean;
}

/**
 * Every token shows once iff the op that inserted it lives and none that deletes it does.
 * What each op inserts and deletes is seen where all are live, by Diamond Types. A token
 * that an edit took out and put in again, as part of a larger change, is left out; so is
 * one that shows only because its first deletion is dead, once somebody deletes there.
 */
async function checkTexts(device: Device, voided: Voided): Promise<void> {
  const { replica } = device;
  const dead = voided.get(device) ?? new Set();
  const allLive = await openOverruled(() => Replica.reindex(device.spare()), new Set());
  const isLive = ({ log, seq }: Head): boolean =>
    !dead.has(replica.history.record({ log, seq })?.id ?? '');
  for (const node of Object.keys(dump(replica))) {
    const changes = changesOf(allLive, node);
    const count = countOf(changes.flatMap(({ inserted }) => inserted));
    const isOnce = (token: string): boolean => count.get(token) === 1;
    const live = changes.filter(isLive);
    const doubtful = live.some((change) => change.deletesAmongDead)
      ? new Set(changes.filter((change) => !isLive(change)).flatMap(({ deleted }) => deleted))
      : new Set();
    const isSure = (token: string): boolean => isOnce(token) && !doubtful.has(token);
    const gone = new Set(live.flatMap(({ deleted }) => deleted));
    const expected = live.flatMap(({ inserted }) => inserted).filter((token) => !gone.has(token));
    const shown = tokensOf(replica.view.text(node));
    assert.deepEqual(
      shown.filter(isSure).sort(),
      expected.filter(isSure).sort(),
      `text of ${node}`,
    );
  }
  await allLive.close();
}

function changesOf({ view, fold }: Replica, node: NodeId): readonly Changed[] {
  const { document } = view.record(node);
  if (document === null) return [];
  const { documents } = fold;
  return [...documents.ops(node, document)].map((op) => {
    const { base, log, seq, index, runs, tombstones } = op;
    const after = new Set(tokensOf(documents.textAt(node, document, [{ log, seq, index }])));
    const deleted = tokensOf(documents.textAt(node, document, base)).filter(
      (token) => !after.has(token),
    );
    const inserted = runs.flatMap(([, what]) => (typeof what === 'string' ? tokensOf(what) : []));
    const deletesAmongDead =
      tombstones === true && runs.some(([, what]) => typeof what === 'number');
    return { log, seq, index, inserted, deleted, deletesAmongDead };
  });
}

function countOf(items: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
