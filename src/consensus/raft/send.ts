/** How a message gets into a Ready: with sender and term, and behind what it promises. */
import { assert } from '../../core/errors.js';
import { newMessage, promisesDurability } from './messages.js';
import type { Raft } from './state.js';
import { traceSent } from './trace.js';
import type { MemberId, Message, MessageType } from './types.js';

/** Votes carry the term they are for; proposals and read requests none; all else this member's. */
export function send(
  r: Raft,
  type: MessageType,
  to: MemberId,
  fields: Partial<Message> = {},
): void {
  const message = newMessage(type, { from: r.id, term: termOf(r, type), ...fields, to });
  const termless = type === 'MsgProp' || type === 'MsgReadIndex';
  assert(termless === (message.term === 0), `${type} of term ${message.term}`);
  if (promisesDurability(type)) {
    r.messagesAfterAppend.push(message);
  } else {
    assert(to !== r.id, `${type} to itself`);
    r.messages.push(message);
  }
  traceSent(r, message);
}

function termOf(r: Raft, type: MessageType): number {
  switch (type) {
    case 'MsgProp':
    case 'MsgReadIndex':
    case 'MsgVote':
    case 'MsgVoteResp':
    case 'MsgPreVote':
    case 'MsgPreVoteResp':
      return 0;
    default:
      return r.term;
  }
}
