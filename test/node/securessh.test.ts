/** The SecureChannel suite over ssh2, on sockets and on pipes, and what strangers get. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { toHex } from '../../src/core/bytes.js';
import type { FramedChannel } from '../../src/node/framing.js';
import { formatKey, secretFromSeed } from '../../src/node/opensshkey.js';
import { acceptSecure, dialSecure } from '../../src/node/securessh.js';
import { describeChannel } from '../conform/channel.js';
import { rejects } from '../conform/expect.js';

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const deviceOf = (byte: number): string => toHex(secretFromSeed(seedOf(byte)).publicKey);
const [DIALLER, ACCEPTOR, OTHER] = [1, 2, 3];

async function sockets(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const near = connect({ port, host: '127.0.0.1', noDelay: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const each of [near, far]) each.on('error', () => undefined);
  return [near, far];
}

/** Two ends of one pipe in memory, as the relay's will be. */
function pipes(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const make = (other: 0 | 1): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (bytes, _encoding, done) =>
        void setImmediate(() => {
          ends[other]?.push(bytes);
          done();
        }),
      final: (done) =>
        void setImmediate(() => {
          ends[other]?.push(null);
          done();
        }),
      destroy: (error, done) => {
        setImmediate(() => ends[other]?.destroy());
        done(error);
      },
    });
  ends.push(make(1), make(0));
  const [near, far] = ends;
  assert.ok(near !== undefined && far !== undefined);
  return [near, far];
}

async function joined(near: Duplex, far: Duplex): Promise<readonly [FramedChannel, FramedChannel]> {
  return Promise.all([
    dialSecure(near, { seed: seedOf(DIALLER), expected: deviceOf(ACCEPTOR) }),
    acceptSecure(far, { seed: seedOf(ACCEPTOR) }),
  ]);
}

for (const [name, make] of [
  ['sockets', sockets],
  ['pipes in memory', async () => pipes()],
] as const) {
  describeChannel(`ssh2 on ${name}, dialler first`, async () => {
    const [near, far] = await make();
    const [a, b] = await joined(near, far);
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    return { a, b, cut, dispose: async () => cut() };
  });
  describeChannel(`ssh2 on ${name}, acceptor first`, async () => {
    const [near, far] = await make();
    const [b, a] = await joined(near, far);
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    return { a, b, cut, dispose: async () => cut() };
  });
}

describe('ssh2: who may come, and what a bad one gets', () => {
  it('proves to each end the device at the other', async () => {
    const [a, b] = await joined(...(await sockets()));
    assert.deepEqual([a.peer, b.peer], [deviceOf(ACCEPTOR), deviceOf(DIALLER)]);
    await Promise.all([a.close(), b.close()]);
  });

  it('refuses another device than the dialler meant, before it says who it is itself', async () => {
    const [near, far] = await sockets();
    const accepted = acceptSecure(far, { seed: seedOf(OTHER) });
    const heard = rejects(accepted, 'unreachable', 'the acceptor');
    const dialled = dialSecure(near, { seed: seedOf(DIALLER), expected: deviceOf(ACCEPTOR) });
    await assert.rejects(dialled, { code: 'unreachable', message: /another device/ });
    await heard;
  });

  it('ends a login that takes too long, on either end', async () => {
    const [near, far] = await sockets();
    await rejects(acceptSecure(far, { seed: seedOf(1), loginMs: 50 }), 'unreachable');
    const [silent] = await sockets();
    const options = { seed: seedOf(1), expected: deviceOf(2), loginMs: 50 };
    await rejects(dialSecure(silent, options), 'unreachable');
    near.destroy();
  });

  it('takes no line that is lost already, on either end', async () => {
    const lost = new Duplex().destroy();
    await once(lost, 'close');
    const options = { seed: seedOf(DIALLER), expected: deviceOf(ACCEPTOR) };
    await rejects(dialSecure(lost, options), 'unreachable');
    await rejects(acceptSecure(lost, { seed: seedOf(ACCEPTOR) }), 'unreachable');
  });

  it('ends a stranger that sends and sends before it has logged in', async () => {
    const [near, far] = await sockets();
    const accepted = rejects(acceptSecure(far, { seed: seedOf(1) }), 'unreachable');
    near.write('SSH-2.0-flood\r\n');
    const noise = Buffer.alloc(64 * 1024);
    while (!near.destroyed && !far.destroyed) {
      near.write(noise);
      await new Promise((wake) => setImmediate(wake));
    }
    await accepted;
    assert.ok(far.bytesRead < 2 ** 20, `${far.bytesRead} bytes were taken`);
  });

  /** A plain client of ssh2, who has a key but not our manners. */
  function client(line: Socket, more: object = {}): ssh2.Client {
    const each = new ssh2.Client();
    each.on('error', () => undefined);
    each.connect({
      sock: line,
      username: 'wn',
      privateKey: formatKey(secretFromSeed(seedOf(OTHER)), 'x', 0),
      hostVerifier: () => true,
      ...more,
    });
    return each;
  }

  it('gives no shell, no command, no forwarding, and no second session', async () => {
    const [near, far] = await sockets();
    const accepted = acceptSecure(far, { seed: seedOf(ACCEPTOR), loginMs: 2_000 });
    const stranger = client(near);
    await once(stranger, 'ready');
    const refused = async (ask: (done: (error?: Error) => void) => void): Promise<boolean> =>
      new Promise((resolve) => ask((error) => resolve(error !== undefined)));
    assert.ok(await refused((done) => void stranger.forwardOut('', 0, '127.0.0.1', 22, done)));
    assert.ok(await refused((done) => void stranger.forwardIn('127.0.0.1', 0, done)));
    assert.ok(await refused((done) => void stranger.exec('id', done)));
    assert.ok(await refused((done) => void stranger.shell(done)));
    assert.ok(await refused((done) => void stranger.subsys('wn-sync', done)), 'a second session');
    stranger.destroy();
    await rejects(accepted, 'unreachable');
  });

  it('takes no password, no other name, no key that nobody signed with', async () => {
    for (const more of [
      { privateKey: undefined, password: 'x' },
      { username: 'root' },
      { privateKey: ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private },
    ]) {
      const [near, far] = await sockets();
      const accepted = rejects(
        acceptSecure(far, { seed: seedOf(1), loginMs: 2_000 }),
        'unreachable',
      );
      const stranger = client(near, more);
      stranger.on('ready', () => assert.fail('let in'));
      await accepted;
    }
  });

  it('offers no old algorithm', async () => {
    for (const algorithms of [
      { kex: ['diffie-hellman-group14-sha256'] },
      { cipher: ['aes128-ctr'] },
      { kex: ['ecdh-sha2-nistp256'] },
    ] as ssh2.Algorithms[]) {
      const [near, far] = await sockets();
      const accepted = rejects(
        acceptSecure(far, { seed: seedOf(1), loginMs: 2_000 }),
        'unreachable',
      );
      client(near, { algorithms });
      await accepted;
    }
  });

  it('keeps little of what a peer leaves unread, whatever credit it grants', async () => {
    const [near, far] = await sockets();
    const accepting = acceptSecure(far, { seed: seedOf(ACCEPTOR) });
    const stranger = client(near);
    await once(stranger, 'ready');
    stranger.subsys('wn-sync', (_error, stream) => {
      stream.write('wn-frames/1\n');
      stream.resume();
      near.pause();
    });
    const channel = await accepting;
    let sent = 0;
    const sending = (async () => {
      for (; sent < 400; sent++) await channel.send(new Uint8Array(100_000));
    })();
    const quiet = rejects(sending, 'unreachable');
    for (let turn = 0; turn < 200; turn++) await new Promise((wake) => setImmediate(wake));
    assert.ok(sent < 100, `${sent} frames went to one who doesn't read`);
    assert.ok(far.writableLength < 4 * 2 ** 20, `${far.writableLength} bytes are kept`);
    far.destroy();
    await quiet;
  });
});
