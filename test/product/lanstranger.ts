/**
 * Somebody in the local network, as a program of its own: reads one line of JSON, then
 * listens to what multicast DNS says and answers who asks with whatever it was given. Each
 * packet that it hears is a line of hex on standard output; each TCP connection to it a line
 * of what came, after `tcp `.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const GROUP = '224.0.0.251';
const PORT = 5_353;

export interface StrangerWish {
  /** Its own address. */
  readonly address: string;
  /** Packets (hex) that it answers each query with, and says at once. */
  readonly packets: readonly string[];
  /** Where it takes connections; null: nowhere. */
  readonly listen: number | null;
}

async function main(): Promise<void> {
  const [line] = (
    await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()
  ).value.split('\n') as [string];
  const { address, packets, listen } = JSON.parse(line) as StrangerWish;
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const say = (): void => {
    for (const packet of packets) socket.send(Buffer.from(packet, 'hex'), PORT, GROUP);
  };
  socket.on('message', (bytes, from) => {
    if (from.address === address) return;
    console.log(bytes.toString('hex'));
    const isQuery = ((bytes[2] ?? 0) & 0x80) === 0;
    if (isQuery) say();
  });
  socket.bind(PORT, () => {
    socket.addMembership(GROUP, address);
    socket.setMulticastInterface(address);
    say();
    console.log('ready');
  });
  if (listen === null) return;
  createServer((caller) => {
    caller.on('error', () => undefined);
    caller.once('data', (bytes) => {
      console.log(`tcp ${bytes.toString('hex')}`);
      caller.destroy();
    });
  }).listen(listen);
}

await main();
