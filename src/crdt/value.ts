/**
 * Values of fields: canonical data without bigints, so that every value prints as JSON
 * (bytes aside) and every number has one form. Two values are equal iff their
 * canonical bytes are.
 */
import { toHex } from '../core/bytes.js';
import { encodeCanonical, type Canonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import { REGISTER_BYTES_MAX, VALUE_DEPTH_MAX } from '../core/limits.js';

export type Value =
  null | boolean | number | string | Uint8Array | readonly Value[] | ReadonlyMap<string, Value>;

/** Throws `invalid` for what no field holds; an op that carries it counts as nothing. */
export function asValue(value: Canonical | undefined): Value {
  checkValue(value, 0);
  return value as Value;
}

function checkValue(value: unknown, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (value instanceof Uint8Array) return;
  const parts = Array.isArray(value) ? value : value instanceof Map ? value.values() : null;
  if (parts === null) throw new WnError('invalid', 'a kind of value that no field holds');
  if (depth === VALUE_DEPTH_MAX) {
    throw new WnError('invalid', `a field value nested deeper than ${VALUE_DEPTH_MAX}`);
  }
  for (const part of parts) checkValue(part, depth + 1);
}

/** Equal values, equal keys; the order of keys is RFC 8949's of canonical bytes. */
export function valueKey(value: Value): string {
  return toHex(encodeCanonical(value));
}

/** Whether two values have the same canonical bytes. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return valueKey(a) === valueKey(b);
}

/** Of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3;

function isShort(value: Value): boolean {
  if (typeof value === 'string') return value.length * UTF8_BYTES_MAX < REGISTER_BYTES_MAX / 2;
  return Number.isSafeInteger(value);
}

/** Writers' bound on one value; throws `invalid` or `too_large`. */
export function checkWritable(value: Value): void {
  if (isShort(value)) return;
  const { byteLength } = encodeCanonical(asValue(value));
  if (byteLength > REGISTER_BYTES_MAX) {
    throw new WnError(
      'too_large',
      `a field value of ${byteLength} bytes, over ${REGISTER_BYTES_MAX}; nothing was written`,
      { hint: 'Long content belongs in the body of a file.' },
    );
  }
}
