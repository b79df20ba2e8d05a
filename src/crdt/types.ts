/**
 * What a field type is. A type folds the live operations on one field into a state;
 * it knows nothing of worknodes, liveness, files or the disk. The types that exist are
 * listed in `registry.ts`; the laws below are tested there for each of them.
 *
 * The contract with the caller (the log is a set of commits, and a change of verdict
 * refolds from `empty()`):
 *  - each live op is applied once, dead ops never;
 *  - an op comes after the ops in its past, concurrent ones in any order.
 * What the types give is stronger, because a hostile author may name stamps that he
 * can't have seen: the state is a function of the *set* of ops applied, in any order.
 */
import type { Canonical } from '../core/canonical.js';
import type { Stamp } from '../core/hlc.js';
import type { LogId } from '../core/ids.js';
import type { Value } from './value.js';

/** A value that was written concurrently with the one that shows; undefined: an unset. */
export interface Loser {
  readonly value: Value | undefined;
  readonly at: Stamp;
}

/** States and args are immutable; every function is pure. */
export interface FieldType<State, Arg, Shown extends Value = Value> {
  readonly name: string;
  /** How ops name the type (format). */
  readonly number: number;
  empty(): State;
  /** Reads an op's argument; `own` is the log of the op. Throws `invalid`. */
  decode(arg: Canonical, own: LogId): Arg;
  encode(arg: Arg, own: LogId): Canonical;
  apply(state: State, arg: Arg, at: Stamp): State;
  /** Undefined: never written, or unset. */
  value(state: State): Shown | undefined;
  /** Concurrent writes that lost against the value, newest first. */
  losers(state: State): readonly Loser[];
  /** The newest op applied; of the types written at one path, the newest shows. */
  newest(state: State): Stamp | null;
  /** Nothing in it that anybody could miss: no value or a blank one, no losers. */
  isEmpty(state: State): boolean;
  /** Throws `invalid` or `too_large` for what this program doesn't write. Merging never asks. */
  check(state: State, arg: Arg): void;
  /**
   * The argument that takes back the op (`arg`, `at`), given the states before it and
   * now; undefined where nothing of it is current any more.
   */
  invert(arg: Arg, at: Stamp, before: State, now: State): Arg | undefined;
  encodeState(state: State): Canonical;
  /** Throws `invalid`. */
  decodeState(value: Canonical): State;
}
