/**
 * Exchanges with members in the local network: each is for this once a remote of its own.
 * Leaves out how they are found and reached (`neighbourhood.ts`).
 */
import { WnError } from '../core/errors.js';
import { hlcFromMs, showTime } from '../core/hlc.js';
import type { DeviceId } from '../core/ids.js';
import type { Remote } from '../repo/settings.js';
import { showLanAddress } from './address.js';
import type { Exchanging } from './exchange.js';
import type { Neighbourhood } from './neighbourhood.js';
import { NOTHING, type RemoteEnd } from './remoteEnd.js';
import { rememberRemote } from './remotes.js';

/** Whether to look for members in the local network. */
export interface LanWish {
  /** What comes before their names in results. */
  readonly name: string;
  /** It is the name of a remote, of which is noted when it was last in step. */
  readonly remembered: boolean;
  /** That nobody is there, or answers, is a failure. */
  readonly required: boolean;
}

interface Met {
  readonly remotes: readonly Remote[];
  readonly ends: readonly RemoteEnd[];
}

/** Exchanges, by `each`, with all that are there. Ends by the failure to look, if it failed. */
export async function meet(
  neighbourhood: Neighbourhood,
  { name, required }: LanWish,
  each: (remotes: readonly Remote[]) => Promise<readonly RemoteEnd[]>,
): Promise<Met> {
  const failed = (error: WnError): Met => ({
    remotes: required ? [{ name, url: 'mdns:' }] : [],
    ends: required ? [{ name, ...NOTHING, error }] : [],
  });
  let devices: readonly DeviceId[];
  try {
    devices = await neighbourhood.look();
  } catch (error) {
    if (error instanceof WnError) return failed(error);
    throw error;
  }
  if (devices.length === 0) return failed(nobody());
  const remotes = devices.map(remoteOf);
  return { remotes, ends: await each(remotes) };
}

/** Longer than a remote's name may be, so that what is kept of it is kept apart. */
function remoteOf(device: DeviceId): Remote {
  return { name: `lan-${device}`, url: showLanAddress(device) };
}

/** All ends, in which members go by their names; what wasn't required is left out if it failed. */
export async function endsOfLan(
  { here, neighbourhood }: Exchanging,
  { name, remembered, required }: LanWish,
  before: number,
  ends: readonly RemoteEnd[],
): Promise<readonly RemoteEnd[]> {
  const { storage, clock } = here.replica.ports;
  const shown: RemoteEnd[] = [...ends.slice(0, before)];
  for (const end of ends.slice(before)) {
    if (!required && end.error?.code === 'unreachable') continue;
    const device = /^lan-([0-9a-f]{64})$/.exec(end.name)?.[1];
    shown.push(
      device === undefined ? end : { ...end, name: `${name}/${neighbourhood.nameOf(device)}` },
    );
    if (!remembered || end.error !== null) continue;
    const lastOkAt = showTime(hlcFromMs(clock.wallMs()));
    await rememberRemote(storage, name, { lastOkAt, have: end.holds ?? [] });
  }
  return shown;
}

function nobody(): WnError {
  return new WnError('unreachable', 'no member of this workspace answers in the local network', {
    hint: 'is wn serve --lan running on another device, in the same network?',
    details: { reason: 'no_connection' },
  });
}
