/** What every KeyValue does. Leaves out what a power cut does to it: it is disposable. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { INDEX_KEY_BYTES_MAX } from '../../src/core/limits.js';
import type { KeyValue } from '../../src/core/ports.js';
import { bytes, text } from './expect.js';

export interface KeyValueFixture {
  readonly map: KeyValue;
  /** Closes it and opens it again. */
  reopen(): Promise<KeyValue>;
  dispose(): Promise<void>;
}

type Pair = readonly [key: Uint8Array, value: Uint8Array];

const FIRST = Uint8Array.of(0);
const LAST = new Uint8Array(INDEX_KEY_BYTES_MAX).fill(0xff);
const ALL = { from: FIRST, to: LAST };

const hex = (of: Uint8Array): string => Buffer.from(of).toString('hex');
const show = (pairs: Iterable<Pair>): string[] =>
  [...pairs].map(([key, value]) => `${text(key)}=${text(value)}`);

export function describeKeyValue(name: string, make: () => Promise<KeyValueFixture>): void {
  describe(`KeyValue: ${name}`, () => {
    let fixture: KeyValueFixture;
    let map: KeyValue;

    beforeEach(async () => {
      fixture = await make();
      map = fixture.map;
    });
    afterEach(() => fixture.dispose());

    const put = (...pairs: [string, string | null][]): void =>
      map.write(pairs.map(([key, value]) => [bytes(key), value === null ? null : bytes(value)]));

    it('has nothing at first', () => {
      assert.equal(map.get(bytes('a')), undefined);
      assert.deepEqual([...map.range(ALL)], []);
      put(['a', null]);
      assert.deepEqual([...map.range(ALL)], []);
    });

    it('gets what was put, and nothing that was removed', async () => {
      put(['a', '1'], ['b', '2'], ['empty', '']);
      put(['a', '3'], ['b', null]);
      assert.deepEqual(
        ['a', 'b', 'empty'].map((key) => text(map.get(bytes(key)))),
        ['3', null, ''],
      );
      map = await fixture.reopen();
      assert.deepEqual(show(map.range(ALL)), ['a=3', 'empty=']);
    });

    it('lets the last change of a key in one write win', () => {
      put(['a', '1'], ['a', null], ['b', '1'], ['b', '2'], ['a', '3']);
      assert.deepEqual(show(map.range(ALL)), ['a=3', 'b=2']);
    });

    it('gives out memory of its own', () => {
      const [key, value] = [bytes('key'), bytes('value')];
      map.write([[key.subarray(1), value.subarray(1)]]);
      key.fill(0);
      value.fill(0);
      const got = map.get(bytes('ey'));
      assert.equal(text(got), 'alue');
      assert.equal(Object.getPrototypeOf(got), Uint8Array.prototype);
      got?.fill(0);
      const [pair] = map.range(ALL);
      assert(pair !== undefined);
      assert.deepEqual(pair.map(text), ['ey', 'alue']);
      pair[0].fill(0);
      pair[1].fill(0);
      put(['other', 'x']);
      assert.equal(text(map.get(bytes('ey'))), 'alue');
    });

    it('takes keys up to the limit, and values larger than a page', () => {
      const long = new Uint8Array(INDEX_KEY_BYTES_MAX).fill(7);
      const large = Uint8Array.from(Buffer.alloc(300_000, 'no power of two'));
      map.write([[long, large]]);
      assert.equal(hex(map.get(long) ?? FIRST), hex(large));
      assert.equal([...map.range({ from: long, to: LAST })].length, 1);
      const longer = new Uint8Array(INDEX_KEY_BYTES_MAX + 1);
      for (const bad of [longer, new Uint8Array(0)]) {
        assert.throws(() => map.get(bad), /bug: an index key/);
        assert.throws(() => map.write([[bad, large]]), /bug: an index key/);
      }
    });

    it('ranges from a key up to before another, both ways', () => {
      put(['a', '1'], ['b', '2'], ['ba', '3'], ['c', '4'], ['d', '5']);
      const range = (from: string, to: string, reverse = false, limit?: number): string =>
        [
          ...map.range({
            from: bytes(from),
            to: bytes(to),
            reverse,
            ...(limit === undefined ? {} : { limit }),
          }),
        ]
          .map(([key]) => text(key))
          .join(' ');
      assert.equal(range('b', 'd'), 'b ba c');
      assert.equal(range('b', 'd', true), 'c ba b');
      assert.equal(range('aa', 'cc'), 'b ba c');
      assert.equal(range('aa', 'cc', true), 'c ba b');
      assert.equal(range('', 'zz'), 'a b ba c d');
      assert.equal(range('', 'zz', true), 'd c ba b a');
      assert.equal(range('b', 'b'), '');
      assert.equal(range('d', 'b'), '');
      assert.equal(range('d', 'b', true), '');
      assert.equal(range('a', 'd', false, 2), 'a b');
      assert.equal(range('a', 'd', true, 2), 'c ba');
      assert.equal(range('a', 'd', false, 0), '');
    });

    it('orders by byte, not by character', () => {
      const keys = [[0], [0, 0], [0, 1], [1], [0x7f], [0x80], [0xff], [0xff, 0]];
      map.write(keys.map((key) => [Uint8Array.from(key), FIRST]));
      assert.deepEqual(
        [...map.range(ALL)].map(([key]) => [...key]),
        keys,
      );
    });

    it('walks a long range without holding on to it', () => {
      const keys = Array.from(
        { length: 1_000 },
        (_, index) => `k${String(index).padStart(4, '0')}`,
      );
      put(...keys.map((key): [string, string] => [key, key]));
      for (const reverse of [false, true]) {
        const order = reverse ? [...keys].reverse() : keys;
        assert.deepEqual(
          [...map.range({ ...ALL, reverse })].map(([key]) => text(key)),
          order,
        );
      }
    });

    it('allows writes between the steps of a range', () => {
      const keys = Array.from({ length: 700 }, (_, index) => `k${String(index).padStart(4, '0')}`);
      put(...keys.map((key): [string, string] => [key, '1']));
      const seen: (string | null)[] = [];
      for (const [key] of map.range(ALL)) {
        seen.push(text(key));
        map.write([
          [key, null],
          [bytes(`a${text(key)}`), bytes('behind')],
        ]);
      }
      assert.deepEqual(seen, keys);
      assert.equal([...map.range({ from: bytes('k'), to: LAST })].length, 0);
      assert.equal([...map.range({ from: bytes('a'), to: bytes('b') })].length, 700);
    });

    it('applies all of a write or nothing', () => {
      put(['a', 'old']);
      function* failing(): Generator<readonly [Uint8Array, Uint8Array]> {
        yield [bytes('a'), bytes('new')];
        yield [bytes('b'), bytes('new')];
        throw new Error('the source failed');
      }
      assert.throws(() => map.write(failing()), /the source failed/);
      assert.deepEqual(show(map.range(ALL)), ['a=old']);
      put(['b', 'works again']);
      assert.deepEqual(show(map.range(ALL)), ['a=old', 'b=works again']);
    });

    it('behaves like a sorted list of pairs', () => {
      const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
      const bound = fc.uint8Array({ maxLength: 3, max: 3 });
      const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 4 })));
      const writes = fc.array(fc.array(change, { maxLength: 20 }), { maxLength: 4 });
      fc.assert(
        fc.property(
          writes,
          bound,
          bound,
          fc.boolean(),
          fc.nat(10),
          (batches, from, to, reverse, limit) => {
            map.write([...map.range(ALL)].map(([each]) => [each, null] as const));
            const model = new Map<string, string>();
            for (const batch of batches) {
              map.write(batch);
              for (const [each, value] of batch) {
                if (value === null) model.delete(hex(each));
                else model.set(hex(each), hex(value));
              }
            }
            const inside = [...model]
              .filter(([each]) => each >= hex(from) && each < hex(to))
              .sort(([a], [b]) => (a < b ? -1 : 1));
            if (reverse) inside.reverse();
            const found = [...map.range({ from, to, reverse, limit })];
            assert.deepEqual(
              found.map(([a, b]) => [hex(a), hex(b)]),
              inside.slice(0, limit),
            );
            for (const [each, value] of model) {
              assert.equal(hex(map.get(Buffer.from(each, 'hex')) ?? LAST), value);
            }
          },
        ),
        { numRuns: 150 },
      );
    });
  });
}
