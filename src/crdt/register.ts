/**
 * Register: last writer wins by stamp, concurrent losers kept (a multi-value register
 * that shows its newest value). A write names the stamps that it replaces and thereby
 * all that their logs had written here before (`versions.ts`). So a duplicate, or a
 * write that comes after the one that replaces it, changes nothing, and what is kept
 * of replaced writes is one stamp per log.
 *
 * A write whose replacement is dead shows again. One that was replaced only by a dead
 * write, itself overwritten by a live one of a third log, is listed as a loser: rather
 * one line too many in `wn conflicts` than a value that vanishes unseen.
 *
 * On the wire: `[replaces, value]`, or `[replaces]` for a write of no value (unset).
 */
import { asArray, type Canonical } from '../core/canonical.js';
import type { Stamp } from '../core/hlc.js';
import type { FieldType } from './types.js';
import { asValue, checkWritable, valueKey, type Value } from './value.js';
import {
  covers,
  decodeRefs,
  decodeStamp,
  decodeVersions,
  encodeRefs,
  encodeStamp,
  encodeVersions,
  join,
  NO_VERSIONS,
  seenBy,
  type VersionVector,
} from './versions.js';

export interface RegisterEntry {
  readonly at: Stamp;
  /** Undefined: an unset, a write like any other. */
  readonly value: Value | undefined;
}

export interface RegisterState {
  /** Writes that none has replaced, newest first. */
  readonly entries: readonly RegisterEntry[];
  readonly replaced: VersionVector;
}

export interface RegisterArg {
  readonly replaces: readonly Stamp[];
  readonly value: Value | undefined;
}

const EMPTY: RegisterState = { entries: [], replaced: NO_VERSIONS };

/** The write that makes `value` the only one. */
export function write(state: RegisterState, value: Value): RegisterArg {
  return { replaces: state.entries.map((entry) => entry.at), value };
}

export function unset(state: RegisterState): RegisterArg {
  return { replaces: state.entries.map((entry) => entry.at), value: undefined };
}

export const register: FieldType<RegisterState, RegisterArg> = {
  name: 'register',
  number: 0,
  empty: () => EMPTY,

  decode(arg, own) {
    const parts = asArray(arg, 'argument of a register');
    asArray(parts, 'argument of a register', parts.length === 1 ? 1 : 2);
    return {
      replaces: decodeRefs(parts[0], own),
      value: parts.length === 1 ? undefined : asValue(parts[1]),
    };
  },

  encode: ({ replaces, value }, own) =>
    value === undefined ? [encodeRefs(replaces, own)] : [encodeRefs(replaces, own), value],

  apply(state, { replaces, value }, at) {
    const replaced = join(state.replaced, seenBy(at, replaces));
    const entries = state.entries.filter((entry) => !covers(replaced, entry.at));
    if (covers(replaced, at)) return { entries, replaced };
    return { entries: insert(entries, { at, value }), replaced };
  },

  value: (state) => state.entries[0]?.value,

  losers({ entries }) {
    const [winner, ...others] = entries;
    if (winner === undefined || others.length === 0) return [];
    const kept = contentKey(winner);
    return others.filter((entry) => contentKey(entry) !== kept);
  },

  newest: (state) => state.entries[0]?.at ?? null,
  isEmpty: (state) => state.entries.every((entry) => entry.value === undefined),

  check(_state, { value }) {
    if (value !== undefined) checkWritable(value);
  },

  /** Replaces the op's own write only: losers beside it stay listed. */
  invert(_arg, at, before, now) {
    if (now.entries[0]?.at !== at) return undefined;
    return { replaces: [at], value: before.entries[0]?.value };
  },

  encodeState: ({ entries, replaced }) => [
    entries.map(({ at, value }): Canonical =>
      value === undefined ? [encodeStamp(at)] : [encodeStamp(at), value],
    ),
    encodeVersions(replaced),
  ],

  decodeState(value) {
    const [entries, replaced] = asArray(value, 'state of a register', 2);
    return {
      entries: asArray(entries, 'entries').map((entry) => {
        const parts = asArray(entry, 'entry');
        return {
          at: decodeStamp(parts[0]),
          value: parts.length === 1 ? undefined : asValue(parts[1]),
        };
      }),
      replaced: decodeVersions(replaced),
    };
  },
};

/**
 * Keeps the order. Two different writes of one stamp are the work of a forked log;
 * both are kept, in the order of their bytes, so that the outcome is the same everywhere.
 */
function insert(entries: readonly RegisterEntry[], fresh: RegisterEntry): readonly RegisterEntry[] {
  if (entries.length === 0) return [fresh];
  let index = 0;
  for (const entry of entries) {
    const order = compare(entry, fresh);
    if (order === 0) return entries;
    if (order > 0) break;
    index++;
  }
  return entries.toSpliced(index, 0, fresh);
}

function compare(a: RegisterEntry, b: RegisterEntry): number {
  if (a.at !== b.at) return a.at > b.at ? -1 : 1;
  const [left, right] = [contentKey(a), contentKey(b)];
  return left === right ? 0 : left > right ? -1 : 1;
}

/** No value has an empty key, so an unset equals only an unset. */
function contentKey({ value }: RegisterEntry): string {
  return value === undefined ? '' : valueKey(value);
}
