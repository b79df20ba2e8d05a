/**
 * What members of a group say to each other, as canonical CBOR lists that open with a type
 * number, one message a frame. The channel says whose they are; all of them may get lost.
 *
 *   0 RAFT     from, to, type, term, logTerm, index, [[term, index, type, data]…], commit,
 *              reject?, rejectHint, transfer?, reads, context
 *   1 VOTE     vote
 *   2 CERT     certificate
 *   3 FORWARD  [signed request…]        to the leader
 *   4 BALLOT   index                    the leader asks for a vote at this entry
 *   5 ASK      after                    for records of the ledger
 *   6 RECORDS  after, [record…]
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { WnError } from '../../core/errors.js';
import { STRONG_FRAME_BYTES_MAX } from '../../core/limits.js';
import { newMessage } from '../raft/messages.js';
import type { Entry, Message, MessageType } from '../raft/types.js';
import {
  decodeCertificate,
  decodeVote,
  encodeCertificate,
  encodeVote,
} from '../strong/certificate.js';
import { asEntryType, typeNumber } from '../strong/entry.js';
import { decodeSigned, encodeSigned } from '../strong/request.js';
import type { Certificate, SignedRequest, Vote } from '../strong/types.js';

export type Frame =
  | { readonly frame: 'raft'; readonly message: Message }
  | { readonly frame: 'vote'; readonly vote: Vote }
  | { readonly frame: 'certificate'; readonly certificate: Certificate }
  | { readonly frame: 'forward'; readonly requests: readonly SignedRequest[] }
  | { readonly frame: 'ballot'; readonly index: number }
  | { readonly frame: 'ask'; readonly after: number }
  | { readonly frame: 'records'; readonly after: number; readonly records: readonly Uint8Array[] };

/** Numbers of the types that travel (format of the wire). */
const TYPES: readonly MessageType[] = [
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgPreVote',
  'MsgPreVoteResp',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
];

export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.frame) {
    case 'raft':
      return encodeCanonical([0, ...raftParts(frame.message)]);
    case 'vote':
      return encodeCanonical([1, encodeVote(frame.vote)]);
    case 'certificate':
      return encodeCanonical([2, encodeCertificate(frame.certificate)]);
    case 'forward':
      return encodeCanonical([3, frame.requests.map(encodeSigned)]);
    case 'ballot':
      return encodeCanonical([4, frame.index]);
    case 'ask':
      return encodeCanonical([5, frame.after]);
    case 'records':
      return encodeCanonical([6, frame.after, frame.records]);
  }
}

function raftParts(message: Message): readonly Canonical[] {
  return [
    message.from,
    message.to,
    TYPES.indexOf(message.type),
    message.term,
    message.logTerm,
    message.index,
    message.entries.map(({ term, index, type, data }) => [term, index, typeNumber(type), data]),
    message.commit,
    message.reject,
    message.rejectHint,
    message.transfer,
    message.reads,
    message.context,
  ];
}

/** Throws `invalid`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const parts = asArray(decodeCanonical(bytes, STRONG_FRAME_BYTES_MAX), 'frame');
  const [kind, first, second] = parts;
  switch (kind) {
    case 0:
      return { frame: 'raft', message: raftMessage(asArray(parts, 'message of Raft', 14)) };
    case 1:
      return { frame: 'vote', vote: decodeVote(first) };
    case 2:
      return { frame: 'certificate', certificate: decodeCertificate(first) };
    case 3:
      return { frame: 'forward', requests: asArray(first, 'requests').map(decodeSigned) };
    case 4:
      return { frame: 'ballot', index: asUint(first, 'index') };
    case 5:
      return { frame: 'ask', after: asUint(first, 'index') };
    case 6: {
      const records = asArray(second, 'records').map((record) => asBytes(record, 'record'));
      return { frame: 'records', after: asUint(first, 'index'), records };
    }
    default:
      throw new WnError('invalid', 'a frame of a kind that nobody sends');
  }
}

function raftMessage(parts: readonly Canonical[]): Message {
  const [, from, to, type, term, logTerm, index, entries, commit] = parts;
  const [reject, rejectHint, transfer, reads, context] = parts.slice(9);
  const name = TYPES[asUint(type, 'type of a message')];
  if (name === undefined) throw new WnError('invalid', 'a message of a type that nobody sends');
  return newMessage(name, {
    from: asUint(from, 'member'),
    to: asUint(to, 'member'),
    term: asUint(term, 'term'),
    logTerm: asUint(logTerm, 'term'),
    index: asUint(index, 'index'),
    entries: asArray(entries, 'entries').map(asEntry),
    commit: asUint(commit, 'index'),
    reject: reject === true,
    rejectHint: asUint(rejectHint, 'index'),
    transfer: transfer === true,
    reads: asUint(reads, 'count of reads'),
    context: asBytes(context, 'context'),
  });
}

function asEntry(value: Canonical): Entry {
  const [term, index, type, data] = asArray(value, 'entry', 4);
  return {
    term: asUint(term, 'term'),
    index: asUint(index, 'index'),
    type: asEntryType(type),
    data: asBytes(data, 'data of an entry'),
  };
}
