/**
 * `wn sync --follow`: stays connected to remotes, sends what is committed here as it is
 * committed, and writes out what comes as it comes. A connection that is lost is made
 * again; only a remote that refuses us is given up.
 */
import { WnError } from '../core/errors.js';
import { hlcFromMs, showTime } from '../core/hlc.js';
import { FOLLOW_LOOK_MS, FOLLOW_RETRY_MS_MAX, FOLLOW_RETRY_MS_MIN } from '../core/limits.js';
import type { Remote } from '../repo/settings.js';
import { runSync } from '../sync/driver.js';
import type { SyncOutcome } from '../sync/effects.js';
import { KeptCheckpoints, lastPeer, remoteCheckpointPath } from '../sync/kept.js';
import { SharedReplica } from '../sync/shared.js';
import { parseAddress } from './address.js';
import type { Context } from './context.js';
import { dial, type StreamAddress } from './dial.js';
import { rememberRemote } from './remotes.js';
import type { Repository } from './repository.js';

/** What is told when something has moved. */
export interface Followed {
  readonly remote: string;
  /** Null: connected, and this side and the remote hold the same. */
  readonly error: string | null;
  readonly sent: number;
  readonly received: number;
  /** Files written or removed here. */
  readonly applied: number;
  readonly conflicts: number;
}

/** Works until it is interrupted, or until no remote lets us in. Throws `usage`, `denied`. */
export async function follow(
  context: Context,
  here: Repository,
  remotes: readonly Remote[],
  told: (what: Followed) => Promise<void>,
  shared = new SharedReplica(here.replica, context.clock),
): Promise<void> {
  const followers = remotes.map((remote) => {
    const address = parseAddress(remote.url, here.location.root);
    if (address.kind !== 'path' && address.kind !== 'mdns') return { remote, address };
    const what = address.kind === 'path' ? 'a folder' : 'looked for in the local network';
    throw new WnError('usage', `${remote.name} is ${what}: there is nobody to stay connected to`, {
      hint: 'nothing was exchanged; sync with it from time to time, without --follow',
    });
  });
  const { signal } = context.interruption;
  const running = Promise.allSettled(
    followers.map(({ remote, address }) =>
      new Follower(context, here, shared, remote, address, told).run(),
    ),
  );
  let done = false;
  void running.then(() => (done = true));
  while (!done && !signal.aborted) {
    await shared.look();
    await pause(context, FOLLOW_LOOK_MS);
  }
  for (const end of await running) if (end.status === 'rejected') throw end.reason;
}

class Follower {
  private readonly kept: KeptCheckpoints;
  private retryMs = FOLLOW_RETRY_MS_MIN;
  private writing = false;
  /** The exchange that a connection began with, until it is noted. */
  private settled: SyncOutcome | null = null;
  private unwritten = { sent: 0, received: 0, chunks: 0 };

  constructor(
    private readonly context: Context,
    private readonly here: Repository,
    private readonly shared: SharedReplica,
    private readonly remote: Remote,
    private readonly address: StreamAddress,
    private readonly told: (what: Followed) => Promise<void>,
  ) {
    const { storage } = here.replica.ports;
    this.kept = new KeptCheckpoints(storage, () => remoteCheckpointPath(remote.name));
  }

  /** Throws what trying again won't mend. */
  async run(): Promise<void> {
    const { signal } = this.context.interruption;
    while (!signal.aborted) {
      const error = await this.once().catch(asFault);
      if (signal.aborted) return;
      if (error?.code === 'denied' || error?.code === 'usage') throw error;
      const why = error?.message ?? 'the other side has closed the connection';
      await this.tell({ sent: 0, received: 0, applied: 0, conflicts: 0, error: why });
      await pause(this.context, this.retryMs, signal);
      this.retryMs = Math.min(2 * this.retryMs, FOLLOW_RETRY_MS_MAX);
    }
  }

  private async once(): Promise<WnError | null> {
    const { context, here, shared, remote, address, kept } = this;
    const { clock, rng, storage } = here.replica.ports;
    const line = await dial(context, here.replica.config, remote, address);
    const run = () =>
      runSync(
        shared.store(kept),
        shared.channel(line.channel),
        { clock, rng },
        {
          mode: 'follow',
          likely: lastPeer(storage, remote.name),
          signal: context.interruption.signal,
          live: {
            listen: (tell) => shared.listen(tell),
            settled: (outcome) => {
              this.retryMs = FOLLOW_RETRY_MS_MIN;
              this.settled = outcome;
              this.moved(outcome.received, outcome.sent, outcome.blobsReceived);
            },
            moved: (received, sent, chunks) => this.moved(received, sent, chunks),
          },
        },
      );
    const report = await shared.read(run);
    await this.remember(report);
    const fault = report.error?.code === 'unreachable' ? await line.fault() : null;
    return fault ?? report.error;
  }

  private async remember({ peerHave }: SyncOutcome): Promise<void> {
    const { clock, storage } = this.here.replica.ports;
    await this.kept.save();
    if (peerHave === null) return;
    const lastOkAt = showTime(hlcFromMs(clock.wallMs()));
    await rememberRemote(storage, this.remote.name, { lastOkAt, have: peerHave });
  }

  /** Writes out what came and tells of it; what comes meanwhile waits for the next round. */
  private moved(received: number, sent: number, chunks: number): void {
    this.unwritten.received += received;
    this.unwritten.sent += sent;
    this.unwritten.chunks += chunks;
    if (received + chunks > 0) this.shared.announce();
    if (!this.writing) void this.write();
  }

  private async write(): Promise<void> {
    this.writing = true;
    while (this.settled !== null || Object.values(this.unwritten).some((count) => count > 0)) {
      const { sent, received } = this.unwritten;
      const { settled } = this;
      this.unwritten = { sent: 0, received: 0, chunks: 0 };
      this.settled = null;
      try {
        if (settled !== null) await this.remember(settled);
        await this.bringInStep(sent, received);
      } catch (error) {
        await this.tell({
          sent,
          received,
          applied: 0,
          conflicts: 0,
          error: asFault(error).message,
        });
      }
    }
    this.writing = false;
  }

  private async bringInStep(sent: number, received: number): Promise<void> {
    const { work, replica } = this.here;
    const { applied, conflicts } = await this.shared.write(async () => {
      const { written, removed } = await work.bringInStep();
      return { applied: written + removed, conflicts: replica.view.conflictCount() };
    });
    await this.tell({ sent, received, applied, conflicts, error: null });
  }

  private tell(what: Omit<Followed, 'remote'>): Promise<void> {
    return this.told({ remote: this.remote.name, ...what });
  }
}

/** A bug of ours isn't a fault of the line. */
function asFault(error: unknown): WnError {
  if (error instanceof WnError) return error;
  throw error;
}

function pause({ clock }: Context, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    signal?.addEventListener('abort', () => (cancel(), resolve()), { once: true });
  });
}
