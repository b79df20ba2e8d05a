import assert from 'node:assert/strict';
import { WnError } from '../../src/core/errors.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { REGISTER_BYTES_MAX, VALUE_DEPTH_MAX } from '../../src/core/limits.js';
import { register, unset, write, type RegisterState } from '../../src/crdt/register.js';
import type { Value } from '../../src/crdt/value.js';
import { fold, log } from './histories.js';

const at = (time: number, device: number): Stamp => stamp(BigInt(time), log(device));
const { apply, empty, losers, value } = register;

/** A write by somebody who saw `seen`. */
function put(onto: RegisterState, seen: RegisterState, to: Value, stamped: Stamp): RegisterState {
  return apply(onto, write(seen, to), stamped);
}

describe('register', () => {
  const first = put(empty(), empty(), 'first', at(1, 0));

  it('shows the greatest stamp and lists the concurrent loser', () => {
    const both = put(put(first, first, 'mine', at(2, 1)), first, 'theirs', at(2, 2));
    assert.equal(value(both), 'theirs');
    assert.deepEqual(losers(both), [{ value: 'mine', at: at(2, 1) }]);
  });

  it('lists losers newest first', () => {
    let state = first;
    for (const device of [2, 1, 3, 0]) {
      state = put(state, first, `by ${device}`, at(5, device));
    }
    assert.equal(value(state), 'by 3');
    assert.deepEqual(
      losers(state).map((loser) => loser.value),
      ['by 2', 'by 1', 'by 0'],
    );
  });

  it('finds no conflict in two concurrent writes of equal values', () => {
    const same = put(put(first, first, ['x', 1], at(2, 1)), first, ['x', 1], at(2, 2));
    assert.deepEqual(losers(same), []);
  });

  it('tells text from bytes, and a number from its digits', () => {
    const differ = put(put(first, first, 'a', at(2, 1)), first, Buffer.from('a'), at(2, 2));
    assert.equal(losers(differ).length, 1);
    const digits = put(put(first, first, '1', at(2, 1)), first, 1, at(2, 2));
    assert.equal(losers(digits).length, 1);
  });

  it('treats an unset as a write: it wins by stamp, and lists what it beat', () => {
    const both = apply(put(first, first, 'kept', at(2, 1)), unset(first), at(2, 2));
    assert.equal(value(both), undefined);
    assert.equal(register.newest(both), at(2, 2));
    assert.deepEqual(losers(both), [{ value: 'kept', at: at(2, 1) }]);
    assert.equal(register.isEmpty(both), false);
    assert.equal(register.isEmpty(apply(both, unset(both), at(3, 0))), true);
  });

  it('ends a conflict with a write that saw both', () => {
    const both = put(put(first, first, 'mine', at(2, 1)), first, 'theirs', at(2, 2));
    const solved = put(both, both, 'ours', at(3, 0));
    assert.equal(value(solved), 'ours');
    assert.deepEqual(losers(solved), []);
  });

  it('shows the replaced value again when the replacing write is dead', () => {
    const second = put(first, first, 'second', at(2, 1));
    const third = { arg: write(second, 'third'), at: at(3, 2) };
    const rival = { arg: write(first, 'rival'), at: at(2, 0) };
    const ops = [{ arg: write(empty(), 'first'), at: at(1, 0) }, rival];
    const replacing = { arg: write(first, 'second'), at: at(2, 1) };
    assert.equal(value(fold(register, [...ops, replacing, third])), 'third');
    assert.equal(value(fold(register, [...ops, replacing])), 'second');
    assert.equal(value(fold(register, ops)), 'rival');
    assert.equal(value(fold(register, ops.slice(0, 1))), 'first');
  });

  it('lists a value rather than lose it where only a dead write replaced it', () => {
    const second = put(first, first, 'dead', at(2, 1));
    const live = apply(first, write(second, 'third'), at(3, 2));
    assert.equal(value(live), 'third');
    assert.deepEqual(losers(live), [{ value: 'first', at: at(1, 0) }]);
  });

  it('ignores a replaced write that comes late or twice', () => {
    const second = put(first, first, 'second', at(2, 1));
    const third = put(second, second, 'third', at(3, 2));
    assert.deepEqual(put(third, empty(), 'first', at(1, 0)), third);
    assert.deepEqual(put(third, first, 'second', at(2, 1)), third);
  });

  it('lets nobody cover a stamp that he cannot have seen', () => {
    const grab = { replaces: [at(2, 0), at(9, 0), at(9, 1), at(9, 2)], value: 'grab' };
    const state = apply(first, grab, at(2, 2));
    assert.equal(value(state), 'grab', 'not its own');
    const later = put(state, state, 'later', at(3, 0));
    assert.equal(value(later), 'later', 'not the future of another log');
  });

  it('keeps both of two writes that a forked log signed with one stamp', () => {
    const one = put(put(empty(), empty(), 'x', at(1, 0)), empty(), 'y', at(1, 0));
    const other = put(put(empty(), empty(), 'y', at(1, 0)), empty(), 'x', at(1, 0));
    assert.deepEqual(one, other);
    assert.equal(one.entries.length, 2);
  });

  it('keeps one stamp per log of all that was replaced', () => {
    let state = empty();
    for (let time = 1; time <= 200; time++) state = put(state, state, time, at(time, time % 3));
    assert.equal(state.replaced.size, 3);
    assert.equal(state.entries.length, 1);
  });

  describe('undo', () => {
    it('brings the previous value back and leaves other losers listed', () => {
      const both = put(put(first, first, 'mine', at(2, 1)), first, 'theirs', at(2, 2));
      const arg = write(first, 'theirs');
      const inverse = register.invert(arg, at(2, 2), first, both);
      assert(inverse !== undefined, 'it is current');
      const undone = apply(both, inverse, at(3, 2));
      assert.equal(value(undone), 'first');
      assert.deepEqual(losers(undone), [{ value: 'mine', at: at(2, 1) }]);
    });

    it('leaves a value alone that somebody has written since', () => {
      const mine = put(first, first, 'mine', at(2, 1));
      const newer = put(mine, mine, 'newer', at(3, 2));
      assert.equal(register.invert(write(first, 'mine'), at(2, 1), first, newer), undefined);
    });

    it('unsets what was unset before', () => {
      const inverse = register.invert(write(empty(), 'first'), at(1, 0), empty(), first);
      assert.deepEqual(inverse, { replaces: [at(1, 0)], value: undefined });
    });
  });

  describe('arguments', () => {
    const refuses = (run: () => unknown, code: string, message: RegExp): void => {
      assert.throws(
        run,
        (error) => error instanceof WnError && error.code === code && message.test(error.message),
      );
    };

    it('name stamps of their own log by time alone', () => {
      const arg = { replaces: [at(1, 0), at(2, 1)], value: 'x' };
      const wire = register.encode(arg, log(0));
      assert.deepEqual(wire, [[1, [Buffer.from(log(1), 'hex'), 2]], 'x']);
      assert.deepEqual(register.decode(wire, log(0)), arg);
      assert.deepEqual(register.encode({ replaces: [], value: undefined }, log(0)), [[]]);
    });

    it('of a wrong shape are refused', () => {
      const own = log(0);
      refuses(() => register.decode([], own), 'invalid', /0 parts/);
      refuses(() => register.decode([[], 1, 2], own), 'invalid', /3 parts/);
      refuses(() => register.decode('x', own), 'invalid', /not a list/);
      refuses(() => register.decode([[-1], 'x'], own), 'invalid', /stamp/);
      refuses(() => register.decode([[[Buffer.alloc(15), 1]], 'x'], own), 'invalid', /15 bytes/);
      refuses(() => register.decode([[], 2n ** 60n], own), 'invalid', /no field holds/);
      refuses(() => register.decode([[], [[2n ** 60n]]], own), 'invalid', /no field holds/);
    });

    it('nest as deep as the bound and no deeper', () => {
      let deep: Value = 1;
      for (let depth = 0; depth < VALUE_DEPTH_MAX; depth++) deep = [deep];
      assert.deepEqual(register.decode([[], deep], log(0)).value, deep);
      refuses(() => register.decode([[], [deep]], log(0)), 'invalid', /nested deeper/);
    });

    it('are written up to the bound on bytes; merging knows no bound', () => {
      const fits = 'x'.repeat(REGISTER_BYTES_MAX - 3); // three bytes of CBOR head
      register.check(empty(), write(empty(), fits));
      const over = write(empty(), `${fits}x`);
      refuses(() => register.check(empty(), over), 'too_large', /nothing was written/);
      assert.equal(value(apply(empty(), over, at(1, 0))), `${fits}x`);
    });

    it('that no reader would take are not written', () => {
      for (const bad of [
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1n,
        undefined,
        { a: 1 },
        [undefined],
      ]) {
        const arg = write(empty(), [bad as Value]);
        refuses(() => register.check(empty(), arg), 'invalid', /no field holds/);
      }
    });
  });
});
