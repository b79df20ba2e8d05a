/**
 * Whether a repository's own folder (`.wn`) may be trusted: a real folder, ours alone.
 * A folder that came in an archive, as a symlink or from another user may be a trap
 * (compare Git's `safe.directory`, CVE-2022-24765). Leaves out finding it.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { WnError } from '../core/errors.js';
import { makeFolder } from './durable.js';
import { worldFault } from './faults.js';

const OTHERS_BITS = 0o077;

/** Quoted for a shell, as the commands in hints are meant to be pasted. */
const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

/**
 * Throws `no_repository` if there is no folder, `unsafe_mode` if it is a symlink, is
 * open to others, or belongs to another user. The superuser may read anyone's:
 * nothing in a repository runs a command.
 */
export function checkRoot(root: string): void {
  const stat = statRoot(root);
  checkMode(root, stat.mode & 0o777, 'd');
  if (isOwner(stat) || process.geteuid?.() === 0) return;
  throw new WnError('unsafe_mode', `'${root}' belongs to another user (${stat.uid})`, {
    hint: `run the command as its owner, or take it over: sudo chown -R "$USER" ${quoted(root)}`,
    details: { uid: stat.uid },
  });
}

/** Throws `unsafe_mode` unless the folder is our own: what root writes, its owner couldn't. */
export function checkOwner(root: string): void {
  const stat = statRoot(root);
  if (isOwner(stat)) return;
  throw new WnError('unsafe_mode', `'${root}' belongs to another user (${stat.uid}); not written`, {
    hint: `run the command as its owner: sudo -u '#${stat.uid}' …`,
    details: { uid: stat.uid },
  });
}

/** Makes the folder (its parent must exist) with mode 700; `exists` if something is there. */
export async function createRoot(root: string): Promise<void> {
  let made: boolean;
  try {
    made = await makeFolder(root);
  } catch (error) {
    throw worldFault(error, dirname(root));
  }
  if (!made) throw new WnError('exists', `'${root}' exists already; it was left as it is`);
}

/** Throws `unsafe_mode` if group or others have any right on a file or folder of ours. */
export function checkMode(path: string, mode: number, kind: 'd' | 'f'): void {
  if (process.platform === 'win32' || (mode & OTHERS_BITS) === 0) return;
  throw new WnError('unsafe_mode', `'${path}' is open to other users (mode ${mode.toString(8)})`, {
    hint: `chmod ${kind === 'd' ? '700' : '600'} ${quoted(path)}`,
    details: { mode: mode.toString(8) },
  });
}

function statRoot(root: string): fs.Stats {
  let stat: fs.Stats | undefined;
  try {
    stat = fs.lstatSync(root, { throwIfNoEntry: false });
  } catch (error) {
    throw worldFault(error, root);
  }
  if (stat?.isSymbolicLink() === true) {
    throw new WnError('unsafe_mode', `'${root}' is a symlink, which isn't followed`, {
      hint: 'put the folder itself in the place of the symlink',
    });
  }
  if (stat?.isDirectory() !== true) {
    throw new WnError('no_repository', `no repository at '${root}'`, { hint: 'wn init' });
  }
  return stat;
}

function isOwner(stat: fs.Stats): boolean {
  return process.geteuid === undefined || stat.uid === process.geteuid();
}
