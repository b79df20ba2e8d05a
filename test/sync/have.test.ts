import assert from 'node:assert/strict';
import fc from 'fast-check';
import { equalBytes } from '../../src/core/bytes.js';
import { SYNC_BRANCHES_MAX } from '../../src/core/limits.js';
import {
  applied,
  compare,
  covers,
  difference,
  EMPTY_VECTOR,
  entriesOf,
  merged,
  vectorHash,
  vectorOf,
  without,
} from '../../src/sync/have.js';
import type { HaveEntry } from '../../src/sync/store.js';

const device = (n: number): string => n.toString(16).padStart(2, '0').repeat(32);
const headOf = (n: number): string => n.toString(16).padStart(2, '0').repeat(32);

/** Few logs, few seqs: so that two vectors often meet in one log, sometimes forked. */
const entry: fc.Arbitrary<HaveEntry> = fc
  .record({ log: fc.nat(5), seq: fc.nat(4), branch: fc.nat(1) })
  .map(({ log, seq, branch }) => ({
    dev: device(log >> 1),
    epoch: device(log & 1).slice(0, 16),
    seq,
    head: headOf(16 * seq + branch),
  }));
const vector = fc
  .uniqueArray(entry, {
    maxLength: 8,
    selector: ({ dev, epoch, seq, head }) => `${dev}${epoch}${seq}${head}`,
  })
  .map(vectorOf);
const single = fc
  .uniqueArray(entry, { maxLength: 6, selector: ({ dev, epoch }) => dev + epoch })
  .map(vectorOf);

const same = (a: ReturnType<typeof vectorOf>, b: ReturnType<typeof vectorOf>): boolean =>
  equalBytes(vectorHash(a), vectorHash(b));

describe('vectors', () => {
  it('a basis and the difference give the vector back', () => {
    fc.assert(
      fc.property(vector, vector, (v, basis) => {
        assert.deepEqual(applied(basis, difference(v, basis)), v);
      }),
    );
  });

  it('the difference from itself is empty, from nothing the whole', () => {
    fc.assert(
      fc.property(vector, (v) => {
        assert.equal(difference(v, v).size, 0);
        assert.deepEqual(difference(v, EMPTY_VECTOR), v);
      }),
    );
  });

  it('the hash is equal for equal vectors, whatever the order they were told in, and else differs', () => {
    fc.assert(
      fc.property(vector, vector, (a, b) => {
        const shuffled = vectorOf([...entriesOf(a)].reverse());
        assert.ok(same(a, shuffled));
        const equal = JSON.stringify([...a]) === JSON.stringify([...b]);
        assert.equal(same(a, b), equal);
      }),
    );
  });

  it('the merge is the same on both sides, and covers what each held where no log is forked', () => {
    let covered = 0;
    fc.assert(
      fc.property(single, single, (a, b) => {
        const both = merged(a, b);
        assert.deepEqual(both, merged(b, a));
        const clash = [...a].some(([key, { heads }]) => {
          const other = b.get(key)?.heads[0];
          return heads[0]?.seq === other?.seq && heads[0]?.head !== other?.head;
        });
        if (clash) return;
        covered += 1;
        assert.ok(covers(both, a) && covers(both, b));
      }),
    );
    assert.ok(covered > 20, 'the generator makes vectors that agree');
  });

  it('the merge leaves out a log whose branches differ', () => {
    const entryOf = (seq: number, head: number): HaveEntry => ({
      dev: device(1),
      epoch: device(1).slice(0, 16),
      seq,
      head: headOf(head),
    });
    const forked = vectorOf([entryOf(3, 1), entryOf(3, 2)]);
    assert.equal(merged(forked, vectorOf([entryOf(4, 5)])).size, 0);
    assert.equal(merged(vectorOf([entryOf(3, 1)]), vectorOf([entryOf(3, 2)])).size, 0);
    assert.deepEqual(merged(forked, forked), forked);
    assert.deepEqual(merged(forked, EMPTY_VECTOR), forked);
  });

  it('covers: reflexive, and broken by one newer head', () => {
    fc.assert(
      fc.property(single, (v) => {
        assert.ok(covers(v, v) && covers(v, EMPTY_VECTOR));
        const [first] = entriesOf(v);
        if (first === undefined) return;
        const newer = vectorOf([
          ...entriesOf(v).slice(1),
          { ...first, seq: first.seq + 1, head: headOf(99) },
        ]);
        assert.ok(covers(newer, v));
        assert.ok(!covers(v, newer));
      }),
    );
  });

  it('names at most so many branches of a log, the newest', () => {
    const many = Array.from({ length: SYNC_BRANCHES_MAX + 5 }, (_, at) => ({
      dev: device(1),
      epoch: device(1).slice(0, 16),
      seq: at,
      head: headOf(at),
    }));
    const [log] = [...vectorOf(many).values()];
    assert.equal(log?.heads.length, SYNC_BRANCHES_MAX);
    assert.equal(log?.heads[0]?.seq, SYNC_BRANCHES_MAX + 4);
  });

  it('tells a fork from being ahead', () => {
    const ours = new Map([[3, headOf(7)]]);
    const store = {
      headsAt: (_dev: string, _epoch: string, seq: number) =>
        [ours.get(seq)].filter((id) => id !== undefined),
    };
    const told = (seq: number, head: string) =>
      vectorOf([{ dev: device(1), epoch: device(1).slice(0, 16), seq, head }]);
    assert.deepEqual(compare(store, told(3, headOf(7))), { forks: [], allHeld: true });
    assert.deepEqual(compare(store, told(4, headOf(8))), { forks: [], allHeld: false });
    const forked = compare(store, told(3, headOf(8)));
    assert.equal(forked.allHeld, false);
    assert.deepEqual(
      forked.forks.map(({ seq, held, claimed }) => [seq, held, claimed]),
      [[3, [headOf(7)], headOf(8).slice(0, 16)]],
    );
  });

  it('without: leaves out the logs named and nothing else', () => {
    const v = vectorOf([
      { dev: device(1), epoch: device(1).slice(0, 16), seq: 1, head: headOf(1) },
      { dev: device(2), epoch: device(1).slice(0, 16), seq: 1, head: headOf(1) },
    ]);
    const [key] = [...v.keys()];
    assert.deepEqual([...without(v, new Set([key ?? ''])).keys()], [...v.keys()].slice(1));
  });
});
