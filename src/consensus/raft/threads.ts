/**
 * Storage work and its completion as messages. With `asyncStorageWrites` they travel to the
 * driver's two threads and back; without it the completions are what `advance` means.
 */
import { newMessage } from './messages.js';
import type { Raft } from './state.js';
import { APPEND_THREAD, APPLY_THREAD, type Message, type Ready } from './types.js';

type Work = Omit<Ready, 'messages'>;

/** What is to be stored, and what may be said when it is; none if there is neither. */
export function storageAppend(r: Raft, work: Work): readonly Message[] {
  const { entries, hardState, snapshot } = work;
  const idle = entries.length === 0 && hardState === null && snapshot === null;
  if (idle && r.messagesAfterAppend.length === 0) return [];
  const responses = [...r.messagesAfterAppend, ...storageAppendResponse(r, work)];
  const head = { to: APPEND_THREAD, from: r.id };
  return [newMessage('MsgStorageAppend', { ...head, ...hardState, entries, snapshot, responses })];
}

/**
 * That the log is stored up to its present end. It holds only in this term: in a later one an
 * append that is still under way may replace what was stored. Therefore it is said with every
 * write for as long as anything is unstable, and not only with that of the last entries.
 */
export function storageAppendResponse(r: Raft, { snapshot }: Work): readonly Message[] {
  const { hasEntries } = r.log.unstable;
  if (!hasEntries && snapshot === null) return [];
  const last = hasEntries ? r.log.lastId() : { index: 0, term: 0 };
  return [
    newMessage('MsgStorageAppendResp', {
      to: r.id,
      from: APPEND_THREAD,
      term: r.term,
      index: last.index,
      logTerm: last.term,
      snapshot,
    }),
  ];
}

export function storageApply(r: Raft, work: Work): readonly Message[] {
  const responses = storageApplyResponse(r, work);
  if (responses.length === 0) return [];
  const entries = work.committedEntries;
  return [newMessage('MsgStorageApply', { to: APPLY_THREAD, from: r.id, entries, responses })];
}

export function storageApplyResponse(r: Raft, { committedEntries }: Work): readonly Message[] {
  if (committedEntries.length === 0) return [];
  return [
    newMessage('MsgStorageApplyResp', {
      to: r.id,
      from: APPLY_THREAD,
      entries: committedEntries,
    }),
  ];
}
