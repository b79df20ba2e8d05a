import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Trie } from '../../../src/consensus/strong/trie.js';

/** Short, so that many share their beginning; one length, so that none is another's. */
const key = fc.string({
  unit: fc.constantFrom('0', '9', 'f'),
  minLength: 3,
  maxLength: 3,
});
const change = fc.tuple(key, fc.option(fc.nat(9), { freq: 2 }));

describe('persistent map', () => {
  it('does what a map does, and every older one stays', () => {
    let [removed, replaced] = [0, 0];
    fc.assert(
      fc.property(fc.array(change, { minLength: 20, maxLength: 80 }), (changes) => {
        let trie = Trie.empty<number>();
        const model = new Map<string, number>();
        const past: [Trie<number>, [string, number][]][] = [];
        for (const [id, value] of changes) {
          if (value === null) {
            removed += model.has(id) ? 1 : 0;
            trie = trie.without(id);
            model.delete(id);
          } else {
            replaced += model.has(id) ? 1 : 0;
            trie = trie.with(id, value);
            model.set(id, value);
          }
          past.push([trie, [...model].sort(([a], [b]) => (a < b ? -1 : 1))]);
        }
        for (const [then, entries] of past) {
          assert.deepEqual([...then.entries()], entries);
          assert.equal(then.size, entries.length);
          for (const [id, value] of entries) assert.equal(then.get(id), value);
        }
        for (const [id] of changes) assert.equal(trie.get(id), model.get(id));
      }),
      { numRuns: 300 },
    );
    assert.ok(removed > 100 && replaced > 100, `${removed} removed, ${replaced} replaced`);
  });
});
