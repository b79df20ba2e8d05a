/**
 * What every Storage does, whatever it stands on. Leaves out crashes: the simulated disk
 * has its own suite for them, and the real one is killed in `test/node`.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OPEN_FILES_MAX } from '../../src/core/limits.js';
import type { Path, Storage } from '../../src/core/ports.js';
import { bytes, HOSTILE_PATHS, rejects, text } from './expect.js';
import { skip } from '../support/skip.js';

export interface StorageFixture {
  readonly storage: Storage;
  /** The same disk as another process has it open. */
  again(): Storage;
  /** Makes the disk read-only from now on. */
  makeReadOnly(): void;
  dispose(): void;
}

/** A roomy disk, or one with room for about 100 KB that can be made read-only; null if it can't be had. */
export type MakeStorage = (disk: 'roomy' | 'tiny') => Promise<StorageFixture | null>;

export function describeStorage(name: string, make: MakeStorage): void {
  describe(`Storage: ${name}`, () => {
    let fixture: StorageFixture;
    let storage: Storage;

    beforeEach(async () => {
      const made = await make('roomy');
      assert(made !== null, 'every implementation has a roomy disk');
      fixture = made;
      storage = fixture.storage;
    });
    afterEach(() => fixture.dispose());

    it('has nothing at first', async () => {
      assert.equal(await storage.read('a/b'), null);
      assert.equal(storage.readSync('a/b'), null);
      assert.equal(await storage.size('a/b'), null);
      assert.deepEqual(await storage.list(''), []);
      assert.deepEqual(await storage.list('a'), []);
      await storage.remove('a/b');
    });

    it('appends behind what is there', async () => {
      await storage.append('logs/d/1.seg', bytes('one'));
      await storage.append('logs/d/1.seg', bytes('two'));
      await storage.append('logs/d/1.seg', bytes(''));
      assert.equal(text(await storage.read('logs/d/1.seg')), 'onetwo');
      assert.equal(await storage.size('logs/d/1.seg'), 6);
    });

    it('makes an empty file of an empty append', async () => {
      await storage.append('empty', bytes(''));
      assert.equal(await storage.size('empty'), 0);
      assert.equal(text(await storage.read('empty')), '');
    });

    it('reads ranges, cut at the end', async () => {
      await storage.append('f', bytes('0123456789'));
      const ranges: [number?, number?][] = [
        [2],
        [2, 5],
        [0, 0],
        [8, 99],
        [10, 12],
        [99, 100],
        [5, 3],
      ];
      const expected = ['23456789', '234', '', '89', '', '', ''];
      assert.deepEqual(
        ranges.map(([from, to]) => text(storage.readSync('f', from, to))),
        expected,
      );
      const read = await Promise.all(ranges.map(([from, to]) => storage.read('f', from, to)));
      assert.deepEqual(read.map(text), expected);
    });

    it('gives out memory of its own', async () => {
      await storage.append('f', bytes('abc'));
      const first = await storage.read('f');
      assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
      first?.fill(0);
      assert.equal(text(await storage.read('f')), 'abc');
      const given = bytes('x');
      await storage.replace('g', given);
      given.fill(0);
      assert.equal(text(await storage.read('g')), 'x');
    });

    it('takes large writes whole', async () => {
      const large = Uint8Array.from(Buffer.alloc(3_000_001, 'no power of two'));
      await storage.append('large', large);
      await storage.append('large', large);
      const read = await storage.read('large', large.byteLength);
      assert(read !== null && Buffer.compare(read, large) === 0);
      await storage.replace('large', large);
      assert.equal(await storage.size('large'), large.byteLength);
    });

    it('appends to several files together, in order', async () => {
      await storage.append('a', bytes('0'));
      await storage.appendAll([
        { path: 'a', bytes: bytes('1') },
        { path: 'new/b', bytes: bytes('x') },
        { path: 'a', bytes: bytes('2') },
      ]);
      assert.equal(text(await storage.read('a')), '012');
      assert.equal(text(await storage.read('new/b')), 'x');
    });

    it('keeps the order of appends that nobody awaited', async () => {
      const numbers = Array.from({ length: 50 }, (_, index) => `${index},`);
      await Promise.all(numbers.map((number) => storage.append('f', bytes(number))));
      assert.equal(text(await storage.read('f')), numbers.join(''));
    });

    it('appends to more files than it keeps open', async () => {
      const paths = Array.from(
        { length: OPEN_FILES_MAX + 8 },
        (_, index) => `d${index % 3}/f${index}`,
      );
      for (const round of ['1', '2']) {
        await Promise.all(paths.map((path) => storage.append(path, bytes(round))));
      }
      for (const path of paths) await storage.append(path, bytes('3'));
      for (const path of paths) assert.equal(text(await storage.read(path)), '123', path);
    });

    it('truncates, and appends from there', async () => {
      await storage.append('f', bytes('frame|torn'));
      await storage.truncate('f', 6);
      await storage.append('f', bytes('next'));
      assert.equal(text(await storage.read('f')), 'frame|next');
      await storage.truncate('f', 99);
      assert.equal(await storage.size('f'), 10);
      await rejects(storage.truncate('nothing', 0), 'unreadable');
    });

    it('appends to the file that has the name now', async () => {
      await storage.append('f', bytes('old'));
      await storage.replace('f', bytes('new'));
      await storage.append('f', bytes('+1'));
      assert.equal(text(await storage.read('f')), 'new+1');
      await fixture.again().remove('f');
      await storage.append('f', bytes('anew'));
      assert.equal(text(await storage.read('f')), 'anew');
      await fixture.again().replace('f', bytes('theirs'));
      await storage.append('f', bytes('+2'));
      assert.equal(text(await fixture.again().read('f')), 'theirs+2');
    });

    it('creates exclusively', async () => {
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? storage : fixture.again()).create('k/one', bytes(`${index}`)),
        ),
      );
      assert.equal(made.filter(Boolean).length, 1, 'exactly one creator wins');
      assert.equal(text(await storage.read('k/one')), `${made.indexOf(true)}`);
      assert.equal(await storage.create('k/one', bytes('late')), false);
      assert.equal(text(await storage.read('k/one')), `${made.indexOf(true)}`);
      await storage.remove('k/one');
      assert.equal(await storage.create('k/one', bytes('again')), true);
    });

    it('lists files below a folder, sorted by code unit', async () => {
      const paths = ['a', 'a.b', 'b/z', 'b/a/x', 'b-c', 'B', 'é/𝄞', 'é/\uffee', 'bb/y'];
      for (const path of paths) await storage.append(path, bytes(path));
      assert.deepEqual(await storage.list(''), [...paths].sort());
      assert.deepEqual(await storage.list('b'), ['b/a/x', 'b/z']);
      assert.deepEqual(await storage.list('b/a'), ['b/a/x']);
      assert.deepEqual(await storage.list('a'), [], 'a file is no folder');
    });

    it('refuses paths that lead elsewhere', async () => {
      for (const path of ['', ...HOSTILE_PATHS]) {
        const what = JSON.stringify(path);
        await rejects(storage.read(path), 'invalid', `read ${what}`);
        await rejects(storage.size(path), 'invalid', `size ${what}`);
        await rejects(storage.append(path, bytes('x')), 'invalid', `append ${what}`);
        await rejects(storage.truncate(path, 0), 'invalid', `truncate ${what}`);
        await rejects(storage.replace(path, bytes('x')), 'invalid', `replace ${what}`);
        await rejects(storage.create(path, bytes('x')), 'invalid', `create ${what}`);
        await rejects(storage.remove(path), 'invalid', `remove ${what}`);
        await rejects(storage.lock(path), 'invalid', `lock ${what}`);
        if (path !== '') await rejects(storage.list(path), 'invalid', `list ${what}`);
      }
      assert.deepEqual(await storage.list(''), []);
    });

    it('writes nothing of several appends if one path is bad', async () => {
      const good = { path: 'good', bytes: bytes('x') };
      await rejects(storage.appendAll([good, { path: '../bad', bytes: bytes('x') }]), 'invalid');
      assert.deepEqual(await storage.list(''), []);
    });

    it('tells a file from a folder', async () => {
      await storage.append('a/f', bytes('kept'));
      await rejects(storage.append('a/f/g', bytes('x')), 'unreadable');
      await rejects(storage.append('a', bytes('x')), 'unreadable');
      await rejects(storage.replace('a', bytes('x')), 'unreadable');
      await rejects(storage.remove('a'), 'unreadable');
      assert.equal(await storage.create('a', bytes('x')), false);
      assert.equal(await storage.read('a'), null);
      assert.equal(await storage.read('a/f/g'), null);
      assert.equal(await storage.size('a'), null);
      assert.deepEqual(await storage.list(''), ['a/f']);
      assert.equal(text(await storage.read('a/f')), 'kept');
    });

    it('locks out everybody else, itself too', async () => {
      const other = fixture.again();
      const release = await storage.lock('lock');
      assert(release !== null, 'a free lock is had at once');
      assert.equal(await storage.lock('lock'), null, 'a second time in one process');
      assert.equal(await other.lock('lock'), null, 'from another process');
      const elsewhere = await other.lock('locks/other');
      assert(elsewhere !== null, 'another lock is free');
      release();
      const next = await other.lock('lock');
      assert(next !== null, 'released');
      release();
      assert.equal(await storage.lock('lock'), null, 'a second release frees nothing');
      next();
      elsewhere();
    });

    it('survives a full disk', async function () {
      const tiny = await make('tiny');
      if (tiny === null) return skip(this, 'no small disk can be mounted here');
      try {
        await fillUp(tiny.storage);
      } finally {
        tiny.dispose();
      }
    });

    it('reads from a read-only disk and says so to writers', async function () {
      const tiny = await make('tiny');
      if (tiny === null) return skip(this, 'no read-only disk can be mounted here');
      try {
        await tiny.storage.append('d/f', bytes('kept'));
        tiny.makeReadOnly();
        await refuseWrites(tiny.again());
        await refuseWrites(tiny.storage);
      } finally {
        tiny.dispose();
      }
    });

    it('behaves like a map of byte strings', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
          for (const path of await storage.list('')) await storage.remove(path);
          const model = new Map<Path, string>();
          for (const run of operations) await run(storage, model);
          const paths = await storage.list('');
          assert.deepEqual(paths, [...model.keys()].sort());
          for (const path of paths) assert.equal(text(await storage.read(path)), model.get(path));
        }),
        { numRuns: 25 },
      );
    });
  });
}

async function fillUp(storage: Storage): Promise<void> {
  const block = new Uint8Array(10_000).fill(1);
  await storage.append('log', bytes('acknowledged'));
  await storage.append('other', bytes('kept'));
  await storage.replace('settings', bytes('before'));
  let blocks = 0;
  const fill = async (): Promise<never> => {
    for (;;) {
      await storage.append('log', block);
      blocks += 1;
    }
  };
  await rejects(fill(), 'disk_full', 'append');
  assert(blocks > 2, `only ${blocks} blocks fitted`);
  const length = 12 + blocks * block.byteLength;
  assert.equal(await storage.size('log'), length, 'nothing of the failed append is left');
  const both = [
    { path: 'other', bytes: bytes('more') },
    { path: 'log', bytes: block },
  ];
  await rejects(storage.appendAll(both), 'disk_full', 'appendAll');
  assert.equal(text(await storage.read('other')), 'kept');
  assert.equal(await storage.size('log'), length);
  await rejects(storage.replace('settings', block), 'disk_full', 'replace');
  assert.equal(text(await storage.read('settings')), 'before');
  await rejects(storage.create('new', block), 'disk_full', 'create');
  assert.equal(await storage.read('new'), null);
  assert.deepEqual(await storage.list(''), ['log', 'other', 'settings']);
  await storage.truncate('log', 12);
  await storage.append('log', bytes(' and more'));
  assert.equal(text(await storage.read('log')), 'acknowledged and more');
}

async function refuseWrites(storage: Storage): Promise<void> {
  await rejects(storage.append('d/f', bytes('x')), 'read_only', 'append');
  await rejects(storage.append('new', bytes('x')), 'read_only', 'append to a new file');
  await rejects(storage.truncate('d/f', 0), 'read_only', 'truncate');
  await rejects(storage.replace('d/f', bytes('x')), 'read_only', 'replace');
  await rejects(storage.create('new', bytes('x')), 'read_only', 'create');
  await rejects(storage.remove('d/f'), 'read_only', 'remove');
  await rejects(storage.lock('lock'), 'read_only', 'lock');
  assert.equal(text(await storage.read('d/f')), 'kept');
  assert.deepEqual(await storage.list(''), ['d/f']);
}

type Operation = (storage: Storage, model: Map<Path, string>) => Promise<void>;

const somePath = fc.constantFrom('a', 'b', 'd/c', 'd/e/f');
const someText = fc.string({ maxLength: 8 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(somePath, someText).map(([path, added]): Operation => async (storage, model) => {
    await storage.append(path, bytes(added));
    model.set(path, (model.get(path) ?? '') + added);
  }),
  fc.tuple(somePath, someText).map(([path, content]): Operation => async (storage, model) => {
    await storage.replace(path, bytes(content));
    model.set(path, content);
  }),
  fc.tuple(somePath, someText).map(([path, content]): Operation => async (storage, model) => {
    assert.equal(await storage.create(path, bytes(content)), !model.has(path));
    if (!model.has(path)) model.set(path, content);
  }),
  somePath.map((path): Operation => async (storage, model) => {
    await storage.remove(path);
    model.delete(path);
  }),
  fc.tuple(somePath, fc.nat(8)).map(([path, length]): Operation => async (storage, model) => {
    const content = model.get(path);
    if (content === undefined) return;
    await storage.truncate(path, length);
    model.set(path, text(bytes(content).slice(0, length)) ?? '');
  }),
);
