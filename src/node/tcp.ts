/**
 * Sockets for secure channels: dialled and accepted here, because `ssh2` would leave
 * Nagle's algorithm on (330 ms to connect instead of 8) and take any number of callers.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { WnError } from '../core/errors.js';
import {
  ACCEPTED_MAX,
  ACCEPTED_PER_ADDRESS_MAX,
  ACCEPTED_UNPROVEN_MAX,
  CONNECT_MS,
} from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Throws `unreachable`. */
export function dialTcp({ host, port }: Place, connectMs = CONNECT_MS): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      socket.destroy();
      reject(
        new WnError('unreachable', `no connection to ${host}, port ${port}: ${why}`, {
          hint: 'nothing was exchanged; is wn served there, and does a firewall let it through?',
          details: { reason: 'no_connection' },
        }),
      );
    };
    const timer = setTimeout(() => fail('no answer in time'), connectMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(error.code ?? error.message);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

export interface Bounds {
  readonly all: number;
  readonly perAddress: number;
  /** Callers that haven't proven who they are. */
  readonly unproven: number;
}

export interface ListenOptions {
  readonly place: Place;
  /** Proves the caller; rejects for a stranger. */
  readonly secure: (socket: Socket) => Promise<SecureChannel>;
  /** Works until the caller has gone. */
  readonly serve: (channel: SecureChannel, from: string) => Promise<void>;
  /** Hears of a caller that couldn't be served through no fault of its own. */
  readonly failed: (error: unknown) => void;
  /** Hears of each caller that was turned away before it had said anything worth hearing. */
  readonly refused?: (from: string, why: string) => void;
  /** Asked for each caller, so that they may change. */
  readonly bounds?: () => Bounds;
}

export interface Listener {
  /** Where it really listens: port 0 becomes a free one. */
  readonly place: Place;
  /** Takes no more callers, and lets those that are there finish for so long. */
  close(drainMs: number): Promise<void>;
}

const BOUNDS: Bounds = {
  all: ACCEPTED_MAX,
  perAddress: ACCEPTED_PER_ADDRESS_MAX,
  unproven: ACCEPTED_UNPROVEN_MAX,
};

/** Throws `usage` where the address can't be listened on. */
export async function listenTcp(options: ListenOptions): Promise<Listener> {
  const { place, secure, serve, failed, refused, bounds = () => BOUNDS } = options;
  const open = new Map<Socket, string>();
  const working = new Set<Promise<void>>();
  let unproven = 0;

  const attend = async (socket: Socket, from: string): Promise<void> => {
    unproven += 1;
    let channel: SecureChannel;
    try {
      channel = await secure(socket);
    } catch (error) {
      // A stranger, or one who went away: nobody here has lost anything.
      refused?.(from, error instanceof Error ? error.message : String(error));
      return;
    } finally {
      unproven -= 1;
    }
    await serve(channel, from).finally(() => channel.close());
  };

  const fullOf = ({ all, perAddress, unproven: few }: Bounds, from: string): string | null => {
    const same = [...open.values()].filter((address) => address === from).length;
    if (open.size >= all) return 'connections';
    if (same >= perAddress) return 'connections from one address';
    return unproven >= few ? 'connections that have not proven who they are' : null;
  };

  const server = createServer({ noDelay: true }, (socket) => {
    const from = socket.remoteAddress ?? '';
    socket.on('error', () => undefined);
    const full = fullOf(bounds(), from);
    if (full !== null) {
      refused?.(from, `too many ${full}`);
      socket.destroy();
      return;
    }
    open.set(socket, from);
    socket.once('close', () => open.delete(socket));
    const work = attend(socket, from).catch(failed);
    working.add(work);
    void work.then(() => working.delete(work));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(place, error)));
    server.listen(place.port, place.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    place: { host: address, port },
    async close(drainMs) {
      server.close();
      const expired = new Promise((resolve) => setTimeout(resolve, drainMs).unref());
      await Promise.race([Promise.all(working), expired]);
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

function cannotListen({ host, port }: Place, cause: NodeJS.ErrnoException): WnError {
  return new WnError('usage', `can't listen on ${host}, port ${port} (${cause.code ?? 'failed'})`, {
    hint: 'nothing is served; give an address of this machine and a free port: --listen HOST:PORT',
    cause,
  });
}
