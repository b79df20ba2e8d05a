/** `wn serve --lan`: answers members in the local network, and tells them that it is there. */
import { toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { SERVE_DRAIN_MS } from '../core/limits.js';
import { localNetwork } from '../node/mdns.js';
import { nodeRng } from '../node/rng.js';
import { acceptSecure } from '../node/securessh.js';
import { listenTcp } from '../node/tcp.js';
import { veil } from '../node/veil.js';
import { announcementOf, lanVeilKey } from '../sync/lan/announcement.js';
import { lanKeyOf } from '../sync/lan/members.js';
import { showLanAddress } from './address.js';
import type { Context } from './context.js';
import type { Location } from './location.js';
import { deviceKey, openAt } from './repository.js';
import { locationOf, placeOf, servedAt, tellFailure, untilStopped } from './serve.js';

const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** `ready` is told the address by which members find it. Throws `unreachable` without a network, `usage`. */
export async function serveLan(
  context: Context,
  folder: string | undefined,
  listen: string,
  ready: (address: string) => Promise<void>,
): Promise<void> {
  const place = placeOf(listen);
  if (LOOPBACK.test(place.host)) {
    throw new WnError('usage', `nobody in the local network reaches ${place.host}`, {
      hint: 'nothing is served; give --listen an address of a network, or :PORT',
    });
  }
  const location = locationOf(context, folder);
  const key = await keyAt(context, location);
  const { seed, publicKey } = await deviceKey(context);
  const device = toHex(publicKey);
  const veilKey = lanVeilKey(key, device);
  const served = servedAt(context, location);
  const listener = await listenTcp({
    place,
    secure: async (socket) => acceptSecure(await veil(socket, veilKey, false), { seed }),
    serve: async (channel) => void (await served.answer(channel)),
    failed: (error) => void tellFailure(context, error),
  });
  const { port } = listener.place;
  try {
    const stop = await localNetwork.announce(() => announcementOf(key, device, port, nodeRng));
    await ready(showLanAddress(device));
    await untilStopped(context);
    await stop();
  } finally {
    await listener.close(SERVE_DRAIN_MS);
  }
}

async function keyAt(context: Context, location: Location): Promise<Uint8Array> {
  const repository = await openAt(context, location);
  try {
    const key = lanKeyOf(repository.replica);
    if (key !== null) return key;
    throw new WnError('unreachable', 'nothing of this workspace is here yet', {
      hint: 'members recognise each other by what it holds: fetch it first, with wn pull',
    });
  } finally {
    await repository.close();
  }
}
