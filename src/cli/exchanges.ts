/**
 * Exchanges with remotes: several at a time, each as if it were alone, its mail included.
 * One that is slow or fails doesn't stop the others. When all are through, what one has brought is sent to
 * those that lack it, and the files here are brought in step.
 */
import { WnError } from '../core/errors.js';
import { REMOTES_AT_ONCE_MAX } from '../core/limits.js';
import { have } from '../repo/exchange.js';
import type { Remote } from '../repo/settings.js';
import type { SyncMode } from '../sync/frames.js';
import { isUnavailable } from '../sync/relay/client.js';
import { SharedReplica } from '../sync/shared.js';
import type { Context } from './context.js';
import { exchangeWith, type Exchanging } from './exchange.js';
import { interrupted } from './failure.js';
import { endsOfLan, meet, type LanWish } from './lan.js';
import { Logins } from './logins.js';
import { mailAfter, mailBefore } from './mailbox.js';
import { Neighbourhood } from './neighbourhood.js';
import { atOnce } from './pool.js';
import { NOTHING, together, type RemoteEnd } from './remoteEnd.js';
import { beyond } from './remotes.js';
import type { Repository } from './repository.js';
import { withRetries } from './retry.js';

export interface Exchanged {
  /** In the order of the remotes. */
  readonly ends: readonly RemoteEnd[];
  /** Files written or removed here. */
  readonly applied: number;
  /** Paths where edits that were not committed yet were merged with what came. */
  readonly merged: readonly string[];
  /** Paths that a file of the user's stands in the way of. */
  readonly waiting: readonly string[];
  readonly conflicts: number;
  /** What of the local network was left out, and why. */
  readonly notes: readonly string[];
}

export interface ExchangeOptions {
  /** For how long to try again what may go well when it is tried again, milliseconds. */
  readonly retryMs?: number;
  readonly lan?: LanWish | null;
}

/**
 * Runs `mode` with each remote, and at the same time with members in the local network, whose
 * ends follow those of the remotes. Never throws for a remote's failure.
 */
export async function exchange(
  context: Context,
  here: Repository,
  remotes: readonly Remote[],
  mode: SyncMode,
  { retryMs = 0, lan = null }: ExchangeOptions = {},
): Promise<Exchanged> {
  const shared = new SharedReplica(here.replica, here.replica.ports.clock);
  const neighbourhood = new Neighbourhood(context, here.replica);
  const exchanging = { context, here, shared, logins: new Logins(), neighbourhood };
  const each = (all: readonly Remote[]): Promise<RemoteEnd[]> =>
    atOnce(REMOTES_AT_ONCE_MAX, all, (remote) => one(exchanging, remote, mode, retryMs));
  const [named, around] = await Promise.all([each(remotes), lan && meet(neighbourhood, lan, each)]);
  const all = [...remotes, ...(around?.remotes ?? [])];
  const first = [...named, ...(around?.ends ?? [])];
  const passed = mode === 'sync' ? await passOn(exchanging, all, first, retryMs) : first;
  const ends = lan === null ? passed : await endsOfLan(exchanging, lan, remotes.length, passed);
  const { written, removed, merged, waiting } = await here.work.bringInStep();
  const conflicts = here.replica.view.conflictCount();
  const { notes } = neighbourhood;
  return { ends, applied: written + removed, merged, waiting, conflicts, notes };
}

/** Sends what a remote has brought to those whose exchange was through before it had come. */
async function passOn(
  exchanging: Exchanging,
  remotes: readonly Remote[],
  ends: readonly RemoteEnd[],
  retryMs: number,
): Promise<readonly RemoteEnd[]> {
  if (remotes.length < 2 || ends.every(({ received }) => received === 0)) return ends;
  const { replica } = exchanging.here;
  const ours = have(replica.history);
  const lacking = remotes.filter((_, i) => {
    const { error, holds, mailbox } = ends[i] ?? NOTHING;
    return mailbox || (error === null && holds !== null && beyond(replica, ours, holds) > 0);
  });
  const again = await atOnce(REMOTES_AT_ONCE_MAX, lacking, (remote) =>
    one(exchanging, remote, 'push', retryMs),
  );
  return ends.map((end) => {
    const next = again.find(({ name }) => name === end.name);
    return next === undefined ? end : together(end, next);
  });
}

/** With what came by mail; and leaves mail where nobody was there. Never throws what isn't a bug. */
async function one(
  exchanging: Exchanging,
  remote: Remote,
  mode: SyncMode,
  retryMs: number,
): Promise<RemoteEnd> {
  const { clock, rng } = exchanging.here.replica.ports;
  const { signal } = exchanging.context.interruption;
  let all: RemoteEnd = { name: remote.name, ...NOTHING };
  const attempt = async (): Promise<RemoteEnd> =>
    (all = together(all, await once(exchanging, remote, mode)));
  try {
    const received = await mailBefore(exchanging, remote, mode);
    all = { ...all, received };
    const end = await withRetries(attempt, { clock, rng, signal, forMs: retryMs });
    const mailbox = await mailAfter(exchanging, remote, mode, end.error);
    // An end that mail made good is none any more.
    const good = mailbox || (received > 0 && isUnavailable(end.error));
    return good ? { ...end, error: null, mailbox } : end;
  } catch (error) {
    if (!(error instanceof WnError)) throw error;
    return { ...all, error };
  }
}

async function once(exchanging: Exchanging, remote: Remote, mode: SyncMode): Promise<RemoteEnd> {
  const { name } = remote;
  try {
    if (exchanging.context.interruption.signal.aborted) throw interrupted();
    const report = await exchangeWith(exchanging, remote, mode);
    const { sent, received, bytes, ms, error, peerHave: holds } = report;
    const counts = { sent, received, bytes, ms: Math.round(ms) };
    return { name, ...counts, error, holds, mailbox: false };
  } catch (error) {
    if (!(error instanceof WnError)) throw error;
    return { name, ...NOTHING, error };
  }
}
