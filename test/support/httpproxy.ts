/** An HTTP proxy that knows CONNECT, and what it was asked for. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface HttpProxy {
  readonly port: number;
  /** `host:port` of each request, in order. */
  readonly asked: readonly string[];
  close(): void;
}

/** `login` is NAME:PASSWORD; `status` is what it says to everybody instead of connecting. */
export async function httpProxy(
  terms: { readonly login?: string; readonly status?: number } = {},
): Promise<HttpProxy> {
  const asked: string[] = [];
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, near: Socket, head: Buffer) => {
    const { url = '', headers } = request;
    asked.push(url);
    near.on('error', () => undefined);
    open.add(near);
    const given = `Basic ${Buffer.from(terms.login ?? '').toString('base64')}`;
    const denied = terms.login !== undefined && headers['proxy-authorization'] !== given;
    const status = denied ? 407 : terms.status;
    if (status !== undefined) {
      near.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const far = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 80 });
    open.add(far);
    far.once('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close() {
      server.close();
      for (const line of open) line.destroy();
    },
  };
}
