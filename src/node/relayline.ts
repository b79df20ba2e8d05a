/**
 * A client's connection to a relay: read in exact pieces while the two talk, and handed
 * on as a plain stream once it has become a pipe.
 */
import type { Duplex } from 'node:stream';
import { WnError } from '../core/errors.js';
import { RELAY_ANSWER_MS, RELAY_MESSAGE_BYTES_MAX } from '../core/limits.js';
import type { RelayLine } from '../sync/relay/client.js';
import { reachTcp } from './proxy.js';
import type { Place } from './tcp.js';
import { exporterOf, overTls } from './tlsline.js';

/** Where a relay is, and how it is spoken to. */
export interface RelayPlace extends Place {
  readonly tls: boolean;
  /** In a WebSocket from the start; false: only where nothing else gets through. */
  readonly webSocket: boolean;
}

export class SocketLine implements RelayLine {
  /** How long the other side may take for what is read next. */
  patienceMs = RELAY_ANSWER_MS;

  constructor(
    /** Nobody else reads it before the last `read` here has resolved. */
    readonly stream: Duplex,
    readonly exporter: Uint8Array | null,
  ) {
    stream.on('error', () => undefined);
  }

  send(bytes: Uint8Array): void {
    // In pieces that fit a message, where the stream is one of messages.
    for (let at = 0; at < bytes.byteLength; at += RELAY_MESSAGE_BYTES_MAX) {
      this.stream.write(bytes.subarray(at, at + RELAY_MESSAGE_BYTES_MAX));
    }
  }

  async read(bytes: number): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      // What is there already: to wait for more while some is left unread would be in vain.
      const size = Math.min(left, this.stream.readableLength);
      const piece = size === 0 ? null : (this.stream.read(size) as Buffer | null);
      if (piece !== null) {
        pieces.push(piece);
        left -= piece.byteLength;
        continue;
      }
      if (this.stream.readableEnded || this.stream.destroyed) throw hungUp();
      if (!(await this.change())) {
        this.close();
        throw new WnError('unreachable', 'the relay does not answer', {
          hint: 'nothing was exchanged; is it a relay of wn that runs there?',
          details: { reason: 'no_answer' },
        });
      }
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  close(): void {
    this.stream.destroy();
  }

  /** Waits for whatever comes; false if nothing does. */
  private change(): Promise<boolean> {
    return new Promise((resolve) => {
      const events = ['readable', 'end', 'close'] as const;
      const settle = (came: boolean): void => {
        clearTimeout(timer);
        for (const event of events) this.stream.off(event, onEvent);
        resolve(came);
      };
      const onEvent = (): void => settle(true);
      const timer = setTimeout(() => settle(false), this.patienceMs);
      for (const event of events) this.stream.on(event, onEvent);
    });
  }
}

/** Throws `unreachable`. */
export async function dialRelay(place: RelayPlace): Promise<SocketLine> {
  const { tls, host, webSocket } = place;
  const socket = await reachTcp(place, tls);
  const secured = tls ? await overTls(socket, host) : null;
  const below = secured ?? socket;
  const line = webSocket
    ? await (await import('./websocket.js')).overWebSocket(below, place)
    : below;
  return new SocketLine(line, secured === null ? null : exporterOf(secured));
}

function hungUp(): WnError {
  return new WnError('unreachable', 'the relay hung up', {
    hint: 'nothing is lost; try again, the next sync goes on where this one ended',
    details: { reason: 'hung_up' },
  });
}
