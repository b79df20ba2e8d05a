/** What a leader takes into its log: proposals within bounds, one change of configuration at a time. */
import { WnError } from '../../core/errors.js';
import { changeConf, isJoint } from './confchange.js';
import { decodeConfChange } from './confcodec.js';
import { payloadsSize } from './entries.js';
import { NO_BYTES } from './messages.js';
import { broadcastAppend } from './replicate.js';
import { send } from './send.js';
import type { Raft } from './state.js';
import { traceChangeProposed, traceReplicate } from './trace.js';
import { NONE, type ConfChange, type Entry, type StepResult } from './types.js';

/** Throws `WnError('invalid')` for a change of configuration that can't be decoded. */
export function handleProposal(r: Raft, proposed: readonly Entry[]): StepResult {
  if (!r.tracker.progress.has(r.id)) return 'notMember';
  if (r.leadTransferee !== NONE) return 'transferring';
  if (!fits(r, payloadsSize(proposed))) {
    r.settings.onNotice({ kind: 'uncommittedFull' });
    return 'uncommittedFull';
  }
  const changes = proposed.map(({ type, data }) =>
    type === 'confChange' ? decodeConfChange(data) : null,
  );
  const entries = proposed.map((entry, at) => {
    const change = changes[at] ?? null;
    return change === null || admitsChange(r, change, at) ? entry : EMPTY;
  });
  appendEntries(r, entries);
  broadcastAppend(r);
  return 'ok';
}

/** Into an empty uncommitted end goes anything, and everywhere what has no payload. */
function fits(r: Raft, size: number): boolean {
  const used = r.uncommittedSize;
  return used === 0 || size === 0 || used + size <= r.settings.maxUncommittedSize;
}

/** What takes the place of a change that isn't admitted, so that its proposer sees it fail. */
const EMPTY: Entry = { term: 0, index: 0, type: 'normal', data: NO_BYTES };

function admitsChange(r: Raft, change: ConfChange, at: number): boolean {
  const reason = refusal(r, change);
  if (reason !== null && !r.settings.disableConfChangeValidation) {
    r.settings.onNotice({ kind: 'confChangeRefused', reason });
    return false;
  }
  r.pendingConfIndex = r.log.lastIndex() + at + 1;
  traceChangeProposed(r, change);
  return true;
}

/** Whether a change would be admitted now: no other is on its way. */
export function isSettled(r: Raft): boolean {
  return r.pendingConfIndex <= r.log.applied && !isJoint(r.tracker.conf);
}

/**
 * Why a change isn't admitted. Once none is pending, the configuration in force is the last
 * in the log; so what can be applied to it here can be applied everywhere, and a change that
 * would stop each member that applies it never gets into the log.
 */
function refusal(r: Raft, change: ConfChange): string | null {
  const { conf } = r.tracker;
  if (r.pendingConfIndex > r.log.applied) return 'another change is not applied yet';
  if (!isJoint(conf) && change.changes.length === 0) return 'nothing to change or to leave';
  try {
    changeConf(conf, change);
    return null;
  } catch (error) {
    if (error instanceof WnError) return error.message;
    throw error;
  }
}

/** Appends entries of this term to the leader's own log. */
export function appendEntries(r: Raft, entries: readonly Pick<Entry, 'type' | 'data'>[]): void {
  const first = r.log.lastIndex() + 1;
  const own = entries.map(({ type, data }, at) => ({
    term: r.term,
    index: first + at,
    type,
    data,
  }));
  r.uncommittedSize += payloadsSize(own);
  traceReplicate(r, own);
  // Its own copy counts once it is durable, like any other's: the answer to itself waits.
  send(r, 'MsgAppResp', r.id, { index: r.log.append(own) });
}

/** Counted down by what is applied; it may underestimate, never exceed, what is uncommitted. */
export function reduceUncommittedSize(r: Raft, entries: readonly Entry[]): void {
  r.uncommittedSize = Math.max(0, r.uncommittedSize - payloadsSize(entries));
}
