/**
 * The exchange with one remote: opens it, runs the session, has the files over there
 * brought in step. Leaves out those here, and what it is to have several: `exchanges.ts`.
 */
import { assert, WnError } from '../core/errors.js';
import { showTime, hlcFromMs } from '../core/hlc.js';
import { SSH_LOGIN_MS } from '../core/limits.js';
import type { Line } from '../node/line.js';
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
import type { SharedReplica } from '../sync/shared.js';
import type { SyncStore } from '../sync/store.js';
import { parseAddress, type LanAddress } from './address.js';
import type { Context } from './context.js';
import { dial, type StreamAddress } from './dial.js';
import { repositoryAt } from './location.js';
import type { Logins } from './logins.js';
import type { Neighbourhood } from './neighbourhood.js';
import { rememberRemote } from './remotes.js';
import { openAt, type Repository } from './repository.js';

/** What the exchanges of one command share, which may run at the same time. */
export interface Exchanging {
  readonly context: Context;
  readonly here: Repository;
  /** `here.replica`, which their sessions write to in turns while they wait for the network. */
  readonly shared: SharedReplica;
  readonly logins: Logins;
  readonly neighbourhood: Neighbourhood;
}

/** Exchanges with one remote. Throws what keeps a session from beginning. */
export async function exchangeWith(
  exchanging: Exchanging,
  remote: Remote,
  mode: SyncMode,
): Promise<SyncReport> {
  const { here, shared } = exchanging;
  const address = parseAddress(remote.url, here.location.root);
  const { storage, clock } = here.replica.ports;
  const kept = new KeptCheckpoints(storage, () => remoteCheckpointPath(remote.name));
  const near = shared.store(kept);
  const report =
    address.kind === 'path'
      ? await overPath(exchanging, remote, address.folder, near, mode)
      : await overLine(exchanging, remote, address, near, mode);
  await kept.save();
  if (report.ok) {
    const lastOkAt = showTime(hlcFromMs(clock.wallMs()));
    await rememberRemote(storage, remote.name, { lastOkAt, have: report.peerHave ?? [] });
  }
  return report;
}

async function overPath(
  { context, here, shared }: Exchanging,
  remote: Remote,
  folder: string,
  near: SyncStore,
  mode: SyncMode,
): Promise<SyncReport> {
  const there = await atRemote(remote, () => openRemote(context, here, remote, folder));
  try {
    const { clock, rng } = here.replica.ports;
    const kept = new KeptCheckpoints(there.replica.ports.storage, peerCheckpointPath);
    const far = new ReplicaStore(there.replica, kept);
    const { signal } = context.interruption;
    const { near: report } = await shared.read(() =>
      syncStores(near, far, mode, { clock, rng }, { signal }, (end) => shared.channel(end)),
    );
    if (mode !== 'pull') await atRemote(remote, () => receiveIn(there));
    await kept.save();
    return report;
  } finally {
    await there.close();
  }
}

async function overLine(
  exchanging: Exchanging,
  remote: Remote,
  address: StreamAddress | LanAddress,
  near: SyncStore,
  mode: SyncMode,
): Promise<SyncReport> {
  const { context, here, shared, logins } = exchanging;
  const { clock, rng, storage } = here.replica.ports;
  const workspace = 'workspace' in address ? address.workspace : null;
  if (workspace !== null && workspace !== here.replica.ws) {
    throw new WnError('unreachable', `the address of ${remote.name} is of another workspace`, {
      hint: 'nothing was exchanged; change the address with: wn remote add',
    });
  }
  const mayAsk = address.kind === 'ssh' && context.interactive;
  const { line, report } = await logins.oneAtATime(mayAsk, async (through) => {
    const line = await lineTo(exchanging, remote, address);
    const run = () =>
      runSync(
        near,
        shared.channel(through(line.channel)),
        { clock, rng },
        {
          mode,
          likely: lastPeer(storage, remote.name),
          // The user may be typing a passphrase, or a jump host may be slow.
          admissionMs: SSH_LOGIN_MS,
          signal: context.interruption.signal,
        },
      );
    return { line, report: await shared.read(run) };
  });
  // Who has sent something finds it in the files over there, when the command ends.
  if (report.ok && report.sent + report.blobsSent > 0) await line.gone();
  const fault = report.error?.code === 'unreachable' ? await line.fault() : null;
  return fault === null ? report : { ...report, error: fault };
}

function lineTo(
  { context, here, neighbourhood }: Exchanging,
  remote: Remote,
  address: StreamAddress | LanAddress,
): Promise<Line> {
  if (address.kind !== 'mdns') return dial(context, here.replica.config, remote, address);
  assert(address.device !== null, 'an exchange with the whole network as if it were a device');
  return neighbourhood.reach(address.device);
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
