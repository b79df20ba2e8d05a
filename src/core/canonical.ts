/**
 * The one encoding that is hashed and signed: CBOR, RFC 8949 §4.2.1 (core
 * deterministic). Here are its values, its bound and readers for decoded structures;
 * `cbor.ts` refuses whatever isn't the one form of its value: non-minimal integers, unsorted or duplicate keys, indefinite
 * lengths, floats where an integer serves.
 */
import { readCanonical } from './cbor.js';
import { writeCanonical } from './cborwriter.js';
import { assert, WnError } from './errors.js';
import { CBOR_BYTES_MAX } from './limits.js';

/** What canonical bytes can hold. Integers beyond 2^53 are bigint. Maps keep only text keys. */
export type Canonical =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Canonical[]
  | ReadonlyMap<string, Canonical>;

export function encodeCanonical(value: Canonical): Uint8Array {
  return writeCanonical(value);
}

/**
 * Throws `WnError('invalid')` unless `bytes` are exactly one canonical value, at most
 * `bytesMax` long.
 */
export function decodeCanonical(bytes: Uint8Array, bytesMax: number = CBOR_BYTES_MAX): Canonical {
  if (bytes.byteLength > bytesMax) {
    throw new WnError('invalid', `encoding of ${bytes.byteLength} bytes, over ${bytesMax}`);
  }
  return readCanonical(bytes);
}

// Readers for decoded structures. Each throws `invalid` and names what was expected.

export function asArray(
  value: Canonical | undefined,
  what: string,
  length?: number,
): readonly Canonical[] {
  if (!Array.isArray(value)) throw new WnError('invalid', `${what} is not a list`);
  const list = value as readonly Canonical[];
  if (length !== undefined && list.length !== length) {
    throw new WnError('invalid', `${what} has ${list.length} parts, not ${length}`);
  }
  return list;
}

export function asUint(value: Canonical | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WnError('invalid', `${what} is not a count`);
  }
  return value;
}

/** An unsigned integer of at most 64 bits. */
export function asUint64(value: Canonical | undefined, what: string): bigint {
  const wide = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof wide !== 'bigint' || wide < 0n || wide > 0xffff_ffff_ffff_ffffn) {
    throw new WnError('invalid', `${what} is not a 64-bit count`);
  }
  return wide;
}

export function asText(value: Canonical | undefined, what: string): string {
  if (typeof value !== 'string') throw new WnError('invalid', `${what} is not text`);
  return value;
}

export function asBytes(value: Canonical | undefined, what: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new WnError('invalid', `${what} is not bytes`);
  if (length !== undefined && value.byteLength !== length) {
    throw new WnError('invalid', `${what} has ${value.byteLength} bytes, not ${length}`);
  }
  return value;
}

/** A safe integer or bigint as the encoder wants it: numbers where they are exact. */
export function fromUint64(value: bigint): Canonical {
  assert(value >= 0n, 'negative count');
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
