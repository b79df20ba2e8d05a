/**
 * Exchanges with remotes: opens each, runs the session, brings both sides' files in
 * step. One that fails doesn't stop the others.
 */
import { WnError } from '../core/errors.js';
import { showTime, hlcFromMs } from '../core/hlc.js';
import { SSH_LOGIN_MS } from '../core/limits.js';
import { settingOf } from '../repo/setting.js';
import type { Remote } from '../repo/settings.js';
import { runSync, type SyncReport } from '../sync/driver.js';
import type { SyncMode } from '../sync/frames.js';
import {
  KeptCheckpoints,
  lastPeer,
  peerCheckpointPath,
  remoteCheckpointPath,
} from '../sync/kept.js';
import { syncStores } from '../sync/path.js';
import { ReplicaStore } from '../sync/replicastore.js';
import { parseAddress } from './address.js';
import type { Context } from './context.js';
import { dial, type StreamAddress } from './dial.js';
import { repositoryAt } from './location.js';
import { rememberRemote } from './remotes.js';
import { openAt, type Repository } from './repository.js';

export interface RemoteResult {
  readonly name: string;
  readonly ok: boolean;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly ms: number;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface Exchanged {
  readonly remotes: readonly RemoteResult[];
  /** Files written or removed here. */
  readonly applied: number;
  /** Paths where edits that were not committed yet were merged with what came. */
  readonly merged: readonly string[];
  /** Paths that a file of the user's stands in the way of. */
  readonly waiting: readonly string[];
  readonly conflicts: number;
  /** What each failure was, in the order of the remotes. */
  readonly failures: readonly WnError[];
}

/** Runs `mode` with each remote in turn. Never throws for a remote's failure. */
export async function exchange(
  context: Context,
  here: Repository,
  remotes: readonly Remote[],
  mode: SyncMode,
): Promise<Exchanged> {
  const results: RemoteResult[] = [];
  const failures: WnError[] = [];
  for (const remote of remotes) {
    try {
      const report = await exchangeWith(context, here, remote, mode);
      results.push(resultOf(remote.name, report));
      if (report.error !== null) failures.push(report.error);
    } catch (error) {
      if (!(error instanceof WnError)) throw error;
      failures.push(error);
      results.push(failed(remote.name, error));
    }
  }
  const materialised = await here.work.bringInStep();
  return {
    remotes: results,
    applied: materialised.written + materialised.removed,
    merged: materialised.merged,
    waiting: materialised.waiting,
    conflicts: here.replica.view.conflictCount(),
    failures,
  };
}

async function exchangeWith(
  context: Context,
  here: Repository,
  remote: Remote,
  mode: SyncMode,
): Promise<SyncReport> {
  const address = parseAddress(remote.url, here.location.root);
  const { storage, clock } = here.replica.ports;
  const kept = new KeptCheckpoints(storage, () => remoteCheckpointPath(remote.name));
  const near = new ReplicaStore(here.replica, kept);
  const report =
    address.kind === 'path'
      ? await overPath(context, here, remote, address.folder, near, mode)
      : await overLine(context, here, remote, address, near, mode);
  await kept.save();
  if (report.ok) {
    const lastOkAt = showTime(hlcFromMs(clock.wallMs()));
    await rememberRemote(storage, remote.name, { lastOkAt, have: report.peerHave ?? [] });
  }
  return report;
}

async function overPath(
  context: Context,
  here: Repository,
  remote: Remote,
  folder: string,
  near: ReplicaStore,
  mode: SyncMode,
): Promise<SyncReport> {
  const there = await atRemote(remote, () => openRemote(context, here, remote, folder));
  try {
    const { clock, rng } = here.replica.ports;
    const kept = new KeptCheckpoints(there.replica.ports.storage, peerCheckpointPath);
    const far = new ReplicaStore(there.replica, kept);
    const { signal } = context.interruption;
    const { near: report } = await syncStores(near, far, mode, { clock, rng }, { signal });
    if (mode !== 'pull') await atRemote(remote, () => receiveIn(there));
    await kept.save();
    return report;
  } finally {
    await there.close();
  }
}

async function overLine(
  context: Context,
  here: Repository,
  remote: Remote,
  address: StreamAddress,
  near: ReplicaStore,
  mode: SyncMode,
): Promise<SyncReport> {
  const { clock, rng, storage } = here.replica.ports;
  const workspace = address.kind === 'ssh' ? null : address.workspace;
  if (workspace !== null && workspace !== here.replica.ws) {
    throw new WnError('unreachable', `the address of ${remote.name} is of another workspace`, {
      hint: 'nothing was exchanged; change the address with: wn remote add',
    });
  }
  const line = await dial(context, here.replica.config, remote, address);
  const report = await runSync(
    near,
    line.channel,
    { clock, rng },
    {
      mode,
      likely: lastPeer(storage, remote.name),
      // The user may be typing a passphrase, or a jump host may be slow.
      admissionMs: SSH_LOGIN_MS,
      signal: context.interruption.signal,
    },
  );
  // Who has sent something finds it in the files over there, when the command ends.
  if (report.ok && report.sent + report.blobsSent > 0) await line.gone();
  const fault = report.error?.code === 'unreachable' ? await line.fault() : null;
  return fault === null ? report : { ...report, error: fault };
}

/** Writes out what came for a copy that others send to, unless its owner doesn't want that. */
export async function receiveIn({ replica, work }: Repository): Promise<void> {
  if (settingOf(replica.config, 'receive.materialise')) await work.bringInStep();
}

/** Failures that mean the same on whichever side they are. */
const OF_EITHER_SIDE: ReadonlySet<string> = new Set([
  'unreachable',
  'denied',
  'busy',
  'interrupted',
  'usage',
]);

/** What is wrong with the remote's disk or data makes it `unreachable`; nothing is wrong here. */
async function atRemote<T>(remote: Remote, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof WnError) || OF_EITHER_SIDE.has(error.code)) throw error;
    throw new WnError('unreachable', `at ${remote.name}: ${error.message}`, {
      hint: error.hint ?? 'what arrived is kept; mend that, and run it again',
      details: { reason: error.code },
      cause: error,
    });
  }
}

async function openRemote(
  context: Context,
  here: Repository,
  remote: Remote,
  folder: string,
): Promise<Repository> {
  const location = repositoryAt(folder);
  if (location === null) {
    throw new WnError('unreachable', `no wn repository at ${folder}`, {
      hint: 'is the disk there? change the address with: wn remote add',
    });
  }
  if (location.data === here.location.data) {
    throw new WnError('unreachable', `${remote.name} is this repository itself`, {
      hint: 'remove it: wn remote remove',
    });
  }
  const there = await openAt({ ...context, inBatch: false }, location);
  if (there.replica.ws === here.replica.ws) return there;
  await there.close();
  throw new WnError('unreachable', `${folder} holds another workspace`, {
    hint: 'nothing was exchanged; change the address with: wn remote add',
  });
}

function resultOf(name: string, report: SyncReport): RemoteResult {
  const { sent, received, bytes, ms, error } = report;
  const result = { name, ok: report.ok, sent, received, bytes, ms: Math.round(ms) };
  return error === null ? result : { ...result, error: describe(error) };
}

function failed(name: string, error: WnError): RemoteResult {
  return { name, ok: false, sent: 0, received: 0, bytes: 0, ms: 0, error: describe(error) };
}

function describe({ code, message, hint }: WnError): NonNullable<RemoteResult['error']> {
  return hint === undefined ? { code, message } : { code, message, hint };
}
