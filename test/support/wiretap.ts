/** A tap on a line: passes TCP on to a port and keeps every byte that went either way. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Wiretap {
  readonly port: number;
  /** All that passed so far, each direction of each connection by itself. */
  recorded(): readonly Buffer[];
  close(): void;
}

export async function wiretap(port: number): Promise<Wiretap> {
  const streams: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const stream: Buffer[] = [];
      streams.push(stream);
      sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        stream.push(bytes);
        to.write(bytes);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    recorded: () => streams.map((stream) => Buffer.concat(stream)),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
