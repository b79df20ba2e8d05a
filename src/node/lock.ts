/**
 * A lock that the operating system ties to a living process: an open-file-description
 * lock (fcntl(2), F_OFD_SETLK; LockFileEx on Windows). It excludes processes,
 * containers that share the volume, and two holders within one process; it is gone the
 * moment its holder is, whatever killed it. No process id is written anywhere. The
 * file itself is never deleted: whoever deletes a lock file splits the lock in two.
 *
 * Leaves out network file systems. Whether such a lock excludes other machines
 * depends on the server, its lease and mount options, none of which can be proven from
 * here, so they are refused with the reason.
 */
import * as fs from 'node:fs';
import { WnError } from '../core/errors.js';
import { FILE_MODE } from './durable.js';
import { errnoOf } from './faults.js';

/** `f_type` of statfs(2) on Linux, from `linux/magic.h`. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff53_4d42, 'CIFS'],
  [0xfe53_4d42, 'SMB 2'],
  [0x0102_1997, '9p'],
  [0x6573_5546, 'FUSE'],
  [0x00c3_6400, 'Ceph'],
  [0x5346_414f, 'AFS'],
  [0x6b41_4653, 'AFS'],
  [0x7375_7245, 'Coda'],
  [0x0bd0_0bd0, 'Lustre'],
  [0x0116_1970, 'GFS2'],
  [0x7461_636f, 'OCFS2'],
  [0x786f_4256, 'VirtualBox share'],
]);

/** The kind of network file system that `type` (statfs) or the path tells of; null if local. */
export function networkFileSystem(path: string, type: number): string | null {
  if (process.platform === 'linux') return NETWORK_FILE_SYSTEMS.get(type >>> 0) ?? null;
  return /^[\\/]{2}(?![?.])/.test(path) ? 'network share' : null;
}

/**
 * Tries once; null when another holder lives. Throws `busy` with the reason where a
 * lock wouldn't exclude every writer, and the system's own error where the lock file
 * can't be opened.
 */
export async function tryLock(path: string): Promise<(() => void) | null> {
  const fd = fs.openSync(
    path,
    fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW,
    FILE_MODE,
  );
  let held = false;
  try {
    refuseNetwork(path);
    held = (await lockFd(fd, path)) && isStill(path, fd);
  } finally {
    if (!held) fs.closeSync(fd);
  }
  return held ? releaseOnce(fd) : null;
}

/** Closing the only descriptor of the open file description releases the lock. */
function releaseOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (open) fs.closeSync(fd);
    open = false;
  };
}

function refuseNetwork(path: string): void {
  const kind = networkFileSystem(path, fs.statfsSync(path).type);
  if (kind === null) return;
  throw new WnError('busy', `can't write here: no lock on a ${kind} is proven to exclude others`, {
    hint: 'keep the repository on a local disk; reading works from here',
    details: { reason: 'network_file_system', fileSystem: kind },
  });
}

/** Loaded with the first lock: most commands take none. */
let native: Promise<typeof import('fs-native-extensions')> | undefined;

async function lockFd(fd: number, path: string): Promise<boolean> {
  const { default: extensions } = await (native ??= import('fs-native-extensions'));
  try {
    return extensions.tryLock(fd);
  } catch (error) {
    throw new WnError('busy', `can't write here: this file system has no locks for '${path}'`, {
      hint: 'keep the repository on a local disk; reading works from here',
      details: { reason: 'no_locks', errno: errnoOf(error) },
      cause: error,
    });
  }
}

/** False if somebody put another file in the lock's place between open and lock. */
function isStill(path: string, fd: number): boolean {
  const named = fs.lstatSync(path, { throwIfNoEntry: false });
  const held = fs.fstatSync(fd);
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}
