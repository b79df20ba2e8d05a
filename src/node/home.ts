/**
 * The device's home: where its key and name are kept, apart from every repository. Two
 * homes on one machine are two devices. Leaves out what the key signs.
 */
import * as fs from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, isAbsolute, resolve } from 'node:path';
import { utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { HOME_FILE_BYTES_MAX, NAME_BYTES_MAX } from '../core/limits.js';
import { createFile, ensureFolder } from './durable.js';
import { errnoOf, worldFault } from './faults.js';
import { formatKey, parseKey, secretFromSeed } from './opensshkey.js';
import type { DeviceSecret } from './opensshkey.js';
import { nodeRng } from './rng.js';
import { checkMode } from './root.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface DeviceKey extends DeviceSecret {
  /** The device's name at first use: the machine's, until the user says otherwise. */
  readonly name: string;
}

const KEY_FILE = 'device_ed25519';
const SETTINGS_FILE = 'device.json';

/**
 * The absolute path of the home: `WN_HOME`, else `wn` in `XDG_CONFIG_HOME` (which counts
 * only if absolute: XDG Base Directory Specification), else `~/.config/wn`.
 */
export function homeFolder(env: Environment): string {
  const { WN_HOME: own, XDG_CONFIG_HOME: xdg, HOME: user } = env;
  if (own !== undefined && own !== '') return resolve(own);
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'wn');
  return join(user !== undefined && isAbsolute(user) ? user : homedir(), '.config', 'wn');
}

/**
 * The device's key and name, made at first use; of two processes that race there, both
 * end with one key. `passphraseFile` is read for an encrypted key only. Throws
 * `unsafe_mode` if others could read the key, `denied` if it can't be decrypted,
 * `invalid` for files that aren't ours.
 */
export async function loadOrCreateDeviceKey(
  home: string,
  options: { readonly passphraseFile?: string } = {},
): Promise<DeviceKey> {
  try {
    ensureFolder(home);
    const name = await loadOrCreateName(join(home, SETTINGS_FILE));
    const secret = await loadOrCreateKey(join(home, KEY_FILE), name, options.passphraseFile);
    return { ...secret, name };
  } catch (error) {
    throw worldFault(error, home);
  }
}

async function loadOrCreateKey(
  file: string,
  name: string,
  passphraseFile: string | undefined,
): Promise<DeviceSecret> {
  let text = readSecret(file);
  if (text === null) {
    const secret = secretFromSeed(nodeRng.bytes(32));
    const check = Buffer.from(nodeRng.bytes(4)).readUInt32BE();
    if (await createFile(file, utf8(formatKey(secret, name, check)))) return secret;
    text = readSecret(file) ?? '';
  }
  return parseKey(text, () =>
    passphraseFile === undefined ? null : readPassphrase(passphraseFile),
  );
}

/** A file that only its owner may read; null if there is none. */
function readSecret(file: string): string | null {
  return readSmall(file, (stat) => checkMode(file, stat.mode & 0o777, 'f'));
}

/** The first line: editors add a line feed that nobody typed. */
function readPassphrase(file: string): string {
  const text = readSmall(file, () => undefined);
  if (text !== null) return text.split(/\r?\n/, 1)[0] ?? '';
  throw new WnError('not_found', `there is no passphrase file '${file}'`, {
    hint: 'correct WN_PASSPHRASE_FILE or unset it',
  });
}

async function loadOrCreateName(file: string): Promise<string> {
  const text = readSmall(file, () => undefined);
  if (text !== null) return parseName(text, file);
  const name = cleanName(hostname());
  await createFile(file, utf8(`${JSON.stringify({ name })}\n`));
  return parseName(readSmall(file, () => undefined) ?? '', file);
}

function parseName(text: string, file: string): string {
  const name = nameOf(text);
  if (name !== null && name !== '' && cleanName(name) === name) return name;
  throw new WnError('invalid', `'${file}' doesn't hold a device's name`, {
    hint: `write {"name": "…"} into it, or remove it and have it named after the machine`,
  });
}

function nameOf(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('name' in value)) return null;
    return typeof value.name === 'string' ? value.name : null;
  } catch {
    return null;
  }
}

/** Without control characters and cut to what a commit may carry; never empty. */
function cleanName(name: string): string {
  let clean = name.replace(/\p{C}/gu, '').trim();
  while (utf8(clean).byteLength > NAME_BYTES_MAX) clean = [...clean].slice(0, -1).join('');
  return clean === '' ? 'device' : clean;
}

/** A bounded text file, once `check` has let its stat pass; null if there is none. */
function readSmall(file: string, check: (stat: fs.Stats) => void): string | null {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw worldFault(error, file);
  }
  try {
    const stat = fs.fstatSync(fd);
    check(stat);
    if (stat.isFile() && stat.size <= HOME_FILE_BYTES_MAX) return fs.readFileSync(fd, 'utf8');
    throw new WnError('invalid', `'${file}' is not a file of at most ${HOME_FILE_BYTES_MAX} bytes`);
  } finally {
    fs.closeSync(fd);
  }
}
