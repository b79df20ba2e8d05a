/**
 * For each field type: what users do with it, and a model that keeps all ops and
 * computes the outcome from causality, without any of the type's own code.
 */
import fc from 'fast-check';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { counter, increment, type CounterState } from '../../src/crdt/counter.js';
import { register, unset, write } from '../../src/crdt/register.js';
import type { RegisterArg, RegisterState } from '../../src/crdt/register.js';
import { add, remove, set, type SetArg, type SetState } from '../../src/crdt/set.js';
import type { Value } from '../../src/crdt/value.js';
import { log, spell, type AnySubject, type PastOp, type Subject } from './histories.js';

/** Few, so that histories meet; of every kind, among them such as look alike. */
const VALUES: readonly Value[] = [
  'a',
  'b',
  '1',
  1,
  -1.5,
  null,
  true,
  new Uint8Array([97]),
  ['a', 1],
  new Map<string, Value>([
    ['__proto__', 'a'],
    ['k', [null]],
  ]),
];

function valueAt(choice: number): Value {
  return VALUES[choice % VALUES.length] as Value;
}

/** Stamps that meet often, also with themselves: what a forked log can sign. */
export const anyStamp: fc.Arbitrary<Stamp> = fc
  .tuple(fc.nat(5), fc.nat(2))
  .map(([time, device]) => stamp(BigInt(time), log(device)));

const anyValue = fc.constantFrom(...VALUES.slice(0, 3));

/** Ops of `past` that satisfy `wanted` and that no other such op of `past` follows. */
function maximal<Intent>(
  past: ReadonlySet<number>,
  all: readonly PastOp<Intent>[],
  wanted: (intent: Intent) => boolean,
): readonly PastOp<Intent>[] {
  const seen = all.filter((op) => past.has(op.index) && wanted(op.intent));
  return seen.filter((op) => !seen.some((later) => later.past.has(op.index)));
}

/** Naming an op names its log up to it. */
function namedBy(names: readonly PastOp<unknown>[], op: PastOp<unknown>): boolean {
  return names.some((name) => name.log === op.log && name.at >= op.at);
}

// Register: what nobody replaced, the greatest stamp first

type RegisterIntent = { readonly value: Value | undefined };

const registerSubject: Subject<RegisterState, RegisterArg, RegisterIntent> = {
  type: register,
  intend(choice, state) {
    if (choice % 5 === 0) return { intent: { value: undefined }, arg: unset(state) };
    const value = valueAt(choice);
    return { intent: { value }, arg: write(state, value) };
  },
  model(live, all) {
    const replacedBy = live.map((op) => maximal(op.past, all, () => true));
    const current = live
      .filter((op) => !replacedBy.some((names) => namedBy(names, op)))
      .sort((a, b) => (a.at > b.at ? -1 : 1));
    const value = current[0]?.intent.value;
    const losers = current
      .slice(1)
      .filter((op) => spell(op.intent.value) !== spell(value))
      .map((op) => ({ value: op.intent.value, at: op.at }));
    return { value, losers };
  },
  anyArg: fc.record({
    replaces: fc.array(anyStamp, { maxLength: 3 }),
    value: fc.option(anyValue, { nil: undefined }),
  }),
  blank: undefined,
  contested: true,
  idempotent: true,
};

// Set: values with an add that no remove has seen

type SetIntent = { readonly adds: readonly Value[]; readonly removes: readonly Value[] };

const setSubject: Subject<SetState, SetArg, SetIntent> = {
  type: set,
  intend(choice, state) {
    const [first, second] = [valueAt(choice), valueAt(Math.floor(choice / 10))];
    const adds = choice % 3 === 0 ? [] : choice % 7 === 0 ? [first, second] : [first];
    const removes = choice % 3 === 0 || choice % 4 === 0 ? [second] : [];
    const arg = { adds: add(adds).adds, removes: remove(state, removes).removes };
    return { intent: { adds, removes }, arg };
  },
  model(live, all) {
    if (live.length === 0) return { value: undefined, losers: [] };
    const value = VALUES.filter((candidate) => {
      const key = spell(candidate);
      const holds = (values: readonly Value[]): boolean => values.some((it) => spell(it) === key);
      const adds = live.filter((op) => holds(op.intent.adds));
      const removes = live.filter((op) => holds(op.intent.removes));
      return adds.some((op) => !removes.some((by) => namedBy(observed(by, all, holds), op)));
    });
    return { value: [...value].sort(textFirstByUnits), losers: [] };
  },
  anyArg: fc.record({
    adds: fc.array(anyValue, { maxLength: 2 }),
    removes: fc.array(fc.record({ value: anyValue, tags: fc.array(anyStamp, { maxLength: 3 }) }), {
      maxLength: 2,
    }),
  }),
  blank: [],
  contested: false,
  idempotent: true,
};

/** The adds that a remove saw standing: in its past, and not removed within it. */
function observed(
  by: PastOp<SetIntent>,
  all: readonly PastOp<SetIntent>[],
  holds: (values: readonly Value[]) => boolean,
): readonly PastOp<SetIntent>[] {
  const past = all.filter((op) => by.past.has(op.index));
  const removes = past.filter((op) => holds(op.intent.removes));
  return past.filter(
    (op) => holds(op.intent.adds) && !removes.some((other) => other.past.has(op.index)),
  );
}

function textFirstByUnits(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : 1;
  return spell(a) < spell(b) ? -1 : 1;
}

// Counter: the sum

const counterSubject: Subject<CounterState, number, number> = {
  type: counter,
  intend(choice) {
    const delta = increment((choice % 21) - 10);
    return { intent: delta, arg: delta };
  },
  model(live) {
    if (live.length === 0) return { value: undefined, losers: [] };
    return { value: live.reduce((sum, op) => sum + op.intent, 0), losers: [] };
  },
  anyArg: fc.maxSafeInteger(),
  blank: 0,
  contested: false,
  idempotent: false,
};

/** By name of the type. */
export const SUBJECTS: ReadonlyMap<string, AnySubject> = new Map<string, AnySubject>([
  [register.name, registerSubject],
  [set.name, setSubject],
  [counter.name, counterSubject],
]);
