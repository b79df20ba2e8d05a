/**
 * `wn anchor`: one listener for many workspaces, a status server, a log, and an orderly
 * end. A caller has proven its device before it gets here; which workspace it means, and
 * with what right, its first frame says.
 */
import { resolve } from 'node:path';
import { toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { showDevice, showId } from '../../core/ids.js';
import { ANCHOR_DRAIN_MS } from '../../core/limits.js';
import type { Clock, SecureChannel } from '../../core/ports.js';
import { anchorMetrics, type AnchorMetrics } from '../../node/metrics.js';
import { acceptSecure } from '../../node/securessh.js';
import { serveStatus, type Answer } from '../../node/statusserver.js';
import { listenTcp, type Place } from '../../node/tcp.js';
import { runSync, type SyncReport } from '../../sync/driver.js';
import { admitNobody, readGreeting } from '../../sync/greeted.js';
import { KeptCheckpoints, peerCheckpointPath } from '../../sync/kept.js';
import type { Context } from '../context.js';
import { placeOf } from '../serve.js';
import { anchorAddress, keepAddress } from './address.js';
import { anchorKey } from './allow.js';
import { Callers, type Caller } from './callers.js';
import { readAnchorConfig, type AnchorConfig } from './config.js';
import { Hosts, type Hosted } from './hosts.js';
import { Log } from './log.js';

export interface AnchorWish {
  readonly root: string;
  readonly listen: string;
  /** Null: the port above the one that it listens on, for this machine alone. */
  readonly http: string | null;
}

/** What it says once it serves. */
export interface AnchorReady {
  readonly ready: true;
  /** To which `/WORKSPACE` is added. */
  readonly address: string;
  readonly http: string;
}

/** Works until it is told to stop. Throws `usage`. */
export async function runAnchor(
  context: Context,
  wish: AnchorWish,
  ready: (said: AnchorReady) => Promise<void>,
): Promise<void> {
  const root = resolve(context.cwd, wish.root);
  const { seed, publicKey } = await anchorKey(root, context);
  const anchor: Anchor = new Anchor(
    context,
    root,
    readAnchorConfig(root),
    await metricsOf(() => anchor),
  );
  const listener = await listenTcp({
    place: placeOf(wish.listen),
    secure: (socket) => acceptSecure(socket, { seed }),
    serve: (channel, from) => anchor.serve(channel, from),
    failed: (error) => anchor.failed(error),
    refused: (from, why) => anchor.refuse('connection', { from, why }),
    bounds: () => anchor.config.bounds,
  });
  const status = await serveStatus(
    wish.http === null ? besides(listener.place) : placeOf(wish.http),
    anchor.answers(),
  );
  const address = anchorAddress(toHex(publicKey), listener.place, anchor.config.address);
  await keepAddress(root, address);
  const http = `http://${status.place.host}:${status.place.port}`;
  const reload = (): void => anchor.reload();
  process.on('SIGHUP', reload);
  anchor.state = 'ready';
  anchor.log.info('ready', { address, http, root });
  await ready({ ready: true, address, http });
  await told(context.interruption.signal);
  process.off('SIGHUP', reload);
  anchor.drain();
  await listener.close(ANCHOR_DRAIN_MS);
  await anchor.close();
  await status.close();
}

async function metricsOf(anchor: () => Anchor): Promise<AnchorMetrics> {
  return anchorMetrics({
    connections: () => anchor().callers.size,
    following: () => anchor().callers.following,
    workspaces: () => anchor().hosts.size,
  });
}

/** The port above, where there is one and it was chosen; else any that is free. */
function besides({ port }: Place): Place {
  return { host: '127.0.0.1', port: port < 65_535 ? port + 1 : 0 };
}

async function told(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
}

class Anchor {
  readonly log: Log;
  readonly callers: Callers;
  readonly hosts: Hosts;
  state: 'starting' | 'ready' | 'draining' = 'starting';
  private readonly clock: Clock;

  constructor(
    { stderr, clock, lockTimeoutMs }: Context,
    private readonly root: string,
    public config: AnchorConfig,
    private readonly metrics: AnchorMetrics,
  ) {
    this.clock = clock;
    this.log = new Log(stderr, clock);
    this.callers = new Callers(clock, config);
    this.hosts = new Hosts(root, lockTimeoutMs);
  }

  async serve(channel: SecureChannel, from: string): Promise<void> {
    const device = channel.peer;
    if (device === null) throw new Error('bug: a caller whom nobody has proven');
    if (this.config.refuse.has(device)) {
      this.refuse('device', { from, device: showDevice(device) });
      await admitNobody(channel);
      return;
    }
    const caller = this.callers.enter(device, (bytes) => this.metrics.bytes(bytes));
    try {
      await this.answer(channel, caller, from);
    } finally {
      caller.leave();
    }
  }

  private async answer(channel: SecureChannel, caller: Caller, from: string): Promise<void> {
    const who = { from, device: showDevice(caller.device) };
    const greeted = await readGreeting(channel, this.clock);
    if ('fault' in greeted) {
      this.refuse('greeting', { ...who, why: greeted.fault });
      return;
    }
    const workspace = showId(greeted.workspace);
    // One that isn't here is refused by another that is: as slowly, and in the same words.
    const hosted = (await this.hosts.enter(greeted.workspace)) ?? (await this.hosts.enterAny());
    if (hosted === null) {
      this.refuse('workspace', { ...who, workspace });
      await admitNobody(greeted.channel);
      return;
    }
    try {
      const report = await this.exchange(hosted, greeted.channel, caller);
      this.tell(report, { ...who, workspace });
    } finally {
      hosted.leave();
    }
  }

  private async exchange(
    { shared }: Hosted,
    channel: SecureChannel,
    caller: Caller,
  ): Promise<SyncReport> {
    const { toll, signal } = caller;
    const { clock, rng, storage } = shared.replica.ports;
    const kept = new KeptCheckpoints(storage, peerCheckpointPath);
    const told = { received: 0, sent: 0 };
    const count = (received: number, sent: number): void => {
      this.metrics.moved('in', Math.max(0, received - told.received));
      this.metrics.moved('out', Math.max(0, sent - told.sent));
      if (received > told.received) shared.announce();
      told.received = Math.max(told.received, received);
      told.sent = Math.max(told.sent, sent);
    };
    const moved = (received: number, sent: number, chunks: number): void => {
      count(told.received + received, told.sent + sent);
      if (chunks > 0) shared.announce();
    };
    const report = await runSync(
      shared.store(kept, toll),
      shared.channel(channel, toll),
      { clock, rng },
      {
        mode: 'answer',
        signal,
        live: {
          listen: (tell) => shared.listen(tell),
          settled: ({ received, sent }) => {
            caller.following = true;
            count(received, sent);
            void kept.save().catch((error: unknown) => this.failed(error));
          },
          moved,
        },
      },
    );
    if (report.peer !== null) await kept.save();
    count(report.received, report.sent);
    return report;
  }

  private tell(report: SyncReport, who: Readonly<Record<string, string>>): void {
    const { sent, received, pending, bytes, ms, error, rejected } = report;
    const moved = { sent, received, pending, bytes, ms: Math.round(ms) };
    if (error?.code === 'denied') {
      this.refuse('denied', who);
      return;
    }
    this.metrics.session(error?.code ?? 'ok');
    const [bad] = rejected;
    const why = error?.message ?? (bad === undefined ? undefined : `${bad.what}: ${bad.why}`);
    this.log.info('session', { ...who, ...moved, end: error?.code ?? 'ok', why });
  }

  failed(error: unknown): void {
    this.log.error('failed', { why: textOf(error) });
  }

  refuse(reason: string, facts: Readonly<Record<string, string>>): void {
    this.metrics.refused(reason);
    this.log.refused({ reason, ...facts });
  }

  /** Reads its configuration anew; one that can't be used changes nothing. */
  reload(): void {
    try {
      this.config = readAnchorConfig(this.root);
      this.callers.change(this.config);
      this.hosts.closeIdle(0);
      this.log.info('reloaded', { refused: this.config.refuse.size, ...this.config.bounds });
    } catch (error) {
      this.log.error('not_reloaded', { why: textOf(error) });
    }
  }

  drain(): void {
    this.state = 'draining';
    this.log.info('draining', { connections: this.callers.size });
    this.callers.sendOff(({ following }) => following);
  }

  async close(): Promise<void> {
    this.callers.sendOff(() => true);
    await this.hosts.closeAll();
    this.log.info('stopped');
  }

  answers(): Record<string, () => Answer | Promise<Answer>> {
    const text = (status: number, body: string): Answer => ({
      status,
      type: 'text/plain; charset=utf-8',
      body: `${body}\n`,
    });
    return {
      '/healthz': () => text(200, 'ok'),
      '/readyz': () => text(this.state === 'ready' ? 200 : 503, this.state),
      '/metrics': async () => ({ status: 200, ...(await this.metrics.text()) }),
    };
  }
}

function textOf(error: unknown): string {
  if (error instanceof WnError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
