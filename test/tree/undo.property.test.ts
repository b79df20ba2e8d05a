import assert from 'node:assert/strict';
import { frontierNow } from '../../src/repo/frontier.js';
import { redo, undo } from '../../src/tree/undo.js';
import { settle } from '../simulation/agreement.js';
import { takeStep } from '../simulation/converge.js';
import type { Device } from '../simulation/device.js';
import { Ledger } from '../simulation/ledger.js';
import { User } from '../simulation/user.js';
import { World } from '../simulation/world.js';

const SEEDS = [11, 12, 13, 14, 15, 16];
const STEPS = 24;

async function begin(seed: number): Promise<{ world: World; users: Map<Device, User> }> {
  const world = await World.begin(seed, 2);
  const ledger = new Ledger();
  return {
    world,
    users: new Map(world.devices.map((device) => [device, new User(device, ledger)])),
  };
}

function commitsOf({ replica }: Device): number {
  return [...frontierNow(replica.history).values()].reduce((sum, seq) => sum + seq + 1, 0);
}

const hashOf = ({ replica }: Device): string => replica.view.hash();

describe('tree/undo, on histories at random', function () {
  this.timeout(120_000);

  for (const seed of SEEDS) {
    it(`of the last commit restores what was before, and redo what was then (seed ${seed})`, async () => {
      const { world, users } = await begin(seed);
      for (let step = 0; step < STEPS; step++) {
        world.passTime();
        await takeStep(world, users);
        const device = world.random.pick(world.devices);
        const before = hashOf(device);
        const { commit } = await device.work.commit({ message: `step ${step}` });
        if (commit === null) continue;
        const after = hashOf(device);
        const undone = await undo(device.work, null);
        assert.equal(undone.undone, commit.id);
        assert.deepEqual(undone.notUndone, [], `step ${step}`);
        assert.equal(hashOf(device), before, `step ${step}: undo`);
        const redone = await redo(device.work);
        assert.deepEqual(redone.notUndone, [], `step ${step}`);
        assert.equal(hashOf(device), after, `step ${step}: redo`);
      }
      await settle(world);
      assert.equal(hashOf(world.device(0)), hashOf(world.device(1)));
    });
  }

  for (const seed of SEEDS) {
    it(`takes back one by one all that a device did alone, and redo does it again (seed ${seed})`, async () => {
      const { world, users } = await begin(seed);
      const { first } = world;
      const hashes = [hashOf(first)];
      const doing = async (work: () => Promise<unknown>): Promise<void> => {
        const commits = commitsOf(first);
        await work();
        if (commitsOf(first) > commits) hashes.push(hashOf(first));
      };
      for (let step = 0; step < STEPS; step++) {
        world.passTime();
        await doing(async () => users.get(first)?.act());
        await doing(() => first.work.commit({ message: null }));
      }
      for (const [index, hash] of hashes.slice(0, -1).reverse().entries()) {
        world.passTime();
        const { notUndone } = await undo(first.work, null);
        assert.deepEqual(notUndone, [], `undo ${index}`);
        assert.equal(hashOf(first), hash, `undo ${index}`);
      }
      await assert.rejects(undo(first.work, null), { code: 'not_found' });
      for (const [index, hash] of hashes.slice(1).entries()) {
        const { notUndone } = await redo(first.work);
        assert.deepEqual(notUndone, [], `redo ${index}`);
        assert.equal(hashOf(first), hash, `redo ${index}`);
      }
      await assert.rejects(redo(first.work), { code: 'not_found' });
    });
  }

  it('adds commits and takes none away (seed 18)', async () => {
    const { world, users } = await begin(18);
    const { first } = world;
    await users.get(first)?.act();
    first.files.save('a.txt', 'one\n');
    await first.work.commit({ message: null });
    const before = commitsOf(first);
    await undo(first.work, null);
    assert.equal(commitsOf(first), before + 1);
  });
});
