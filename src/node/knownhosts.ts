/**
 * `known_hosts` as sshd(8) describes it: plain and hashed names, patterns, ports, revoked
 * keys. Leaves out certificate authorities, which `ssh2` can't use, and what is asked of
 * the user about a host that nobody has seen.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WnError } from '../core/errors.js';
import { KNOWN_HOSTS_BYTES_MAX } from '../core/limits.js';
import { isMissing, worldFault } from './faults.js';

/** `changed`: the host is known by another key. */
export type HostVerdict = 'known' | 'unknown' | 'changed' | 'revoked';

export interface KnownHost {
  readonly marker: 'revoked' | null;
  readonly names: string;
  readonly type: string;
  /** The key as SSH writes it. */
  readonly key: Buffer;
}

/** Lines that can't be read count for nothing, as in OpenSSH. */
export function parseKnownHosts(text: string): readonly KnownHost[] {
  return text.split('\n').flatMap((line): readonly KnownHost[] => {
    const words = line.trim().split(/[ \t]+/);
    const marked = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names, type, encoded] = words;
    if (names === undefined || names.startsWith('#')) return [];
    if (type === undefined || encoded === undefined) return [];
    if (marked !== undefined && marked !== '@revoked') return [];
    const key = Buffer.from(encoded, 'base64');
    if (typeOfKey(key) !== type) return [];
    return [{ marker: marked === undefined ? null : 'revoked', names, type, key }];
  });
}

/** Every file that OpenSSH reads by default; the user's own first. Throws `unreadable`. */
export function readKnownHosts(home: string): readonly KnownHost[] {
  const files = [
    join(home, '.ssh/known_hosts'),
    join(home, '.ssh/known_hosts2'),
    '/etc/ssh/ssh_known_hosts',
    '/etc/ssh/ssh_known_hosts2',
  ];
  return files.flatMap((file) => parseKnownHosts(readOrNothing(file)));
}

function readOrNothing(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= KNOWN_HOSTS_BYTES_MAX) return text;
  } catch (error) {
    if (isMissing(error)) return '';
    throw worldFault(error, file);
  }
  throw new WnError('too_large', `'${file}' is over ${KNOWN_HOSTS_BYTES_MAX} bytes`);
}

export function judgeHost(known: readonly KnownHost[], name: string, key: Buffer): HostVerdict {
  const matching = known.filter((each) => namesMatch(each.names, name));
  const same = matching.filter((each) => each.key.equals(key));
  if (same.some(({ marker }) => marker === 'revoked')) return 'revoked';
  if (same.length > 0) return 'known';
  return matching.some(({ marker }) => marker === null) ? 'changed' : 'unknown';
}

/** The kinds of key by which a host is known: it is asked for one of these. */
export function knownTypes(known: readonly KnownHost[], name: string): readonly string[] {
  const types = known
    .filter(({ marker, names }) => marker === null && namesMatch(names, name))
    .map(({ type }) => type);
  return [...new Set(types)];
}

/** As a host stands in the file: with its port, unless that is SSH's own. */
export function hostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** A name in a negated pattern makes the whole line not match. */
function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashedMatch(names, name);
  let matched = false;
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!globMatch(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `|1|salt|HMAC-SHA1(salt, name)`. */
function hashedMatch(names: string, name: string): boolean {
  const [, kind, salt = '', digest = ''] = names.split('|');
  if (kind !== '1') return false;
  const expected = Buffer.from(digest, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return actual.byteLength === expected.byteLength && timingSafeEqual(actual, expected);
}

/** `*` and `?` only. In time of pattern by name: the last star alone is ever tried again. */
function globMatch(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') {
      star = at++;
      mark = index;
    } else if (pattern[at] === '?' || pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** `SHA256:…`, as OpenSSH shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a key names itself (RFC 4253 §6.6); empty if it is none. */
export function typeOfKey(key: Buffer): string {
  if (key.byteLength < 4) return '';
  return key.subarray(4, 4 + key.readUInt32BE()).toString('latin1');
}

export function knownHostLine(name: string, key: Buffer): string {
  return `${name} ${typeOfKey(key)} ${key.toString('base64')}`;
}

/** Adds a line to the user's own file. Throws `unreadable`, `read_only`, `disk_full`. */
export function addKnownHost(home: string, name: string, key: Buffer): void {
  const file = join(home, '.ssh/known_hosts');
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const before = readOrNothing(file);
    const newline = before === '' || before.endsWith('\n') ? '' : '\n';
    appendFileSync(file, `${newline}${knownHostLine(name, key)}\n`, { mode: 0o600 });
  } catch (error) {
    throw worldFault(error, file);
  }
}
