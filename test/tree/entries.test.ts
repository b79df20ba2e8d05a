import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TreeEntries } from '../../src/tree/entries.js';
import { packEntry, type TreeEntry } from '../../src/tree/entry.js';

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
  const snapshot = Buffer.concat(entries.map(packEntry));
  for (let at: number | null = 0; at !== null && at < snapshot.length;)
    at = packed.take(snapshot, at);
  for (const entry of entries) plain.set(entry.path, entry);
  return { packed, plain };
}

describe('tree/entries', () => {
  it('tells the same of packed entries as of plain ones', () => {
    fc.assert(
      fc.property(ENTRIES, (entries) => {
        const { packed, plain } = both(entries);
        assert.equal(packed.size, plain.size);
        assert.deepEqual(packed.invalidPaths(), plain.invalidPaths());
        assert.deepEqual([...packed.nodes()], [...plain.nodes()]);
        assert.deepEqual([...packed.values()], [...plain.values()]);
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
          assert.equal(entries.isUntouched(path, now), stamp !== null);
          assert.ok(!entries.isUntouched(`${path}.`, now));
          for (const part of ['size', 'mtimeMs', 'ctimeMs', 'ino'] as const) {
            if (now[part] === other) continue;
            assert.ok(!entries.isUntouched(path, { ...now, [part]: other }), part);
          }
          assert.ok(!entries.isUntouched(path, { ...now, executable: !now.executable }));
          assert.ok(!entries.isUntouched(path, { ...now, kind: 'folder' }));
        }
      }),
    );
  });

  it('takes no entry that is cut short', () => {
    fc.assert(
      fc.property(ENTRY, fc.nat(), (entry, cut) => {
        const whole = Buffer.from(packEntry(entry));
        const entries = new TreeEntries();
        assert.equal(entries.take(whole.subarray(0, cut % whole.length), 0), null);
        assert.equal(entries.size, 0);
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
