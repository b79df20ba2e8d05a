/** `wn serve --relay`: answers those who call through a relay, and comes back when it is lost. */
import { toHex } from '../core/bytes.js';
import type { Signer } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import {
  RELAY_IDLE_MS,
  RELAY_PING_MS,
  RELAY_RETRY_MS_MAX,
  RELAY_RETRY_MS_MIN,
  RELAY_SESSIONS_PER_LISTENER_MAX,
  SERVE_DRAIN_MS,
} from '../core/limits.js';
import type { SocketLine } from '../node/relayline.js';
import { acceptSecure } from '../node/securessh.js';
import { veil } from '../node/veil.js';
import { readConfig } from '../repo/settings.js';
import { join, listen, nextOffer, ping } from '../sync/relay/client.js';
import { listenerKey, veilKey } from '../sync/relay/proof.js';
import { ReplicaStore } from '../sync/replicastore.js';
import { parseRelayPlace, showRelayAddress, type RelayPlace } from './address.js';
import type { Context } from './context.js';
import { greetRelay, overRelay } from './dialrelay.js';
import { receiveIn } from './exchange.js';
import type { Location } from './location.js';
import { collectMail } from './mailbox.js';
import { deviceKey, openAt, portsOf } from './repository.js';
import { locationOf, servedAt, tellFailure } from './serve.js';

/** Throws `unreachable` if the relay can't be reached at first; later it is tried again and again. */
export async function serveRelayed(
  context: Context,
  folder: string | undefined,
  relay: string,
  ready: (address: string) => Promise<void>,
): Promise<void> {
  const place = parseRelayPlace(relay);
  const location = locationOf(context, folder);
  const { workspace } = await readConfig(portsOf(location).storage);
  const { seed, publicKey } = await deviceKey(context);
  const device = toHex(publicKey);
  const key = listenerKey(device, workspace);
  const served = servedAt(context, location);
  const working = new Set<Promise<void>>();
  const answerCall = async (token: Uint8Array): Promise<void> => {
    const pipe = await overRelay(place, ({ line }) => join(line, token));
    const stream = await veil(pipe, veilKey(device, workspace), false);
    await served.answer(await acceptSecure(stream, { seed }));
  };
  const onOffer = (token: Uint8Array): void => {
    if (working.size >= RELAY_SESSIONS_PER_LISTENER_MAX) return;
    // A caller that goes away, or is a stranger, has cost nobody anything.
    const work = answerCall(token).catch((error: unknown) => tellUnlessGone(context, error));
    working.add(work);
    void work.then(() => working.delete(work));
  };
  const first = await register(place, key);
  await takeMail(context, location, place);
  await ready(showRelayAddress({ kind: 'relay', ...place, device, workspace }));
  await stayRegistered(context, place, key, first, onOffer);
  const { clock } = context;
  const expired = new Promise<void>((resolve) => clock.after(SERVE_DRAIN_MS, resolve));
  if (working.size > 0) await Promise.race([Promise.all(working), expired]);
}

/** What was left while nobody was here. */
async function takeMail(context: Context, location: Location, place: RelayPlace): Promise<void> {
  const repository = await openAt(context, location);
  try {
    if ((await collectMail(context, repository, new ReplicaStore(repository.replica), place)) > 0)
      await receiveIn(repository);
  } finally {
    await repository.close();
  }
}

async function register(place: RelayPlace, key: Signer): Promise<SocketLine> {
  const greeted = await greetRelay(place);
  const { line } = greeted;
  try {
    await listen(greeted, key);
    line.patienceMs = RELAY_IDLE_MS;
    return line;
  } catch (error) {
    line.close();
    throw error;
  }
}

/** Hears offers until the command is told to stop. */
async function stayRegistered(
  context: Context,
  place: RelayPlace,
  key: Signer,
  first: SocketLine,
  onOffer: (token: Uint8Array) => void,
): Promise<void> {
  const { signal } = context.interruption;
  let line: SocketLine | null = first;
  let retryMs = RELAY_RETRY_MS_MIN;
  while (!signal.aborted) {
    try {
      line ??= await register(place, key);
      const sinceMs = context.clock.monotonicMs();
      await hearOffers(context, line, onOffer).finally(() => {
        // Two copies that push each other out must not come back at once for ever.
        const stayedMs = context.clock.monotonicMs() - sinceMs;
        if (stayedMs > 4 * retryMs) retryMs = RELAY_RETRY_MS_MIN;
      });
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      if (signal.aborted) return;
      await context.stderr.write(`${error.message}; trying again in ${retryMs} ms\n`);
    }
    line = null;
    await pause(context, retryMs);
    retryMs = Math.min(2 * retryMs, RELAY_RETRY_MS_MAX);
  }
}

/** Ends by the line's failure, or when the command is told to stop. */
async function hearOffers(
  { clock, interruption: { signal } }: Context,
  line: SocketLine,
  onOffer: (token: Uint8Array) => void,
): Promise<void> {
  const stop = (): void => line.close();
  signal.addEventListener('abort', stop);
  let cancel = (): void => undefined;
  const pingLater = (): void => {
    cancel = clock.after(RELAY_PING_MS, () => {
      ping(line);
      pingLater();
    });
  };
  pingLater();
  try {
    while (!signal.aborted) onOffer(await nextOffer(line));
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    line.close();
  }
}

/** Cut short when the command is told to stop. */
function pause({ clock, interruption: { signal } }: Context, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      cancel();
      signal.removeEventListener('abort', settle);
      resolve();
    };
    const cancel = clock.after(ms, settle);
    signal.addEventListener('abort', settle);
  });
}

async function tellUnlessGone(context: Context, error: unknown): Promise<void> {
  if (error instanceof WnError && error.code === 'unreachable') return;
  await tellFailure(context, error);
}
