/** Reaches a device through a relay: a pipe there, and within it a channel that only the two read. */
import type { Duplex } from 'node:stream';
import { assert } from '../core/errors.js';
import type { Line } from '../node/line.js';
import { dialRelay, type SocketLine } from '../node/relayline.js';
import { dialSecure } from '../node/securessh.js';
import { veil } from '../node/veil.js';
import type { Config } from '../repo/settings.js';
import { reach } from '../sync/relay/client.js';
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
  const pipe = await overRelay(address, (line) => reach(line, caller, name));
  const stream = await veil(pipe, veilKey(address.device, workspace), true);
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  const channel = await dialSecure(stream, { seed, expected: address.device });
  return { channel, fault: () => Promise.resolve(null), gone: () => closed };
}

/** A connection to the relay once `talk` has made a pipe of it. */
export async function overRelay(
  place: RelayPlace,
  talk: (line: SocketLine) => Promise<void>,
): Promise<Duplex> {
  const line = await dialRelay(place);
  try {
    await talk(line);
    return line.stream;
  } catch (error) {
    line.close();
    throw error;
  }
}
