/**
 * Remotes as the configuration names them, and what the last exchange with each left:
 * the heads that it held. How far a remote is follows from that, without asking it.
 */
import { WnError } from '../core/errors.js';
import { logId } from '../core/ids.js';
import type { Storage } from '../core/ports.js';
import { utf8 } from '../core/bytes.js';
import { have } from '../repo/exchange.js';
import type { Replica } from '../repo/replica.js';
import type { Remote } from '../repo/settings.js';
import type { HaveEntry } from '../repo/travel.js';
import { remoteCheckpointPath } from '../sync/kept.js';

export interface RemoteStatus {
  readonly name: string;
  readonly url: string;
  /** Commits held here that the remote lacked when it was last reached. */
  readonly ahead: number;
  /** Commits that the remote held then, and that aren't here. */
  readonly behind: number;
  /** When an exchange with it last went well; null if none ever did. */
  readonly lastOkAt: string | null;
}

/** What a remote held when it was last reached. */
export interface RemoteMemory {
  readonly lastOkAt: string;
  readonly have: readonly HaveEntry[];
}

const memoryPath = (name: string): string => `remotes/${name}.json`;

export async function recallRemote(storage: Storage, name: string): Promise<RemoteMemory | null> {
  const bytes = await storage.read(memoryPath(name));
  if (bytes === null) return null;
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as RemoteMemory;
  } catch {
    return null; // a memory that can't be read is none: the next exchange makes a new one
  }
}

export async function rememberRemote(
  storage: Storage,
  name: string,
  memory: RemoteMemory,
): Promise<void> {
  await storage.replace(memoryPath(name), utf8(JSON.stringify(memory)));
}

export async function remoteStatuses(replica: Replica): Promise<readonly RemoteStatus[]> {
  if (replica.config.remotes.length === 0) return [];
  const ours = have(replica.history);
  const statuses: RemoteStatus[] = [];
  for (const { name, url } of replica.config.remotes) {
    const memory = await recallRemote(replica.ports.storage, name);
    const theirs = memory?.have ?? [];
    statuses.push({
      name,
      url,
      ahead: beyond(replica, ours, theirs),
      behind: beyond(replica, theirs, ours),
      lastOkAt: memory?.lastOkAt ?? null,
    });
  }
  return statuses;
}

/** How many commits are in `a` that aren't in `b`. A log that continues another begins later than 0. */
export function beyond(replica: Replica, a: readonly HaveEntry[], b: readonly HaveEntry[]): number {
  const known = new Map(b.map((entry) => [logId(entry.dev, entry.epoch), entry.seq]));
  return a.reduce((sum, { dev, epoch, seq }) => {
    const log = logId(dev, epoch);
    const first = replica.history.log(log)?.firstSeq ?? 0;
    return sum + Math.max(0, seq - (known.get(log) ?? first - 1));
  }, 0);
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Throws `usage` for a name that can't be a remote's. */
export function checkRemoteName(name: string): void {
  if (NAME.test(name)) return;
  throw new WnError('usage', `not a name for a remote: ${name}`, {
    hint: 'letters, digits, dots, dashes and underscores; it begins with a letter or digit',
  });
}

/** Adds a remote, or gives a known one a new address. */
export async function putRemote(replica: Replica, remote: Remote): Promise<void> {
  const before = replica.config.remotes.find(({ name }) => name === remote.name);
  if (before !== undefined && before.url !== remote.url) await forget(replica, remote.name);
  await changeRemotes(replica, (remotes) => [
    ...remotes.filter((other) => other.name !== remote.name),
    remote,
  ]);
}

/** Throws `not_found`. */
export async function dropRemote(replica: Replica, name: string): Promise<void> {
  await changeRemotes(replica, (remotes) => {
    const left = remotes.filter((remote) => remote.name !== name);
    if (left.length < remotes.length) return left;
    throw new WnError('not_found', `no remote is named ${name}`, { hint: 'see: wn remote list' });
  });
  await forget(replica, name);
}

/** What another address holds is another matter. */
async function forget({ ports }: Replica, name: string): Promise<void> {
  await ports.storage.remove(memoryPath(name));
  await ports.storage.remove(remoteCheckpointPath(name));
}

async function changeRemotes(
  replica: Replica,
  change: (remotes: readonly Remote[]) => readonly Remote[],
): Promise<void> {
  await replica.transact(async () => {
    await replica.configure((config) => ({ ...config, remotes: change(config.remotes) }));
  });
}
