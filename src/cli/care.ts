/** Checking, mending and packing, for the commands of those names. */
import { showId } from '../core/ids.js';
import { WnError } from '../core/errors.js';
import { SAVED_KEPT_MS } from '../core/limits.js';
import { fsck, gc, repairFrom, type Packed } from '../repo/care.js';
import type { Problem } from '../repo/log/check.js';
import { Replica } from '../repo/replica.js';
import { checkFormat } from '../repo/settings.js';
import { parseAddress } from './address.js';
import type { Context } from './context.js';
import { findRepository, repositoryAt, type Location } from './location.js';
import { startProgress } from './progress.js';
import { openAt, openRepository, portsOf } from './repository.js';

export interface Checked {
  readonly ok: boolean;
  readonly logs: number;
  readonly commits: number;
  readonly viewHash: string;
  readonly frontier: readonly string[];
  readonly problems: readonly Problem[];
  readonly mended: readonly string[];
}

export async function checkRepository(
  context: Context,
  wish: { readonly full: boolean; readonly repair: boolean },
): Promise<Checked> {
  const location = findRepository(context.cwd, context.env);
  const first = await check(context, location, wish.full);
  if (first.ok || !wish.repair) return { ...first, mended: [] };
  const mended = await repair(context, location, first.problems);
  if (mended.length === 0) return { ...first, mended };
  await (await reindexAt(context, location)).close();
  return { ...(await check(context, location, wish.full)), mended };
}

async function check(
  context: Context,
  location: Location,
  full: boolean,
): Promise<Omit<Checked, 'mended'>> {
  const replica = await openTolerant(context, location);
  const progress = startProgress(context, 'checking');
  try {
    const result = await fsck(replica, {
      full,
      progress: (commits) => {
        progress.update(commits);
      },
    });
    return { ...result, frontier: result.frontier.map(showId) };
  } finally {
    await progress.end();
    await replica.close();
  }
}

/** Also where the logs can't all be read: that is what is to be told. */
async function openTolerant(context: Context, location: Location): Promise<Replica> {
  const ports = portsOf(location);
  await checkFormat(ports.storage);
  try {
    return await Replica.open(ports, context.lockTimeoutMs);
  } catch (error) {
    if (!(error instanceof WnError) || error.code !== 'damage') throw error;
    return Replica.reindex(ports, context.lockTimeoutMs, true);
  }
}

/** Asks each remote in turn that can be reached. */
async function repair(
  context: Context,
  location: Location,
  problems: readonly Problem[],
): Promise<readonly string[]> {
  const replica = await openTolerant(context, location);
  const mended = new Set<string>();
  try {
    for (const { url } of replica.config.remotes) {
      const address = parseAddress(url, location.root);
      const there = address.kind === 'path' ? repositoryAt(address.folder) : null;
      if (there === null) continue;
      const peer = await openAt({ ...context, inBatch: false }, there);
      try {
        const left = problems.filter((problem) => !mended.has(problem.file));
        for (const file of await repairFrom(replica, peer.replica, left)) mended.add(file);
      } finally {
        await peer.close();
      }
    }
  } finally {
    await replica.close();
  }
  return [...mended];
}

export interface Reindexed {
  readonly commits: number;
  readonly viewHash: string;
}

export async function rebuildIndex(context: Context): Promise<Reindexed> {
  const replica = await reindexAt(context, findRepository(context.cwd, context.env));
  try {
    return { commits: replica.history.commitCount(), viewHash: replica.view.hash() };
  } finally {
    await replica.close();
  }
}

async function reindexAt(context: Context, location: Location): Promise<Replica> {
  const ports = portsOf(location);
  await checkFormat(ports.storage);
  return Replica.reindex(ports, context.lockTimeoutMs);
}

/** A tail smaller than this is not worth sealing. */
const SEAL_BYTES_MIN = 16 * 1024;

export async function packRepository(context: Context): Promise<Packed> {
  const { replica, work } = await openRepository(context);
  await work.compact();
  return gc(replica, SEAL_BYTES_MIN, SAVED_KEPT_MS);
}
