/** What a scan takes from looks ahead of it, and what it looks at itself. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileStat, LookAhead, PackedPaths } from '../../src/core/ports.js';
import { encodeRecord } from '../../src/core/frame.js';
import { LOOK_AHEAD_FILES_MIN } from '../../src/core/limits.js';
import { openWorkDir } from '../../src/node/workdir.js';
import { packEntry, type TreeEntry } from '../../src/tree/entry.js';
import { scan, stampOf, type Found, type Scan } from '../../src/tree/scan.js';
import { TreeState } from '../../src/tree/state.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { SimDisk } from '../sim/disk.js';
import { Seeded } from '../sim/random.js';
import type { SimWorkDir } from '../sim/workdir.js';
import type { Device } from '../simulation/device.js';
import { World } from '../simulation/world.js';

const FILES = ['a.md', 'b/c.md', 'b/d.md', 'e.md'] as const;

/** Counts the device's own looks, and answers for those ahead as `seen` says. */
class Looks {
  readonly stats: string[] = [];
  stopped = 0;

  constructor(
    private readonly device: Device,
    seen: (path: string) => FileStat | undefined,
  ) {
    const dir = dirOf(device);
    const { before } = dir;
    dir.before = (step, path) => {
      if (step === 'stat') this.stats.push(path);
      before(step, path);
    };
    dir.lookAhead = (paths) => this.lookAhead(paths, seen);
  }

  private lookAhead(
    { bytes, ends }: PackedPaths,
    seen: (path: string) => FileStat | undefined,
  ): LookAhead {
    const stats = [...ends].map((end, at) => {
      const path = Buffer.from(bytes.subarray(ends[at - 1] ?? 0, end)).toString();
      return path === '' ? undefined : seen(path);
    });
    return { stat: (number) => stats[number], stop: () => void this.stopped++ };
  }

  async scan(): Promise<Scan> {
    return scanned(this.device);
  }
}

function dirOf({ work }: Device): SimWorkDir {
  return work.dir as SimWorkDir;
}

async function scanned({ work, clock }: Device): Promise<Scan> {
  return scan(work.dir, await work.treeState(), { nowMs: clock.wallMs() });
}

function snapshotOf(entries: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Buffer.from('wntree-1'), ...entries]);
  return Buffer.concat([body, encodeRecord(Buffer.from(`${entries.length} ${body.length}`))]);
}

/** A record in which all that a first scan found is in step. */
async function recordOf(added: readonly Found[]): Promise<TreeState> {
  const storage = new SimDisk({ random: new Seeded(1) }).open();
  const entries = added.map(({ path, type, hash, stat }, at): TreeEntry => {
    const node = at.toString(16).padStart(32, '0');
    return { path, node, type, hash, base: null, invalid: false, stamp: stampOf(stat, Infinity) };
  });
  await storage.replace('tree/state', snapshotOf(entries.map(packEntry)));
  return TreeState.load(storage, () => true);
}

describe('tree/scan, with looks ahead', () => {
  let world: World;
  let ann: Device;
  beforeEach(async () => {
    world = await World.begin(1, 1);
    ann = world.first;
    for (const path of FILES) ann.files.save(path, `of ${path}\n`);
    world.passTime();
    await ann.work.commit({ message: null });
    await ann.work.compact(); // a snapshot is what is looked at ahead
    world.passTime();
  });

  const now = (path: string): FileStat | undefined => ann.work.dir.stat(path) ?? undefined;

  it('looks again at no file that was seen untouched, and says when it is done', async () => {
    const looks = new Looks(ann, (path) => (path === 'e.md' ? undefined : now(path)));
    looks.stats.length = 0;
    const found = await looks.scan();
    const { added, modified, vanished } = found;
    assert.deepEqual([added, modified, vanished], [[], [], []]);
    const files = looks.stats.filter((path) => path.endsWith('.md'));
    // Each once to see it ahead, and `e.md`, which wasn't, once by the scan.
    assert.deepEqual(files.sort(), [...FILES]);
    assert.equal(looks.stopped, 1);
  });

  it('looks itself at what was seen changed: it may have changed once more', async () => {
    ann.files.save('a.md', 'changed\n');
    const early = now('a.md');
    world.passTime();
    ann.files.save('a.md', 'changed again\n');
    const looks = new Looks(ann, (path) => (path === 'a.md' ? early : now(path)));
    const { modified } = await looks.scan();
    assert.deepEqual(
      modified.map(({ path, stat }) => [path, stat]),
      [['a.md', now('a.md')]],
    );
  });

  it('takes a file that is gone since for gone, and one in the place of a folder for new', async () => {
    const before = new Map(FILES.map((path) => [path as string, now(path)]));
    ann.files.rm('a.md');
    ann.files.rm('b');
    ann.files.save('b', 'a file now\n');
    const { added, vanished } = await new Looks(ann, (path) => before.get(path)).scan();
    assert.deepEqual(
      added.map(({ path, type }) => [path, type]),
      [['b', 'file']],
    );
    assert.deepEqual(
      vanished.map(({ path }) => path),
      ['a.md', 'b', 'b/c.md', 'b/d.md'],
    );
  });

  it('stops the looks when it fails', async () => {
    const looks = new Looks(ann, now);
    dirOf(ann).before = (step) => {
      if (step === 'list') throw new Error('unreadable');
    };
    await assert.rejects(looks.scan(), /unreadable/);
    assert.equal(looks.stopped, 1);
  });

  it('finds nothing to do in a snapshot of an early version, which is in another order', async () => {
    const { storage } = ann.ports;
    const inOrder = await storage.read('tree/state');
    const entries = (await ann.work.treeState()).entries.packed();
    await storage.replace('tree/state', snapshotOf([...entries].reverse()));
    await ann.reopen();
    const { added, modified, vanished } = await scanned(ann);
    assert.deepEqual([added, modified, vanished], [[], [], []]);
    await ann.work.bringInStep(); // who has the lock puts it in order
    assert.deepEqual(await storage.read('tree/state'), inOrder);
  });
});

describe('tree/scan, of more files than one thread looks at', () => {
  it('finds what was edited, added and removed among them, and nothing else', async () => {
    const root = tempFolder();
    try {
      const folders = 20;
      for (let at = 0; at < LOOK_AHEAD_FILES_MIN; at++) {
        if (at < folders) mkdirSync(join(root, `d${at}`));
        writeFileSync(join(root, `d${at % folders}`, `${at}`), `file ${at}\n`);
      }
      const dir = openWorkDir(root);
      const empty = await recordOf([]);
      const state = await recordOf(scan(dir, empty, { nowMs: Infinity }).added);
      assert.equal(state.entries.size, LOOK_AHEAD_FILES_MIN + folders);
      const none = scan(openWorkDir(root), state, { nowMs: Infinity });
      assert.deepEqual([none.added, none.modified, none.vanished], [[], [], []]);
      const edited = ['d0/0', `d7/5007`, `d19/9999`];
      for (const path of edited) writeFileSync(join(root, path), 'FILE');
      writeFileSync(join(root, 'd3/new'), '');
      rmSync(join(root, 'd5'), { recursive: true });
      const { added, modified, vanished } = scan(openWorkDir(root), state, { nowMs: Infinity });
      assert.deepEqual(modified.map(({ path }) => path).sort(), edited.sort());
      assert.deepEqual(
        added.map(({ path }) => path),
        ['d3/new'],
      );
      assert.equal(vanished.length, LOOK_AHEAD_FILES_MIN / folders + 1);
      assert(vanished.every(({ path }) => path === 'd5' || path.startsWith('d5/')));
    } finally {
      removeFolder(root);
    }
  }).timeout(60_000);
});
