/**
 * The repository's small files: `format`, `config` (workspace, remotes, settings) and
 * `place` (which log this copy writes). JSON, because people read them; each is
 * replaced whole. What in them names a command counts only as `commands.ts` says.
 */
import { WnError } from '../core/errors.js';
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import { decodeCap, encodeCap, type SignedCap } from '../caps/cap.js';
import type { DeviceId, Epoch, WorkspaceId } from '../core/ids.js';
import type { Storage } from '../core/ports.js';

export const FORMAT_LINE = 'wn repository 1\n';

export interface Remote {
  readonly name: string;
  readonly url: string;
  readonly servePath?: string;
}

export interface Config {
  readonly workspace: WorkspaceId;
  readonly name: string;
  readonly device: DeviceId;
  readonly remotes: readonly Remote[];
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** The place in which somebody has set what runs a command; see `commands.ts`. */
  readonly commandsMark?: string;
}

/** The log that this copy of the repository writes, and the mark of the place it was made for. */
export interface Place {
  readonly epoch: Epoch;
  readonly mark: string;
}

/** Throws `no_repository` or `unknown_format`. */
export async function checkFormat(storage: Storage): Promise<void> {
  const bytes = await storage.read('format');
  if (bytes === null) {
    throw new WnError('no_repository', 'no wn repository here', {
      hint: 'make one with: wn init, or take part in one with: wn join TICKET',
    });
  }
  const line = Buffer.from(bytes).toString('utf8');
  if (line === FORMAT_LINE) return;
  const version = /^wn repository (\d{1,9})\n$/.exec(line)?.[1];
  throw new WnError(
    'unknown_format',
    version === undefined
      ? 'the file format of this repository is not one that wn knows'
      : `this repository has format ${version}; this wn reads format 1`,
    { hint: 'nothing was changed; use the version of wn that wrote it, or a newer one' },
  );
}

export async function readConfig(storage: Storage): Promise<Config> {
  const config = parseConfig(await readJson(storage, 'config'));
  if (config !== null) return config;
  throw new WnError('damage', 'the config file of this repository is incomplete', {
    hint: 'restore .wn/config from a backup, or join the workspace again',
  });
}

/** Null for what isn't one. */
export function parseConfig(value: object): Config | null {
  const { workspace, name, device, remotes, settings, commandsMark } = value as Partial<Config>;
  if (typeof workspace !== 'string' || typeof device !== 'string' || typeof name !== 'string') {
    return null;
  }
  const config = { workspace, name, device, remotes: remotes ?? [], settings: settings ?? {} };
  return commandsMark === undefined ? config : { ...config, commandsMark };
}

export async function writeConfig(storage: Storage, config: Config): Promise<void> {
  await storage.replace('config', utf8(`${JSON.stringify(config, null, 2)}\n`));
}

/** Null where this copy has no log yet. */
export async function readPlace(storage: Storage): Promise<Place | null> {
  if ((await storage.size('place')) === null) return null;
  const { epoch, mark } = (await readJson(storage, 'place')) as Partial<Place>;
  return typeof epoch === 'string' && typeof mark === 'string' ? { epoch, mark } : null;
}

export async function writePlace(storage: Storage, place: Place): Promise<void> {
  await storage.replace('place', utf8(`${JSON.stringify(place)}\n`));
}

/** A device that joined and has not committed yet: what its first commit will carry. */
export interface Joining {
  readonly deviceName: string;
  /** The chain below the root, the device's own capability last. */
  readonly caps: readonly SignedCap[];
}

export async function readJoining(storage: Storage): Promise<Joining | null> {
  if ((await storage.size('joining')) === null) return null;
  return parseJoining(await readJson(storage, 'joining'));
}

export async function writeJoining(storage: Storage, joining: Joining): Promise<void> {
  await storage.replace('joining', utf8(`${JSON.stringify(showJoining(joining))}\n`));
}

/** As JSON holds it. */
export interface JoiningText {
  readonly deviceName: string;
  readonly caps: readonly (readonly [cap: string, sig: string])[];
}

export function showJoining({ deviceName, caps }: Joining): JoiningText {
  const pairs = caps.map(
    ({ cap, sig }) => [toHex(encodeCap(cap)), toHex(sig ?? new Uint8Array())] as const,
  );
  return { deviceName, caps: pairs };
}

export function parseJoining(value: object): Joining {
  const { deviceName, caps } = value as JoiningText;
  const carried = caps.map(([cap, sig]) => decodeCap(fromHex(cap), fromHex(sig)));
  return { deviceName, caps: carried.filter((cap) => cap.known) };
}

async function readJson(storage: Storage, path: string): Promise<object> {
  const bytes = await storage.read(path);
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // reported below
  }
  throw new WnError('damage', `the file ${path} of this repository can't be read`, {
    hint: 'nothing was changed; restore it from a backup, or join the workspace again',
  });
}
