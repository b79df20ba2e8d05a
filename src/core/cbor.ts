/**
 * Reading CBOR in core deterministic form (RFC 8949, §4.2.1), which `cborwriter.ts` writes,
 * in one pass: what has a shorter form, an indefinite length, a tag, keys unsorted or
 * twice, or more items than its bytes can hold is refused where it stands, before
 * anything is allocated for it. A reader of our own because a library's reads leniently,
 * and to encode again and compare what it read costs several times as much (measured on requests of
 * strong commits, where it bounds the throughput).
 */
import { equalBytes } from './bytes.js';
import { writeCanonical } from './cborwriter.js';
import type { Canonical } from './canonical.js';
import { WnError } from './errors.js';
import { CBOR_DEPTH_MAX } from './limits.js';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Exactly one value; throws `WnError('invalid')`. Byte strings are the caller's own memory. */
export function readCanonical(bytes: Uint8Array): Canonical {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.byteLength) throw notCanonical('bytes after the value');
  return value;
}

function notCanonical(why: string, cause?: unknown): WnError {
  return new WnError('invalid', `not canonical CBOR: ${why}`, { cause });
}

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): Canonical {
    const first = this.bytes[this.at];
    if (first === undefined) throw notCanonical('cut short');
    const major = first >> 5;
    if (major === 7) return this.simple(first & 31);
    const argument = this.argument(first & 31);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return negative(argument);
      case 2:
        return this.bytesOf(argument);
      case 3:
        return this.text(argument);
      case 4:
        return this.list(argument, depth);
      case 5:
        return this.map(argument, depth);
      default:
        throw notCanonical('a tag');
    }
  }

  /** A head's argument in its shortest form; bigint beyond 2^53 - 1. */
  private argument(info: number): number | bigint {
    const start = this.at + 1;
    if (info < 24) {
      this.at = start;
      return info;
    }
    if (info > 27) throw notCanonical('an indefinite or reserved length');
    const width = 1 << (info - 24);
    this.at = start + width;
    if (this.at > this.bytes.byteLength) throw notCanonical('cut short');
    let value: number | bigint;
    if (info === 24) value = this.view.getUint8(start);
    else if (info === 25) value = this.view.getUint16(start);
    else if (info === 26) value = this.view.getUint32(start);
    else value = this.view.getUint32(start) * 2 ** 32 + this.view.getUint32(start + 4);
    if (value < (SHORTEST[info - 24] ?? 0)) throw notCanonical('not the shortest form');
    return value > Number.MAX_SAFE_INTEGER ? this.view.getBigUint64(start) : value;
  }

  /** Moves behind `length` bytes and returns where that is. */
  private past(length: number | bigint): number {
    if (length > this.bytes.byteLength - this.at) throw notCanonical('cut short');
    this.at += Number(length);
    return this.at;
  }

  private bytesOf(length: number | bigint): Uint8Array {
    const start = this.at;
    const copy = new Uint8Array(this.past(length) - start);
    copy.set(this.bytes.subarray(start, this.at));
    return copy;
  }

  private text(length: number | bigint): string {
    const start = this.at;
    const end = this.past(length);
    if (end - start <= SHORT_TEXT) {
      const ascii = this.ascii(start, end);
      if (ascii !== null) return ascii;
    }
    try {
      return UTF8.decode(this.bytes.subarray(start, end));
    } catch (cause) {
      throw notCanonical('text that is not UTF-8', cause);
    }
  }

  private ascii(start: number, end: number): string | null {
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at] ?? 0;
      if (byte > 127) return null;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** How many items begin here; each takes a byte at least. */
  private count(length: number | bigint, each: number, depth: number): number {
    if (Number(length) * each > this.bytes.byteLength - this.at) {
      throw notCanonical('a count beyond its bytes');
    }
    if (depth >= CBOR_DEPTH_MAX) throw notCanonical(`nested deeper than ${CBOR_DEPTH_MAX}`);
    return Number(length);
  }

  private list(length: number | bigint, depth: number): readonly Canonical[] {
    const items: Canonical[] = [];
    for (let left = this.count(length, 1, depth); left > 0; left--) {
      items.push(this.value(depth + 1));
    }
    return items;
  }

  private map(length: number | bigint, depth: number): ReadonlyMap<string, Canonical> {
    const map = new Map<string, Canonical>();
    let before: Uint8Array | null = null;
    for (let left = this.count(length, 2, depth); left > 0; left--) {
      const start = this.at;
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw notCanonical('a map key that is not text');
      const spelt = this.bytes.subarray(start, this.at);
      if (before !== null && Buffer.compare(before, spelt) >= 0) {
        throw notCanonical('map keys out of order or twice');
      }
      before = spelt;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  private simple(info: number): Canonical {
    const start = this.at + 1;
    this.at = start;
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info < 25 || info > 27) throw notCanonical('a kind of value that has no place here');
    this.past(1 << (info - 24));
    const value = this.float(start, info);
    // Which width is the shortest is for the writer to say.
    const spelt = this.bytes.subarray(start - 1, this.at);
    if (!Number.isFinite(value) || !equalBytes(writeCanonical(value), spelt)) {
      throw notCanonical('a number that is not finite, or not in its shortest form');
    }
    return value;
  }

  private float(start: number, info: number): number {
    if (info === 27) return this.view.getFloat64(start);
    return info === 26 ? this.view.getFloat32(start) : halfFloat(this.view.getUint16(start));
  }
}

/** Up to here adding characters one by one is cheaper than a decoder. */
const SHORT_TEXT = 32;

/** The least argument that needs 1, 2, 4, 8 bytes. */
const SHORTEST = [24, 2 ** 8, 2 ** 16, 2 ** 32];

function negative(argument: number | bigint): number | bigint {
  if (typeof argument === 'bigint' || argument === Number.MAX_SAFE_INTEGER) {
    return -1n - BigInt(argument);
  }
  return -1 - argument;
}

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 === 1 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
