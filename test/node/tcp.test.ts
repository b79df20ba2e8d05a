/** The listener's bounds: how many may be there, and how long a stranger may stay. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { SecureChannel } from '../../src/core/ports.js';
import { dialTcp, listenTcp, type Bounds, type Listener } from '../../src/node/tcp.js';
import { rejects } from '../conform/expect.js';

const PLACE = { host: '127.0.0.1', port: 0 };

describe('the listener', () => {
  let listener: Listener;
  const callers: Socket[] = [];
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.destroy();
    await listener.close(0);
  });

  /** `proves` decides how a caller's proof ends. */
  async function listen(
    bounds: Bounds,
    proves: () => Promise<SecureChannel>,
    served: Promise<void>,
  ): Promise<void> {
    const failed = (error: unknown): void => assert.fail(String(error));
    listener = await listenTcp({
      place: PLACE,
      bounds: () => bounds,
      secure: proves,
      serve: () => served,
      failed,
    });
  }

  async function call(): Promise<Socket> {
    const socket = connect(listener.place.port, '127.0.0.1');
    socket.on('error', () => undefined);
    callers.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  const channel: SecureChannel = {
    peer: null,
    frames: async function* () {},
    send: async () => undefined,
    close: async () => undefined,
  };
  const never = new Promise<never>(() => undefined);

  for (const [what, bounds, proves] of [
    ['in all', { all: 2, perAddress: 9, unproven: 9 }, async () => channel],
    ['from one address', { all: 9, perAddress: 2, unproven: 9 }, async () => channel],
    ['that have not proven who they are', { all: 9, perAddress: 9, unproven: 2 }, () => never],
  ] as const) {
    it(`takes no more callers than its bound ${what}, and more once one has gone`, async () => {
      await listen(bounds, proves, never);
      const [first] = [await call(), await call()];
      const third = await call();
      await once(third, 'close');
      if (bounds.unproven === 2) return;
      first.destroy();
      // The listener hears of it in its own time.
      for (;;) {
        const next = await call();
        const closed = once(next, 'close').then(() => true);
        const stays = new Promise((resolve) => setImmediate(() => setImmediate(resolve, false)));
        if ((await Promise.race([closed, stays])) === false) break;
      }
    });
  }

  it('says that nobody is there, and that a port is taken', async () => {
    await listen({ all: 1, perAddress: 1, unproven: 1 }, () => never, never);
    await rejects(listenTcp({ ...unused, place: listener.place }), 'usage');
    const { port } = listener.place;
    await listener.close(0);
    await rejects(dialTcp({ host: '127.0.0.1', port }), 'unreachable');
  });

  const unused = {
    secure: () => never,
    serve: () => never,
    failed: () => undefined,
  };
});
