/**
 * One random history whose processes are killed and whose machines lose power in the
 * middle of any command, and of the recovery from the last such end, again and again.
 * What was acknowledged is there, the logs are in order, the next command works, and in
 * the end nothing is lost or doubled.
 */
import assert from 'node:assert/strict';
import type { CommitId } from '../../src/core/ids.js';
import { fsck, gc } from '../../src/repo/care.js';
import { have } from '../../src/repo/exchange.js';
import { runSync } from '../../src/sync/driver.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
import { SimLine } from '../sim/channel.js';
import type { SimKeyValue } from '../sim/keyvalue.js';
import { checkAgreement, settle } from './agreement.js';
import { commit } from './converge.js';
import type { Device } from './device.js';
import { Dead } from './fuse.js';
import { Ledger } from './ledger.js';
import { User } from './user.js';
import { World } from './world.js';

/** Most commands take few steps, some many. */
const STEPS_TO_LIVE_MAX = [3, 8, 25] as const;
/** Recoveries that are cut off too, before one is left in peace. */
const RECOVERIES_CUT_MAX = 3;

type End = 'done' | 'killed' | 'power cut';

interface Person {
  readonly device: Device;
  readonly user: User;
  /** Every head that this device has acknowledged, newest last. */
  readonly acknowledged: Set<CommitId>;
  /** What the index was some time ago; a power cut may bring it back. */
  olderIndex: SimKeyValue | null;
}

/** Throws what doesn't hold. */
export async function runCrashes(seed: number, steps: number, story: string[]): Promise<World> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const people = world.devices.map((device): Person => {
    const user = new User(device, ledger);
    return { device, user, acknowledged: new Set(), olderIndex: null };
  });
  for (const person of people) acknowledge(person);
  for (let step = 0; step < steps; step++) {
    world.passTime();
    story.push(await takeStep(world, people));
  }
  await settle(world);
  await checkAgreement(world, ledger);
  for (const person of people) checkAcknowledged(person);
  return world;
}

async function takeStep(world: World, people: readonly Person[]): Promise<string> {
  const { random } = world;
  const [person, other] = random.shuffle(people);
  if (person === undefined || other === undefined) return 'nothing';
  const { device, user } = person;
  const kind = random.float();
  if (kind < 0.45) return endured(world, [person], 'acts', () => user.act());
  if (kind < 0.5) {
    person.olderIndex = await device.copyIndex();
    return `${device.name}: its index is remembered`;
  }
  if (kind < 0.7) return endured(world, [person], 'commits', () => commit(device));
  if (kind < 0.78) return syncEndured(world, person, other);
  if (kind < 0.86)
    return endured(world, [person, other], 'sync', () => world.sync(device, other.device));
  if (kind < 0.9) return endured(world, [person], 'brings in step', () => bringInStep(device));
  if (kind < 0.95) return endured(world, [person], 'packs', () => pack(device));
  return endured(world, [person], 'reindexes', () => device.reindex());
}

async function bringInStep(device: Device): Promise<void> {
  await device.work.bringInStep();
}

async function pack(device: Device): Promise<void> {
  await device.work.compact();
  await gc(device.replica, 1, 0);
}

/**
 * Runs a command whose process may end at any of its steps; then all must be in order. One
 * process may have several repositories open, as for `wn sync ../other`.
 */
async function endured(
  world: World,
  people: readonly Person[],
  what: string,
  run: () => Promise<unknown>,
): Promise<string> {
  let done: unknown;
  const death = armed(world, people);
  const work = run().then((result): End => {
    done = result;
    return 'done';
  }, deadOrThrow);
  const end = await Promise.race([work, death]);
  const names = people.map(({ device }) => device.name).join(' and ');
  const story = [`${names}: ${typeof done === 'string' ? done : what}`];
  if (end !== 'done') story.push(end);
  for (const person of people) story.push(...(await after(world, person, end)));
  return story.join('; ');
}

/** Two machines over a line; one dies, and the other notices that the line is dead. */
async function syncEndured(world: World, near: Person, far: Person): Promise<string> {
  const { clock, random } = world;
  const mortal = random.bool() ? near : far;
  const devices = [near.device.replica.device, far.device.replica.device] as const;
  const line = new SimLine({ clock, random: random.fork(), devices });
  const death = armed(world, [mortal]).then((how) => {
    line.cut();
    return how;
  });
  const side = async ({ device }: Person, channel: SimLine['a'], mode: 'sync' | 'answer') => {
    const ports = { clock, rng: device.ports.rng };
    const report = await runSync(new ReplicaStore(device.replica), channel, ports, { mode });
    assert.deepEqual(report.rejected, [], `${device.name} rejects`);
    if (report.error !== null && report.error.code !== 'unreachable') throw report.error;
    await device.work.bringInStep();
    return 'done' as const;
  };
  const ends: End[] = [];
  const both = [
    [near, side(near, line.a, 'sync')],
    [far, side(far, line.b, 'answer')],
  ] as const;
  const all = Promise.all(
    both.map(async ([person, work]) => {
      const mayDie = person === mortal;
      const end = await (mayDie ? Promise.race([work.catch(deadOrThrow), death]) : work);
      ends.push(end);
      return [`${person.device.name} ${end}`, ...(await after(world, person, end))].join('; ');
    }),
  );
  await clock.runUntil(() => ends.length === both.length);
  return `${near.device.name} and ${far.device.name} sync: ${(await all).join('; ')}`;
}

/** Resolves, with how, when the process that these devices run has died. */
function armed({ random }: World, people: readonly Person[]): Promise<End> {
  const isPowerCut = random.bool();
  const isIndexOlder = random.chance(0.3);
  return new Promise((resolve) => {
    const die = (): void => {
      for (const { device, olderIndex } of people) {
        if (isPowerCut) device.cutPower(isIndexOlder ? olderIndex : null);
        else device.kill();
      }
      resolve(isPowerCut ? 'power cut' : 'killed');
    };
    for (const { device } of people) {
      device.fuse.arm(random.int(1, random.pick(STEPS_TO_LIVE_MAX)), die);
    }
  });
}

/** What a dead process still throws is nobody's business. */
function deadOrThrow(error: unknown): Promise<never> {
  if (error instanceof Dead) return new Promise(() => undefined);
  throw error;
}

/** Returns what happened until everything was in order again. */
async function after(world: World, person: Person, end: End): Promise<readonly string[]> {
  const { device } = person;
  device.fuse.disarm();
  const story: string[] = [];
  if (end !== 'done') {
    await restart(world, person, story);
    checkAcknowledged(person);
    const { problems } = await fsck(device.replica, { full: true });
    assert.deepEqual(problems, [], `${device.name}: fsck after: ${story.join('; ')}`);
  }
  acknowledge(person);
  return story;
}

/** The next process, before which the user may have edited on; its recovery may be cut off too. */
async function restart(world: World, person: Person, story: string[]): Promise<void> {
  const { device, user } = person;
  const { random } = world;
  for (let left = random.int(0, RECOVERIES_CUT_MAX); ; left--) {
    device.restart();
    while (random.chance(0.4)) {
      world.passTime();
      story.push(await user.edit());
    }
    const death = left > 0 ? armed(world, [person]) : NEVER;
    const commits = random.bool();
    const recovery = nextCommand(device, commits).catch(deadOrThrow);
    const end = await Promise.race([recovery, death]);
    device.fuse.disarm();
    story.push(`next command (${commits ? 'commit' : 'bring in step'}) ${end}`);
    if (end === 'done') return;
  }
}

async function nextCommand(device: Device, commits: boolean): Promise<End> {
  await device.open();
  await device.work.status();
  if (commits) await commit(device);
  else await bringInStep(device);
  return 'done';
}

const NEVER = new Promise<never>(() => undefined);

function acknowledge({ device, acknowledged }: Person): void {
  for (const { head } of have(device.replica.history)) acknowledged.add(head);
}

function checkAcknowledged({ device, acknowledged }: Person): void {
  const lost = [...acknowledged].filter((id) => device.replica.history.find(id) === null);
  assert.deepEqual(lost, [], `${device.name} lost commits that it had acknowledged`);
}
