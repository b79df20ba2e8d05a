/**
 * Backups as files, and repositories made of them. One that can't be read to its end makes
 * none. What was restored continues in a log of its own: the copy that the backup was made
 * of may have gone on writing, or may still be there.
 */
import { createReadStream, existsSync, rmSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { showDevice, showId } from '../core/ids.js';
import { worldFault } from '../node/faults.js';
import { adoptWorkspace } from '../repo/birth.js';
import { changedHere } from '../repo/commands.js';
import { settingOf } from '../repo/setting.js';
import {
  checkBackup,
  openBackup,
  readBackupBundle,
  writeBackup,
  type BackupHead,
} from '../sync/backup.js';
import { ReplicaStore } from '../sync/replicastore.js';
import { safeFolderName } from './adopt.js';
import { checkEmpty, placeFor } from './birth.js';
import { writeWhole } from './bundles.js';
import type { Context } from './context.js';
import type { Location } from './location.js';
import { deviceKey, openRepository, portsOf, repositoryOf } from './repository.js';

/** Of those that are missing so many are counted. */
const MISSING_COUNTED_MAX = 10_000;

export interface BackedUp {
  readonly file: string;
  readonly bytes: number;
  readonly commits: number;
  /** Chunks of files that aren't held here, and so aren't in it. */
  readonly missing: number;
}

/** Throws `usage` for a file in the workspace itself, `disk_full` and more for the file. */
export async function backUp(context: Context, name: string): Promise<BackedUp> {
  const { replica, location } = await openRepository(context);
  const file = resolve(context.cwd, name);
  if (!relative(location.root, file).startsWith('..')) {
    throw new WnError('usage', 'the backup would stand in the workspace itself', {
      hint: 'nothing was written; name a file outside of it, best on another disk',
    });
  }
  const missing = replica.wantedBlobs(MISSING_COUNTED_MAX).length;
  await writeWhole(file, writeBackup(replica));
  const commits = replica.history.commitCount();
  return { file, bytes: statSync(file).size, commits, missing };
}

export interface Restored {
  readonly workspace: string;
  readonly name: string;
  readonly path: string;
  readonly commits: number;
  readonly device: string;
  /** The key here is the one of the device that made the backup, so that it may go on writing. */
  readonly sameDevice: boolean;
}

/** Throws `not_found`, `invalid`, `unknown_format`, `damage` and `exists` before anything is made. */
export async function restoreBackup(
  context: Context,
  name: string,
  dir: string | null,
): Promise<Restored> {
  const file = resolve(context.cwd, name);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new WnError('not_found', `no such file: ${name}`, { hint: 'nothing was written' });
  }
  try {
    const head = await checkBackup(createReadStream(file));
    const root = resolve(context.cwd, dir ?? safeFolderName(head.config.name));
    checkEmpty(root);
    return await restoreAt(context, root, file, head);
  } catch (error) {
    throw worldFault(error, file);
  }
}

async function restoreAt(
  context: Context,
  root: string,
  file: string,
  head: BackupHead,
): Promise<Restored> {
  const key = await deviceKey(context);
  const device = toHex(key.publicKey);
  const existed = existsSync(root);
  const location = await placeFor(root, false);
  try {
    const commits = await fill(context, location, file, { ...head, device, deviceName: key.name });
    return {
      workspace: showId(head.config.workspace),
      name: head.config.name,
      path: root,
      commits,
      device: showDevice(device),
      sameDevice: device === head.config.device,
    };
  } catch (error) {
    rmSync(existed ? location.data : root, { recursive: true, force: true });
    throw error;
  }
}

interface Self {
  readonly device: string;
  readonly deviceName: string;
}

/** Another device's rights are of no use here. */
async function fill(
  context: Context,
  location: Location,
  file: string,
  { config, joining, device, deviceName }: BackupHead & Self,
): Promise<number> {
  const ports = portsOf(location);
  const here = changedHere(config, ports.placeMark, (was) => ({ ...was, device }));
  const own = device === config.device ? joining : null;
  const replica = await adoptWorkspace(ports, here, own ?? { deviceName, caps: [] });
  const repository = repositoryOf(context, location, replica);
  try {
    const { bundle } = await openBackup(createReadStream(file));
    const commits = await readBackupBundle(bundle, new ReplicaStore(replica));
    if (settingOf(here, 'receive.materialise')) await repository.work.bringInStep();
    return commits;
  } finally {
    await repository.close();
  }
}
