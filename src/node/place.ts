/**
 * Where a repository stands: a mark that differs for a copied folder, a restored
 * backup and a cloned machine, and the id of the running boot. Two places with one
 * mark would sign the same sequence number twice; one place with two marks only
 * begins a new epoch. So whatever is in doubt counts as another place. Leaves out what
 * is done about it; see `repo`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname, uptime } from 'node:os';
import { worldFault } from './faults.js';

const MARK_HEX_CHARS = 32;
const COMMAND_TIMEOUT_MS = 2_000;

/**
 * 32 hex digits over machine id, inode and birth time of `root`. Where the file system
 * keeps no birth time, the first two. The machine id itself isn't shown (machine-id(5)
 * asks for that).
 */
export function placeMark(root: string): string {
  let stat: fs.BigIntStats;
  try {
    stat = fs.lstatSync(root, { bigint: true });
  } catch (error) {
    throw worldFault(error, root);
  }
  return createHash('sha256')
    .update(`wn/place/1\0${machineId()}\0${stat.ino}\0${stat.birthtimeNs}`)
    .digest('hex')
    .slice(0, MARK_HEX_CHARS);
}

/** Differs after every boot. Elsewhere than on Linux it is the minute of the boot. */
export function bootId(): string {
  const id = firstLineOf('/proc/sys/kernel/random/boot_id');
  if (id !== null) return id;
  return new Date(Date.now() - uptime() * 1_000).toISOString().slice(0, 16);
}

/** What names this installation; the host name where nothing better is known. */
function machineId(): string {
  const id =
    firstLineOf('/etc/machine-id') ??
    firstLineOf('/var/lib/dbus/machine-id') ??
    firstLineOf('/etc/hostid') ??
    machineIdByCommand();
  return id ?? `host:${hostname()}`;
}

/** macOS and Windows keep it where only their own tools look. */
function machineIdByCommand(): string | null {
  if (process.platform === 'darwin') {
    const text = outputOf('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']);
    return /"IOPlatformUUID" = "([^"]+)"/.exec(text)?.[1] ?? null;
  }
  if (process.platform === 'win32') {
    const key = 'HKLM\\SOFTWARE\\Microsoft\\Cryptography';
    const reg = `${process.env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\reg.exe`;
    return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(outputOf(reg, ['query', key]))?.[1] ?? null;
  }
  return null;
}

function outputOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return ''; // the caller falls back to the host name
  }
}

function firstLineOf(file: string): string | null {
  try {
    const line = fs.readFileSync(file, 'utf8').split('\n', 1)[0]?.trim() ?? '';
    return line === '' || line === 'uninitialized' ? null : line;
  } catch {
    return null; // not this kind of system
  }
}
