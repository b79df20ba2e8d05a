/** A mailbox as its two owners use it, over a line to the relay that keeps it. */
import { fromHex } from '../../core/bytes.js';
import type { Signer } from '../../core/crypto.js';
import { MAILBOX_ITEM_BYTES_MAX, MAILBOX_ITEMS_MAX } from '../../core/limits.js';
import { nextRecord, refused, type GreetedLine, type RelayLine } from './client.js';
import { decodeItems, ITEM_INFO_BYTES } from './mail.js';
import { prove, type Channel } from './proof.js';
import { encodeRecord, ITEM_ID_BYTES, KIND } from './wire.js';

export interface OpenMailbox {
  /** Resolves once it is on the relay's disk. Throws `unreachable`, reason `full`. */
  put(item: Uint8Array): Promise<void>;
  /** Ids, oldest first. */
  list(): Promise<readonly string[]>;
  /** Null for what is gone. */
  get(id: string): Promise<Uint8Array | null>;
  /** Has it removed. */
  acknowledge(id: string): Promise<void>;
}

/** Throws `unreachable`. */
export async function openMailbox(
  { line, channel }: GreetedLine,
  key: Signer,
): Promise<OpenMailbox> {
  const proof = prove(key, KIND.box, channel);
  await ask(line, KIND.ok, 0, KIND.box, fromHex(key.publicKey), proof);
  return over(line, key, channel);
}

function over(line: RelayLine, key: Signer, channel: Channel): OpenMailbox {
  return {
    async put(item) {
      await ask(line, KIND.stored, ITEM_ID_BYTES, KIND.put, item);
    },
    async list() {
      const body = await ask(line, KIND.items, MAILBOX_ITEMS_MAX * ITEM_INFO_BYTES, KIND.list);
      return decodeItems(body).map(({ id }) => id);
    },
    async get(id) {
      const body = await ask(line, KIND.item, MAILBOX_ITEM_BYTES_MAX, KIND.get, fromHex(id));
      return body.byteLength === 0 ? null : body;
    },
    async acknowledge(id) {
      const proof = prove(key, KIND.ack, channel, fromHex(id));
      await ask(line, KIND.ok, 0, KIND.ack, fromHex(id), proof);
    },
  };
}

/** Sends a request and gives the body of its answer, which is of `kind` and at most so long. */
async function ask(
  line: RelayLine,
  kind: number,
  bytesMax: number,
  request: number,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array> {
  line.send(encodeRecord(request, ...parts));
  const record = await nextRecord(line, Math.max(bytesMax, 1));
  if (record.kind === kind) return record.body;
  throw refused('it speaks another protocol', 'not_a_relay');
}
