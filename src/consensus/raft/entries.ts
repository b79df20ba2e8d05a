/** How large entries count in limits, and slices of a log that a leader sends. Pure. */
import type { Entry, Index, Term } from './types.js';

/** An entry named by where it stands and the term that it is from. */
export interface EntryId {
  readonly term: Term;
  readonly index: Index;
}

/** Bytes that an entry counts in limits: those of its protobuf encoding in etcd. */
export function entrySize({ term, index, type, data }: Entry): number {
  const head = 2 + varintBytes(term) + varintBytes(index) + (type === 'normal' ? 0 : 2);
  const length = data.byteLength;
  return length === 0 ? head : head + 1 + varintBytes(length) + length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

export function entriesSize(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entrySize(entry), 0);
}

/** Bytes of the application's data alone: an entry that opens a term has none. */
export function payloadsSize(entries: readonly Entry[]): number {
  return entries.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** The longest beginning within `maxBytes`, but at least one entry. */
export function limitSize(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let size = 0;
  for (const [at, entry] of entries.entries()) {
    size += entrySize(entry);
    if (at > 0 && size > maxBytes) return entries.slice(0, at);
  }
  return entries;
}
