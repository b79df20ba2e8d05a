/**
 * What lies in a mailbox: parts of a bundle, padded and sealed for one device. The key comes
 * from two agreements (X25519, RFC 7748): of a fresh key with the reader's, so that what was
 * sent stays closed to who later gets the sender's; and of the two devices' own, so that
 * only those two can have made it. Leaves out who may put it where: see `boxes.ts`.
 *
 *   item  = fresh key (32) ciphertext tag (16)         ChaCha20-Poly1305, nonce 0
 *   plain = deposit (16) index (u16) count (u16) length (u32) bytes zeros…
 */
import { concat, fromHex } from '../../core/bytes.js';
import {
  AEAD_TAG_BYTES,
  agree,
  exchangePublic,
  exchangePublicOf,
  exchangeSecret,
  hash,
  openOnce,
  sealOnce,
  signerFromSeed,
  type Signer,
} from '../../core/crypto.js';
import { assert } from '../../core/errors.js';
import type { DeviceId, WorkspaceId } from '../../core/ids.js';
import { MAILBOX_ITEM_BYTES_MAX, MAILBOX_ITEM_BYTES_MIN } from '../../core/limits.js';
import type { Rng } from '../../core/ports.js';

/** A part of a deposit. */
export interface Part {
  /** 16 random bytes, the same for all parts. */
  readonly deposit: Uint8Array;
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

const DEPOSIT_BYTES = 16;
const HEAD_BYTES = DEPOSIT_BYTES + 8;
const FRESH_BYTES = 32;
const OVERHEAD_BYTES = FRESH_BYTES + HEAD_BYTES + AEAD_TAG_BYTES;
export const PART_BYTES_MAX = MAILBOX_ITEM_BYTES_MAX - OVERHEAD_BYTES;

/** One way from a device to another in a workspace, as either of the two computes it. */
export interface Mailbox {
  /** Whose public key's hash is the box's id; both ends hold it. */
  readonly key: Signer;
  readonly from: DeviceId;
  readonly to: DeviceId;
  /** What the two devices' own keys agree on. */
  readonly agreed: Uint8Array;
}

/** `seed` is of the device at this end, which is `from` or `to`. Null for a key that is none. */
export function mailboxOf(
  seed: Uint8Array,
  from: DeviceId,
  to: DeviceId,
  workspace: WorkspaceId,
): Mailbox | null {
  const own = signerFromSeed(seed).publicKey;
  const other = exchangePublic(own === from ? to : from);
  const agreed = other === null ? null : agree(exchangeSecret(seed), other);
  if (agreed === null) return null;
  const parts = [agreed, fromHex(from), fromHex(to), fromHex(workspace)];
  return { key: signerFromSeed(hash('wn/mailbox-key/1', ...parts)), from, to, agreed };
}

/** At most `MAILBOX_ITEM_BYTES_MAX`, of few different sizes. */
export function seal(mailbox: Mailbox, part: Part, rng: Rng): Uint8Array {
  const fresh = rng.bytes(FRESH_BYTES);
  const shown = exchangePublicOf(fresh);
  const reader = exchangePublic(mailbox.to);
  const key = reader === null ? null : sealKey(mailbox, agree(fresh, reader), shown);
  assert(key !== null, 'a mailbox of a device whose key is none');
  const head = Buffer.alloc(8);
  head.writeUInt16BE(part.index, 0);
  head.writeUInt16BE(part.count, 2);
  head.writeUInt32BE(part.bytes.byteLength, 4);
  const plain = concat([part.deposit, head, part.bytes]);
  const size = paddedSize(plain.byteLength + FRESH_BYTES + AEAD_TAG_BYTES);
  const zeros = new Uint8Array(size - FRESH_BYTES - AEAD_TAG_BYTES - plain.byteLength);
  return concat([shown, sealOnce(key, concat([plain, zeros]))]);
}

/** Null for what wasn't sealed for this box. `seed` is the reader's. */
export function unseal(mailbox: Mailbox, seed: Uint8Array, item: Uint8Array): Part | null {
  if (item.byteLength < OVERHEAD_BYTES || item.byteLength > MAILBOX_ITEM_BYTES_MAX) return null;
  const shown = item.subarray(0, FRESH_BYTES);
  const key = sealKey(mailbox, agree(exchangeSecret(seed), shown), shown);
  const plain = key === null ? null : openOnce(key, item.subarray(FRESH_BYTES));
  if (plain === null) return null;
  const head = Buffer.from(plain.buffer, plain.byteOffset + DEPOSIT_BYTES, 8);
  const [index, count, length] = [head.readUInt16BE(0), head.readUInt16BE(2), head.readUInt32BE(4)];
  if (index >= count || length > plain.byteLength - HEAD_BYTES) return null;
  const bytes = plain.subarray(HEAD_BYTES, HEAD_BYTES + length);
  return { deposit: plain.subarray(0, DEPOSIT_BYTES), index, count, bytes };
}

function sealKey(
  { key, agreed }: Mailbox,
  fresh: Uint8Array | null,
  shown: Uint8Array,
): Uint8Array | null {
  if (fresh === null) return null;
  return hash('wn/mailbox-seal/1', agreed, fresh, shown, fromHex(key.publicKey));
}

function paddedSize(bytes: number): number {
  let size = MAILBOX_ITEM_BYTES_MIN;
  while (size < bytes) size *= 2;
  assert(size <= MAILBOX_ITEM_BYTES_MAX, 'a part too large for an item');
  return size;
}
