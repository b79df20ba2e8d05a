/** What a file is taken for whose writer was killed, and which the user has edited since. */
import assert from 'node:assert/strict';
import { fieldState } from '../../src/crdt/registry.js';
import { register } from '../../src/crdt/register.js';
import { ATTRIBUTE } from '../../src/core/op.js';
import { nodeAt } from '../../src/tree/workcopy.js';
import { Dead } from '../simulation/fuse.js';
import { World } from '../simulation/world.js';
import type { Device } from '../simulation/device.js';

const STEPS = Array.from({ length: 20 }, (_, index) => index + 1);
const OLD = 'one\ntwo\nthree\nfour\n';

/** Runs a command of a process that is killed at its n-th step; false if it ended before. */
async function killedAt(
  device: Device,
  step: number,
  run: () => Promise<unknown>,
): Promise<boolean> {
  const death = new Promise<boolean>((resolve) => {
    device.fuse.arm(step, () => {
      device.kill();
      resolve(true);
    });
  });
  const work = run().then(
    () => false,
    (error: unknown) => {
      if (error instanceof Dead) return death;
      throw error;
    },
  );
  const killed = await Promise.race([work, death]);
  device.fuse.disarm();
  if (killed) device.restart();
  return killed;
}

/** The first of two files that have to be written, so that it may be there and the other not. */
async function edited(world: World, ann: Device): Promise<void> {
  ann.files.save('a.md', OLD);
  await ann.work.commit({ message: null });
  await world.sync(ann, world.device(1));
  ann.files.save('a.md', `zero\n${OLD}`);
  ann.files.save('z.md', 'last\n');
  await ann.work.commit({ message: null });
}

async function nextCommit(device: Device): Promise<void> {
  await device.open();
  await device.work.commit({ message: null });
}

describe('recovery of the working directory', () => {
  for (const step of STEPS) {
    it(`takes an edit for one of what the user saw, new text or old (killed at step ${step})`, async () => {
      const world = await World.begin(step, 2);
      const [ann, bea] = [world.device(0), world.device(1)];
      await edited(world, ann);
      if (!(await killedAt(bea, step, () => world.sync(bea, ann)))) return;
      world.passTime();
      bea.files.save('a.md', `${bea.files.text('a.md') ?? ''}five\n`);
      await nextCommit(bea);
      await world.sync(bea, ann);
      assert.equal(ann.files.text('a.md'), `zero\n${OLD}five\n`);
      assert.equal(bea.files.text('a.md'), `zero\n${OLD}five\n`);
    });

    it(`finds a file that the user has moved since (killed at step ${step})`, async () => {
      const world = await World.begin(step, 2);
      const [ann, bea] = [world.device(0), world.device(1)];
      await edited(world, ann);
      if (!(await killedAt(bea, step, () => world.sync(bea, ann)))) return;
      world.passTime();
      bea.files.move('a.md', 'b.md');
      await nextCommit(bea);
      await world.sync(bea, ann);
      assert.equal(ann.files.text('b.md'), `zero\n${OLD}`);
      assert.equal(ann.files.text('a.md'), null);
    });

    it(`makes no edit twice when the power fails in a commit (step ${step})`, async () => {
      for (let seed = 0; seed < 8; seed++) {
        const world = await World.begin(seed, 1);
        const ann = world.first;
        ann.files.save('a.md', OLD);
        await ann.work.commit({ message: null });
        ann.files.save('a.md', `${OLD}five\n`);
        for (let times = 0; times < 10; times++) world.passTime();
        if (!(await killedAt(ann, step, () => ann.work.commit({ message: null })))) continue;
        if (seed < 4) await nextCommit(ann);
        ann.cutPower();
        ann.restart();
        await nextCommit(ann);
        assert.equal(ann.replica.view.text(nodeAt(ann.replica, 'a.md')), `${OLD}five\n`);
      }
    });
  }

  it('keeps contents in conflict when only the mode of the file has changed', async () => {
    const world = await World.begin(1, 2);
    const [ann, bea] = [world.device(0), world.device(1)];
    ann.files.save('deps.lock', 'first');
    await ann.work.commit({ message: null });
    await world.sync(ann, bea);
    ann.files.save('deps.lock', "ann's");
    bea.files.save('deps.lock', "bea's");
    await ann.work.commit({ message: null });
    await bea.work.commit({ message: null });
    await world.sync(ann, bea);
    world.passTime();
    ann.files.chmod('deps.lock', true);
    await ann.work.commit({ message: null });
    const { fields } = ann.replica.view.record(nodeAt(ann.replica, 'deps.lock'));
    const { entries } = fieldState(fields, [ATTRIBUTE.body], register);
    const contents = entries.map(({ value }) => Buffer.from(value as Uint8Array).toString());
    assert.deepEqual(contents.sort(), ["ann's", "bea's"]);
  });
});
