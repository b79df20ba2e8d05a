/**
 * Entries of the strong log: what their data holds, the chain of their hashes, and the
 * leaf that an entry and its outcome make. Leaves out Raft's own frame around them.
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { concat, fromHex, idBytes } from '../../core/bytes.js';
import { hash } from '../../core/crypto.js';
import { WnError } from '../../core/errors.js';
import { STRONG_ENTRY_BYTES_MAX } from '../../core/limits.js';
import { leafHash } from './merkle.js';
import { decodeSigned, encodeSigned } from './request.js';
import type { EntryType, GroupId, SignedRequest, StrongEntry } from './types.js';

const TYPES: readonly EntryType[] = ['normal', 'confChange'];

/** `timeMs`: the leader's wall clock, never less than that of the entry before. */
export function encodeEntryData(timeMs: number, signed: SignedRequest): Uint8Array {
  return encodeCanonical([timeMs, encodeSigned(signed)]);
}

/** Throws `invalid`. */
export function decodeEntryData(data: Uint8Array): {
  readonly timeMs: number;
  readonly signed: SignedRequest;
} {
  const [time, signed] = asArray(decodeCanonical(data, STRONG_ENTRY_BYTES_MAX), 'entry', 2);
  const timeMs = asUint(time, 'time of an entry');
  if (timeMs >= 2 ** 48) throw new WnError('invalid', 'a time that no clock shows');
  return { timeMs, signed: decodeSigned(signed) };
}

export function typeNumber(type: EntryType): number {
  return TYPES.indexOf(type);
}

/** Throws `invalid`. */
export function asEntryType(value: Canonical | undefined): EntryType {
  const type = TYPES[asUint(value, 'type of an entry')];
  if (type === undefined) throw new WnError('invalid', 'a type of entry that nobody makes');
  return type;
}

/** What stands for the hash before entry 1. */
export function firstHash(group: GroupId): Uint8Array {
  return fromHex(group);
}

export function entryHash(
  group: GroupId,
  { index, term, type, data }: StrongEntry,
  prev: Uint8Array,
): Uint8Array {
  const bytes = encodeCanonical([idBytes(group), index, term, typeNumber(type), prev, data]);
  return hash('wn/entry/1', bytes);
}

/** Hashes of an entry and of its outcome: together the tree's leaf. */
export interface Leaf {
  readonly entry: Uint8Array;
  readonly outcome: Uint8Array;
}

/** CBOR of a list of two, and of 32 bytes: spelt out, for it is hashed with every entry. */
const [PAIR, BYTES_32] = [Uint8Array.of(0x82, 0x58, 0x20), Uint8Array.of(0x58, 0x20)];

export function encodeLeaf({ entry, outcome }: Leaf): Uint8Array {
  return concat([PAIR, entry, BYTES_32, outcome]);
}

export function treeLeaf(leaf: Leaf): Uint8Array {
  return leafHash(encodeLeaf(leaf));
}

/** `[index, term, type, data]`, as receipts carry it. Throws `invalid`. */
export function decodeEntry(parts: readonly (Canonical | undefined)[]): StrongEntry {
  const [index, term, type, data] = parts;
  return {
    index: asUint(index, 'index of an entry'),
    term: asUint(term, 'term of an entry'),
    type: asEntryType(type),
    data: asBytes(data, 'data of an entry'),
  };
}
