/** `wn relay`: the hub on real sockets, its log on standard error. */
import { RELAY_DRAIN_MS, RELAY_LOG_LINES_PER_SECOND } from '../core/limits.js';
import { startRelay } from '../node/relayserver.js';
import { nodeRng } from '../node/rng.js';
import { RelayHub, type LogEntry } from '../sync/relay/hub.js';
import { showRelayPlace } from './address.js';
import type { Context } from './context.js';
import { placeOf } from './serve.js';

export interface RelayWish {
  readonly listen: string;
}

/** Works until it is told to stop; `ready` is told the address that devices give to `--relay`. */
export async function runRelay(
  context: Context,
  { listen }: RelayWish,
  ready: (address: string) => Promise<void>,
): Promise<void> {
  const { signal } = context.interruption;
  const server = await startRelay({
    place: placeOf(listen),
    hub: new RelayHub(nodeRng),
    log: relayLog(context),
  });
  await ready(showRelayPlace({ tls: false, ...server.place }));
  if (!signal.aborted) {
    await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
  }
  await server.close(RELAY_DRAIN_MS);
}

/**
 * A line of JSON for each entry, for a log collector. Of one kind only so many in a
 * second: a flood must not fill the disk through the log. What was left out is counted.
 */
export function relayLog({ stderr, clock }: Pick<Context, 'stderr' | 'clock'>) {
  const written = new Map<string, number>();
  let second = -1;
  return (entry: LogEntry): void => {
    const now = clock.wallMs();
    if (Math.floor(now / 1_000) !== second) {
      for (const [kind, count] of written) {
        const left = count - RELAY_LOG_LINES_PER_SECOND;
        if (left > 0)
          void stderr.write(`${JSON.stringify({ event: 'left_out', kind, count: left })}\n`);
      }
      written.clear();
      second = Math.floor(now / 1_000);
    }
    const kind = entry.why === undefined ? entry.event : `${entry.event}: ${entry.why}`;
    const count = (written.get(kind) ?? 0) + 1;
    written.set(kind, count);
    if (count > RELAY_LOG_LINES_PER_SECOND) return;
    void stderr.write(`${JSON.stringify({ time: new Date(now).toISOString(), ...entry })}\n`);
  };
}
