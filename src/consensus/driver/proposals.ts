/** Requests on their way into the log: what a leader may propose now, and what time entries tell. */
import { WnError } from '../../core/errors.js';
import type { Entry } from '../raft/types.js';
import { decodeEntryData } from '../strong/entry.js';
import { configures, decodeRequest } from '../strong/request.js';
import type { SignedRequest } from '../strong/types.js';

/** Changes of the configuration go one at a time; the others wait, they aren't refused. */
export function proposable(queue: readonly SignedRequest[], admitsConfChange: boolean): Proposable {
  const requests: SignedRequest[] = [];
  const changes: SignedRequest[] = [];
  for (const signed of queue) (isConfiguring(signed) ? changes : requests).push(signed);
  const change = admitsConfChange ? (changes.shift() ?? null) : null;
  return { requests, change, later: changes };
}

export interface Proposable {
  readonly requests: readonly SignedRequest[];
  /** One that changes the configuration. */
  readonly change: SignedRequest | null;
  readonly later: readonly SignedRequest[];
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
