import assert from 'node:assert/strict';
import { WnError } from '../../src/core/errors.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { decodeCanonical, encodeCanonical } from '../../src/core/canonical.js';
import { counter, increment, type CounterState } from '../../src/crdt/counter.js';
import { log } from './histories.js';

const at = (time: number): Stamp => stamp(BigInt(time), log(0));
const sum = (...deltas: readonly number[]): CounterState =>
  deltas.reduce((state, delta, time) => counter.apply(state, delta, at(time)), counter.empty());

describe('counter', () => {
  it('tells zero from never counted', () => {
    assert.equal(counter.value(sum(3, -3)), 0);
    assert.equal(counter.value(sum()), undefined);
  });

  it('stays exact beyond what a number holds, and back', () => {
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(counter.value(sum(most)), most);
    assert.equal(counter.value(sum(most, 1)), '9007199254740992');
    assert.equal(counter.value(sum(most, 2, -3)), most - 1);
    assert.equal(counter.value(sum(-most, -1)), '-9007199254740992');
    const huge = sum(...Array.from({ length: 5_000 }, () => most));
    const kept = decodeCanonical(encodeCanonical(counter.encodeState(huge)));
    assert.equal(counter.value(counter.decodeState(kept)), String(BigInt(most) * 5_000n));
  });

  it('takes exact integers only', () => {
    for (const bad of [0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1, Number.NEGATIVE_INFINITY]) {
      const invalid = (error: unknown): boolean =>
        error instanceof WnError && error.code === 'invalid';
      assert.throws(() => increment(bad), invalid);
      assert.throws(() => counter.decode(bad, log(0)), invalid);
      assert.throws(() => counter.check(counter.empty(), bad), invalid);
    }
    for (const bad of ['1', null, 1n << 60n, [1]]) {
      assert.throws(() => counter.decode(bad, log(0)), /integer/);
    }
    assert.equal(increment(-Number.MAX_SAFE_INTEGER), -Number.MAX_SAFE_INTEGER);
  });

  it('leaves duplicates to the log: each op given counts', () => {
    const once = counter.apply(counter.empty(), 2, at(1));
    assert.equal(counter.value(counter.apply(once, 2, at(1))), 4);
  });

  it('has nothing to take back in a step of zero', () => {
    assert.equal(counter.invert(0, at(1), sum(), sum(0)), undefined);
    assert.equal(counter.invert(7, at(1), sum(), sum(7, 5)), -7);
  });

  it('refuses a state that is no sum', () => {
    for (const digits of ['', '01', '-0', '1.5', '0x10', 'x']) {
      assert.throws(() => counter.decodeState([null, digits]), /no integer/);
    }
  });
});
