/**
 * Fields as the tree layer sees them: a value, and how it merges. Plain data with
 * equality and order. Leaves out their operations and state (`crdt`) and their
 * spelling in a file (`yaml.ts`).
 */
import { toBase32 } from '../core/bytes.js';
import { assert } from '../core/errors.js';
import type { Value } from '../crdt/value.js';

export type Scalar = null | boolean | number | string;

/**
 * What a field can hold. Numbers are finite; an integer beyond 2^53 is a string of its
 * digits, a date a string. The order of a list is part of the value, that of a map's
 * keys isn't: canonical encoding sorts them.
 */
export type FieldValue = Scalar | readonly FieldValue[] | ReadonlyMap<string, FieldValue>;

/** How concurrent writes of a field merge; names of the registry in `crdt`. */
export type Crdt = 'register' | 'set' | 'counter';

export type Field =
  | { readonly crdt: 'register'; readonly value: FieldValue }
  /** In any order, a duplicate counts once. */
  | { readonly crdt: 'set'; readonly value: readonly FieldValue[] }
  | { readonly crdt: 'counter'; readonly value: number };

/** A field's state for showing it: what it holds, or that it was taken away. */
export type FieldShown = Field | 'unset';

const KEY_BYTES_MAX = 255;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const NOT_IN_KEY = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/u;

/** Whether a field can have this name: one line of text, at most 255 bytes. */
export function isFieldKey(key: string): boolean {
  return key !== '' && !NOT_IN_KEY.test(key) && Buffer.byteLength(key) <= KEY_BYTES_MAX;
}

export function isScalar(value: FieldValue): value is Scalar {
  return value === null || typeof value !== 'object';
}

export function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}

export function isMap(value: FieldValue): value is ReadonlyMap<string, FieldValue> {
  return value instanceof Map;
}

export function equalValues(a: FieldValue, b: FieldValue): boolean {
  return compareValues(a, b) === 0;
}

/** A total order: null, booleans, numbers, strings by UTF-16 unit, lists, maps. */
export function compareValues(a: FieldValue, b: FieldValue): number {
  const byKind = kindOf(a) - kindOf(b);
  if (byKind !== 0) return byKind;
  if (isScalar(a) || isScalar(b)) return compareScalars(a as Scalar, b as Scalar);
  return compareLists(partsOf(a), partsOf(b));
}

function compareScalars(a: Scalar, b: Scalar): number {
  if (a === b || a === null || b === null) return 0;
  return a < b ? -1 : 1;
}

function compareLists(a: readonly FieldValue[], b: readonly FieldValue[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = compareValues(left, right);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** A list's elements; a map's keys, sorted, each with its value after it. */
function partsOf(value: FieldValue): readonly FieldValue[] {
  if (isMap(value)) return sortedEntries(value).flat();
  assert(isList(value), 'a scalar has no parts');
  return value;
}

function kindOf(value: FieldValue): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 2;
  if (typeof value === 'string') return 3;
  return isList(value) ? 4 : 5;
}

export function sortedEntries(
  map: ReadonlyMap<string, FieldValue>,
): readonly (readonly [string, FieldValue])[] {
  return [...map].sort(([a], [b]) => compareScalars(a, b));
}

/** Distinct elements in order; what a set prints as. */
export function sortedSet(elements: readonly FieldValue[]): readonly FieldValue[] {
  const sorted = [...elements].sort(compareValues);
  return sorted.filter((element, index) => {
    const before = sorted[index - 1];
    return before === undefined || !equalValues(before, element);
  });
}

/** Same type and value; the order of a set's elements counts for nothing. */
export function equalFields(a: Field, b: Field): boolean {
  if (a.crdt !== b.crdt) return false;
  if (a.crdt !== 'set' || b.crdt !== 'set') return equalValues(a.value, b.value);
  return equalValues(sortedSet(a.value), sortedSet(b.value));
}

/**
 * Reads a value of a file as a field of that type; for a set one scalar is its only
 * element, and null none. Where it doesn't fit (a word for a counter), it is a register:
 * what was written is kept, and the schema complains.
 */
export function asField(value: FieldValue, crdt: Crdt): Field {
  if (crdt === 'counter' && Number.isSafeInteger(value)) {
    return { crdt, value: value as number };
  }
  if (crdt === 'set' && !isMap(value)) {
    return { crdt, value: isList(value) ? value : value === null ? [] : [value] };
  }
  return { crdt: 'register', value };
}

/** What a file can show of a value that any peer may have written: bytes as base32. */
export function fromValue(value: Value): FieldValue {
  if (value instanceof Uint8Array) return toBase32(value);
  if (Array.isArray(value)) return (value as readonly Value[]).map(fromValue);
  if (value instanceof Map) {
    const map = value as ReadonlyMap<string, Value>;
    return new Map([...map].map(([key, part]) => [key, fromValue(part)]));
  }
  return value as Scalar;
}

/** For `--json`: maps become objects, `__proto__` an ordinary key of theirs. */
export function toJson(value: FieldValue): unknown {
  if (isList(value)) return value.map(toJson);
  if (isMap(value)) return Object.fromEntries([...value].map(([key, part]) => [key, toJson(part)]));
  return value;
}
