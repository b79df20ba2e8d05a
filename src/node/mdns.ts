/**
 * `LocalNetwork` by multicast DNS over IPv4: `bonjour-service` keeps the records and answers,
 * on a socket of its own for each network. Hardened here once, for what it leaves open: it
 * tells every address of the machine to every network, answers each question of each packet,
 * prints to standard output, throws within its sockets, and its browser takes a time that
 * grows with the square of what one packet holds; so packets are read here.
 */
import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type Bonjour from 'bonjour-service';
import { WnError } from '../core/errors.js';
import {
  MDNS_ANSWER_MS,
  MDNS_INTERFACES_LOOK_MS,
  MDNS_INTERFACES_MAX,
  MDNS_RECORDS_MAX,
  MDNS_STRINGS_MAX,
} from '../core/limits.js';
import type { Announcement, LocalNetwork, Sighting } from '../core/ports.js';

const TYPE = 'wn';
const SERVICE = '_wn._tcp.local';
const TAG_KEY = 'm';
/** Of the whole look; RFC 6762, 5.2: the first repetition after a second, then twice that. */
const ASK_AGAIN_MS = [1_000, 3_000];

/** What is used of `multicast-dns`, which `bonjour-service` runs on. */
interface Mdns {
  on(event: 'response', heard: (packet: Packet, from: Sender) => void): void;
  on(event: 'error' | 'warning', heard: (error: Error) => void): void;
  query(name: string, type: string): void;
  respond(response: unknown, then?: (error?: Error | null) => void): void;
}

interface Sender {
  readonly address: string;
}

export interface Packet {
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly data?: unknown;
}

export const localNetwork: LocalNetwork = {
  async announce(next) {
    let told = await announceOn(ownAddresses(), next());
    let ended = false;
    // In other networks under another name, so that the two places can't be linked.
    const change = async (): Promise<void> => {
      const addresses = ownAddresses();
      if (ended || String(addresses) === String(told.addresses)) return;
      await told.stop();
      told = NOTHING_TOLD;
      if (addresses.length > 0) told = await announceOn(addresses, next());
    };
    let changing = Promise.resolve();
    const timer = setInterval(() => {
      // What fails is tried again at the next look.
      changing = changing.then(change).catch(() => undefined);
    }, MDNS_INTERFACES_LOOK_MS);
    return async () => {
      ended = true;
      clearInterval(timer);
      await changing;
      await told.stop();
    };
  },

  async browse(seen) {
    const sockets = await open(ownAddresses());
    const links = ownLinks();
    const ask = (): void => {
      for (const { mdns } of sockets) mdns.query(SERVICE, 'PTR');
    };
    for (const { mdns } of sockets) {
      mdns.on('response', (packet, { address }) => {
        if (isIPv4(address) && links.check(address)) sightingsIn(packet, address).forEach(seen);
      });
    }
    ask();
    const timers = ASK_AGAIN_MS.map((ms) => setTimeout(ask, ms));
    return () => {
      timers.forEach(clearTimeout);
      for (const { bonjour } of sockets) bonjour.destroy();
    };
  },
};

interface Told {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

const NOTHING_TOLD: Told = { addresses: [], stop: () => Promise.resolve() };

async function announceOn(addresses: readonly string[], what: Announcement): Promise<Told> {
  const sockets = await open(addresses);
  for (const { bonjour } of sockets) {
    bonjour.publish({
      name: what.instance,
      type: TYPE,
      port: what.port,
      host: `${what.instance}.local`,
      txt: { [TAG_KEY]: what.tag },
      // The name is random and new: nobody else has it.
      probe: false,
    });
  }
  return {
    addresses,
    async stop() {
      await Promise.all(
        sockets.map(async ({ bonjour }) => {
          await new Promise<void>((done) => bonjour.unpublishAll(() => done()));
          bonjour.destroy();
        }),
      );
    },
  };
}

interface Socket {
  readonly bonjour: Bonjour;
  readonly mdns: Mdns;
}

/** One for each address. Throws `unreachable` if there is none, or none could be bound. */
async function open(addresses: readonly string[]): Promise<readonly Socket[]> {
  const { default: Service } = await import('bonjour-service');
  const opened = await Promise.all(
    addresses.map(async (address) => {
      // Bound to the address itself, a socket would hear nothing that is sent to the group.
      const options = { interface: address, bind: '0.0.0.0' };
      const bonjour = new Service(options as object, () => undefined);
      const { mdns } = bonjour['server'] as { readonly mdns: Mdns };
      hush(mdns);
      const fault = await new Promise<Error | null>((resolve) => {
        mdns.on('error', resolve);
        (mdns as unknown as NodeJS.EventEmitter).once('ready', () => resolve(null));
      });
      if (fault === null) return { bonjour, mdns };
      bonjour.destroy();
      return null;
    }),
  );
  const sockets = opened.filter((socket) => socket !== null);
  if (sockets.length > 0) return sockets;
  throw new WnError('unreachable', 'this machine is in no local network that wn could ask', {
    hint: 'nothing was exchanged over it; is a network there, and UDP port 5353 free to share?',
    details: { reason: 'no_connection' },
  });
}

/** Without addresses, which tell of other networks; and of many answers one a second. */
function hush(mdns: Mdns): void {
  const respond = mdns.respond.bind(mdns);
  let waiting: NodeJS.Timeout | null = null;
  let againMs = 0;
  mdns.respond = (response, then) => {
    const records = recordsOf(response).filter(({ type }) => type !== 'A' && type !== 'AAAA');
    const goodbye = records.some(({ ttl }) => ttl === 0);
    const nowMs = performance.now();
    if (goodbye || nowMs >= againMs) {
      againMs = nowMs + MDNS_ANSWER_MS;
      if (waiting !== null) clearTimeout(waiting);
      waiting = null;
      respond(records, then);
      return;
    }
    then?.(null);
    // What was asked for meanwhile is told once, to all who asked.
    waiting ??= setTimeout(() => mdns.respond(records), againMs - nowMs).unref();
  };
}

function recordsOf(response: unknown): readonly DnsRecord[] {
  if (Array.isArray(response)) return response as readonly DnsRecord[];
  const { answers, additionals } = response as Packet;
  return [...answers, ...additionals];
}

/** The announcements in a packet, of whatever form; at a cost that grows with its length only. */
export function sightingsIn(packet: Packet, host: string): readonly Sighting[] {
  const ports = new Map<string, number>();
  const tags = new Map<string, string>();
  const records = [...packet.answers.slice(0, MDNS_RECORDS_MAX), ...packet.additionals];
  for (const { name, type, ttl, data } of records.slice(0, MDNS_RECORDS_MAX)) {
    if ((type !== 'SRV' && type !== 'TXT') || ttl === 0 || typeof name !== 'string') continue;
    const instance = instanceOf(name);
    if (instance === null) continue;
    if (type === 'TXT') tags.set(instance, tagIn(data));
    else ports.set(instance, (data as { readonly port: number }).port);
  }
  return [...ports].flatMap(([instance, port]) => {
    const tag = tags.get(instance);
    return tag === undefined || tag === '' ? [] : [{ instance, tag, port, host }];
  });
}

function instanceOf(name: string): string | null {
  const lower = name.toLowerCase();
  return lower.endsWith(`.${SERVICE}`) ? lower.slice(0, -SERVICE.length - 1) : null;
}

/** Empty if there is none. */
function tagIn(strings: unknown): string {
  if (!Array.isArray(strings)) return '';
  const head = `${TAG_KEY}=`;
  for (const bytes of strings.slice(0, MDNS_STRINGS_MAX) as readonly unknown[]) {
    const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '';
    if (text.startsWith(head)) return text.slice(head.length);
  }
  return '';
}

/** One for each network: IPv4, not of the machine to itself. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((infos = []) =>
      infos.filter(({ family, internal }) => family === 'IPv4' && !internal).slice(0, 1),
    )
    .map(({ address }) => address)
    .slice(0, MDNS_INTERFACES_MAX);
}

/** Who may be believed to be near (RFC 6762, 11). */
function ownLinks(): BlockList {
  const links = new BlockList();
  for (const info of Object.values(networkInterfaces()).flatMap((infos = []) => infos)) {
    const prefix = Number(info.cidr?.split('/')[1]);
    if (info.family === 'IPv4' && prefix > 0) links.addSubnet(info.address, prefix, 'ipv4');
  }
  return links;
}
