/**
 * Addresses of remotes: a folder, a host that `ssh` reaches, a `wn serve --listen`, a
 * device behind a relay, or whoever is in the local network. What could pass for an
 * option of `ssh` or of the program behind it is refused here, once, for addresses from
 * the user, from a ticket and from a repository's configuration alike (CVE-2017-1000117).
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WnError } from '../core/errors.js';
import {
  parseDevice,
  parseId,
  showDevice,
  showId,
  type DeviceId,
  type WorkspaceId,
} from '../core/ids.js';

export interface PathAddress {
  readonly kind: 'path';
  readonly folder: string;
}

export interface SshAddress {
  readonly kind: 'ssh';
  /** Null: whoever the configuration of ssh says. */
  readonly user: string | null;
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number | null;
  /** On the other side; relative to the home there unless it begins with `/`. */
  readonly path: string;
}

export interface WnAddress {
  readonly kind: 'wn';
  readonly host: string;
  readonly port: number;
  /** Who answers there. */
  readonly device: DeviceId;
  readonly workspace: WorkspaceId;
}

/** A device behind a relay. */
export interface RelayAddress extends RelayPlace {
  readonly kind: 'relay';
  readonly device: DeviceId;
  /** Null: that of the repository at hand. */
  readonly workspace: WorkspaceId | null;
}

/** Where a relay itself is. */
export interface RelayPlace {
  readonly tls: boolean;
  /** In a WebSocket from the start; false: only where nothing else gets through. */
  readonly webSocket: boolean;
  readonly host: string;
  readonly port: number;
}

/** A member's device, or whichever there are, in the local network. */
export interface LanAddress {
  readonly kind: 'mdns';
  /** Null: every member. */
  readonly device: DeviceId | null;
}

export type Address = PathAddress | SshAddress | WnAddress | RelayAddress | LanAddress;

/** Also of what would be a folder: one of such a name can be given as `./…`. */
const OPTION_LIKE = /^([^/\\]*@)?-/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+$\\-]*$/;
const HOST = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;
const IP6 = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/;
const SSH_URL = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/[\]]*)(?::(\d{1,5}))?(\/.*)$/;
const WN_URL = /^wn:\/\/(z[1-9A-Za-z]+)@(\[[^\]/]*\]|[^:/[\]]*):(\d{1,5})\/([0-9A-Za-z]+)$/;
const RELAY_URL = /^wn\+relay(s|\+wss?)?:\/\/(\[[^\]/]*\]|[^:/[\]]*)(?::(\d{1,5}))?(?:\/(.*))?$/;
const RELAY_DEVICE = /^(?:did:key:)?(z[1-9A-Za-z]+)(?:\/([0-9A-Za-z]+))?$/;
const LAN = /^mdns:(z[1-9A-Za-z]+)?$/;
const SCP_LIKE = /^(?:([^@/:]*)@)?(\[[^\]/]*\]|[^:/[\]]*):(.+)$/;

/** Throws `usage`. Relative folders are seen from `cwd`. */
export function parseAddress(text: string, cwd: string): Address {
  if (text === '' || OPTION_LIKE.test(text) || /\p{Cc}/u.test(text)) throw badAddress(text);
  if (text.startsWith('file://')) return { kind: 'path', folder: folderOfUrl(text) };
  if (/^wn:\/\//i.test(text)) return wnAddress(text, WN_URL.exec(`wn${text.slice(2)}`));
  if (/^wn\+relay(s|\+wss?)?:\/\//i.test(text)) return relayAddress(text);
  if (/^mdns:/i.test(text)) return lanAddress(text);
  if (/^ssh:\/\//i.test(text)) return sshAddress(text, SSH_URL.exec(`ssh${text.slice(3)}`));
  if (/^[a-z][a-z0-9+.-]*:(\/\/|:)/i.test(text)) throw badAddress(text);
  // As Git has it: a colon before the first slash makes it a host.
  const colon = text.indexOf(':');
  const slash = text.search(/[/\\]/);
  const drive = process.platform === 'win32' && /^[a-z]:/i.test(text);
  if (colon === -1 || drive || (slash !== -1 && slash < colon && !text.startsWith('['))) {
    return { kind: 'path', folder: resolve(cwd, text) };
  }
  const [, user, host, path] = SCP_LIKE.exec(text) ?? [];
  if (host === undefined || path === undefined) throw badAddress(text);
  return checked(text, user, host, undefined, path);
}

function folderOfUrl(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw badAddress(text);
  }
}

function sshAddress(text: string, parts: RegExpExecArray | null): SshAddress {
  const [, user, host, port, path] = parts ?? [];
  if (host === undefined || path === undefined) throw badAddress(text);
  // `ssh://host/~/notes` is in the home there, as in Git.
  return checked(text, user, host, port, unescaped(text, path).replace(/^\/(?=~)/, ''));
}

/** `wn://DEVICE@host:port/WORKSPACE`: the key of who answers is part of where it is. */
function wnAddress(text: string, parts: RegExpExecArray | null): WnAddress {
  const [, device = '', host = '', port = '', workspace = ''] = parts ?? [];
  const { host: name } = checked(text, undefined, host, port, '/');
  try {
    const ids = { device: parseDevice(`did:key:${device}`), workspace: parseId(workspace) };
    return { kind: 'wn', host: name, port: Number(port), ...ids };
  } catch {
    throw badAddress(text);
  }
}

export function showWnAddress({ host, port, device, workspace }: WnAddress): string {
  const id = showDevice(device).replace('did:key:', '');
  return `wn://${id}@${bracketed(host)}:${port}/${showId(workspace)}`;
}

/**
 * `wn+relay://host[:port]`, with TLS `wn+relays://`; in a WebSocket `wn+relay+ws://` and
 * `wn+relay+wss://`. Throws `usage`.
 */
export function parseRelayPlace(text: string): RelayPlace {
  const { place, rest } = relayParts(text);
  if (rest !== '') throw badAddress(text);
  return place;
}

function relayAddress(text: string): RelayAddress {
  const { place, rest } = relayParts(text);
  const [, device = '', workspace] = RELAY_DEVICE.exec(rest) ?? [];
  try {
    return {
      kind: 'relay',
      ...place,
      device: parseDevice(`did:key:${device}`),
      workspace: workspace === undefined ? null : parseId(workspace),
    };
  } catch {
    throw badAddress(text);
  }
}

function lanAddress(text: string): LanAddress {
  const parts = LAN.exec(text.replace(/^[^:]*/, lower));
  if (parts === null) throw badAddress(text);
  const [, device] = parts;
  try {
    return { kind: 'mdns', device: device === undefined ? null : parseDevice(`did:key:${device}`) };
  } catch {
    throw badAddress(text);
  }
}

/** Whether it names every member in the local network rather than one. */
export function isWholeLan(text: string): boolean {
  return /^mdns:$/i.test(text);
}

export function showLanAddress(device: DeviceId): string {
  return `mdns:${showDevice(device).replace('did:key:', '')}`;
}

function relayParts(text: string): { readonly place: RelayPlace; readonly rest: string } {
  const [, way = '', host = '', given, rest = ''] =
    RELAY_URL.exec(text.replace(/^[^:]*/, lower)) ?? [];
  const tls = way.endsWith('s') && way !== '+ws';
  const webSocket = way.startsWith('+');
  const { host: name, port } = checked(text, undefined, host, given, '/');
  return { place: { tls, webSocket, host: name, port: port ?? (tls ? 443 : 80) }, rest };
}

const lower = (scheme: string): string => scheme.toLowerCase();

export function showRelayPlace({ tls, webSocket, host, port }: RelayPlace): string {
  const way = webSocket ? (tls ? '+wss' : '+ws') : tls ? 's' : '';
  return `wn+relay${way}://${bracketed(host)}:${port}`;
}

export function showRelayAddress(address: RelayAddress): string {
  const device = showDevice(address.device).replace('did:key:', '');
  const place = `${showRelayPlace(address)}/${device}`;
  return address.workspace === null ? place : `${place}/${showId(address.workspace)}`;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function unescaped(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badAddress(text);
  }
}

function checked(
  text: string,
  user: string | undefined,
  host: string,
  port: string | undefined,
  path: string,
): SshAddress {
  const inBrackets = host.startsWith('[');
  const name = inBrackets ? host.slice(1, -1) : host;
  const good =
    (user === undefined || USER.test(user)) &&
    (inBrackets ? IP6.test(name) : HOST.test(name)) &&
    (port === undefined || (Number(port) > 0 && Number(port) < 65_536)) &&
    !path.startsWith('-') &&
    !/\p{Cc}/u.test(path);
  if (!good) throw badAddress(text);
  return {
    kind: 'ssh',
    user: user ?? null,
    host: name,
    port: port === undefined ? null : Number(port),
    path,
  };
}

/** As it is kept in a configuration: folders absolute. */
export function showAddress(text: string, cwd: string): string {
  const address = parseAddress(text, cwd);
  return address.kind === 'path' ? address.folder : text;
}

/** What the last part of the address is called: a name for a new folder. */
export function folderNameOf(address: Address): string {
  if (address.kind !== 'path' && address.kind !== 'ssh') return 'workspace';
  const path = address.kind === 'path' ? address.folder : address.path;
  return path.split(/[/\\]/).findLast((part) => part !== '' && part !== '~') ?? 'workspace';
}

function badAddress(text: string): WnError {
  return new WnError('usage', `not an address that this wn can reach: ${text}`, {
    hint: 'give a folder, as /media/stick/notes, or a host: ssh://me@desk/~/notes, me@desk:notes',
  });
}
