/** What the simulated disk forgets, and that it forgets nothing else. */
import assert from 'node:assert/strict';
import { bytes, rejects, text } from '../conform/expect.js';
import { SimClock, settle } from './clock.js';
import { SimDisk } from './disk.js';
import { Seeded } from './random.js';

const SEEDS = Array.from({ length: 300 }, (_, index) => index);

function settled(promise: Promise<unknown>): () => boolean {
  let done = false;
  const mark = (): void => {
    done = true;
  };
  promise.then(mark, mark);
  return () => done;
}

describe('simulated disk', () => {
  it('keeps after a power cut what was acknowledged', async () => {
    for (const seed of SEEDS) {
      const disk = new SimDisk({ random: new Seeded(seed) });
      const storage = disk.open();
      await storage.append('log', bytes('acknowledged|'));
      await storage.replace('settings', bytes('second'));
      await storage.create('key', bytes('key'));
      await storage.append('gone', bytes('x'));
      await storage.remove('gone');
      void storage.append('log', bytes('on its way'));
      disk.crash();
      const after = disk.open();
      const log = text(await after.read('log')) ?? '';
      assert(log.startsWith('acknowledged|'), `seed ${seed}: ${log}`);
      assert.equal(text(await after.read('settings')), 'second', `seed ${seed}`);
      assert.equal(text(await after.read('key')), 'key', `seed ${seed}`);
      assert.equal(await after.read('gone'), null, `seed ${seed}`);
    }
  });

  it('leaves of an append on its way nothing, all, a part, or zeros', async () => {
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      const disk = new SimDisk({ random: new Seeded(seed) });
      void disk.open().append('log', bytes('0123456789'));
      disk.crash();
      const left = text(await disk.open().read('log'));
      if (left === null) seen.add('nothing');
      else if (left === '0123456789') seen.add('all');
      else if (/^[0-9]+$/.test(left)) seen.add('part');
      else if (/^[0-9]*\0+$/.test(left)) seen.add('zeros');
      else if (left !== '') assert.fail(`seed ${seed}: ${JSON.stringify(left)}`);
    }
    assert.deepEqual([...seen].sort(), ['all', 'nothing', 'part', 'zeros']);
  });

  it('leaves of a replacement on its way the old or the new content', async () => {
    const seen = new Set<string | null>();
    for (const seed of SEEDS) {
      const clock = new SimClock();
      const disk = new SimDisk({ random: new Seeded(seed), clock, latencyMs: 10 });
      const storage = disk.open();
      const replaced = storage.replace('settings', bytes('old'));
      await clock.runUntilIdle();
      await replaced;
      const answered = [
        settled(storage.replace('settings', bytes('new'))),
        settled(storage.create('key', bytes('key'))),
      ];
      await clock.advance(5);
      disk.crash();
      if (answered.some((done) => done())) continue;
      const after = disk.open();
      seen.add(`${text(after.readSync('settings'))} ${text(after.readSync('key'))}`);
    }
    assert.deepEqual([...seen].sort(), ['new key', 'new null', 'old key', 'old null']);
  });

  it('ends a killed process without an answer, and frees its locks', async () => {
    const clock = new SimClock();
    const disk = new SimDisk({ random: new Seeded(1), clock, latencyMs: 10 });
    const killed = disk.open();
    const locking = killed.lock('lock');
    await settle();
    assert.notEqual(await locking, null);
    const answered = settled(killed.append('log', bytes('seen')));
    disk.kill(killed);
    await clock.runUntilIdle();
    assert.equal(answered(), false, 'nobody is told');
    const survivor = disk.open();
    assert.equal(text(await survivor.read('log')), 'seen', 'the page cache outlives a process');
    assert.notEqual(await survivor.lock('lock'), null);
    const late = settled(killed.append('log', bytes('ghost')));
    await clock.runUntilIdle();
    assert.equal(late(), false);
    assert.equal(text(await survivor.read('log')), 'seen');
  });

  it('writes nothing more after a failed sync, and still reads', async () => {
    const disk = new SimDisk({ random: new Seeded(1) });
    const storage = disk.open();
    await storage.append('log', bytes('kept'));
    disk.plan('sync', /log/);
    await rejects(storage.append('log', bytes('lost')), 'failed');
    await rejects(storage.append('other', bytes('x')), 'failed');
    await rejects(storage.lock('lock'), 'failed');
    assert(text(await storage.read('log'))?.startsWith('kept'));
    const restarted = disk.open();
    await restarted.append('other', bytes('x'));
    disk.crash();
    assert.equal(text(await disk.open().read('other')), 'x');
  });

  it('does what a test plans: read errors, write errors, flipped bits', async () => {
    const disk = new SimDisk({ random: new Seeded(1) });
    const storage = disk.open();
    await storage.append('a', bytes('\0\0'));
    disk.plan('read', /a/, 2);
    await rejects(storage.read('a'), 'unreadable');
    await rejects(storage.read('a'), 'unreadable');
    disk.plan('write', /a/);
    await rejects(storage.append('a', bytes('x')), 'unreadable');
    assert.equal(text(await storage.read('a')), '\0\0');
    disk.flipBit('a', 9);
    assert.deepEqual([...((await storage.read('a')) ?? [])], [0, 2]);
    disk.flipBit('a');
    assert.notDeepEqual([...((await storage.read('a')) ?? [])], [0, 2]);
  });

  it('does the same again from the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const clock = new SimClock();
      const disk = new SimDisk({ random: new Seeded(seed), clock, latencyMs: 20 });
      for (let round = 0; round < 5; round++) {
        const storage = disk.open();
        for (let index = 0; index < 6; index++) {
          void storage.append(`f${index % 3}`, bytes(`${round}${index};`));
        }
        await clock.advance(12);
        disk.crash();
      }
      const after = disk.open();
      const files = await after.list('');
      return JSON.stringify(files.map((path) => [path, text(after.readSync(path))]));
    };
    const once = await run(42);
    assert.equal(await run(42), once);
    assert.notEqual(await run(43), once);
  });
});
