/**
 * One random history: people edit, commit and exchange as it comes, over good lines and
 * bad ones; in the end all must agree (`agreement.ts`). A failure tells the seed and the
 * fewest steps that still fail, with their story.
 */
import { checkAgreement, settle } from './agreement.js';
import type { Device } from './device.js';
import { Ledger } from './ledger.js';
import { User, type UserWish } from './user.js';
import { World } from './world.js';

export interface HistoryWish extends UserWish {
  readonly devices?: number;
  readonly steps: number;
}

/** Throws what doesn't hold. Returns what happened, step by step. */
export async function runHistory(seed: number, wish: HistoryWish, story: string[]): Promise<World> {
  const world = await World.begin(seed, wish.devices ?? 3);
  const ledger = new Ledger();
  const users = new Map(world.devices.map((device) => [device, new User(device, ledger, wish)]));
  for (let step = 0; step < wish.steps; step++) {
    world.passTime();
    story.push(await takeStep(world, users));
  }
  await settle(world);
  await checkAgreement(world, ledger);
  return world;
}

export async function takeStep(world: World, users: ReadonlyMap<Device, User>): Promise<string> {
  const { random } = world;
  const device = random.pick(world.devices);
  const kind = random.float();
  if (kind < 0.6) return `${device.name}: ${(await users.get(device)?.act()) ?? ''}`;
  if (kind < 0.8) return commit(device);
  const [near, far] = random.shuffle(world.devices);
  if (near === undefined || far === undefined) return 'nothing';
  if (kind < 0.92) {
    await world.sync(near, far);
    return `${near.name} syncs with ${far.name}`;
  }
  if (kind < 0.97) {
    const done = await world.syncBadly(near, far, 0.02);
    return `${near.name} syncs badly with ${far.name}${done ? '' : ', cut off'}`;
  }
  await device.reopen();
  return `${device.name} begins a new process`;
}

export async function commit(device: Device): Promise<string> {
  const { ops, refused } = await device.work.commit({ message: null });
  if (refused.length > 0) throw new Error(`${device.name} refused ${JSON.stringify(refused)}`);
  return `${device.name} commits ${ops} ops`;
}
