/** Reaches a device through a relay: a pipe there, and within it a channel that only the two read. */
import type { Duplex } from 'node:stream';
import { assert } from '../core/errors.js';
import { LOGIN_MS, RELAY_ANSWER_MS } from '../core/limits.js';
import type { Line } from '../node/line.js';
import { dialRelay, type SocketLine } from '../node/relayline.js';
import { dialSecure } from '../node/securessh.js';
import { veil } from '../node/veil.js';
import type { Config } from '../repo/settings.js';
import { greet, isNoRelay, reach, type GreetedLine } from '../sync/relay/client.js';
import { callerKey, listenerKey, listenerName, veilKey } from '../sync/relay/proof.js';
import { showRelayPlace, type RelayAddress, type RelayPlace } from './address.js';
import type { Context } from './context.js';
import { deviceKey } from './repository.js';

/** Throws `unreachable`; see `isUnavailable` for a device that isn't there. */
export async function dialThroughRelay(
  context: Context,
  config: Config | null,
  address: RelayAddress,
): Promise<Line> {
  const { seed } = await deviceKey(context);
  const workspace = address.workspace ?? config?.workspace;
  assert(workspace !== undefined, 'a call through a relay for no workspace');
  const caller = callerKey(seed, showRelayPlace(address));
  const name = listenerName(listenerKey(address.device, workspace).publicKey);
  const pipe = await overRelay(address, (greeted) => reach(greeted, caller, name));
  const stream = await veil(pipe, veilKey(address.device, workspace), true);
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  const channel = await dialSecure(stream, { seed, expected: address.device });
  return { channel, fault: () => Promise.resolve(null), gone: () => closed };
}

/**
 * A connection to what has shown that it is a relay; in a WebSocket where a plain line
 * finds something else, since in between there may be what only passes on HTTP. Throws
 * `unreachable`.
 */
export async function greetRelay(place: RelayPlace): Promise<GreetedLine<SocketLine>> {
  try {
    return await greeted(await dialRelay(place));
  } catch (error) {
    if (place.webSocket || !isNoRelay(error)) throw error;
    return await dialRelay({ ...place, webSocket: true })
      .then(greeted)
      .catch((again: unknown) => {
        throw isNoRelay(again) ? error : again;
      });
  }
}

async function greeted(line: SocketLine): Promise<GreetedLine<SocketLine>> {
  try {
    line.patienceMs = LOGIN_MS;
    const channel = await greet(line);
    line.patienceMs = RELAY_ANSWER_MS;
    return { line, channel };
  } catch (error) {
    line.close();
    throw error;
  }
}

/** A connection to the relay once `talk` has made a pipe of it. */
export async function overRelay(
  place: RelayPlace,
  talk: (greeted: GreetedLine) => Promise<void>,
): Promise<Duplex> {
  const greeted = await greetRelay(place);
  try {
    await talk(greeted);
    return greeted.line.stream;
  } catch (error) {
    greeted.line.close();
    throw error;
  }
}
