/**
 * A relay's line as binary messages of a WebSocket (RFC 6455), for networks that let only
 * HTTP through. Both ends: what asks for one, and what answers those who begin with HTTP.
 * The bytes are the same as on a plain line; where messages begin and end means nothing.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { WnError } from '../core/errors.js';
import {
  HTTP_HEAD_BYTES_MAX,
  LOGIN_MS,
  RELAY_ANSWER_MESSAGE_BYTES_MAX,
  RELAY_FRAME_PIECES_MAX,
  RELAY_MESSAGE_BYTES_MAX,
  RELAY_MESSAGE_FRAMES_MAX,
  SYNC_CLOSE_MS,
} from '../core/limits.js';

const PATH = '/wn';
/** Without compression: what passes is sealed, and a compressor holds memory for each line. */
const TERMS = {
  perMessageDeflate: false,
  maxFragments: RELAY_MESSAGE_FRAMES_MAX,
  maxBufferedChunks: RELAY_FRAME_PIECES_MAX,
  closeTimeout: SYNC_CLOSE_MS,
} as const;

/** Asks for a WebSocket on a connection that is there. Throws `unreachable`; closes what failed. */
export function overWebSocket(
  line: Socket | TLSSocket,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Duplex> {
  const scheme = line instanceof TLSSocket ? 'wss' : 'ws';
  // A URL has no room for a zone.
  const at = isIP(host) === 6 ? `[${host.replace(/%.*/, '')}]` : host;
  const socket = new WebSocket(`${scheme}://${at}:${port}${PATH}`, {
    ...TERMS,
    maxPayload: RELAY_ANSWER_MESSAGE_BYTES_MAX,
    handshakeTimeout: LOGIN_MS,
    createConnection: () => line,
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(streamOf(socket)));
    socket.once('error', (cause) => {
      line.destroy();
      reject(
        new WnError('unreachable', `no WebSocket to a relay at ${at}:${port}: ${cause.message}`, {
          hint: 'nothing was exchanged; is it a relay of wn that runs there, and is /wn passed on to it?',
          details: { reason: 'not_a_relay' },
          cause,
        }),
      );
    });
  });
}

function streamOf(socket: WebSocket): Duplex {
  socket.on('message', (_message, isBinary) => {
    if (!isBinary) socket.terminate();
  });
  return createWebSocketStream(socket, { readableHighWaterMark: RELAY_MESSAGE_BYTES_MAX });
}

/** What became of who began with HTTP: a line, or why there is none, which he is being told. */
export type Entered = { readonly line: Duplex } | { readonly line: null; readonly why: string };

/** Answers those who begin with HTTP: a WebSocket where they ask for one, else a short no. */
export class WebSocketEntrance {
  private readonly entering = new WeakMap<Duplex, (entered: Entered) => void>();
  private readonly upgrades = new WebSocketServer({
    ...TERMS,
    noServer: true,
    clientTracking: false,
    maxPayload: RELAY_MESSAGE_BYTES_MAX,
  });
  private readonly http: Server = createServer({ maxHeaderSize: HTTP_HEAD_BYTES_MAX }, (request) =>
    pathOf(request) === PATH
      ? this.refuse(request.socket, '426 Upgrade Required', 'Upgrade: websocket\r\n')
      : this.refuse(request.socket, '404 Not Found'),
  );

  constructor() {
    this.http.on('upgrade', (request: IncomingMessage, line: Duplex, head: Buffer) => {
      if (pathOf(request) !== PATH) this.refuse(line, '404 Not Found');
      else {
        const enter = this.entering.get(line);
        this.upgrades.handleUpgrade(request, line, head, (socket) =>
          enter?.({ line: streamOf(socket) }),
        );
      }
    });
    this.upgrades.on('wsClientError', (_error: Error, line: Duplex) =>
      this.refuse(line, '400 Bad Request'),
    );
    this.http.on('clientError', (_error: Error, line: Duplex) =>
      this.refuse(line, '400 Bad Request', '', 'not the protocol of a relay, nor HTTP'),
    );
  }

  /** Doesn't resolve for one who never finishes his request: to give up is the caller's business. */
  take(line: Duplex): Promise<Entered> {
    return new Promise((resolve) => {
      this.entering.set(line, resolve);
      this.http.emit('connection', line);
      line.resume();
    });
  }

  private refuse(
    line: Duplex,
    status: string,
    head = '',
    why = `HTTP, but no WebSocket at ${PATH}`,
  ): void {
    this.entering.get(line)?.({ line: null, why });
    if (!line.writable) return;
    line.end(`HTTP/1.1 ${status}\r\n${head}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}
