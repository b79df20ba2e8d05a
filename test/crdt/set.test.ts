import assert from 'node:assert/strict';
import { WnError } from '../../src/core/errors.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { SET_ELEMENTS_MAX } from '../../src/core/limits.js';
import { add, remove, set } from '../../src/crdt/set.js';
import type { Value } from '../../src/crdt/value.js';
import { log } from './histories.js';

const at = (time: number, device: number): Stamp => stamp(BigInt(time), log(device));
const { apply, empty, value } = set;

describe('set', () => {
  const labels = apply(empty(), add(['urgent', 'ci', 'bug']), at(1, 0));

  it('shows text in the order of its letters', () => {
    assert.deepEqual(value(labels), ['bug', 'ci', 'urgent']);
  });

  it('lets an add win over a concurrent remove', () => {
    const gone = remove(labels, ['ci']);
    const again = apply(labels, add(['ci']), at(2, 1));
    assert.deepEqual(value(apply(again, gone, at(2, 2))), ['bug', 'ci', 'urgent']);
    assert.deepEqual(value(apply(labels, gone, at(2, 2))), ['bug', 'urgent']);
  });

  it('shows an emptied set as an empty list, and a set never written as absent', () => {
    const emptied = apply(labels, remove(labels, ['urgent', 'ci', 'bug']), at(2, 0));
    assert.deepEqual(value(emptied), []);
    assert.equal(set.isEmpty(emptied), true);
    assert.equal(value(empty()), undefined);
  });

  it('passes over values that are not there', () => {
    assert.deepEqual(remove(labels, ['absent', 'ci']).removes, [{ value: 'ci', tags: [at(1, 0)] }]);
  });

  it('shows a removed element again when the remove is dead, and not when its add is', () => {
    const gone = remove(labels, ['ci']);
    assert.deepEqual(value(labels), ['bug', 'ci', 'urgent']);
    const withoutAdds = apply(empty(), gone, at(2, 1));
    assert.deepEqual(value(withoutAdds), []);
  });

  it('ignores an add that was removed and comes late or twice', () => {
    const gone = apply(labels, remove(labels, ['ci']), at(2, 1));
    assert.deepEqual(apply(gone, add(['urgent', 'ci', 'bug']), at(1, 0)), gone);
  });

  it('removes nothing that the remover cannot have seen', () => {
    const grab = { adds: [], removes: [{ value: 'ci', tags: [at(9, 0), at(2, 2)] }] };
    const grabbed = apply(labels, grab, at(2, 2));
    assert.deepEqual(value(grabbed), ['bug', 'ci', 'urgent']);
    assert.deepEqual(value(apply(empty(), { ...grab, adds: ['ci'] }, at(2, 2))), ['ci']);
  });

  it('grows with its vocabulary, not with its history', () => {
    let state = empty();
    for (let time = 1; time < 400; time += 2) {
      state = apply(state, add(['on']), at(time, 0));
      state = apply(state, remove(state, ['on']), at(time + 1, 1));
    }
    const element = [...state.elements.values()];
    assert.equal(element.length, 1);
    assert.deepEqual([element[0]?.tags.size, element[0]?.removed.size], [0, 1]);
  });

  describe('undo', () => {
    it('takes back what the op added, unless it was there before', () => {
      const arg = add(['ci', 'new']);
      const after = apply(labels, arg, at(2, 1));
      const inverse = set.invert(arg, at(2, 1), labels, after);
      assert(inverse !== undefined, 'it added something');
      assert.deepEqual(value(apply(after, inverse, at(3, 1))), ['bug', 'ci', 'urgent']);
    });

    it('keeps what somebody else has added too', () => {
      const arg = add(['new']);
      const mine = apply(labels, arg, at(2, 1));
      const both = apply(mine, add(['new']), at(2, 2));
      const inverse = set.invert(arg, at(2, 1), labels, both);
      assert(inverse !== undefined, 'its own tag stands');
      assert.deepEqual(value(apply(both, inverse, at(3, 1))), ['bug', 'ci', 'new', 'urgent']);
    });

    it('keeps what its author has added again', () => {
      const arg = add(['new']);
      const again = apply(apply(labels, arg, at(2, 1)), add(['new']), at(3, 1));
      assert.equal(set.invert(arg, at(2, 1), labels, again), undefined);
    });

    it('adds what the op removed, unless it is there again', () => {
      const arg = remove(labels, ['ci', 'bug']);
      const gone = apply(labels, arg, at(2, 1));
      const back = apply(gone, add(['bug']), at(3, 2));
      assert.deepEqual(set.invert(arg, at(2, 1), labels, back), { adds: ['ci'], removes: [] });
      const all = apply(back, add(['ci']), at(4, 2));
      assert.equal(set.invert(arg, at(2, 1), labels, all), undefined);
    });
  });

  describe('arguments', () => {
    it('have their form on the wire', () => {
      const arg = { adds: ['a'], removes: [{ value: 'b', tags: [at(1, 0), at(2, 1)] }] };
      const wire = set.encode(arg, log(0));
      assert.deepEqual(wire, [['a'], [['b', [1, [Buffer.from(log(1), 'hex'), 2]]]]]);
      assert.deepEqual(set.decode(wire, log(0)), arg);
    });

    it('of a wrong shape are refused', () => {
      const bad = [
        [],
        [[]],
        [[], []].concat([[]]),
        [['a'], ['b']],
        [[1n << 60n], []],
        [[], [['b', 1]]],
      ];
      for (const arg of bad) {
        assert.throws(
          () => set.decode(arg, log(0)),
          (error) => error instanceof WnError && error.code === 'invalid',
          JSON.stringify(arg, (_, part: unknown) => String(part)),
        );
      }
    });

    const tooLarge = (error: unknown): boolean =>
      error instanceof WnError &&
      error.code === 'too_large' &&
      /nothing was written/.test(error.message);

    it('are written up to the bound on elements; merging knows no bound', () => {
      const full = Array.from({ length: SET_ELEMENTS_MAX }, (_, index): Value => index);
      set.check(empty(), add(full));
      const state = apply(empty(), add(full), at(1, 0));
      assert.throws(() => set.check(state, add([-1])), tooLarge);
      set.check(state, add([0]));
      set.check(state, { adds: [-1], removes: remove(state, [0]).removes });
      const over = apply(state, add([-1, -2]), at(2, 0));
      assert.equal(value(over)?.length, SET_ELEMENTS_MAX + 2);
      set.check(over, remove(over, [0]));
    });

    it('that would not fit a commit are refused', () => {
      const wide = Array.from({ length: 9 }, (_, index): Value => 'x'.repeat(60_000) + index);
      assert.throws(() => set.check(empty(), add(wide)), tooLarge);
      set.check(empty(), add(wide.slice(1)));
    });
  });
});
