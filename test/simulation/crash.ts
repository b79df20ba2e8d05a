/**
 * One random history whose processes are killed and whose machines lose power in the
 * middle of any command, again and again. What was acknowledged is there, the logs are
 * in order, the next command works, and nothing is lost or doubled, however often.
 */
import assert from 'node:assert/strict';
import { fsck, gc } from '../../src/repo/care.js';
import type { LogId } from '../../src/core/ids.js';
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

interface Person {
  readonly device: Device;
  readonly user: User;
  /** The newest commit of each log that this device has acknowledged. */
  readonly acknowledged: Map<LogId, number>;
  olderIndex: SimKeyValue | null;
}

/** Throws what doesn't hold. */
export async function runCrashes(seed: number, steps: number, story: string[]): Promise<World> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const people = world.devices.map((device): Person => {
    const user = new User(device, ledger);
    return { device, user, acknowledged: new Map(), olderIndex: null };
  });
  for (const person of people) acknowledge(person);
  for (let step = 0; step < steps; step++) {
    world.passTime();
    story.push(await takeStep(world, people));
  }
  await settle(world);
  await checkAgreement(world, ledger);
  return world;
}

async function takeStep(world: World, people: readonly Person[]): Promise<string> {
  const { random } = world;
  const [person, other] = random.shuffle(people);
  if (person === undefined || other === undefined) return 'nothing';
  const { device, user } = person;
  const kind = random.float();
  if (kind < 0.45) return `${device.name}: ${await user.act()}`;
  if (kind < 0.5) {
    person.olderIndex = await device.copyIndex();
    return `${device.name}: its index is remembered`;
  }
  if (kind < 0.7) return endured(world, person, 'commit', async () => void (await commit(device)));
  if (kind < 0.85) return syncEndured(world, person, other);
  if (kind < 0.9) return endured(world, person, 'bring in step', async () => void (await device.work.bringInStep()));
  if (kind < 0.95) {
    return endured(world, person, 'gc', async () => {
      await device.work.compact();
      await gc(device.replica, 1, 0);
    });
  }
  return endured(world, person, 'reindex', () => device.reindex());
}

/** Runs a command whose process may end at any of its steps; then everything must be in order. */
async function endured(world: World, person: Person, what: string, run: () => Promise<void>): Promise<string> {
  const { device } = person;
  const death = armed(world, person);
  const end = await Promise.race([run().then(() => 'done', deadOrThrow), death]);
  return after(person, `${device.name}: ${what}`, end);
}

/** Two machines over a line; one of them dies, the other one notices that the line is dead. */
async function syncEndured(world: World, person: Person, other: Person): Promise<string> {
  const { clock, random } = world;
  const [near, far] = [person.device, other.device];
  const devices = [near.replica.device, far.replica.device] as const;
  const line = new SimLine({ clock, random: random.fork(), devices });
  const death = armed(world, person).then((how) => {
    line.cut();
    return how;
  });
  let ends = 0;
  const side = async (device: Device, channel: SimLine['a'], mode: 'sync' | 'answer'): Promise<string> => {
    const ports = { clock, rng: device.ports.rng };
    const report = await runSync(new ReplicaStore(device.replica), channel, ports, { mode });
    assert.deepEqual(report.rejected, [], `${device.name} rejects`);
    await device.work.bringInStep();
    ends += 1;
    return 'done';
  };
  const nearSide = Promise.race([side(near, line.a, 'sync').catch(deadOrThrow), death]);
  const farSide = side(far, line.b, 'answer');
  void nearSide.then((end) => (ends += end === 'done' ? 0 : 1));
  await clock.runUntil(() => ends >= 2);
  await farSide;
  acknowledge(other);
  return after(person, `${near.name} syncs with ${far.name}`, await nearSide);
}

/** Resolves, with how, when the process has died. */
function armed({ random }: World, { device, olderIndex }: Person): Promise<string> {
  return new Promise((resolve) => {
    const isPowerCut = random.bool();
    const isIndexOlder = random.chance(0.3);
    device.fuse.arm(random.int(1, random.pick(STEPS_TO_LIVE_MAX)), () => {
      if (isPowerCut) device.cutPower(isIndexOlder ? olderIndex : null);
      else device.kill();
      resolve(isPowerCut ? 'power cut' : 'killed');
    });
  });
}

/** What a dead process still throws is nobody's business. */
function deadOrThrow(error: unknown): Promise<never> {
  if (error instanceof Dead) return new Promise(() => undefined);
  throw error;
}

async function after(person: Person, what: string, end: string): Promise<string> {
  const { device } = person;
  device.fuse.disarm();
  if (end !== 'done') {
    device.restart();
    await device.open();
    await device.work.bringInStep();
    checkAcknowledged(person);
    const { problems } = await fsck(device.replica, { full: true });
    assert.deepEqual(problems, [], `${device.name}: fsck after ${what} was ${end}`);
    await device.work.status();
  }
  acknowledge(person);
  return end === 'done' ? what : `${what}, ${end}`;
}

function acknowledge({ device, acknowledged }: Person): void {
  const { history } = device.replica;
  for (const record of history.allLogs()) acknowledged.set(history.logIdOf(record), record.stored.seq);
}

function checkAcknowledged({ device, acknowledged }: Person): void {
  const { history } = device.replica;
  for (const [log, seq] of acknowledged) {
    assert((history.log(log)?.stored.seq ?? -1) >= seq, `${device.name} lost commits it had acknowledged`);
  }
}
