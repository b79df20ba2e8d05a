/**
 * A client's connection to a relay: read in exact pieces while the two talk, and handed
 * on as a plain stream once it has become a pipe.
 */
import type { Duplex } from 'node:stream';
import { WnError } from '../core/errors.js';
import { RELAY_ANSWER_MS } from '../core/limits.js';
import type { RelayLine } from '../sync/relay/client.js';
import { dialTcp, type Place } from './tcp.js';
import { exporterOf, overTls } from './tlsline.js';

/** Where a relay is, and how it is spoken to. */
export interface RelayPlace extends Place {
  readonly tls: boolean;
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
    this.stream.write(bytes);
  }

  async read(bytes: number): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array();
    for (;;) {
      const piece = this.stream.read(bytes) as Buffer | null;
      // At its end a stream gives what is left, however little.
      if (piece !== null && piece.byteLength === bytes) return piece;
      if (piece !== null || this.stream.readableEnded || this.stream.destroyed) throw hungUp();
      if (!(await this.change())) {
        this.close();
        throw new WnError('unreachable', 'the relay does not answer', {
          hint: 'nothing was exchanged; is it a relay of wn that runs there?',
          details: { reason: 'no_answer' },
        });
      }
    }
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
  const socket = await dialTcp(place);
  if (!place.tls) return new SocketLine(socket, null);
  const line = await overTls(socket, place.host);
  return new SocketLine(line, exporterOf(line));
}

function hungUp(): WnError {
  return new WnError('unreachable', 'the relay hung up', {
    hint: 'nothing is lost; try again, the next sync goes on where this one ended',
    details: { reason: 'hung_up' },
  });
}
