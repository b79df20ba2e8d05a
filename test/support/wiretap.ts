/**
 * A tap on a line: passes on to a port and keeps every byte that went either way. One that
 * TLS or a WebSocket ends at keeps what is inside, as whoever runs the relay could.
 */
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTls } from 'node:tls';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import type { Certificate } from './authority.js';

export interface Wiretap {
  readonly port: number;
  /** All that passed so far, each direction of each connection by itself. */
  recorded(): readonly Buffer[];
  /** Resolves as soon as so many more bytes have passed, whichever way. */
  passed(bytes: number): Promise<void>;
  close(): void;
}

/** TCP as it is. */
export function wiretap(port: number): Promise<Wiretap> {
  return tapped((take) => createServer({ noDelay: true }, take), plainTo(port));
}

/** TLS that ends here; plain from here on. */
export function tlsWiretap(port: number, certificate: Certificate): Promise<Wiretap> {
  return tapped((take) => createTls({ ...certificate }, take), plainTo(port));
}

/** A WebSocket in TLS, of which both end here; another WebSocket, without TLS, from here on. */
export function webSocketWiretap(port: number, certificate: Certificate): Promise<Wiretap> {
  const near = (take: (line: Duplex) => void): Server => {
    const server = createHttps({ ...certificate });
    const sockets = new WebSocketServer({ server, path: '/wn' });
    sockets.on('connection', (socket) => take(createWebSocketStream(socket)));
    return server;
  };
  return tapped(near, () =>
    createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}/wn`, { perMessageDeflate: false })),
  );
}

const plainTo = (port: number) => (): Socket => connect({ port, host: '127.0.0.1', noDelay: true });

async function tapped(
  listen: (take: (line: Duplex) => void) => Server,
  onwards: () => Duplex,
): Promise<Wiretap> {
  const streams: Buffer[][] = [];
  const lines = new Set<Duplex>();
  let total = 0;
  let awaited: { readonly total: number; readonly resolve: () => void } | null = null;
  const server = listen((near) => {
    const far = onwards();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const stream: Buffer[] = [];
      streams.push(stream);
      lines.add(from);
      from.on('data', (bytes: Buffer) => {
        stream.push(bytes);
        to.write(bytes);
        total += bytes.byteLength;
        if (awaited !== null && total >= awaited.total) awaited.resolve();
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => lines.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    recorded: () => streams.map((stream) => Buffer.concat(stream)),
    passed: (bytes) => new Promise((resolve) => (awaited = { total: total + bytes, resolve })),
    close() {
      server.close();
      for (const line of lines) line.destroy();
    },
  };
}
