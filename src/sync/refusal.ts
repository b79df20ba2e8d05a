/**
 * How a session ends before its time, as an error for the caller and as words for the
 * peer. `details.refusal` tells the kinds apart; the exit code is 12 for what was denied,
 * 130 for an interruption, 15 for all else.
 */
import { WnError, type ErrorCode } from '../core/errors.js';
import type { Refusal } from './frames.js';

export const GO_ON = 'what arrived is kept; run it again to go on from there';

const MEND = 'what arrived on either side is kept; mend that over there, and run it again';

const CODE: Partial<Record<Refusal, ErrorCode>> = {
  denied: 'denied',
  interrupted: 'interrupted',
};

/** A session that this side ends. */
export function refusal(kind: Refusal, message: string, hint?: string): WnError {
  return new WnError(CODE[kind] ?? 'unreachable', message, {
    details: { refusal: kind },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The kind of a refusal made here; a malformed frame's is `protocol`. */
export function refusalOf(error: WnError): Refusal {
  const kind = error.details['refusal'];
  return kind === undefined ? 'protocol' : (kind as Refusal);
}

/** What its user can do something about; more of this machine a peer isn't told. */
const STORE_FAULTS: Partial<Record<ErrorCode, string>> = {
  disk_full: 'its disk is full',
  read_only: 'its disk is read-only',
  busy: 'another program is writing there',
};

/** What a peer is told when the fault is ours. */
export function storeFailed({ code }: WnError): WnError {
  return refusal('failed', STORE_FAULTS[code] ?? 'its store failed');
}

/** Words for the peer: those about what it sent, and none about this machine. */
export function tellable(error: WnError): WnError {
  const aboutPeer = error.code === 'invalid' || error.details['refusal'] !== undefined;
  return aboutPeer ? error : storeFailed(error);
}

/** A session that the peer ended, in its own words. */
export function refusedByPeer(kind: Refusal, text: string): WnError {
  const denied = kind === 'denied';
  return new WnError(denied ? 'denied' : 'unreachable', `the other side ended it: ${text}`, {
    details: { refusal: kind },
    hint: denied ? 'ask a member for a ticket: wn invite' : kind === 'failed' ? MEND : GO_ON,
  });
}

/** A connection that ended before the session did. */
export function cutShort(why: string | null): WnError {
  const cause = why === null ? '' : `: ${why}`;
  return new WnError('unreachable', `the connection ended too early${cause}`, {
    hint: GO_ON,
    details: { reason: 'cut_short' },
  });
}
