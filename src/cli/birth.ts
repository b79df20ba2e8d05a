/**
 * How a repository comes to be: the folder, its data, the device's key, the genesis. A
 * failure half-way leaves no repository behind.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { encodeRecoveryKey } from '../caps/recovery.js';
import { signerFromSeed } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import type { Rng } from '../core/ports.js';
import { nodeRng } from '../node/rng.js';
import { createRoot } from '../node/root.js';
import { createWorkspace } from '../repo/birth.js';
import type { Context } from './context.js';
import { gitFolder, gitTop, repositoryAt, type Location } from './location.js';
import { deviceKey, portsOf } from './repository.js';

export interface Wish {
  readonly folder: string;
  readonly name: string | null;
  readonly recoveryKey: string | null;
  readonly noRecoveryKey: boolean;
  readonly here: boolean;
}

export interface Made {
  readonly location: Location;
  readonly recoveryKey: string | null;
}

/** Throws `exists`, `usage`. */
export async function makeWorkspace(context: Context, wish: Wish): Promise<Made> {
  const root = resolve(context.cwd, wish.folder);
  const location = await placeFor(root, wish.here);
  try {
    const key = await deviceKey(context);
    const recovery = recoveryFor(context, root, wish, nodeRng);
    const name = wish.name ?? (basename(root) || 'workspace');
    const replica = await createWorkspace(portsOf(location), signerFromSeed(key.seed), {
      name,
      deviceName: key.name,
      recovery: recovery?.publicKey ?? null,
    });
    if (recovery !== null) {
      const text = encodeRecoveryKey({ ws: replica.ws, name, seed: recovery.seed });
      writeFileSync(recovery.file, text, { mode: 0o600, flag: 'wx' });
    }
    await replica.close();
    return {
      location,
      recoveryKey: recovery === null ? null : relative(context.cwd, recovery.file),
    };
  } catch (error) {
    rmSync(location.data, { recursive: true, force: true });
    throw error;
  }
}

/** Makes the folder and its data folder. In a Git work tree the data stands in the Git folder. */
export async function placeFor(root: string, here: boolean): Promise<Location> {
  if (repositoryAt(root) !== null) {
    throw new WnError('exists', `${root} is a wn workspace already`, {
      hint: 'nothing was changed; see: wn status',
    });
  }
  const top = existsSync(root) ? gitTop(root) : gitTop(dirname(root));
  if (top === root && !here) {
    throw new WnError('usage', 'this is the top of a Git work tree', {
      hint: 'make a workspace of a folder in it (wn init work), or of all of it: wn init --here',
    });
  }
  mkdirSync(root, { recursive: true });
  const git = top === null ? null : gitFolder(top);
  if (git === null) {
    const data = join(root, '.wn');
    await createRoot(data);
    return { root, data };
  }
  const data = join(git, 'wn');
  if (existsSync(join(data, 'format'))) {
    throw new WnError('exists', 'this Git work tree has a wn workspace already', {
      hint: 'nothing was changed; one for each work tree',
    });
  }
  rmSync(data, { recursive: true, force: true });
  await createRoot(data);
  writeFileSync(join(data, 'root'), `${relative(data, root) || '.'}\n`, { mode: 0o600 });
  return { root, data };
}

interface NewRecovery {
  readonly file: string;
  readonly seed: Uint8Array;
  readonly publicKey: string;
}

/** On a terminal one is made unless it is declined; elsewhere only where a file is named. */
function recoveryFor(context: Context, root: string, wish: Wish, rng: Rng): NewRecovery | null {
  if (wish.noRecoveryKey || (wish.recoveryKey === null && !context.interactive)) return null;
  const file =
    wish.recoveryKey === null
      ? join(dirname(root), `${basename(root)}.recovery`)
      : resolve(context.cwd, wish.recoveryKey);
  if (!relative(root, file).startsWith('..')) {
    throw new WnError('usage', 'the recovery key would stand in the workspace itself', {
      hint: 'nothing was made; name a file outside of it: --recovery-key FILE',
    });
  }
  if (existsSync(file)) {
    throw new WnError('exists', `${file} exists already`, {
      hint: 'nothing was made; name another: --recovery-key FILE',
    });
  }
  const seed = rng.bytes(32);
  return { file, seed, publicKey: signerFromSeed(seed).publicKey };
}

/** Throws `exists` unless the folder is missing or empty. */
export function checkEmpty(root: string): void {
  if (!existsSync(root) || readdirSync(root).length === 0) return;
  throw new WnError('exists', `${root} is not empty`, {
    hint: 'nothing was changed; name a new folder',
  });
}
