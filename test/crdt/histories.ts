/**
 * Random histories: a few devices write on one field and pull from each other. Each op
 * carries its causal past, so that models can reason from causality alone.
 */
import fc from 'fast-check';
import { encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { toHex } from '../../src/core/bytes.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import type { LogId } from '../../src/core/ids.js';
import type { FieldType } from '../../src/crdt/types.js';
import type { Value } from '../../src/crdt/value.js';

export const DEVICES = 4;

export function log(device: number): LogId {
  return `${'0'.repeat(31)}${device.toString(16)}`;
}

export interface Step {
  readonly device: number;
  /** Another device to pull all from; null: write. */
  readonly pull: number | null;
  /** What to write, for `Subject.intend`. */
  readonly choice: number;
  /** How far the device's clock jumps ahead. */
  readonly skew: number;
}

const device = fc.nat(DEVICES - 1);
const choice = fc.nat(999_999);
const skew = fc.nat(3);
const write = fc.record({ device, pull: fc.constant(null), choice, skew });
const pull = fc.record({ device, pull: device, choice, skew });

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ arbitrary: write, weight: 3 }, { arbitrary: pull, weight: 2 }),
  { minLength: 4, maxLength: 36 },
);

/** An op, what its author meant, and what he had seen. */
export interface PastOp<Intent> {
  readonly index: number;
  readonly at: Stamp;
  readonly log: LogId;
  readonly past: ReadonlySet<number>;
  readonly intent: Intent;
}

export interface MadeOp<State, Arg, Intent> extends PastOp<Intent> {
  readonly arg: Arg;
  readonly before: State;
  readonly after: State;
}

/** What the laws need to know of a type, beside the type itself. */
export interface Subject<State, Arg, Intent> {
  readonly type: FieldType<State, Arg>;
  /** Turns a number into something that a user wants to do, and the argument for it. */
  intend(choice: number, state: State): { readonly intent: Intent; readonly arg: Arg };
  /** The value and losers by causality: a naive reading of what the type promises. */
  model(live: readonly PastOp<Intent>[], all: readonly PastOp<Intent>[]): Outcome;
  /** Any argument at all that a hostile author could send. */
  readonly anyArg: fc.Arbitrary<Arg>;
  /** What an unset field shows after its first write was taken back. */
  readonly blank: Value | undefined;
  /** Concurrent writes can lose and are listed. */
  readonly contested: boolean;
  /** False where duplicates are excluded by the log alone. */
  readonly idempotent: boolean;
}

export type AnySubject = Subject<unknown, unknown, unknown>;

export interface Outcome {
  readonly value: Value | undefined;
  readonly losers: readonly { readonly value: Value | undefined; readonly at: Stamp }[];
}

/** Plays the steps; returns all ops, each after those in its past. */
export function play<State, Arg, Intent>(
  subject: Subject<State, Arg, Intent>,
  script: readonly Step[],
): readonly MadeOp<State, Arg, Intent>[] {
  const { type } = subject;
  const ops: MadeOp<State, Arg, Intent>[] = [];
  const devices = Array.from({ length: DEVICES }, () => ({
    state: type.empty(),
    known: new Set<number>(),
    time: 0,
  }));
  for (const step of script) {
    const self = devices[step.device];
    if (self === undefined) throw new Error('no such device');
    if (step.pull === null) {
      self.time += 1 + step.skew;
      const at = stamp(BigInt(self.time), log(step.device));
      const { intent, arg } = subject.intend(step.choice, self.state);
      const before = self.state;
      const past = new Set(self.known);
      self.state = type.apply(before, arg, at);
      self.known.add(ops.length);
      const index = ops.length;
      ops.push({ index, at, log: log(step.device), past, intent, arg, before, after: self.state });
      continue;
    }
    const other = devices[step.pull];
    for (const index of [...(other?.known ?? [])].sort((a, b) => a - b)) {
      const op = ops[index];
      if (op === undefined || self.known.has(index)) continue;
      self.state = type.apply(self.state, op.arg, op.at);
      self.known.add(index);
      self.time = Math.max(self.time, Number.parseInt(op.at.slice(0, 16), 16));
    }
  }
  return ops;
}

/** A causal order of the ops, chosen by `weights`. */
export function causalOrder<Op extends PastOp<unknown>>(
  ops: readonly Op[],
  weights: readonly number[],
): readonly Op[] {
  const left = new Set(ops);
  const held = new Set(ops.map((op) => op.index));
  const done = new Set<number>();
  const order: Op[] = [];
  while (left.size > 0) {
    const ready = [...left].filter((op) =>
      [...op.past].every((index) => done.has(index) || !held.has(index)),
    );
    const next = ready[(weights[order.length % weights.length] ?? 0) % ready.length];
    if (next === undefined) throw new Error('a history with a cycle');
    order.push(next);
    left.delete(next);
    done.add(next.index);
  }
  return order;
}

export function concurrent(a: PastOp<unknown>, b: PastOp<unknown>): boolean {
  return a.index !== b.index && !a.past.has(b.index) && !b.past.has(a.index);
}

export function pairsOf<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}

export function fold<State, Arg>(
  type: FieldType<State, Arg>,
  ops: readonly { readonly arg: Arg; readonly at: Stamp }[],
): State {
  return ops.reduce((state, op) => type.apply(state, op.arg, op.at), type.empty());
}

/** One spelling of a canonical value: equal texts, equal values. */
export function spell(value: Canonical | undefined): string {
  return value === undefined ? 'absent' : toHex(encodeCanonical(value));
}

export function spellOutcome({ value, losers }: Outcome): readonly string[] {
  return [spell(value), ...losers.map((loser) => `${loser.at} ${spell(loser.value)}`)];
}
