/** The other end of a sync: one session over standard input and output, or all that call. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { SERVE_DRAIN_MS } from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';
import { FramedChannel } from '../node/framing.js';
import { readConfig } from '../repo/settings.js';
import { runSync } from '../sync/driver.js';
import { KeptCheckpoints, peerCheckpointPath } from '../sync/kept.js';
import { ReplicaStore } from '../sync/replicastore.js';
import { showWnAddress } from './address.js';
import type { Context } from './context.js';
import { receiveIn } from './exchange.js';
import { findRepository, repositoryAt, type Location } from './location.js';
import { deviceKey, openAt, portsOf, type Repository } from './repository.js';

/** Throws what ended the session before its time. */
export async function serveStdio(context: Context, folder: string | undefined): Promise<void> {
  const repository = await openAt(context, locationOf(context, folder));
  context.shared.session = repository;
  const duplex = { readable: process.stdin, writable: process.stdout };
  const error = await answer(context, repository, new FramedChannel(duplex, { peer: null }));
  process.stdin.destroy();
  if (error !== null) throw error;
}

/**
 * Answers whoever calls until it is told to stop. `ready` is told the address under which
 * it can be reached. Every session opens the repository for itself, as a process would:
 * what one has half taken in, another doesn't see.
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
  const { signal } = context.interruption;
  const listener = await listenTcp({
    place: placeOf(listen),
    secure: (socket) => acceptSecure(socket, { seed }),
    serve: (channel) => serveOne(context, location, channel),
    failed: (error) => void tellFailure(context, error),
  });
  await ready(
    showWnAddress({ kind: 'wn', ...listener.place, device: toHex(publicKey), workspace }),
  );
  if (!signal.aborted) {
    await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
  }
  await listener.close(SERVE_DRAIN_MS);
}

export async function serveOne(
  context: Context,
  location: Location,
  channel: SecureChannel,
): Promise<void> {
  const repository = await openAt(context, location);
  try {
    await answer(context, repository, channel);
  } finally {
    await repository.close();
  }
}

export async function tellFailure({ stderr }: Context, error: unknown): Promise<void> {
  await stderr.write(`${error instanceof WnError ? error.message : String(error)}\n`);
}

/** Runs one session to its end and writes out what came. */
async function answer(
  context: Context,
  repository: Repository,
  channel: SecureChannel,
): Promise<WnError | null> {
  const { clock, rng, storage } = repository.replica.ports;
  const kept = new KeptCheckpoints(storage, peerCheckpointPath);
  const store = new ReplicaStore(repository.replica, kept);
  const { signal } = context.interruption;
  // The line stays open until all is done: that is how the other side knows that it is.
  const held = heldOpen(channel);
  try {
    const report = await runSync(store, held, { clock, rng }, { mode: 'answer', signal });
    await kept.save();
    if (report.received > 0 || report.blobsReceived > 0) await receiveIn(repository);
    return report.error;
  } finally {
    await channel.close();
  }
}

function heldOpen(channel: SecureChannel): SecureChannel {
  return {
    peer: channel.peer,
    frames: () => channel.frames(),
    send: (frame) => channel.send(frame),
    close: () => Promise.resolve(),
  };
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
