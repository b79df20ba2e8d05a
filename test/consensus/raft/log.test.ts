import assert from 'node:assert/strict';
import fc from 'fast-check';
import { entrySize, limitSize } from '../../../src/consensus/raft/entries.js';
import { RaftLog } from '../../../src/consensus/raft/log.js';
import { MemoryStorage } from '../../../src/consensus/raft/memory.js';
import type { Entry, Index, Term } from '../../../src/consensus/raft/types.js';
import { Unstable } from '../../../src/consensus/raft/unstable.js';

function entry(index: Index, term: Term, size = 0): Entry {
  return { index, term, type: 'normal', data: new Uint8Array(size) };
}

function terms(entries: readonly Entry[]): readonly Term[] {
  return entries.map(({ term }) => term);
}

describe('raft: entries within a size', () => {
  it('are the longest beginning that fits, and at least one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 8 }), fc.nat(900), (sizes, maxBytes) => {
        const all = sizes.map((size, at) => entry(at + 1, 1, size));
        const taken = limitSize(all, maxBytes);
        const bytes = (entries: readonly Entry[]): number =>
          entries.reduce((sum, each) => sum + entrySize(each), 0);
        assert.deepEqual(taken, all.slice(0, taken.length));
        assert.ok(taken.length <= 1 || bytes(taken) <= maxBytes);
        if (taken.length < all.length) {
          assert.ok(taken.length > 0 && bytes(all.slice(0, taken.length + 1)) > maxBytes);
        }
      }),
    );
  });
});

describe('raft: the unstable end of a log', () => {
  it('is stored anew from where another leader replaced it', () => {
    const unstable = new Unstable(5);
    unstable.truncateAndAppend([entry(5, 1), entry(6, 1), entry(7, 1)]);
    unstable.acceptInProgress();
    assert.deepEqual(unstable.nextEntries(), []);
    unstable.truncateAndAppend([entry(6, 2)]);
    assert.deepEqual(unstable.nextEntries(), [entry(6, 2)]);
    unstable.acceptInProgress();
    unstable.truncateAndAppend([entry(4, 3), entry(5, 3)]);
    assert.deepEqual(terms(unstable.nextEntries()), [3, 3]);
  });

  it('is not taken for stored where what was stored is another entry', () => {
    const unstable = new Unstable(5);
    unstable.truncateAndAppend([entry(5, 1), entry(6, 2)]);
    for (const id of [
      { index: 6, term: 1 },
      { index: 7, term: 2 },
      { index: 4, term: 1 },
    ]) {
      unstable.stableTo(id);
      assert.deepEqual(terms(unstable.slice(5, 7)), [1, 2]);
    }
    unstable.stableTo({ index: 5, term: 1 });
    assert.equal(unstable.offset, 6);
    assert.deepEqual(terms(unstable.nextEntries()), [2]);
  });
});

describe('raft: a log half stored', () => {
  it('reads as one, within any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 2, maxLength: 10 }),
        fc.nat(10),
        fc.nat(600),
        (sizes, stored, maxBytes) => {
          const all = sizes.map((size, at) => entry(at + 1, 1, size));
          const storage = new MemoryStorage();
          storage.append(all.slice(0, stored));
          const log = new RaftLog(storage, Infinity);
          log.append(all.slice(stored));
          for (let lo = 1; lo <= all.length; lo++) {
            const expected = limitSize(all.slice(lo - 1), maxBytes);
            assert.deepEqual(log.slice(lo, all.length + 1, maxBytes), expected);
          }
        },
      ),
    );
  });

  it('knows the term before its first entry, and none before that', () => {
    const storage = new MemoryStorage();
    storage.append([entry(1, 1), entry(2, 2), entry(3, 3)]);
    storage.compact(2);
    const log = new RaftLog(storage, Infinity);
    assert.deepEqual(
      [1, 2, 3, 4].map((index) => log.term(index)),
      [null, 2, 3, null],
    );
    assert.equal(log.slice(2, 4, Infinity), null);
  });

  it('is cut where it contradicts a leader, and only there', () => {
    const storage = new MemoryStorage();
    storage.append([entry(1, 1), entry(2, 1), entry(3, 1)]);
    const log = new RaftLog(storage, Infinity);
    assert.equal(log.maybeAppend({ index: 1, term: 2 }, [entry(2, 2)], 2), null);
    // A late message with less than is here takes nothing away.
    assert.equal(log.maybeAppend({ index: 0, term: 0 }, [entry(1, 1)], 1), 1);
    assert.equal(log.lastIndex(), 3);
    assert.equal(log.maybeAppend({ index: 1, term: 1 }, [entry(2, 2)], 9), 2);
    assert.deepEqual([log.lastIndex(), log.committed], [2, 2]);
    assert.throws(() => log.append([entry(2, 3)]), /committed here/);
  });
});
