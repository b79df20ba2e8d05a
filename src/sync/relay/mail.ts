/** Requests to a mailbox and their answers, as records. */
import { concat, fromHex, toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import type { ItemInfo, MailAnswer, MailRequest } from './boxes.js';
import { encodeRecord, ITEM_ID_BYTES, KIND, type RelayRecord } from './wire.js';

/** An item in a list: its id, and its bytes as u32. */
export const ITEM_INFO_BYTES = ITEM_ID_BYTES + 4;

/** Null for what is no request. The signature of an ACK is the caller's to check. */
export function decodeRequest({ kind, body }: RelayRecord): MailRequest | null {
  if (kind === KIND.put) return { type: 'put', bytes: body };
  if (kind === KIND.list) return { type: 'list' };
  if (kind === KIND.get) return { type: 'get', item: toHex(body) };
  if (kind === KIND.ack) return { type: 'ack', item: toHex(body.subarray(0, ITEM_ID_BYTES)) };
  return null;
}

/** `full` and `failed` are refusals, and end the connection. */
export function encodeAnswer(answer: Exclude<MailAnswer, { type: 'full' | 'failed' }>): Uint8Array {
  switch (answer.type) {
    case 'stored':
      return encodeRecord(KIND.stored, fromHex(answer.item));
    case 'items':
      return encodeRecord(KIND.items, ...answer.items.map(encodeInfo));
    case 'item':
      // Gone or never there: no item is empty.
      return encodeRecord(KIND.item, answer.bytes ?? new Uint8Array());
    case 'done':
      return encodeRecord(KIND.ok);
  }
}

function encodeInfo({ id, bytes }: ItemInfo): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes);
  return concat([fromHex(id), size]);
}

/** Ids and sizes of a list. Throws `invalid`. */
export function decodeItems(body: Uint8Array): readonly Pick<ItemInfo, 'id' | 'bytes'>[] {
  if (body.byteLength % ITEM_INFO_BYTES !== 0) throw new WnError('invalid', 'a list cut short');
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Array.from({ length: body.byteLength / ITEM_INFO_BYTES }, (_, index) => {
    const at = index * ITEM_INFO_BYTES;
    return {
      id: toHex(view.subarray(at, at + ITEM_ID_BYTES)),
      bytes: view.readUInt32BE(at + ITEM_ID_BYTES),
    };
  });
}
