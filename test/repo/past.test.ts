import assert from 'node:assert/strict';
import { frontierAt, frontierNow, newestFirst, type Frontier } from '../../src/repo/frontier.js';
import { pastOf, touchedBetween } from '../../src/repo/past.js';
import { settle } from '../simulation/agreement.js';
import { takeStep } from '../simulation/converge.js';
import type { Device } from '../simulation/device.js';
import { Ledger } from '../simulation/ledger.js';
import { User } from '../simulation/user.js';
import { World } from '../simulation/world.js';

const SEEDS = [1, 2, 3, 4, 5, 6];
const STEPS = 30;

interface Snapshot {
  readonly by: string;
  readonly frontier: Frontier;
  readonly hash: string;
}

/** A history at random, with what each device saw at each step of it. */
async function liveThrough(seed: number): Promise<{ world: World; snapshots: Snapshot[] }> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const users = new Map(world.devices.map((device) => [device, new User(device, ledger)]));
  const snapshots: Snapshot[] = [];
  for (let step = 0; step < STEPS; step++) {
    world.passTime();
    await takeStep(world, users);
    for (const device of world.devices) remember(snapshots, device);
  }
  await settle(world);
  return { world, snapshots };
}

function remember(snapshots: Snapshot[], { name, replica }: Device): void {
  const frontier = frontierNow(replica.history);
  snapshots.push({ by: name, frontier, hash: replica.view.hash() });
}

describe('repo/past', function () {
  this.timeout(120_000);

  for (const seed of SEEDS) {
    it(`shows what every device saw at every moment, on every device (seed ${seed})`, async () => {
      const { world, snapshots } = await liveThrough(seed);
      for (const device of world.devices) {
        for (const [step, { by, frontier, hash }] of snapshots.entries()) {
          const past = pastOf(device.replica, frontier);
          assert.equal(
            past.view.hash(),
            hash,
            `${device.name} on snapshot ${step}, which ${by} saw`,
          );
        }
      }
    });
  }

  it('leaves the present as it is', async () => {
    const { world, snapshots } = await liveThrough(7);
    const { replica } = world.first;
    const before = replica.view.hash();
    for (const { frontier } of snapshots) pastOf(replica, frontier).view.hash();
    assert.equal(replica.view.hash(), before);
    await replica.transact(() => replica.flush(null));
    await world.first.reindex();
    assert.equal(world.first.replica.view.hash(), before);
  });

  it('differs from the present only in what was touched between', async () => {
    const { world, snapshots } = await liveThrough(8);
    const { replica } = world.first;
    const now = frontierNow(replica.history);
    for (const { frontier } of snapshots) {
      const past = pastOf(replica, frontier);
      const touched = touchedBetween(replica, now, frontier);
      for (const { node, type } of replica.view.walk()) {
        if (touched.has(node) || type === 'folder') continue;
        assert.equal(past.view.text(node), replica.view.text(node));
        assert.deepEqual(past.view.fields(node), replica.view.fields(node));
      }
    }
  });
});

describe('repo/frontier', () => {
  it('by time holds exactly what was stamped by then', async () => {
    const { world } = await liveThrough(9);
    const { history } = world.first.replica;
    const all = [...newestFirst(history, frontierNow(history))];
    for (const { record } of all) {
      const frontier = frontierAt(history, record.hlc);
      const expected = all.filter((other) => other.record.hlc <= record.hlc).length;
      assert.equal([...newestFirst(history, frontier)].length, expected);
    }
  });

  it('gives commits newest first, each once', async () => {
    const { world } = await liveThrough(10);
    const { history } = world.first.replica;
    const all = [...newestFirst(history, frontierNow(history))];
    const names = new Set(all.map(({ log, seq }) => `${log}/${seq}`));
    assert.equal(names.size, all.length);
    for (const [index, { record }] of all.entries()) {
      const after = all[index + 1];
      assert.ok(after === undefined || after.record.hlc <= record.hlc);
    }
  });
});
