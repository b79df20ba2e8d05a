import assert from 'node:assert/strict';
import { listConflicts } from '../../src/tree/conflicts.js';
import { resolveConflicts } from '../../src/tree/resolve.js';
import { settle } from '../simulation/agreement.js';
import { takeStep } from '../simulation/converge.js';
import { Ledger } from '../simulation/ledger.js';
import { User } from '../simulation/user.js';
import { World } from '../simulation/world.js';

const SEEDS = [21, 22, 23, 24, 25, 26, 27, 28];
const STEPS = 40;

async function withConflicts(seed: number): Promise<World> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const users = new Map(world.devices.map((device) => [device, new User(device, ledger)]));
  for (let step = 0; step < STEPS; step++) {
    world.passTime();
    await takeStep(world, users);
  }
  await settle(world);
  return world;
}

const everything = { path: '', matches: () => true };

describe('tree/conflicts, on histories at random', function () {
  this.timeout(120_000);
  const kinds = new Set<string>();

  for (const seed of SEEDS) {
    it(`are the same on all devices, and gone on all once one has settled them (seed ${seed})`, async () => {
      const world = await withConflicts(seed);
      const [one, ...others] = world.devices.map(({ replica }) => listConflicts(replica));
      for (const other of others) assert.deepEqual(other, one);
      if (one === undefined || one.length === 0) return;
      for (const { kind } of one) kinds.add(kind);
      const { work, replica } = world.first;
      const before = replica.view.hash();
      const take = seed % 2 === 0 ? 'mine' : 'theirs';
      const { resolved, remaining } = await resolveConflicts(work, {
        ...everything,
        choice: { take },
      });
      assert.deepEqual([resolved, remaining], [one.length, 0]);
      if (take === 'mine')
        assert.equal(replica.view.hash(), before, 'mine changes nothing that shows');
      await settle(world);
      for (const device of world.devices) {
        assert.deepEqual(listConflicts(device.replica), [], device.name);
        assert.equal(device.replica.view.hash(), replica.view.hash(), device.name);
      }
    });
  }

  it('were of several kinds', () => {
    assert.ok(kinds.size >= 2, [...kinds].join());
  });
});
