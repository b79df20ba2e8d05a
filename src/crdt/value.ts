/**
 * Values of fields (`core/value.ts`) as the field types compare and write them. Two values
 * are equal iff their canonical bytes are.
 */
import { toHex } from '../core/bytes.js';
import { encodeCanonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import { REGISTER_BYTES_MAX } from '../core/limits.js';
import { asValue, type Value } from '../core/value.js';

export { asValue, type Value };

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
