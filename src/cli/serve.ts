/** The other end of a sync: one session over standard input and output, or all that call. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { SERVE_DRAIN_MS } from '../core/limits.js';
import { FramedChannel } from '../node/framing.js';
import { readConfig } from '../repo/settings.js';
import { showWnAddress } from './address.js';
import type { Context } from './context.js';
import { findRepository, repositoryAt, type Location } from './location.js';
import { deviceKey, portsOf } from './repository.js';
import { Served } from './served.js';

/** Throws what ended the session before its time. */
export async function serveStdio(context: Context, folder: string | undefined): Promise<void> {
  const served = servedAt(context, locationOf(context, folder));
  const duplex = { readable: process.stdin, writable: process.stdout };
  const error = await served.answer(new FramedChannel(duplex, { peer: null }));
  process.stdin.destroy();
  if (error !== null) throw error;
}

export function servedAt(context: Context, location: Location): Served {
  return new Served(context, location, (error) => void tellFailure(context, error));
}

/**
 * Answers whoever calls until it is told to stop. `ready` is told the address under which
 * it can be reached.
 */
export async function serveListen(
  context: Context,
  folder: string | undefined,
  listen: string,
  ready: (address: string) => Promise<void>,
): Promise<void> {
  const [{ listenTcp }, { acceptSecure }] = await Promise.all([
    import('../node/tcp.js'),
    import('../node/securessh.js'),
  ]);
  const location = locationOf(context, folder);
  const { workspace } = await readConfig(portsOf(location).storage);
  const { seed, publicKey } = await deviceKey(context);
  const served = servedAt(context, location);
  const listener = await listenTcp({
    place: placeOf(listen),
    secure: (socket) => acceptSecure(socket, { seed }),
    serve: async (channel) => void (await served.answer(channel)),
    failed: (error) => void tellFailure(context, error),
  });
  await ready(
    showWnAddress({ kind: 'wn', ...listener.place, device: toHex(publicKey), workspace }),
  );
  await untilStopped(context);
  await listener.close(SERVE_DRAIN_MS);
}

export async function untilStopped({ interruption: { signal } }: Context): Promise<void> {
  if (signal.aborted) return;
  await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
}

export async function tellFailure({ stderr }: Context, error: unknown): Promise<void> {
  await stderr.write(`${error instanceof WnError ? error.message : String(error)}\n`);
}

export function locationOf(context: Context, folder: string | undefined): Location {
  if (folder === undefined) return findRepository(context.cwd, context.env);
  const location = repositoryAt(resolve(context.cwd, folder));
  if (location !== null) return location;
  throw new WnError('no_repository', `no wn repository at ${folder}`, {
    hint: 'correct the path in the address: wn remote add NAME ADDRESS',
  });
}

/** `HOST:PORT`; without a host every address of the machine. Throws `usage`. */
export function placeOf(listen: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen) ?? [];
  const host = bracketed ?? plain;
  const good = bracketed === undefined ? !host.startsWith('-') : isIP(bracketed) === 6;
  if (port !== undefined && Number(port) < 65_536 && good) {
    return { host: host === '' ? '::' : host, port: Number(port) };
  }
  throw new WnError('usage', `not an address to listen on: ${listen}`, {
    hint: 'give HOST:PORT, as 127.0.0.1:5000, or :5000 for every address of this machine',
  });
}
