/**
 * Entries as Raft carries them and as the strong log means them. They are the same but for
 * changes of the configuration: Raft's frame says that there is one, what it changes follows
 * from its evaluation, so the frame names none.
 */
import { decodeConfChange, encodeConfChange } from '../raft/confcodec.js';
import { NONE, type ConfChange, type Entry } from '../raft/types.js';
import type { StrongEntry } from '../strong/types.js';

export function toRaft(entry: StrongEntry): Entry {
  if (entry.type === 'normal' || entry.data.byteLength === 0) return entry;
  return { ...entry, data: encodeConfChange(confChangeOf(entry.data)) };
}

/** Throws `invalid` for what no member of ours proposes. */
export function toStrong(entry: Entry): StrongEntry {
  if (entry.type === 'normal' || entry.data.byteLength === 0) return entry;
  return { ...entry, data: decodeConfChange(entry.data).context };
}

/** `update` of no member changes nothing. */
export function confChangeOf(data: Uint8Array): ConfChange {
  return { transition: 'implicit', changes: [{ type: 'update', id: NONE }], context: data };
}
