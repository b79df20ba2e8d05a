/** What a file is taken for whose writer was killed, and which the user has edited since. */
import assert from 'node:assert/strict';
import { fieldState } from '../../src/crdt/registry.js';
import { register } from '../../src/crdt/register.js';
import { ATTRIBUTE } from '../../src/core/op.js';
import { nodeAt } from '../../src/tree/workcopy.js';
import { Dead } from '../simulation/fuse.js';
import { World } from '../simulation/world.js';
import type { SimWorkDir } from '../sim/workdir.js';
import type { Device } from '../simulation/device.js';

const STEPS = Array.from({ length: 20 }, (_, index) => index + 1);
/** The head of a record of 256 bytes, and one of those. */
const TORN = Uint8Array.of(0, 1, 0, 0, 1, 2, 3, 4, 0x84);
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

/** A file moves on one device, alone or with a change; another device's process brings it there. */
async function moved(world: World, ann: Device, first: string): Promise<void> {
  ann.files.save('a.md', OLD);
  ann.files.save('z.md', 'last\n');
  await ann.work.commit({ message: null });
  await world.sync(ann, world.device(1));
  ann.files.move('a.md', 'b.md');
  ann.files.save('b.md', `${first}${OLD}`);
  ann.files.save('z.md', 'last\nmore\n');
  await ann.work.commit({ message: null });
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

    it(`loses nothing for a blank line that both typed (killed at step ${step})`, async () => {
      const world = await World.begin(step, 2);
      const [ann, bea] = [world.device(0), world.device(1)];
      await edited(world, ann);
      ann.files.save('a.md', `${OLD}\nx\n`);
      await ann.work.commit({ message: null });
      if (!(await killedAt(bea, step, () => world.sync(bea, ann)))) return;
      world.passTime();
      bea.files.save('a.md', `${bea.files.text('a.md') ?? ''}\na longer line\n`);
      await nextCommit(bea);
      await world.sync(bea, ann);
      const lines = bea.files
        .text('a.md')
        ?.split('\n')
        .filter((line) => line !== '');
      assert.deepEqual(lines?.sort(), ['a longer line', 'four', 'one', 'three', 'two', 'x']);
      assert.equal(ann.files.text('a.md'), bea.files.text('a.md'));
    });

    it(`takes a file edited in place for what it was (killed at step ${step})`, async () => {
      const world = await World.begin(step, 2);
      const [ann, bea] = [world.device(0), world.device(1)];
      await edited(world, ann);
      if (!(await killedAt(bea, step, () => world.sync(bea, ann)))) return;
      world.passTime();
      const seen = bea.files.text('a.md') ?? '';
      bea.files.overwrite('a.md', `zero\n${seen}five\n`);
      await nextCommit(bea);
      await world.sync(bea, ann);
      // Two people typed it, and both copies stay.
      assert.equal(bea.files.text('a.md'), `zero\nzero\n${OLD}five\n`);
      assert.equal(ann.files.text('a.md'), `zero\nzero\n${OLD}five\n`);
    });

    for (const first of ['', 'zero\n']) {
      it(`makes no second file of one that moved (${first === '' ? 'unchanged' : 'changed'}, killed at step ${step})`, async () => {
        const world = await World.begin(step, 2);
        const [ann, bea] = [world.device(0), world.device(1)];
        await moved(world, ann, first);
        if (!(await killedAt(bea, step, () => world.sync(bea, ann)))) return;
        world.passTime();
        const path = bea.files.text('b.md') === null ? 'a.md' : 'b.md';
        bea.files.save(path, `${bea.files.text(path) ?? ''}five\n`);
        await nextCommit(bea);
        await world.sync(bea, ann);
        const all = { 'b.md': `${first}${OLD}five\n`, 'z.md': 'last\nmore\n' };
        assert.deepEqual(ann.files.all(), all);
        assert.deepEqual(bea.files.all(), all);
      });
    }

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

  it('looks through the folder once, however many files were not written', async () => {
    const world = await World.begin(1, 2);
    const [ann, bea] = [world.device(0), world.device(1)];
    for (let file = 0; file < 30; file++) ann.files.save(`${file}.md`, `${file}\n`);
    await ann.work.commit({ message: null });
    let step = 0;
    do {
      step += 1;
      assert(await killedAt(bea, step, () => world.sync(bea, ann)));
      await bea.open();
    } while ((await bea.work.treeState()).intents.size === 0);
    const dir = bea.work.dir as SimWorkDir;
    const { before } = dir;
    let looks = 0;
    dir.before = (what, path) => {
      if (what === 'list' && path === '') looks += 1;
      before(what, path);
    };
    await bea.work.bringInStep();
    assert.equal(looks, 1);
    assert.deepEqual(bea.files.all(), ann.files.all());
  });

  it('remembers what it records after a power cut that tore the last record', async () => {
    const world = await World.begin(1, 1);
    const ann = world.first;
    ann.files.save('a.md', OLD);
    await ann.work.commit({ message: null });
    await ann.ports.storage.append('tree/journal', TORN);
    const next = async (): Promise<void> => {
      ann.cutPower();
      ann.restart();
      world.passTime();
      await ann.open();
    };
    await next();
    ann.files.save('a.md', `${OLD}five\n`);
    await ann.work.commit({ message: null });
    await next();
    assert.deepEqual((await ann.work.status()).changes, []);
    await ann.work.commit({ message: null });
    assert.equal(ann.replica.view.text(nodeAt(ann.replica, 'a.md')), `${OLD}five\n`);
  });

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
