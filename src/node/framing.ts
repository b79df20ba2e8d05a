/**
 * Frames over any duplex of bytes: a `SecureChannel` for what authenticates by itself (an
 * `ssh` process, a channel of `ssh2`). Who the peer is, the caller says.
 *
 *   stream = "wn-frames/1\n" record…
 *   record = kind (1 byte) length (3 bytes, big-endian) bytes
 *
 * Kinds: 0 a frame; 1 credit, whose length is the grant and which has no bytes; 2 the end,
 * without which a stream that ends was cut. A sender has `CHANNEL_CREDIT_BYTES` and then
 * waits to be granted more, because neither pipes nor `ssh2` keep a sender from piling up
 * what nobody reads; a peer that sends more, or reads nothing for long, is cut off.
 */
import type { Readable, Writable } from 'node:stream';
import { WnError } from '../core/errors.js';
import {
  CHANNEL_CREDIT_BYTES,
  CHANNEL_CREDIT_STEP_BYTES,
  CHANNEL_STALL_MS,
  SYNC_FRAME_BYTES_MAX,
} from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';

const MAGIC = Buffer.from('wn-frames/1\n');
const HEAD_BYTES = 4;
const [FRAME, CREDIT, END] = [0, 1, 2];
/** Up to here a copy is cheaper than a second write. */
const JOINED_BYTES_MAX = 4_096;
const HUNG_UP = 'the other side hung up';

export interface Duplex {
  readonly readable: Readable;
  readonly writable: Writable;
}

export interface FramedOptions {
  /** The peer's device as the transport proves it; null where it proves none. */
  readonly peer: string | null;
  /** Lets go of what is below, once all that was sent is handed over; `broken`: at once. */
  readonly dispose?: (broken: boolean) => Promise<void>;
  /** What really piles up what a slow reader leaves; the writable itself where absent. */
  readonly buffered?: Writable;
}

export class FramedChannel implements SecureChannel {
  readonly peer: string | null;
  /** The peer has shown that it speaks this. */
  opened = false;
  private readonly parser = new Parser(MAGIC.byteLength);
  private readonly arrived: Uint8Array[] = [];
  private credit = CHANNEL_CREDIT_BYTES;
  /** What the peer may still send, and what of it was read here since the last grant. */
  private window = CHANNEL_CREDIT_BYTES;
  private owed = 0;
  private state: 'open' | 'ended' | 'closed' | 'broken' = 'open';
  /** Nothing can be written any more, whatever the state. */
  private gone = false;
  private why = '';
  private readonly buffered: Writable;
  private waiting: (() => void)[] = [];
  private closing: Promise<void> | null = null;

  constructor(
    private readonly duplex: Duplex,
    private readonly options: FramedOptions,
  ) {
    this.peer = options.peer;
    this.buffered = options.buffered ?? duplex.writable;
    const { readable, writable } = duplex;
    readable.on('data', (bytes: Buffer) => this.take(bytes));
    readable.on('end', () => this.breakOff(HUNG_UP));
    readable.on('close', () => this.breakOff(HUNG_UP));
    readable.on('error', (error) => this.breakOff(error.message));
    for (const stream of new Set([writable, this.buffered])) {
      stream.on('error', (error) => this.breakOff(error.message));
      stream.on('drain', () => this.wake());
      stream.on('close', () => {
        this.gone = true;
        this.breakOff(HUNG_UP);
        this.wake();
      });
    }
    writable.write(MAGIC);
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.arrived.shift();
      if (this.state === 'closed') return;
      if (frame !== undefined) {
        this.consumed(frame);
        yield frame;
      } else if (this.state === 'broken') {
        throw unreachable(this.why);
      } else if (this.state === 'ended') {
        return;
      } else {
        await this.change();
      }
    }
  }

  async send(frame: Uint8Array): Promise<void> {
    const size = HEAD_BYTES + frame.byteLength;
    await this.while(() => this.credit < size);
    if (this.state !== 'open') throw unreachable(this.why || 'the channel is closed');
    this.credit -= size;
    this.write(FRAME, frame.byteLength, frame);
    await this.while(() => this.buffered.writableNeedDrain);
    if (this.isBroken()) throw unreachable(this.why);
  }

  /** Waits for the reader, but not for one that doesn't read at all. */
  private async while(blocked: () => boolean): Promise<void> {
    if (!this.isOpen() || !blocked()) return;
    const timer = setTimeout(() => this.breakOff('the other side does not read'), CHANNEL_STALL_MS);
    while (this.isOpen() && blocked()) await this.change();
    clearTimeout(timer);
  }

  close(): Promise<void> {
    this.closing ??= this.hangUp();
    return this.closing;
  }

  private async hangUp(): Promise<void> {
    const { writable } = this.duplex;
    const broken = this.isBroken();
    if (!broken) {
      this.write(END, 0);
      this.state = 'closed';
      this.arrived.length = 0;
      this.wake();
      let ended = false;
      writable.end(() => {
        ended = true;
        this.wake();
      });
      while (!ended && !this.gone) await this.change();
    }
    await this.options.dispose?.(broken);
  }

  private isOpen(): boolean {
    return this.state === 'open';
  }

  private isBroken(): boolean {
    return this.state === 'broken';
  }

  private write(kind: number, length: number, bytes?: Uint8Array): void {
    const { writable } = this.duplex;
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(kind * 2 ** 24 + length);
    if (this.gone || bytes === undefined) {
      if (!this.gone) writable.write(head);
    } else if (bytes.byteLength <= JOINED_BYTES_MAX) {
      writable.write(Buffer.concat([head, bytes]));
    } else {
      writable.cork();
      writable.write(head);
      writable.write(bytes);
      writable.uncork();
    }
  }

  /** Grants what was read in steps: a grant for each frame would double the small ones. */
  private consumed(frame: Uint8Array): void {
    this.owed += HEAD_BYTES + frame.byteLength;
    if (this.owed < CHANNEL_CREDIT_STEP_BYTES || this.state !== 'open') return;
    this.write(CREDIT, this.owed);
    this.window += this.owed;
    this.owed = 0;
  }

  private take(bytes: Buffer): void {
    if (this.state !== 'open') return;
    try {
      for (const record of this.parser.records(bytes)) this.onRecord(record);
    } catch (error) {
      this.breakOff(error instanceof Error ? error.message : String(error));
    }
    this.opened = this.parser.opened;
    this.wake();
  }

  private onRecord({ kind, length, bytes }: WireRecord): void {
    if (this.state !== 'open') throw new WnError('invalid', 'something behind the end');
    if (kind === END) {
      this.state = 'ended';
      this.why = 'the other side has ended the session';
    } else if (kind === CREDIT) {
      this.credit += length;
      if (this.credit > CHANNEL_CREDIT_BYTES) throw new WnError('invalid', 'credit never used');
    } else {
      this.window -= HEAD_BYTES + length;
      if (this.window < 0) throw new WnError('invalid', 'frames beyond the credit');
      this.arrived.push(bytes);
    }
  }

  private breakOff(why: string): void {
    if (this.state !== 'open') return;
    this.state = 'broken';
    this.why = why;
    this.wake();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

interface WireRecord {
  readonly kind: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** Cuts a stream into records, whatever pieces it comes in. Holds one record at most. */
class Parser {
  opened = false;
  private readonly head = Buffer.alloc(Math.max(HEAD_BYTES, MAGIC.byteLength));
  private body: Buffer | null = null;
  private filled = 0;
  private needed: number;

  constructor(magicBytes: number) {
    this.needed = magicBytes;
  }

  /** Throws `invalid`. */
  *records(piece: Buffer): Generator<WireRecord> {
    let at = 0;
    while (at < piece.byteLength) {
      const target = this.body ?? this.head;
      const taken = piece.copy(target, this.filled, at, at + this.needed - this.filled);
      at += taken;
      this.filled += taken;
      if (this.filled < this.needed) return;
      this.filled = 0;
      const record = this.complete();
      if (record !== null) yield record;
    }
  }

  private complete(): WireRecord | null {
    if (!this.opened) {
      if (!this.head.subarray(0, MAGIC.byteLength).equals(MAGIC)) {
        throw new WnError('invalid', 'the other side speaks something else');
      }
      this.opened = true;
      this.needed = HEAD_BYTES;
      return null;
    }
    if (this.body !== null) {
      const bytes = this.body;
      this.body = null;
      this.needed = HEAD_BYTES;
      return { kind: FRAME, length: bytes.byteLength, bytes };
    }
    const kind = this.head.readUInt8(0);
    const length = this.head.readUIntBE(1, 3);
    if (kind > END || (kind === FRAME && length > SYNC_FRAME_BYTES_MAX)) {
      throw new WnError('invalid', `a record of kind ${kind} and ${length} bytes`);
    }
    if (kind !== FRAME || length === 0) return { kind, length, bytes: new Uint8Array() };
    this.body = Buffer.allocUnsafe(length);
    this.needed = length;
    return null;
  }
}

function unreachable(why: string): WnError {
  return new WnError('unreachable', why);
}
