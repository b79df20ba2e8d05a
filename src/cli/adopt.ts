/** Copies of a workspace that exists elsewhere: by a ticket, or as one more of a member's. */
import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { decodeTicket, redeem } from '../caps/ticket.js';
import { toHex } from '../core/bytes.js';
import { assert, WnError } from '../core/errors.js';
import { showId, type WorkspaceId } from '../core/ids.js';
import { SSH_LOGIN_MS } from '../core/limits.js';
import { nodeClock } from '../node/clock.js';
import { nodeRng } from '../node/rng.js';
import { adoptWorkspace } from '../repo/birth.js';
import { changedHere } from '../repo/commands.js';
import { readConfig, type Config, type Joining, type Remote } from '../repo/settings.js';
import { askWorkspace } from '../sync/ask.js';
import { folderNameOf, parseAddress, showAddress } from './address.js';
import { checkEmpty, placeFor } from './birth.js';
import type { Context } from './context.js';
import { checkServeCommand, dial, type StreamAddress } from './dial.js';
import { exchange } from './exchanges.js';
import { repositoryAt } from './location.js';
import { deviceKey, portsOf, repositoryOf } from './repository.js';

export interface Joined {
  readonly workspace: string;
  readonly name: string;
  readonly path: string;
  readonly commits: number;
  readonly device: string;
}

export interface AdoptWish {
  /** The new folder; null: named after the workspace. */
  readonly dir: string | null;
  readonly serveCommand: string | undefined;
}

/** A failure before anything has arrived leaves nothing behind but folders that were there. */
export async function joinWorkspace(
  context: Context,
  ticketText: string,
  { dir, serveCommand }: AdoptWish,
): Promise<Joined> {
  const ticket = decodeTicket(ticketText, nodeClock.wallMs());
  const [address] = ticket.addresses;
  if (address === undefined) {
    throw new WnError('invalid_ticket', 'the ticket names no address to fetch from', {
      hint: 'nothing was changed; ask for one with an address: wn invite --via ADDRESS',
    });
  }
  const origin = originAt(context, address, serveCommand);
  const key = await deviceKey(context);
  const caps = redeem(ticket, toHex(key.publicKey), nodeClock.wallMs(), nodeRng);
  const { ws, name } = ticket;
  const root = emptyFolder(context, dir ?? safeFolderName(name));
  const config = { workspace: ws, name, device: toHex(key.publicKey), remotes: [], settings: {} };
  return adoptFrom(context, root, config, { deviceName: key.name, caps }, origin);
}

/** Another copy for this device: it has its own log there. */
export async function cloneWorkspace(
  context: Context,
  address: string,
  { dir, serveCommand }: AdoptWish,
): Promise<Joined> {
  const origin = originAt(context, address, serveCommand);
  const key = await deviceKey(context);
  const device = toHex(key.publicKey);
  if (dir !== null) emptyFolder(context, dir);
  const { workspace, name } = await standingAt(context, origin, device);
  const root = emptyFolder(context, dir ?? safeFolderName(name));
  const config = { workspace, name, device, remotes: [], settings: {} };
  return adoptFrom(context, root, config, { deviceName: key.name, caps: [] }, origin);
}

function originAt(context: Context, address: string, serveCommand: string | undefined): Remote {
  const url = showAddress(address, context.cwd);
  return { name: 'origin', url, ...checkServeCommand(serveCommand, url) };
}

function emptyFolder(context: Context, dir: string): string {
  const root = resolve(context.cwd, dir);
  checkEmpty(root);
  return root;
}

/** Which workspace is at an address. Over a line only a member is told. */
async function standingAt(
  context: Context,
  origin: Remote,
  device: string,
): Promise<{ readonly workspace: WorkspaceId; readonly name: string }> {
  const address = parseAddress(origin.url, context.cwd);
  if (address.kind === 'wn' || address.kind === 'relay') {
    const { workspace } = address;
    if (workspace !== null) return { workspace, name: folderNameOf(address) };
    throw new WnError('usage', `${origin.url} doesn't say which workspace of that device`, {
      hint: 'take the whole address, as wn serve --relay prints it: wn+relay://RELAY/DEVICE/WORKSPACE',
    });
  }
  if (address.kind === 'mdns') {
    throw new WnError('usage', 'members find each other by what they hold; here is nothing yet', {
      hint: 'clone from an address of its own: a folder, a host that ssh reaches, wn://…',
    });
  }
  if (address.kind === 'ssh') {
    const workspace = await askOver(context, origin, address, device);
    return { workspace, name: folderNameOf(address) };
  }
  const from = repositoryAt(address.folder);
  if (from !== null) return readConfig(portsOf(from).storage);
  throw new WnError('unreachable', `no wn repository at ${address.folder}`, {
    hint: 'nothing was changed',
  });
}

async function askOver(
  context: Context,
  origin: Remote,
  address: StreamAddress,
  device: string,
): Promise<WorkspaceId> {
  const line = await dial(context, null, origin, address);
  try {
    const ports = { clock: nodeClock, rng: nodeRng };
    return await askWorkspace(line.channel, device, ports, SSH_LOGIN_MS);
  } catch (error) {
    throw (await line.fault()) ?? error;
  }
}

/** Makes a copy in an empty folder and fills it. */
async function adoptFrom(
  context: Context,
  root: string,
  config: Config,
  joining: Joining,
  origin: Remote,
): Promise<Joined> {
  const existed = existsSync(root);
  const location = await placeFor(root, false);
  let arrived = false;
  try {
    const ports = portsOf(location);
    const whole = changedHere(config, ports.placeMark, (was) => ({ ...was, remotes: [origin] }));
    const replica = await adoptWorkspace(ports, whole, joining);
    const repository = repositoryOf(context, location, replica);
    try {
      const { ends } = await exchange(context, repository, [origin], 'pull');
      arrived = replica.authority.genesis() !== null;
      const [end] = ends;
      assert(end !== undefined, 'an exchange with a remote that came to nothing');
      if (end.error !== null) throw end.error;
      const { workspace, name } = config;
      return {
        workspace: showId(workspace),
        name,
        path: root,
        commits: end.received,
        device: joining.deviceName,
      };
    } finally {
      await repository.close();
    }
  } catch (error) {
    if (arrived) throw goOn(error, root);
    rmSync(existed ? location.data : root, { recursive: true, force: true });
    throw error;
  }
}

/** What has arrived of a large workspace isn't thrown away. */
function goOn(error: unknown, root: string): unknown {
  if (!(error instanceof WnError)) return error;
  return new WnError(error.code, error.message, {
    hint: `what arrived is kept; go on with: wn -C ${root} pull`,
    details: error.details,
    cause: error,
  });
}

/** A workspace's name comes from somebody else: it may be no path. */
export function safeFolderName(name: string): string {
  const safe = name
    .replace(/[^\p{L}\p{N}._ -]/gu, '')
    .replace(/^[. ]+/, '')
    .trim();
  return safe === '' ? 'workspace' : safe;
}
