/** The relay's one port: plain lines and WebSockets, what is refused, and that bounds hold for both. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { WebSocket } from 'ws';
import {
  MAILBOX_ITEM_BYTES_MAX,
  RELAY_MESSAGE_BYTES_MAX,
  RELAY_PENDING_PER_ADDRESS_MAX,
} from '../../src/core/limits.js';
import { dialRelay, SocketLine } from '../../src/node/relayline.js';
import { startRelay, type RelayServer } from '../../src/node/relayserver.js';
import type { MailRequest } from '../../src/sync/relay/boxes.js';
import {
  greet,
  join,
  listen,
  nextOffer,
  reach,
  type GreetedLine,
} from '../../src/sync/relay/client.js';
import type { LogEntry } from '../../src/sync/relay/connection.js';
import { RelayHub } from '../../src/sync/relay/hub.js';
import { openMailbox } from '../../src/sync/relay/mailclient.js';
import { listenerName } from '../../src/sync/relay/proof.js';
import { RELAY_MAGIC } from '../../src/sync/relay/wire.js';
import { rejects } from '../conform/expect.js';
import { SimRng } from '../sim/random.js';
import { eventually } from '../support/anchor.js';
import { signer } from '../sync/relay/harness.js';

const HOST = '127.0.0.1';

describe("the relay's port", () => {
  let relay: RelayServer;
  let hub: RelayHub;
  let kept: Uint8Array | null;
  const log: LogEntry[] = [];
  const sockets: (Socket | WebSocket | SocketLine)[] = [];

  beforeEach(async () => {
    kept = null;
    log.length = 0;
    hub = new RelayHub(new SimRng(1));
    relay = await startRelay({
      place: { host: HOST, port: 0 },
      hub,
      mail: async (_box: string, request: MailRequest) => {
        if (request.type === 'put') kept = Buffer.from(request.bytes);
        return request.type === 'put'
          ? { type: 'stored', item: '00'.repeat(16) }
          : { type: 'item', bytes: kept };
      },
      log: (entry) => log.push(entry),
    });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) {
      if (socket instanceof WebSocket) socket.terminate();
      else if (socket instanceof SocketLine) socket.close();
      else socket.destroy();
    }
    await relay.close(0);
  });

  async function greeted(webSocket: boolean): Promise<GreetedLine<SocketLine>> {
    const line = await dialRelay({ ...relay.place, tls: false, webSocket });
    sockets.push(line);
    return { line, channel: await greet(line) };
  }

  async function call(first?: string | Uint8Array): Promise<Socket> {
    const socket = connect(relay.place.port, HOST);
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    if (first !== undefined) socket.write(first);
    return socket;
  }

  async function answer(request: string): Promise<string> {
    const socket = await call(request);
    const pieces: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    await once(socket, 'close');
    return Buffer.concat(pieces).toString();
  }

  for (const [near, far] of [
    [true, true],
    [true, false],
    [false, true],
  ] as const) {
    const kind = (webSocket: boolean): string => (webSocket ? 'a WebSocket' : 'a plain line');
    it(`pipes from ${kind(near)} to ${kind(far)}, both ways, and the end too`, async () => {
      const [desk, lap] = [signer(1), signer(2)];
      const listener = await greeted(far);
      await listen(listener, desk);
      const caller = await greeted(near);
      const reached = reach(caller, lap, listenerName(desk.publicKey));
      const answering = await greeted(far);
      await join(answering.line, await nextOffer(listener.line));
      await reached;
      const big = Buffer.alloc(4 * RELAY_MESSAGE_BYTES_MAX + 1, 7);
      for (const [from, to] of [
        [caller.line, answering.line],
        [answering.line, caller.line],
      ] as const) {
        from.send(big);
        assert.ok(big.equals(await to.read(big.byteLength)));
      }
      caller.line.stream.end();
      await rejects(answering.line.read(1), 'unreachable');
    });
  }

  it('takes and gives an item of the greatest size in a WebSocket', async () => {
    const mailbox = await openMailbox(await greeted(true), signer(3));
    const item = Buffer.alloc(MAILBOX_ITEM_BYTES_MAX, 9);
    await mailbox.put(item);
    assert.ok(item.equals((await mailbox.get('00'.repeat(16))) ?? new Uint8Array()));
  });

  it('hangs up on a message over the bound, and takes one at it', async () => {
    const url = `ws://${HOST}:${relay.place.port}/wn`;
    const [at, over] = [new WebSocket(url), new WebSocket(url)];
    sockets.push(at, over);
    for (const socket of [at, over]) socket.on('error', () => undefined);
    await Promise.all([once(at, 'open'), once(over, 'open')]);
    // The hub refuses what isn't its protocol, and says so: the message has arrived.
    const said = once(at, 'message');
    at.send(Buffer.alloc(RELAY_MESSAGE_BYTES_MAX));
    await said;
    const closed = once(over, 'close');
    over.send(Buffer.alloc(RELAY_MESSAGE_BYTES_MAX + 1));
    assert.deepEqual((await closed)[0], 1009);
  });

  it('hangs up on text', async () => {
    const socket = new WebSocket(`ws://${HOST}:${relay.place.port}/wn`);
    sockets.push(socket);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send('wn-relay/1\n');
    await closed;
  });

  for (const [what, request, status] of [
    ['a page', 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['the path without an upgrade', 'GET /wn HTTP/1.1\r\nHost: relay\r\n\r\n', /^HTTP\/1\.1 426 /],
    [
      'a WebSocket elsewhere',
      'GET /x HTTP/1.1\r\nHost: relay\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
    [
      'another upgrade',
      'GET /wn HTTP/1.1\r\nHost: relay\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a posted body',
      'POST /wn HTTP/1.1\r\nHost: relay\r\nContent-Length: 5\r\n\r\nhello',
      /^HTTP\/1\.1 426 /,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', /^HTTP\/1\.1 400 /],
    ['a huge head', `GET /wn HTTP/1.1\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, /^HTTP\/1\.1 400 /],
  ] as const) {
    it(`answers ${what} shortly, hangs up and logs it`, async () => {
      const said = await answer(request);
      assert.match(said, status);
      assert.ok(said.length < 200, said);
      assert.deepEqual(
        log.map(({ event }) => event),
        ['refused'],
      );
      await eventually('the connection is gone', () => hub.size === 0);
    });
  }

  it('counts plain lines and WebSockets of an address together', async () => {
    for (let n = 0; n < RELAY_PENDING_PER_ADDRESS_MAX / 2; n++) {
      await call(RELAY_MAGIC);
      const socket = new WebSocket(`ws://${HOST}:${relay.place.port}/wn`);
      sockets.push(socket);
      await once(socket, 'open');
    }
    assert.match(await answer('GET / HTTP/1.1\r\n\r\n'), /^wn-relay\/1\n/);
    assert.deepEqual(log.at(-1)?.why, 'pending of an address');
  });
});

describe("a client's line", () => {
  it('reads a record that comes in pieces, and leaves what is behind it', async () => {
    const stream = new PassThrough();
    const line = new SocketLine(stream, null);
    const read = line.read(5);
    stream.write('ab');
    await new Promise((resolve) => setImmediate(resolve));
    stream.write('cde');
    stream.write('fg');
    assert.equal(Buffer.from(await read).toString(), 'abcde');
    assert.equal(Buffer.from(await line.read(2)).toString(), 'fg');
    line.close();
  });
});
