/**
 * Requests on their way into the log: what a leader may propose now, and the entries that
 * it makes of them.
 */
import { WnError } from '../../core/errors.js';
import type { Entry } from '../raft/types.js';
import { decodeEntryData, encodeEntryData } from '../strong/entry.js';
import { configures, decodeRequest } from '../strong/request.js';
import type { SignedRequest } from '../strong/types.js';
import { confChangeData } from './translate.js';

/** Changes of the configuration go one at a time; the others wait, they aren't refused. */
export function proposable(
  queue: readonly SignedRequest[],
  admitsConfChange: boolean,
): { readonly now: SignedRequest[]; readonly later: SignedRequest[] } {
  let admits = admitsConfChange;
  const now: SignedRequest[] = [];
  const later: SignedRequest[] = [];
  for (const signed of queue) {
    const configuring = isConfiguring(signed);
    (configuring && !admits ? later : now).push(signed);
    if (configuring) admits = false;
  }
  return { now, later };
}

/** `timeMs`: the leader's wall clock. */
export function entryOf(signed: SignedRequest, timeMs: number): Pick<Entry, 'type' | 'data'> {
  const data = encodeEntryData(timeMs, signed);
  if (!isConfiguring(signed)) return { type: 'normal', data };
  return { type: 'confChange', data: confChangeData(data) };
}

/** A request that can't be read goes its way, and is rejected there. */
function isConfiguring({ bytes }: SignedRequest): boolean {
  try {
    return configures(decodeRequest(bytes));
  } catch (error) {
    if (error instanceof WnError) return false;
    throw error;
  }
}

/** An entry's time; 0 for data that is none of ours: it is judged where it is evaluated. */
export function timeOf({ type, data }: Entry): number {
  if (type !== 'normal' || data.byteLength === 0) return 0;
  try {
    return decodeEntryData(data).timeMs;
  } catch (error) {
    if (error instanceof WnError) return 0;
    throw error;
  }
}
