/** The SecureChannel suite over frames on a socket and on pipes, and what a bad peer gets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { CHANNEL_CREDIT_BYTES, SYNC_FRAME_BYTES_MAX } from '../../src/core/limits.js';
import { FramedChannel } from '../../src/node/framing.js';
import { describeChannel } from '../conform/channel.js';
import { rejects } from '../conform/expect.js';

async function sockets(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const near = connect(port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

function over(socket: Socket): FramedChannel {
  return new FramedChannel({ readable: socket, writable: socket }, { peer: null });
}

describeChannel('frames on a socket', async () => {
  const [near, far] = await sockets();
  const cut = (): void => {
    near.destroy();
    far.destroy();
  };
  return { a: over(near), b: over(far), cut, dispose: async () => cut() };
});

describeChannel('frames on pipes', async () => {
  const [out, back] = [new PassThrough(), new PassThrough()];
  const cut = (): void => {
    out.destroy();
    back.destroy();
  };
  const a = new FramedChannel({ readable: back, writable: out }, { peer: null });
  const b = new FramedChannel({ readable: out, writable: back }, { peer: null });
  return { a, b, cut, dispose: async () => cut() };
});

describe('frames on a duplex: a bad peer', () => {
  const MAGIC = Buffer.from('wn-frames/1\n');
  const record = (kind: number, length: number, bytes = Buffer.alloc(0)): Buffer =>
    Buffer.concat([Buffer.from([kind, length >> 16, (length >> 8) & 255, length & 255]), bytes]);

  function victim(): { channel: FramedChannel; peer: PassThrough } {
    const [peer, out] = [new PassThrough(), new PassThrough()];
    out.resume();
    return { channel: new FramedChannel({ readable: peer, writable: out }, { peer: null }), peer };
  }

  async function firstOf(channel: FramedChannel): Promise<Uint8Array | null> {
    for await (const frame of channel.frames()) return frame;
    return null;
  }

  it('is cut off if it speaks something else, and is told apart from one that never spoke', async () => {
    const { channel, peer } = victim();
    peer.end('Welcome to this machine!\n');
    await rejects(firstOf(channel), 'unreachable', 'a greeting of a shell');
    assert.equal(channel.opened, false);
  });

  it('is cut off at a frame or a kind beyond the bound, before anything is allocated', async () => {
    for (const bad of [record(0, SYNC_FRAME_BYTES_MAX + 1), record(3, 0), record(255, 0)]) {
      const { channel, peer } = victim();
      peer.write(Buffer.concat([MAGIC, bad]));
      await rejects(firstOf(channel), 'unreachable', bad.toString('hex'));
    }
  });

  it('carries a frame of exactly the bound, byte by byte too', async () => {
    const { channel, peer } = victim();
    const bytes = Buffer.alloc(SYNC_FRAME_BYTES_MAX, 7);
    const stream = Buffer.concat([MAGIC, record(0, 3, Buffer.from('abc'))]);
    for (const byte of stream) peer.write(Buffer.from([byte]));
    assert.equal(Buffer.from((await firstOf(channel)) ?? []).toString(), 'abc');
    peer.write(record(0, SYNC_FRAME_BYTES_MAX, bytes));
    assert.equal(Buffer.compare((await firstOf(channel)) ?? Buffer.alloc(0), bytes), 0);
  });

  it('is cut off when it sends beyond its credit, or grants what was never used', async () => {
    const { channel, peer } = victim();
    peer.write(MAGIC);
    const frame = record(0, SYNC_FRAME_BYTES_MAX, Buffer.alloc(SYNC_FRAME_BYTES_MAX));
    for (let sent = 0; sent <= CHANNEL_CREDIT_BYTES; sent += frame.byteLength) peer.write(frame);
    await new Promise((wake) => setImmediate(wake));
    await rejects(channel.send(new Uint8Array(1)), 'unreachable', 'frames beyond the credit');
    const second = victim();
    second.peer.write(Buffer.concat([MAGIC, record(1, 1)]));
    await rejects(firstOf(second.channel), 'unreachable', 'credit beyond what was sent');
  });

  it('an end without a word is a cut', async () => {
    const { channel, peer } = victim();
    peer.end(Buffer.concat([MAGIC, record(0, 3, Buffer.from('abc'))]));
    assert.notEqual(await firstOf(channel), null);
    await rejects(firstOf(channel), 'unreachable', 'no end');
  });
});
