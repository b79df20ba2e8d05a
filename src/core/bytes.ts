/**
 * Bytes and their two spellings: lower-case hex inside the program (fast, and hex
 * order is byte order), base32 without look-alikes (Crockford's alphabet, lower
 * case) in front of people. Leaves out every meaning; see `ids.ts`.
 */
import { WnError } from './errors.js';

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of a hex string that this program made. */
export function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

const IDS_CACHED_MAX = 8_192;
const idsInBytes = new Map<string, Uint8Array>();

/**
 * Bytes of an id that comes again and again (a device, a worknode, a capability): they are
 * remembered, and nobody may write to them. Turning hex into bytes is the dearest small
 * step on the way of a commit to the disk.
 */
export function idBytes(hex: string): Uint8Array {
  let bytes = idsInBytes.get(hex);
  if (bytes === undefined) {
    bytes = fromHex(hex);
    if (idsInBytes.size >= IDS_CACHED_MAX) idsInBytes.clear();
    idsInBytes.set(hex, bytes);
  }
  return bytes;
}

const idsInHex = new Map<number, { readonly bytes: Uint8Array; readonly hex: string }>();

/**
 * The other way round, for an id that comes again and again: one string for all its
 * appearances. At least 4 bytes.
 */
export function idHex(bytes: Uint8Array): string {
  const head =
    ((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  const known = idsInHex.get(head);
  if (known !== undefined && equalBytes(known.bytes, bytes)) return known.hex;
  const hex = toHex(bytes);
  if (idsInHex.size >= IDS_CACHED_MAX) idsInHex.clear();
  idsInHex.set(head, { bytes: bytes.slice(), hex });
  return hex;
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CODES = Buffer.from(ALPHABET, 'latin1');
const VALUES = new Map([...ALPHABET].map((char, value) => [char, value]));

/** Base32, most significant bit first, the last character padded with zero bits. */
export function toBase32(bytes: Uint8Array): string {
  // Into a buffer: a string put together from characters is taken apart again by whoever writes it.
  const text = Buffer.allocUnsafe(Math.ceil((bytes.length * 8) / 5));
  let length = 0;
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text[length++] = CODES[(value >>> bits) & 31] ?? 0;
    }
  }
  if (bits > 0) text[length] = CODES[(value << (5 - bits)) & 31] ?? 0;
  return text.toString('latin1');
}

/**
 * Bytes of a base32 text; throws `invalid` for a foreign character, a length that no
 * byte string has, or padding bits that aren't zero.
 */
export function fromBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const char of text) {
    const digit = VALUES.get(char);
    if (digit === undefined) throw new WnError('invalid', `not a base32 id: '${char}' in it`);
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (value >>> bits) & 0xff;
    }
  }
  const unused = value & ((1 << bits) - 1);
  if (bits >= 5 || unused !== 0) throw new WnError('invalid', 'not a base32 id: cut short');
  return bytes;
}
