/** Bundles as files: written beside their name and put there whole, read in pieces. */
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WnError } from '../core/errors.js';
import { worldFault } from '../node/faults.js';
import { readBundle, writeBundle } from '../sync/bundle.js';
import { ReplicaStore } from '../sync/replicastore.js';
import type { Context } from './context.js';
import { recallRemote } from './remotes.js';
import { openRepository } from './repository.js';

export interface Bundled {
  readonly file: string;
  readonly bytes: number;
}

/** Throws `not_found` for an unknown remote, `disk_full` and more for the file. */
export async function bundleTo(
  context: Context,
  name: string,
  remote: string | null,
): Promise<Bundled> {
  const { replica } = await openRepository(context);
  const file = resolve(context.cwd, name);
  const memory = remote === null ? null : await recallRemote(replica.ports.storage, remote);
  if (remote !== null && memory === null) {
    throw new WnError('not_found', `nothing is known of what ${remote} holds`, {
      hint: 'write a whole bundle, without --for',
    });
  }
  await writeWhole(file, writeBundle(new ReplicaStore(replica), memory?.have ?? []));
  return { file, bytes: statSync(file).size };
}

/** A file of its owner's alone, that is there whole or as it was before. */
export async function writeWhole(file: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${file}.wn-tmp`;
  try {
    await pipeline(parts, createWriteStream(partial, { mode: 0o600, flush: true }));
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw worldFault(error, file);
  }
}

export interface UnbundleResult {
  readonly commits: number;
  readonly added: number;
  readonly pending: number;
  readonly blobs: number;
  readonly applied: number;
  readonly conflicts: number;
}

/** What came whole before damage stays; the files are brought in step either way. */
export async function unbundleFrom(context: Context, name: string): Promise<UnbundleResult> {
  const { replica, work } = await openRepository(context);
  const file = resolve(context.cwd, name);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new WnError('not_found', `no such file: ${name}`, { hint: 'nothing was changed' });
  }
  try {
    const { commits, added, pending, blobs } = await readBundle(
      createReadStream(file),
      new ReplicaStore(replica),
    );
    const { written, removed } = await work.bringInStep();
    const conflicts = replica.view.conflictCount();
    return { commits, added, pending, blobs, applied: written + removed, conflicts };
  } catch (error) {
    await work.bringInStep();
    throw worldFault(error, file);
  }
}
