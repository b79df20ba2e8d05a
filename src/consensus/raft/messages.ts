/**
 * Messages: how one is made, which are for oneself, which answer another, and which may
 * leave before what this member knows is durable. Leaves out what they mean (`step.ts`).
 */
import { assert } from '../../core/errors.js';
import {
  APPEND_THREAD,
  APPLY_THREAD,
  NONE,
  type MemberId,
  type Message,
  type MessageType,
} from './types.js';

export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A message whose other fields are 0, empty, null or false. */
export function newMessage(type: MessageType, fields: Partial<Message> = {}): Message {
  return {
    type,
    to: NONE,
    from: NONE,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: [],
    commit: 0,
    vote: NONE,
    snapshot: null,
    reject: false,
    rejectHint: 0,
    transfer: false,
    reads: 0,
    context: NO_BYTES,
    responses: [],
    ...fields,
  };
}

const LOCAL: ReadonlySet<MessageType> = new Set<MessageType>([
  'MsgHup',
  'MsgBeat',
  'MsgCheckQuorum',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgForgetLeader',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
]);

const RESPONSES: ReadonlySet<MessageType> = new Set<MessageType>([
  'MsgAppResp',
  'MsgVoteResp',
  'MsgPreVoteResp',
  'MsgHeartbeatResp',
  'MsgReadIndexResp',
  'MsgUnreachable',
  'MsgStorageAppendResp',
  'MsgStorageApplyResp',
]);

/** Never sent over a network; one that comes from there is refused. */
export function isLocal(type: MessageType): boolean {
  return LOCAL.has(type);
}

export function isResponse(type: MessageType): boolean {
  return RESPONSES.has(type);
}

export function isStorageThread(id: MemberId): boolean {
  return id === APPEND_THREAD || id === APPLY_THREAD;
}

export function voteResponseType(type: MessageType): 'MsgVoteResp' | 'MsgPreVoteResp' {
  assert(type === 'MsgVote' || type === 'MsgPreVote', `${type} is not a vote`);
  return type === 'MsgVote' ? 'MsgVoteResp' : 'MsgPreVoteResp';
}

/** Promises about this member's own disk: a vote, or that entries are stored (thesis §3.8). */
export function promisesDurability(type: MessageType): boolean {
  return type === 'MsgAppResp' || type === 'MsgVoteResp' || type === 'MsgPreVoteResp';
}

/**
 * Whether a message may leave before the entries and hard state of its Ready are durable: all
 * that a leader sends may (thesis §10.2.1), for its own copy counts only once stored. A
 * request for votes may not: it tells of a log whose tail a crash can still take away, and a
 * vote given to it would then count for a shorter log in the same term.
 */
export function mayPrecedePersistence(message: Message): boolean {
  return message.type !== 'MsgVote' && !promisesDurability(message.type);
}
