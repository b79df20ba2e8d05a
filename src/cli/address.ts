/**
 * Addresses of remotes: a folder, a host that `ssh` reaches, or a `wn serve --listen`. What could pass for an
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

export type Address = PathAddress | SshAddress | WnAddress;

/** Also of what would be a folder: one of such a name can be given as `./…`. */
const OPTION_LIKE = /^([^/\\]*@)?-/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+$\\-]*$/;
const HOST = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;
const IP6 = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/;
const SSH_URL = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/[\]]*)(?::(\d{1,5}))?(\/.*)$/;
const WN_URL = /^wn:\/\/(z[1-9A-Za-z]+)@(\[[^\]/]*\]|[^:/[\]]*):(\d{1,5})\/([0-9A-Za-z]+)$/;
const SCP_LIKE = /^(?:([^@/:]*)@)?(\[[^\]/]*\]|[^:/[\]]*):(.+)$/;

/** Throws `usage`. Relative folders are seen from `cwd`. */
export function parseAddress(text: string, cwd: string): Address {
  if (text === '' || OPTION_LIKE.test(text) || /\p{Cc}/u.test(text)) throw badAddress(text);
  if (text.startsWith('file://')) return { kind: 'path', folder: folderOfUrl(text) };
  if (/^wn:\/\//i.test(text)) return wnAddress(text, WN_URL.exec(`wn${text.slice(2)}`));
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
  const name = host.includes(':') ? `[${host}]` : host;
  return `wn://${showDevice(device).replace('did:key:', '')}@${name}:${port}/${showId(workspace)}`;
}

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
  const bracketed = host.startsWith('[');
  const name = bracketed ? host.slice(1, -1) : host;
  const good =
    (user === undefined || USER.test(user)) &&
    (bracketed ? IP6.test(name) : HOST.test(name)) &&
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
  if (address.kind === 'wn') return 'workspace';
  const path = address.kind === 'path' ? address.folder : address.path;
  return path.split(/[/\\]/).findLast((part) => part !== '' && part !== '~') ?? 'workspace';
}

function badAddress(text: string): WnError {
  return new WnError('usage', `not an address that this wn can reach: ${text}`, {
    hint: 'give a folder, as /media/stick/notes, or a host: ssh://me@desk/~/notes, me@desk:notes',
  });
}
