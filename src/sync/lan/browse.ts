/**
 * A look around the local network for members of a workspace: which announcements count,
 * how many, and when it has settled. Bounded whatever is told: strangers leave nothing
 * behind but a count. Leaves out how announcements travel, and the dial, which proves
 * who is there.
 */
import type { DeviceId } from '../../core/ids.js';
import {
  LAN_COUNTED_MAX,
  LAN_LOOK_MS,
  LAN_QUIET_MS,
  LAN_SIGHTINGS_MAX,
  PEERS_MAX,
} from '../../core/limits.js';
import type { Clock, LocalNetwork, Sighting } from '../../core/ports.js';
import { recognise } from './announcement.js';

/** Whom to look for. */
export interface LookingFor {
  /** As `lanKey` gives it. */
  readonly key: Uint8Array;
  /** Members' devices, without this one. */
  readonly members: readonly DeviceId[];
  /** Null: every member. */
  readonly wanted: DeviceId | null;
  /**
   * False: ends once everyone was seen. True: goes on, because what was seen led nowhere, and
   * may have been told by somebody else.
   */
  readonly patient: boolean;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Neighbour {
  readonly device: DeviceId;
  /** Where it says to be; it may be in several networks, and others may lie. Never empty. */
  readonly places: readonly Place[];
}

export interface Around {
  /** In the order in which they were first seen. */
  readonly neighbours: readonly Neighbour[];
  /** Announcements used, at most `PEERS_MAX`. */
  readonly used: number;
  /** Announcements of members beyond those; counted to `LAN_COUNTED_MAX`. */
  readonly left: number;
  /** Peers of this workspace that aren't known as members here. */
  readonly unknown: number;
  /** So many announcements came that not all were examined. */
  readonly flooded: boolean;
}

/** Looks until it has settled, at most `LAN_LOOK_MS`. Throws `unreachable` without a network. */
export async function lookAround(
  network: LocalNetwork,
  clock: Clock,
  looking: LookingFor,
  signal?: AbortSignal,
): Promise<Around> {
  const look = new Look(looking);
  let settle = (): void => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const endMs = clock.monotonicMs() + LAN_LOOK_MS;
  let cancel = clock.after(LAN_LOOK_MS, settle);
  const seen = (sighting: Sighting): void => {
    if (!look.see(sighting)) return;
    const leftMs = Math.max(0, endMs - clock.monotonicMs());
    cancel();
    cancel = clock.after(look.complete ? 0 : Math.min(leftMs, LAN_QUIET_MS), settle);
  };
  signal?.addEventListener('abort', settle, { once: true });
  try {
    const stop = await network.browse(seen);
    if (signal?.aborted !== true) await settled;
    stop();
  } finally {
    cancel();
    signal?.removeEventListener('abort', settle);
  }
  return look.result;
}

/** What was seen. */
export class Look {
  private readonly places = new Map<DeviceId, Place[]>();
  private readonly known = new Set<string>();
  private readonly beyond = new Set<string>();
  private readonly unknown = new Set<string>();
  private sightings = 0;

  constructor(private readonly looking: LookingFor) {}

  /** True if that was a peer, or a place of one, that wasn't known yet. */
  see(sighting: Sighting): boolean {
    const name = `${sighting.host} ${sighting.port} ${sighting.instance}`;
    if (this.known.has(name) || this.sightings >= LAN_SIGHTINGS_MAX) return false;
    this.sightings += 1;
    const { key, members, wanted } = this.looking;
    const recognised = recognise(key, members, sighting);
    if (recognised.who === 'unknown' && this.unknown.size < LAN_COUNTED_MAX) {
      this.unknown.add(sighting.instance);
    }
    if (recognised.who !== 'member') return false;
    const { device } = recognised;
    if (wanted !== null && device !== wanted) return false;
    if (this.known.size >= PEERS_MAX) {
      if (this.beyond.size < LAN_COUNTED_MAX) this.beyond.add(name);
      return false;
    }
    this.known.add(name);
    const places = this.places.get(device) ?? [];
    places.push({ host: sighting.host, port: sighting.port });
    this.places.set(device, places);
    return true;
  }

  /** Everyone who was looked for is here: nothing is worth waiting for. */
  get complete(): boolean {
    const { members, wanted, patient } = this.looking;
    return !patient && this.places.size >= (wanted === null ? members.length : 1);
  }

  get result(): Around {
    return {
      neighbours: [...this.places].map(([device, places]) => ({ device, places })),
      used: this.known.size,
      left: this.beyond.size,
      unknown: this.unknown.size,
      flooded: this.sightings >= LAN_SIGHTINGS_MAX,
    };
  }
}
