/**
 * Pages of a list: `{items, total, next}`. A cursor holds the sort key of the last item
 * given, so what comes or goes meanwhile shifts nothing.
 */
import { WnError } from '../core/errors.js';
import { LIST_LIMIT_DEFAULT } from '../core/limits.js';
import { Flags } from './flags.js';

export interface Page<T> {
  readonly items: readonly T[];
  /** How many there are in all. */
  readonly total: number;
  /** For `--after`; null where this is the end. */
  readonly next: string | null;
}

export const pageFlags = {
  limit: Flags.integer({
    min: 0,
    default: LIST_LIMIT_DEFAULT,
    helpValue: 'N',
    description: `At most so many (${LIST_LIMIT_DEFAULT}); 0 is all.`,
  }),
  after: Flags.string({
    helpValue: 'CURSOR',
    description: "Go on where the last answer's next says.",
  }),
};

export interface PageWish {
  /** 0 is all. */
  readonly limit: number;
  readonly after: string | undefined;
}

/** What a cursor holds: JSON that a key of the list compares with. */
export function encodeCursor(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Throws `usage` for what is no cursor of this list. */
export function decodeCursor<Key>(cursor: string, isKey: (value: unknown) => value is Key): Key {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (isKey(value)) return value;
  } catch {
    // refused below
  }
  throw new WnError('usage', `not a cursor of this list: ${cursor}`, {
    hint: 'take it from the result’s next, with the same sorting',
  });
}

/** A page of a whole list, which is sorted by `compare`. */
export function pageOf<T, Key>(
  sorted: readonly T[],
  keyOf: (item: T) => Key,
  compare: (a: Key, b: Key) => number,
  isKey: (value: unknown) => value is Key,
  { limit, after }: PageWish,
): Page<T> {
  const last = after === undefined ? undefined : decodeCursor(after, isKey);
  const found = last === undefined ? 0 : sorted.findIndex((item) => compare(keyOf(item), last) > 0);
  const start = found < 0 ? sorted.length : found;
  const end = limit === 0 ? sorted.length : Math.min(sorted.length, start + limit);
  const newest = sorted[end - 1];
  const more = end < sorted.length && newest !== undefined;
  return {
    items: sorted.slice(start, end),
    total: sorted.length,
    next: more ? encodeCursor(keyOf(newest)) : null,
  };
}
