/**
 * Members in the local network: who is there, and a line to one. Where an announcement
 * leads is only tried; who answers there must prove the device that it is taken for, and
 * before that to be a member at all.
 */
import { WnError } from '../core/errors.js';
import { showDevice, type DeviceId } from '../core/ids.js';
import {
  LAN_CONNECT_MS,
  LAN_DIALS_AT_ONCE_MAX,
  LAN_LOGIN_MS,
  LAN_REACH_MS,
  PEERS_MAX,
} from '../core/limits.js';
import type { LocalNetwork } from '../core/ports.js';
import type { Line } from '../node/line.js';
import type { Replica } from '../repo/replica.js';
import { lanVeilKey } from '../sync/lan/announcement.js';
import { lookAround, type Around, type Place } from '../sync/lan/browse.js';
import { lanKeyOf, lanMembersOf } from '../sync/lan/members.js';
import { authorName } from './authorship.js';
import type { Context } from './context.js';
import { counted } from './counted.js';
import { atMost } from './pool.js';
import { deviceKey } from './repository.js';

export class Neighbourhood {
  private readonly places = new Map<DeviceId, readonly Place[]>();
  private readonly told = new Set<string>();
  private readonly dialling = atMost(LAN_DIALS_AT_ONCE_MAX);

  constructor(
    private readonly context: Context,
    private readonly replica: Replica,
  ) {}

  /** What the user should know of the looks so far: never silently less than there was. */
  get notes(): readonly string[] {
    return [...this.told];
  }

  /** For people: a member's name, or the end of its key. */
  nameOf(device: DeviceId): string {
    return authorName(showDevice(device), this.replica.authority.deviceOf(device).name);
  }

  /** The members that announce themselves. Throws `unreachable` where nobody can be asked. */
  async look(): Promise<readonly DeviceId[]> {
    const { neighbours } = await this.around(null, false);
    return neighbours.map(({ device }) => device);
  }

  /** A line to a member, wherever it is. Throws `unreachable`. */
  reach(device: DeviceId): Promise<Line> {
    return this.dialling(async () => {
      const untilMs = this.context.clock.monotonicMs() + LAN_REACH_MS;
      const tried = new Set<string>();
      if (!this.places.has(device)) await this.around(device, false);
      const line = await this.firstOf(device, tried, untilMs);
      if (line !== null) return line;
      // It was told by somebody else, or is out of date: perhaps the device speaks up yet.
      if (tried.size > 0) await this.around(device, true);
      const later = await this.firstOf(device, tried, untilMs);
      if (later !== null) return later;
      throw this.unreached(device, tried.size > 0);
    });
  }

  private async around(wanted: DeviceId | null, patient: boolean): Promise<Around> {
    const { context, replica } = this;
    const key = lanKeyOf(replica);
    if (key === null) {
      throw new WnError('unreachable', 'nothing of this workspace is here yet', {
        hint: 'members recognise each other by what it holds: fetch from one by its address first',
      });
    }
    const looking = { key, members: lanMembersOf(replica), wanted, patient };
    const network = await loadNetwork();
    const around = await lookAround(network, context.clock, looking, context.interruption.signal);
    for (const { device, places } of around.neighbours) this.places.set(device, places);
    this.note(around);
    return around;
  }

  private note({ left, used, unknown, flooded }: Around): void {
    if (left > 0) {
      const more = counted(left, 'more announcement');
      this.told.add(
        `${used} announcements in the local network were used, which is the bound (${PEERS_MAX}); ` +
          `${more} of this workspace ${left === 1 ? 'was' : 'were'} not`,
      );
    }
    if (unknown > 0) {
      this.told.add(
        `${counted(unknown, 'device')} in the local network ${unknown === 1 ? 'is' : 'are'} of this ` +
          'workspace, but not known here yet; let it sync with this one, or fetch from another',
      );
    }
    if (flooded) {
      this.told.add('the local network is flooded with announcements; not all were looked at');
    }
  }

  /** The first place where the device proves to be; those that were tried are added to `tried`. */
  private async firstOf(
    device: DeviceId,
    tried: Set<string>,
    untilMs: number,
  ): Promise<Line | null> {
    const { clock, interruption } = this.context;
    for (const place of this.places.get(device) ?? []) {
      const name = `${place.host}:${place.port}`;
      if (tried.has(name)) continue;
      if (interruption.signal.aborted || clock.monotonicMs() >= untilMs) return null;
      tried.add(name);
      try {
        return await this.dial(device, place);
      } catch (error) {
        if (!(error instanceof WnError) || error.code !== 'unreachable') throw error;
      }
    }
    return null;
  }

  private async dial(device: DeviceId, place: Place): Promise<Line> {
    const [{ dialTcp }, { dialSecure }, { veil }] = await Promise.all([
      import('../node/tcp.js'),
      import('../node/securessh.js'),
      import('../node/veil.js'),
    ]);
    const key = lanKeyOf(this.replica);
    const { seed } = await deviceKey(this.context);
    const socket = await dialTcp(place, LAN_CONNECT_MS);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const stream = await veil(
      socket,
      lanVeilKey(key ?? new Uint8Array(), device),
      true,
      LAN_LOGIN_MS,
    );
    const channel = await dialSecure(stream, { seed, expected: device, loginMs: LAN_LOGIN_MS });
    return { channel, fault: () => Promise.resolve(null), gone: () => closed };
  }

  private unreached(device: DeviceId, seen: boolean): WnError {
    const name = this.nameOf(device);
    const message = seen
      ? `${name} was announced in the local network, but does not answer where it was`
      : `${name} is not in the local network, or does not announce itself`;
    return new WnError('unreachable', message, {
      hint: 'nothing was exchanged with it; is wn serve --lan running there, in the same network?',
      details: { reason: 'no_connection' },
    });
  }
}

/** Loaded only where somebody looks around. */
async function loadNetwork(): Promise<LocalNetwork> {
  return (await import('../node/mdns.js')).localNetwork;
}
