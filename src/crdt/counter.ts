/**
 * Counter: the exact sum of increments and decrements.
 *
 * The one type whose state can't know a duplicate: that would take a stamp per
 * increment for ever, and a newest stamp per log is not enough, since both branches of
 * a forked log can count (rule R1) and the outcome would depend on which came first.
 * Duplicates are excluded before: a log holds each commit once.
 *
 * On the wire: an integer of at most 53 bits and a sign.
 */
import { asArray, asText, type Canonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import type { Stamp } from '../core/hlc.js';
import type { FieldType } from './types.js';
import { decodeStamp, encodeStamp, newer } from './versions.js';

export interface CounterState {
  readonly sum: bigint;
  readonly newest: Stamp | null;
}

const EMPTY: CounterState = { sum: 0n, newest: null };

/** Throws `invalid` for a step that isn't an exact integer. */
export function increment(delta: number): number {
  return asDelta(delta);
}

/** Shows a number where that is exact, else decimal text. */
export const counter: FieldType<CounterState, number, number | string> = {
  name: 'counter',
  number: 2,
  empty: () => EMPTY,
  decode: (arg) => asDelta(arg),
  encode: (delta) => delta,

  apply: (state, delta, at) => ({
    sum: state.sum + BigInt(delta),
    newest: newer(state.newest, at),
  }),

  value({ sum, newest }) {
    if (newest === null) return undefined;
    const shown = Number(sum);
    return Number.isSafeInteger(shown) ? shown : String(sum);
  },

  losers: () => [],
  newest: (state) => state.newest,
  isEmpty: (state) => state.sum === 0n,

  check(_state, delta) {
    asDelta(delta);
  },

  invert: (delta) => (delta === 0 ? undefined : -delta),

  encodeState: ({ sum, newest }) => [newest === null ? null : encodeStamp(newest), String(sum)],

  decodeState(value) {
    const [newest, sum] = asArray(value, 'state of a counter', 2);
    const digits = asText(sum, 'sum of a counter');
    if (!/^(0|-?[1-9][0-9]*)$/.test(digits))
      throw new WnError('invalid', 'a sum that is no integer');
    return { sum: BigInt(digits), newest: newest === null ? null : decodeStamp(newest) };
  },
};

function asDelta(value: Canonical): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new WnError('invalid', 'a counter changes by an integer below 2^53; nothing was changed');
  }
  return value;
}
