import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TreeEntries } from '../../src/tree/entries.js';
import { packEntry, type TreeEntry } from '../../src/tree/entry.js';
import { baseName, parentPath } from '../../src/tree/names.js';
import { PackedEntries } from '../../src/tree/packed.js';

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((all) => Buffer.from(all).toString('hex'));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

const ENTRY: fc.Arbitrary<TreeEntry> = fc.record(
  {
    path: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    node: hex(16),
    type: fc.constantFrom('file', 'symlink'),
    stamp: fc.option(
      fc.record(
        {
          size: number,
          mtimeMs: number,
          ctimeMs: number,
          birthtimeMs: number,
          ino: number,
          executable: fc.boolean(),
        },
        { noNullPrototype: true },
      ),
    ),
    // All zero stands for no hash.
    hash: hex(32).filter((hash) => /[^0]/.test(hash)),
    base: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }).map((all) => Buffer.from(all))),
    invalid: fc.boolean(),
  },
  { noNullPrototype: true },
);
const ENTRIES = fc.uniqueArray(ENTRY, { selector: ({ path }) => path, maxLength: 8 });

/** The same entries packed in a snapshot, and put in one by one. */
function both(entries: readonly TreeEntry[]): { packed: TreeEntries; plain: TreeEntries } {
  const [packed, plain] = [new TreeEntries(), new TreeEntries()];
  packed.adopt(read(entries));
  for (const entry of entries) plain.set(entry.path, entry);
  return { packed, plain };
}

/** As a snapshot holds them, in the order given. */
function read(entries: readonly TreeEntry[]): PackedEntries {
  const snapshot = Buffer.concat([Buffer.from('head'), ...entries.map(packEntry)]);
  const packed = PackedEntries.read(snapshot, 4, snapshot.length, entries.length);
  assert(packed !== null);
  return packed;
}

const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);
const sorted = (entries: TreeEntries): readonly TreeEntry[] => [...entries.values()].sort(byPath);

/** Paths of a tree with names that sort in different ways. */
const PATH = fc
  .array(fc.constantFrom('a', 'b', 'a.b', 'a b', 'a-', 'é', '漢', '😀', 'ab', 'A'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join('/'));
const PATHS = fc.uniqueArray(PATH, { maxLength: 40 });

function entryAt(path: string): TreeEntry {
  const node = Buffer.from(path).toString('hex').padEnd(32, '0').slice(0, 32);
  return { path, node, type: 'file', stamp: null, hash: '', base: null, invalid: false };
}

describe('tree/entries', () => {
  it('tells the same of packed entries as of plain ones', () => {
    fc.assert(
      fc.property(ENTRIES, (entries) => {
        const { packed, plain } = both(entries);
        assert.equal(packed.size, plain.size);
        assert.deepEqual([...packed.invalidPaths()].sort(), [...plain.invalidPaths()].sort());
        assert.deepEqual([...packed.nodes()].sort(), [...plain.nodes()].sort());
        assert.deepEqual([...packed.keys()].sort(), [...plain.keys()].sort());
        assert.deepEqual(sorted(packed), sorted(plain));
      }),
    );
  });

  it('finds each path, alone or by the name in its folder, and no other', () => {
    fc.assert(
      fc.property(PATHS, PATHS, (paths, others) => {
        const { packed } = both(paths.map(entryAt));
        for (const path of [...paths, ...others, ...paths]) {
          const found = packed.find(path);
          assert.equal(found >= 0, paths.includes(path), path);
          assert.equal(packed.findIn(parentPath(path), baseName(path)), found, path);
          if (found >= 0) assert.equal(packed.pathAt(found), path);
        }
      }),
    );
  });

  it('numbers the entries of a snapshot in tree order, in whichever they stand', () => {
    fc.assert(
      fc.property(PATHS, (paths) => {
        const { packed } = both(paths.map(entryAt));
        const inOrder = [...packed.keys()];
        assert.deepEqual([...inOrder].sort(), [...paths].sort());
        // A slash before all else is what makes a folder come right before what is in it.
        const key = (path: string): Buffer => Buffer.from(path.replaceAll('/', '\0'));
        for (const [at, path] of inOrder.slice(1).entries())
          assert(Buffer.compare(key(inOrder[at] ?? ''), key(path)) < 0, `${inOrder[at]} ${path}`);
        const again = read(inOrder.map(entryAt));
        assert(again.inOrder);
        assert.equal(read(paths.map(entryAt)).inOrder, inOrder.join() === paths.join());
      }),
    );
  });

  it('is a map, whatever is put and removed over a snapshot, and packs what it holds', () => {
    const CHANGE = fc.tuple(PATH, fc.boolean());
    fc.assert(
      fc.property(PATHS, fc.array(CHANGE, { maxLength: 40 }), (paths, changes) => {
        const { packed } = both(paths.map(entryAt));
        const model = new Map(paths.map((path) => [path, entryAt(path)]));
        for (const [path, put] of changes) {
          const entry = { ...entryAt(path), invalid: model.size % 2 === 0 };
          if (put) {
            packed.set(path, entry);
            model.set(path, entry);
          } else {
            packed.delete(path);
            model.delete(path);
          }
          assert.equal(packed.has(path), put);
          assert.equal(packed.findIn(parentPath(path), baseName(path)), packed.find(path));
          assert.equal(packed.size, model.size);
          assert(packed.find(path) < packed.bound);
        }
        assert.deepEqual(sorted(packed), [...model.values()].sort(byPath));
        const invalid = [...model.values()].filter((entry) => entry.invalid);
        assert.deepEqual(
          [...packed.invalidPaths()].sort(),
          invalid.map((entry) => entry.path).sort(),
        );
        const all = Buffer.concat(packed.packed());
        const written = PackedEntries.read(all, 0, all.length, model.size);
        assert(written?.inOrder);
        const opened = new TreeEntries();
        opened.adopt(written);
        assert.deepEqual(sorted(opened), sorted(packed));
      }),
    );
  });

  it('lists the paths of files by number, and nothing for folders', () => {
    fc.assert(
      fc.property(PATHS, (paths) => {
        const entries = paths.map((path): TreeEntry => {
          return path.endsWith('a') ? { ...entryAt(path), type: 'folder' } : entryAt(path);
        });
        const { packed } = both(entries);
        const { bytes, ends } = packed.filePaths();
        for (const [number, path] of [...packed.keys()].entries()) {
          const listed = Buffer.from(bytes.subarray(ends[number - 1] ?? 0, ends[number]));
          assert.equal(listed.toString(), path.endsWith('a') ? '' : path);
        }
      }),
    );
  });

  it('holds a file for untouched only if all of its stamp is as it was', () => {
    fc.assert(
      fc.property(ENTRY, number, (entry, other) => {
        const { stamp, type, path } = entry;
        const now = {
          ...(stamp ?? {
            size: 0,
            mtimeMs: 0,
            ctimeMs: 0,
            birthtimeMs: 0,
            ino: 0,
            executable: false,
          }),
          kind: type,
        };
        for (const entries of Object.values(both([entry]))) {
          const at = entries.find(path);
          assert.equal(entries.isUntouched(at, now), stamp !== null);
          for (const part of ['size', 'mtimeMs', 'ctimeMs', 'ino'] as const) {
            if (now[part] === other) continue;
            assert.ok(!entries.isUntouched(at, { ...now, [part]: other }), part);
          }
          assert.ok(!entries.isUntouched(at, { ...now, executable: !now.executable }));
          assert.ok(!entries.isUntouched(at, { ...now, kind: 'folder' }));
        }
      }),
    );
  });

  it('takes no entries that are cut short, too few, too many, or twice of one path', () => {
    fc.assert(
      fc.property(ENTRY, fc.nat(), (entry, cut) => {
        const whole = packEntry(entry);
        const twice = Buffer.concat([whole, whole]);
        assert.equal(PackedEntries.read(whole, 0, cut % whole.length, 1), null);
        assert.equal(
          PackedEntries.read(whole.subarray(0, cut % whole.length), 0, whole.length, 1),
          null,
        );
        assert.equal(PackedEntries.read(twice, 0, twice.length, 1), null);
        assert.equal(PackedEntries.read(whole, 0, whole.length, 2), null);
        assert.equal(PackedEntries.read(twice, 0, twice.length, 2), null);
      }),
    );
  });

  it('forgets what was marked as invalid with the entry', () => {
    fc.assert(
      fc.property(ENTRY, (entry) => {
        for (const entries of Object.values(both([{ ...entry, invalid: true }]))) {
          entries.set(entry.path, { ...entry, invalid: false });
          assert.deepEqual(entries.invalidPaths(), []);
          entries.set(entry.path, { ...entry, invalid: true });
          entries.delete(entry.path);
          assert.deepEqual([entries.invalidPaths(), entries.size], [[], 0]);
        }
      }),
    );
  });
});
