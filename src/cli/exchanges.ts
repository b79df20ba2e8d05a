/**
 * Exchanges with remotes: several at a time, each as if it were alone, its mail included.
 * One that is slow or fails doesn't stop the others. When all are through, what one has brought is sent to
 * those that lack it, and the files here are brought in step.
 */
import { WnError } from '../core/errors.js';
import { REMOTES_AT_ONCE_MAX } from '../core/limits.js';
import { have } from '../repo/exchange.js';
import type { Remote } from '../repo/settings.js';
import type { HaveEntry } from '../repo/travel.js';
import type { SyncMode } from '../sync/frames.js';
import { isUnavailable } from '../sync/relay/client.js';
import { SharedReplica } from '../sync/shared.js';
import type { Context } from './context.js';
import { exchangeWith, type Exchanging } from './exchange.js';
import { interrupted } from './failure.js';
import { Logins } from './logins.js';
import { mailAfter, mailBefore } from './mailbox.js';
import { atOnce } from './pool.js';
import { beyond } from './remotes.js';
import type { Repository } from './repository.js';
import { withRetries } from './retry.js';

/** How it went with one remote; of several attempts, all together. */
export interface RemoteEnd {
  readonly name: string;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly ms: number;
  /** Null: this side and the remote know that the other got everything. */
  readonly error: WnError | null;
  /** What it holds now; null where it hasn't said. */
  readonly holds: readonly HaveEntry[] | null;
  /** The device wasn't there: what it lacks, as far as is known, waits in its mailbox. */
  readonly mailbox: boolean;
}

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
}

/**
 * Runs `mode` with each remote; tries for `retryMs` what may go well when it is tried again.
 * Never throws for a remote's failure.
 */
export async function exchange(
  context: Context,
  here: Repository,
  remotes: readonly Remote[],
  mode: SyncMode,
  retryMs = 0,
): Promise<Exchanged> {
  const shared = new SharedReplica(here.replica, here.replica.ports.clock);
  const exchanging = { context, here, shared, logins: new Logins() };
  const first = await atOnce(REMOTES_AT_ONCE_MAX, remotes, (remote) =>
    one(exchanging, remote, mode, retryMs),
  );
  const ends = mode === 'sync' ? await passOn(exchanging, remotes, first, retryMs) : first;
  const { written, removed, merged, waiting } = await here.work.bringInStep();
  const conflicts = here.replica.view.conflictCount();
  return { ends, applied: written + removed, merged, waiting, conflicts };
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

const NOTHING = {
  sent: 0,
  received: 0,
  bytes: 0,
  ms: 0,
  error: null,
  holds: null,
  mailbox: false,
};

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

function together(before: RemoteEnd, after: RemoteEnd): RemoteEnd {
  return {
    ...after,
    sent: before.sent + after.sent,
    received: before.received + after.received,
    bytes: before.bytes + after.bytes,
    ms: before.ms + after.ms,
  };
}
