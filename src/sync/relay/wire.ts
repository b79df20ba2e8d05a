/**
 * What a relay and its clients say to each other, byte for byte as docs/RELAY.md has it:
 * one line of magic from each side, then records. Leaves out who may say what when; see
 * `hub.ts` and `client.ts`.
 *
 *   record = kind (1 byte) length (3 bytes, big-endian) body
 */
import { concat, equalBytes, utf8 } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';

export const RELAY_MAGIC = utf8('wn-relay/1\n');
export const RECORD_HEAD_BYTES = 4;
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const NONCE_BYTES = 32;
export const TOKEN_BYTES = 32;
export const ITEM_ID_BYTES = 16;

/** From clients below 128, from relays above. */
export const KIND = {
  listen: 0x01,
  connect: 0x02,
  join: 0x03,
  box: 0x04,
  ping: 0x05,
  put: 0x06,
  list: 0x07,
  get: 0x08,
  ack: 0x09,
  challenge: 0x81,
  ok: 0x82,
  offer: 0x83,
  token: 0x84,
  pong: 0x85,
  stored: 0x86,
  items: 0x87,
  item: 0x88,
  no: 0x89,
} as const;

/** Why a relay ends a connection, as it tells the client. */
export const NO = {
  /** Offline, not allowed, not answering: one answer for all, so that nobody learns which. */
  unavailable: 1,
  /** The proof doesn't hold. */
  proof: 2,
  /** A bound of the client's own. */
  tooMuch: 3,
  malformed: 4,
  /** The relay is about to stop. */
  draining: 5,
  /** Another has come to listen under the same key. */
  replaced: 6,
  tooSlow: 7,
  /** A mailbox, or the relay's room for all of them. */
  full: 8,
  /** The relay's own fault. */
  failed: 9,
} as const;

export type NoCode = (typeof NO)[keyof typeof NO];

export interface RelayRecord {
  readonly kind: number;
  readonly body: Uint8Array;
}

export function encodeRecord(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  assert(body.byteLength < 2 ** 24, 'a record of a relay over 24 bits');
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  head.writeUInt32BE(kind * 2 ** 24 + body.byteLength);
  return concat([head, body]);
}

export function decodeHead(head: Uint8Array): { readonly kind: number; readonly length: number } {
  const [kind = 0, high = 0, middle = 0, low = 0] = head;
  return { kind, length: (high << 16) | (middle << 8) | low };
}

/**
 * Cuts a stream into records, whatever pieces it comes in. `check` sees each head before
 * anything is allocated for its body, and throws for what isn't acceptable.
 */
export class RecordReader {
  private readonly head = Buffer.alloc(Math.max(RELAY_MAGIC.byteLength, RECORD_HEAD_BYTES));
  private stage: 'magic' | 'head' | 'body' = 'magic';
  private kind = 0;
  private body = Buffer.alloc(0);
  private filled = 0;
  private needed = RELAY_MAGIC.byteLength;

  constructor(private readonly check: (kind: number, length: number) => void) {}

  /** Something has begun that isn't whole yet. */
  get partial(): boolean {
    return this.filled > 0 || this.stage === 'body';
  }

  /** Whole records; null stands for the magic. Throws `invalid`. */
  *take(piece: Uint8Array): Generator<RelayRecord | null> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let at = 0;
    while (at < bytes.byteLength || (this.stage === 'body' && this.needed === 0)) {
      const target = this.stage === 'body' ? this.body : this.head;
      const copied = bytes.copy(target, this.filled, at, at + this.needed - this.filled);
      at += copied;
      this.filled += copied;
      if (this.filled < this.needed) return;
      this.filled = 0;
      const whole = this.complete();
      if (whole !== undefined) yield whole;
    }
  }

  private complete(): RelayRecord | null | undefined {
    const { stage } = this;
    if (stage === 'head') {
      const { kind, length } = decodeHead(this.head);
      this.check(kind, length);
      this.kind = kind;
      this.body = Buffer.allocUnsafe(length);
      this.enter('body', length);
      return undefined;
    }
    this.enter('head', RECORD_HEAD_BYTES);
    if (stage === 'body') return { kind: this.kind, body: this.body };
    if (equalBytes(this.head.subarray(0, RELAY_MAGIC.byteLength), RELAY_MAGIC)) return null;
    throw new WnError('invalid', 'not the protocol of a relay');
  }

  private enter(stage: 'head' | 'body', needed: number): void {
    this.stage = stage;
    this.needed = needed;
  }
}
