/**
 * The relay's sockets: feeds a hub what arrives and does what it orders, be it on a plain
 * line, in TLS or in a WebSocket. Knows nothing of the protocol; within a pipe it moves
 * bytes, no more of them at a time than bounds say.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { WnError } from '../core/errors.js';
import { MAILBOX_ITEM_BYTES_MAX, SYNC_CLOSE_MS } from '../core/limits.js';
import type { MailAnswer, MailRequest } from '../sync/relay/boxes.js';
import type { ConnectionId, HubEffect, HubEvent, LogEntry } from '../sync/relay/connection.js';
import { Pipes } from './pipes.js';
import type { Place } from './tcp.js';
import { exporterOf } from './tlsline.js';
import { WebSocketEntrance } from './websocket.js';

export interface Hub {
  handle(event: HubEvent, nowMs: number): readonly HubEffect[];
}

export interface RelayOptions {
  readonly place: Place;
  readonly hub: Hub;
  /** Asks the mailboxes. */
  readonly mail: (box: string, request: MailRequest) => Promise<MailAnswer>;
  readonly log: (entry: LogEntry) => void;
  /** Without it, plain TCP. */
  readonly tls?: SecureContext | undefined;
}

export interface RelayServer {
  /** Where it really listens: port 0 becomes a free one. */
  readonly place: Place;
  /** Takes nobody new, and lets pipes finish for so long. */
  close(drainMs: number): Promise<void>;
}

const TICK_MS = 1_000;
/** Two answers, of which the largest is an item of a mailbox. */
const UNREAD_BYTES_MAX = 2 * MAILBOX_ITEM_BYTES_MAX;

/** Throws `usage` where the address can't be listened on. */
export async function startRelay({
  place,
  hub,
  mail,
  log,
  tls,
}: RelayOptions): Promise<RelayServer> {
  const open = new Map<ConnectionId, Duplex>();
  const pipes = new Pipes();
  let last: ConnectionId = 0;
  let emptied = (): void => undefined;

  const tell = (event: HubEvent): void => {
    for (const effect of hub.handle(event, performance.now())) perform(effect);
  };
  const perform = (effect: HubEffect): void => {
    if (effect.type === 'log') {
      log(effect.entry);
    } else if (effect.type === 'mail') {
      const { id } = effect;
      void mail(effect.box, effect.request).then((answer) => tell({ type: 'mail', id, answer }));
    } else if (effect.type === 'pipe') {
      const [a, b] = effect.ids.map((id) => open.get(id));
      if (a !== undefined && b !== undefined) pipes.join(a, b);
    } else {
      const line = open.get(effect.id);
      if (effect.type === 'send') answer(line, effect.bytes);
      else if (line !== undefined) finish(line);
    }
  };

  const entrance = new WebSocketEntrance();

  const attend = (id: ConnectionId, line: Duplex): void => {
    open.set(id, line);
    line.on('error', () => undefined);
    line.once('end', () => {
      if (!pipes.has(line)) line.end();
    });
  };

  /** What the connection turned out to carry; nothing if that is over already. */
  const enter = async (id: ConnectionId, below: Socket): Promise<void> => {
    const from = below.remoteAddress ?? '';
    const entered = isHttp(await firstByte(below)) ? await entrance.take(below) : { line: below };
    const { line } = entered;
    if (line === null) log({ event: 'refused', id, from, why: entered.why });
    if (line === null || !open.has(id)) return;
    if (line !== below) attend(id, line);
    tell({ type: 'secured', id, exporter: below instanceof TLSSocket ? exporterOf(below) : null });
    line.on('data', (bytes: Buffer) => {
      if (!pipes.has(line)) tell({ type: 'bytes', id, bytes });
    });
    line.resume();
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const id = ++last;
    const below = tls === undefined ? socket : secured(socket, tls);
    attend(id, below);
    for (const each of new Set([socket, below])) each.on('error', () => socket.destroy());
    socket.once('close', () => {
      const line = open.get(id);
      open.delete(id);
      // Of a pipe, what has come is still on its way to the other end.
      if (line !== undefined && !pipes.has(line)) line.destroy();
      tell({ type: 'closed', id });
      if (open.size === 0) emptied();
    });
    tell({ type: 'opened', id, address: socket.remoteAddress ?? '' });
    void enter(id, below);
  });
  await listening(server, place);
  const ticking = setInterval(() => tell({ type: 'tick' }), TICK_MS);
  const { address, port } = server.address() as AddressInfo;
  return {
    place: { host: address, port },
    async close(drainMs) {
      server.close();
      clearInterval(ticking);
      tell({ type: 'drain' });
      const empty = new Promise<void>((resolve) => (emptied = resolve));
      const expired = new Promise((resolve) => setTimeout(resolve, drainMs).unref());
      if (open.size > 0) await Promise.race([empty, expired]);
      for (const line of open.values()) line.destroy();
    },
  };
}

/** Looked at, and still to be read. Doesn't resolve where nothing comes. */
function firstByte(line: Duplex): Promise<number> {
  return new Promise((resolve) => {
    line.once('data', (bytes: Buffer) => {
      line.pause();
      line.unshift(bytes);
      resolve(bytes[0] ?? 0);
    });
  });
}

/** Its methods are upper case; nothing else that is spoken here begins so. */
const isHttp = (first: number): boolean => first >= 0x41 && first <= 0x5a;

function secured(socket: Socket, secureContext: SecureContext): TLSSocket {
  return new TLSSocket(socket, { isServer: true, secureContext });
}

/** Nobody may have us pile up what he asks for and doesn't read. */
function answer(line: Duplex | undefined, bytes: Uint8Array): void {
  line?.write(bytes);
  if (line !== undefined && line.writableLength > UNREAD_BYTES_MAX) line.destroy();
}

/** What was sent still leaves, but nobody is waited for who doesn't read. */
function finish(line: Duplex): void {
  line.pause();
  line.end(() => line.destroy());
  const timer = setTimeout(() => line.destroy(), SYNC_CLOSE_MS);
  line.once('close', () => clearTimeout(timer));
}

function listening(server: ReturnType<typeof createServer>, { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new WnError('usage', `can't listen on ${host}, port ${port} (${cause.code ?? 'failed'})`, {
          hint: 'nothing is served; give an address of this machine and a free port: --listen HOST:PORT',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}
