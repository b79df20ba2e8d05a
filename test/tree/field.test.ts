import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  asField,
  compareValues,
  equalFields,
  equalValues,
  fromValue,
  isFieldKey,
  sortedSet,
  toJson,
  type FieldValue,
} from '../../src/tree/field.js';
import { values } from './gen.js';

describe('tree/field', () => {
  it('orders all values totally', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        assert.equal(compareValues(a, a), 0);
        assert.equal(Math.sign(compareValues(a, b)), 0 - Math.sign(compareValues(b, a)));
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) {
          assert.ok(compareValues(a, c) <= 0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('orders kinds, then what they hold', () => {
    const sorted: FieldValue[] = [
      null,
      false,
      true,
      -1,
      7,
      '10',
      '9',
      [],
      [1],
      [1, 2],
      [2],
      new Map(),
    ];
    assert.deepEqual(sorted.toReversed().sort(compareValues), sorted);
  });

  it('takes maps for equal whatever the order of their keys, lists not', () => {
    const pairs: [string, FieldValue][] = [
      ['a', 1],
      ['b', [2]],
    ];
    assert.ok(equalValues(new Map(pairs), new Map(pairs.toReversed())));
    assert.ok(!equalValues([1, 2], [2, 1]));
  });

  it('takes sets for equal whatever order and duplicates', () => {
    assert.ok(
      equalFields({ crdt: 'set', value: ['b', 'a', 'b'] }, { crdt: 'set', value: ['a', 'b'] }),
    );
    assert.ok(!equalFields({ crdt: 'set', value: ['a'] }, { crdt: 'register', value: ['a'] }));
    assert.deepEqual(sortedSet(['b', 1, 'a', 1, null]), [null, 1, 'a', 'b']);
  });

  it('reads a value as the field it is to be, else as a register', () => {
    assert.deepEqual(asField('x', 'set'), { crdt: 'set', value: ['x'] });
    assert.deepEqual(asField(null, 'set'), { crdt: 'set', value: [] });
    assert.deepEqual(asField(new Map(), 'set'), { crdt: 'register', value: new Map() });
    assert.deepEqual(asField(7, 'counter'), { crdt: 'counter', value: 7 });
    assert.deepEqual(asField(7.5, 'counter'), { crdt: 'register', value: 7.5 });
    assert.deepEqual(asField(null, 'counter'), { crdt: 'register', value: null });
  });

  it('shows bytes of a peer as text', () => {
    assert.deepEqual(fromValue([Uint8Array.of(255), 'a']), ['zw', 'a']);
  });

  it('makes JSON of a map without touching a prototype', () => {
    const json = toJson(new Map<string, FieldValue>([['__proto__', [1]]]));
    assert.equal(JSON.stringify(json), '{"__proto__":[1]}');
    assert.equal(Object.getPrototypeOf(json), Object.prototype);
  });

  for (const [key, isKey] of [
    ['status', true],
    ['two words', true],
    ['__proto__', true],
    ['ключ', true],
    ['k'.repeat(255), true],
    ['k'.repeat(256), false],
    ['', false],
    ['a\nb', false],
    ['\u001b[31m', false],
    ['\ud800', false],
    ['\u2028', false],
  ] as const) {
    it(`${JSON.stringify(key).slice(0, 20)} ${isKey ? 'can' : "can't"} name a field`, () => {
      assert.equal(isFieldKey(key), isKey);
    });
  }
});
