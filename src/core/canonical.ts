/**
 * The one encoding that is hashed and signed: CBOR, RFC 8949 §4.2.1 (core
 * deterministic). `cborg` decodes; what it would let through is refused here: depth and counts are checked before anything is allocated, and a value is
 * accepted only if encoding it again gives the very bytes that were read. So
 * non-minimal integers, unsorted or duplicate keys, indefinite lengths and floats
 * where an integer serves are all refused by one rule.
 */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions, Tokenizer } from 'cborg';
import { equalBytes } from './bytes.js';
import { assert, WnError } from './errors.js';
import { CBOR_BYTES_MAX, CBOR_DEPTH_MAX, CBOR_ROOM_BYTES_KEPT } from './limits.js';

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

const DECODE_OPTIONS = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowBigInt: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
} as const;

// Encoding

/** Where a value is written before its length is known. One for all: encoding never yields. */
let room = Buffer.allocUnsafeSlow(CBOR_ROOM_BYTES_KEPT);
let view = new DataView(room.buffer);
let written = 0;

/**
 * A commit is encoded three times on its way to the disk, so what commits are made of is
 * written here, straight into one buffer, in a fifth of the time that `cborg` takes. Maps
 * and fractions, which are rare, stay its business.
 */
export function encodeCanonical(value: Canonical): Uint8Array {
  written = 0;
  write(value);
  const bytes = Buffer.allocUnsafe(written);
  room.copy(bytes, 0, 0, written);
  if (room.length > CBOR_ROOM_BYTES_KEPT) use(Buffer.allocUnsafeSlow(CBOR_ROOM_BYTES_KEPT));
  return bytes;
}

const MAJOR = { uint: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, list: 0x80 } as const;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const HEAD_BYTES_MAX = 9;

function write(value: Canonical): void {
  switch (typeof value) {
    case 'number':
      if (!Number.isSafeInteger(value)) writeRare(value);
      else if (value >= 0) writeHead(MAJOR.uint, value);
      else writeHead(MAJOR.negative, -1 - value);
      return;
    case 'string':
      writeText(value);
      return;
    case 'bigint':
      writeWide(value);
      return;
    case 'boolean':
      reserve(1);
      room[written++] = value ? TRUE : FALSE;
      return;
    default:
      if (value === null) {
        reserve(1);
        room[written++] = NULL;
      } else if (value instanceof Uint8Array) {
        writeHead(MAJOR.bytes, value.byteLength);
        writeRaw(value);
      } else if (Array.isArray(value)) {
        const list = value as readonly Canonical[];
        writeHead(MAJOR.list, list.length);
        // By index: an iterator for each of a commit's many short lists is a tenth of its garbage.
        for (let index = 0; index < list.length; index++) write(list[index] ?? null);
      } else {
        writeRare(value);
      }
  }
}

function writeRare(value: Canonical): void {
  writeRaw(cborEncode(value, rfc8949EncodeOptions));
}

function writeRaw(bytes: Uint8Array): void {
  reserve(bytes.byteLength);
  room.set(bytes, written);
  written += bytes.byteLength;
}

function writeText(text: string): void {
  const { length } = text;
  if (length < 24) {
    // Names and keys, nearly always ASCII: then the length is known without counting.
    reserve(1 + length);
    const start = written;
    room[written++] = MAJOR.text | length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        written = start;
        break;
      }
      room[written++] = code;
    }
    if (written > start) return;
  }
  const bytes = Buffer.byteLength(text, 'utf8');
  writeHead(MAJOR.text, bytes);
  reserve(bytes);
  written += room.write(text, written, 'utf8');
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function writeWide(value: bigint): void {
  if (value >= 0n && value <= SAFE_MAX) {
    writeHead(MAJOR.uint, Number(value));
  } else if (value > 0n && value <= 0xffff_ffff_ffff_ffffn) {
    reserve(HEAD_BYTES_MAX);
    room[written] = MAJOR.uint | 27;
    view.setBigUint64(written + 1, value);
    written += HEAD_BYTES_MAX;
  } else {
    writeRare(value);
  }
}

/** The shortest head of a major type with its value, a safe integer. */
function writeHead(major: number, value: number): void {
  reserve(HEAD_BYTES_MAX);
  if (value < 24) {
    room[written++] = major | value;
  } else if (value < 0x100) {
    room[written++] = major | 24;
    room[written++] = value;
  } else if (value < 0x1_0000) {
    room[written] = major | 25;
    view.setUint16(written + 1, value);
    written += 3;
  } else if (value < 0x1_0000_0000) {
    room[written] = major | 26;
    view.setUint32(written + 1, value);
    written += 5;
  } else {
    room[written] = major | 27;
    view.setUint32(written + 1, Math.floor(value / 0x1_0000_0000));
    view.setUint32(written + 5, value % 0x1_0000_0000);
    written += HEAD_BYTES_MAX;
  }
}

function reserve(bytes: number): void {
  if (written + bytes <= room.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(2 * room.length, written + bytes));
  room.copy(grown, 0, 0, written);
  use(grown);
}

function use(buffer: typeof room): void {
  room = buffer;
  view = new DataView(buffer.buffer);
}

// Decoding

/**
 * Throws `WnError('invalid')` unless `bytes` are exactly one canonical value, at most
 * `bytesMax` long.
 */
export function decodeCanonical(bytes: Uint8Array, bytesMax: number = CBOR_BYTES_MAX): Canonical {
  if (bytes.byteLength > bytesMax) {
    throw new WnError('invalid', `encoding of ${bytes.byteLength} bytes, over ${bytesMax}`);
  }
  checkShape(bytes);
  let value: unknown;
  try {
    value = cborDecode(bytes, optionsFor(bytes));
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : 'undecodable', cause);
  }
  const checked = canonicalValue(value);
  written = 0;
  write(checked);
  if (!equalBytes(room.subarray(0, written), bytes)) throw invalid('not the shortest form');
  return checked;
}

type DecodeOptions = typeof DECODE_OPTIONS & { readonly tokenizer?: Tokenizer };

function optionsFor(bytes: Uint8Array): DecodeOptions {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!view.includes(MARK)) return DECODE_OPTIONS;
  return { ...DECODE_OPTIONS, tokenizer: new MarkKeepingTokenizer(bytes, DECODE_OPTIONS) };
}

/** The byte order mark, U+FEFF. */
const MARK = Buffer.from('\ufeff');

/** At the beginning of a text it is a character like any other; `cborg` would drop it. */
class MarkKeepingTokenizer extends Tokenizer {
  override next(): ReturnType<Tokenizer['next']> {
    const start = this.pos();
    const token = super.next();
    const head = readHead(this.data, start);
    const content = this.data.subarray(head.next, head.next + MARK.byteLength);
    if (head.major === 3 && equalBytes(content, MARK))
      token.value = `\ufeff${token.value as string}`;
    return token;
  }
}

function invalid(why: string, cause?: unknown): WnError {
  return new WnError('invalid', `not canonical CBOR: ${why}`, { cause });
}

/** Keeps to the value kinds of `Canonical`: no tags, no undefined, no keys but text. */
function canonicalValue(value: unknown): Canonical {
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return value;
  }
  if (Array.isArray(value)) {
    for (const item of value) canonicalValue(item);
    return value as readonly Canonical[];
  }
  if (value instanceof Map) {
    for (const [key, item] of value) {
      if (typeof key !== 'string') throw invalid('a map key that is not text');
      canonicalValue(item);
    }
    return value as ReadonlyMap<string, Canonical>;
  }
  throw invalid('a kind of value that has no place here');
}

/**
 * Walks the heads alone, without recursion: refuses depth over the bound, indefinite
 * lengths, tags, and counts or lengths that the remaining bytes can't hold.
 */
function checkShape(bytes: Uint8Array): void {
  const left: number[] = [1];
  let at = 0;
  while (left.length > 0) {
    const open = left[left.length - 1] ?? 0;
    if (open === 0) {
      left.pop();
      continue;
    }
    left[left.length - 1] = open - 1;
    const head = readHead(bytes, at);
    at = head.next;
    const room = bytes.byteLength - at;
    if (head.major === 2 || head.major === 3) {
      if (head.value > room) throw invalid('cut short');
      at += head.value;
    } else if (head.major === 4 || head.major === 5) {
      const items = head.major === 4 ? head.value : head.value * 2;
      if (items > room) throw invalid('a count beyond its bytes');
      if (left.length > CBOR_DEPTH_MAX) throw invalid(`nested deeper than ${CBOR_DEPTH_MAX}`);
      left.push(items);
    } else if (head.major === 6) {
      throw invalid('a tag');
    }
  }
  if (at !== bytes.byteLength) throw invalid('bytes after the value');
}

interface Head {
  readonly major: number;
  readonly value: number;
  readonly next: number;
}

function readHead(bytes: Uint8Array, at: number): Head {
  const first = bytes[at];
  if (first === undefined) throw invalid('cut short');
  const major = first >> 5;
  const info = first & 31;
  if (info < 24) return { major, value: info, next: at + 1 };
  if (info > 27) throw invalid('an indefinite or reserved length');
  const width = 1 << (info - 24);
  const next = at + 1 + width;
  if (next > bytes.byteLength) throw invalid('cut short');
  let value = 0;
  for (let index = at + 1; index < next; index++) value = value * 256 + (bytes[index] ?? 0);
  return { major, value, next };
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
