/** `wn relay`: the hub on real sockets, its log on standard error. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WnError } from '../core/errors.js';
import { RELAY_DRAIN_MS, RELAY_LOG_LINES_PER_SECOND } from '../core/limits.js';
import { worldFault } from '../node/faults.js';
import { homeFolder } from '../node/home.js';
import { startRelay } from '../node/relayserver.js';
import { nodeRng } from '../node/rng.js';
import { openStorage } from '../node/storage.js';
import { loadCertificate } from '../node/tlsline.js';
import { Boxes, type MailAnswer, type MailRequest } from '../sync/relay/boxes.js';
import type { LogEntry } from '../sync/relay/connection.js';
import { RelayHub } from '../sync/relay/hub.js';
import { showRelayPlace } from './address.js';
import type { Context } from './context.js';
import { placeOf } from './serve.js';

const DAY_MS = 24 * 3_600_000;

export interface RelayWish {
  readonly listen: string;
  /** Where mailboxes are kept; by default in the device's home. */
  readonly root: string | undefined;
  /** PEM files; null: plain TCP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** Works until it is told to stop; `ready` is told the address that devices give to `--relay`. */
export async function runRelay(
  context: Context,
  { listen, root, tls: files }: RelayWish,
  ready: (address: string) => Promise<void>,
): Promise<void> {
  const { signal } = context.interruption;
  const at = (file: string): string => resolve(context.cwd, file);
  const tls = files === null ? undefined : loadCertificate(at(files.cert), at(files.key));
  const boxes = await openBoxes(context, root);
  const server = await startRelay({
    place: placeOf(listen),
    hub: new RelayHub(nodeRng),
    mail: (box, request) => askBoxes(context, boxes, box, request),
    log: relayLog(context),
    tls,
  });
  const sweeping = sweepDaily(context, boxes);
  await ready(showRelayPlace({ tls: tls !== undefined, webSocket: false, ...server.place }));
  if (!signal.aborted) {
    await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
  }
  sweeping();
  await server.close(RELAY_DRAIN_MS);
}

async function openBoxes(context: Context, root: string | undefined): Promise<Boxes> {
  const folder = root === undefined ? defaultRoot(context) : resolve(context.cwd, root);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw worldFault(error, folder);
  }
  const storage = openStorage(folder);
  // Two relays on one folder would each count only their own.
  const unlock = await storage.lock('lock');
  if (unlock === null) {
    throw new WnError('busy', `another relay keeps its mailboxes in ${folder}`, {
      hint: 'give each its own: wn relay --root DIR',
    });
  }
  await storage.sweep();
  const boxes = new Boxes(storage, nodeRng);
  await boxes.open();
  return boxes;
}

const defaultRoot = ({ env }: Context): string => join(homeFolder(env), 'relay');

async function askBoxes(
  { clock, stderr }: Context,
  boxes: Boxes,
  box: string,
  request: MailRequest,
): Promise<MailAnswer> {
  try {
    return await boxes.answer(box, request, clock.wallMs());
  } catch (error) {
    const why = error instanceof WnError ? error.message : String(error);
    await stderr.write(`${JSON.stringify({ event: 'disk', why })}\n`);
    return { type: 'failed' };
  }
}

/** The result stops it. */
function sweepDaily({ clock }: Context, boxes: Boxes): () => void {
  let cancel = (): void => undefined;
  const later = (): void => {
    cancel = clock.after(DAY_MS, () => {
      // What can't be removed now is removed when its box is next asked.
      boxes.sweep(clock.wallMs()).catch(() => undefined);
      later();
    });
  };
  later();
  return () => cancel();
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
