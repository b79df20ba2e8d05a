/**
 * The relay itself, as a pure machine: bytes and time in, bytes and orders out. It knows
 * who listens, pairs callers with listeners by one-time keys, and keeps everybody within
 * bounds. Leaves out sockets, TLS and the moving of bytes within a pipe (`src/node`).
 */
import { toHex } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';
import {
  RELAY_CONNECTIONS_MAX,
  RELAY_IDLE_MS,
  RELAY_PENDING_PER_ADDRESS_MAX,
  RELAY_PER_ADDRESS_MAX,
  RELAY_PROOF_MS,
  RELAY_SESSIONS_PER_KEY_MAX,
  RELAY_SESSIONS_PER_LISTENER_MAX,
  RELAY_TOKEN_MS,
} from '../../core/limits.js';
import type { Rng } from '../../core/ports.js';
import { isProven, listenerName, type Channel } from './proof.js';
import { sourceOf } from './source.js';
import {
  encodeRecord,
  KEY_BYTES,
  KIND,
  NO,
  NONCE_BYTES,
  RecordReader,
  RELAY_MAGIC,
  SIGNATURE_BYTES,
  TOKEN_BYTES,
  type NoCode,
  type RelayRecord,
} from './wire.js';

export type ConnectionId = number;

export type HubEvent =
  | { readonly type: 'opened'; readonly id: ConnectionId; readonly address: string }
  /** Handshakes below are done; `exporter`: of TLS that ends here. */
  | { readonly type: 'secured'; readonly id: ConnectionId; readonly exporter: Uint8Array | null }
  | { readonly type: 'bytes'; readonly id: ConnectionId; readonly bytes: Uint8Array }
  | { readonly type: 'closed'; readonly id: ConnectionId }
  /** Time has passed; once a second will do. */
  | { readonly type: 'tick' }
  | { readonly type: 'drain' };

export type HubEffect =
  | { readonly type: 'send'; readonly id: ConnectionId; readonly bytes: Uint8Array }
  /** Once what was sent has left. */
  | { readonly type: 'close'; readonly id: ConnectionId }
  /** From now on, bytes of each go to the other, and the hub hears of neither until it closes. */
  | { readonly type: 'pipe'; readonly ids: readonly [ConnectionId, ConnectionId] }
  | { readonly type: 'log'; readonly entry: LogEntry };

/** Facts for the operator: addresses, sizes and reasons, and never a key. */
export interface LogEntry {
  readonly event: 'refused' | 'listening' | 'left' | 'piped' | 'ended';
  readonly id: ConnectionId;
  readonly from: string;
  readonly why?: string;
}

type State =
  | { readonly at: 'unproven' }
  | { readonly at: 'listening'; readonly name: string }
  | { readonly at: 'called' }
  | { readonly at: 'joining'; readonly pair: Pair }
  | { readonly at: 'piped'; readonly pair: Pair }
  | { readonly at: 'closing' };

interface Connection {
  readonly id: ConnectionId;
  readonly address: string;
  readonly source: string;
  readonly reader: RecordReader;
  channel: Channel;
  /** It has shown the magic, and was answered. */
  greeted: boolean;
  state: State;
  /** When it is closed unless something happens before. */
  deadlineMs: number;
}

/** A caller and a listener on their way to each other. */
interface Pair {
  readonly caller: string;
  readonly name: string;
  readonly tokens: readonly [string, string];
  readonly expiresMs: number;
  readonly joined: (Connection | null)[];
  over: boolean;
}

const LENGTHS: ReadonlyMap<number, number> = new Map([
  [KIND.listen, KEY_BYTES + SIGNATURE_BYTES],
  [KIND.connect, 2 * KEY_BYTES + SIGNATURE_BYTES],
  [KIND.join, TOKEN_BYTES],
  [KIND.ping, 0],
]);

/** Ends a connection with a reason for the client and one for the log. */
class Refusal extends Error {
  constructor(
    readonly code: NoCode,
    readonly why: string,
  ) {
    super(why);
  }
}

export class RelayHub {
  private readonly connections = new Map<ConnectionId, Connection>();
  private readonly listeners = new Map<string, Connection>();
  private readonly tokens = new Map<string, Pair>();
  /** Pairs on their way or piped, by the caller's key and by the listener's name. */
  private readonly sessions = new Counts();
  private readonly perSource = new Counts();
  private readonly pending = new Counts();
  private draining = false;
  private effects: HubEffect[] = [];

  constructor(private readonly rng: Rng) {}

  /** Connections that are there, for bounds and tests. */
  get size(): number {
    return this.connections.size;
  }

  handle(event: HubEvent, nowMs: number): readonly HubEffect[] {
    this.effects = [];
    if (event.type === 'opened') this.onOpened(event.id, event.address, nowMs);
    else if (event.type === 'tick') this.onTick(nowMs);
    else if (event.type === 'drain') this.onDrain();
    else {
      const connection = this.connections.get(event.id);
      if (connection === undefined) return [];
      if (event.type === 'secured') {
        connection.channel = { ...connection.channel, exporter: event.exporter };
      } else if (event.type === 'closed') this.onClosed(connection);
      else this.onBytes(connection, event.bytes, nowMs);
    }
    return this.effects;
  }

  private onOpened(id: ConnectionId, address: string, nowMs: number): void {
    const source = sourceOf(address);
    const connection: Connection = {
      id,
      address,
      source,
      reader: new RecordReader(checkHead),
      channel: { nonce: this.rng.bytes(NONCE_BYTES), exporter: null },
      greeted: false,
      state: { at: 'unproven' },
      deadlineMs: nowMs + RELAY_PROOF_MS,
    };
    const why = this.overBound(source);
    this.connections.set(id, connection);
    this.perSource.add(source);
    this.pending.add(source);
    if (why !== null) this.refuse(connection, new Refusal(NO.tooMuch, why));
  }

  private overBound(source: string): string | null {
    if (this.draining) return 'draining';
    if (this.connections.size >= RELAY_CONNECTIONS_MAX) return 'connections';
    if (this.perSource.of(source) >= RELAY_PER_ADDRESS_MAX) return 'connections of an address';
    if (this.pending.of(source) >= RELAY_PENDING_PER_ADDRESS_MAX) return 'pending of an address';
    return null;
  }

  private onBytes(connection: Connection, bytes: Uint8Array, nowMs: number): void {
    try {
      for (const record of connection.reader.take(bytes)) {
        if (connection.state.at === 'closing') return;
        if (record === null) this.challenge(connection);
        else this.onRecord(connection, record, nowMs);
      }
    } catch (error) {
      if (error instanceof Refusal) this.refuse(connection, error);
      else if (error instanceof WnError) {
        this.refuse(connection, new Refusal(NO.malformed, error.message));
      } else throw error;
    }
  }

  private challenge(connection: Connection): void {
    const { exporter, nonce } = connection.channel;
    const binding = Uint8Array.of(exporter === null ? 0 : 1);
    connection.greeted = true;
    this.effects.push({ type: 'send', id: connection.id, bytes: RELAY_MAGIC });
    this.send(connection, KIND.challenge, binding, nonce);
  }

  private onRecord(connection: Connection, { kind, body }: RelayRecord, nowMs: number): void {
    const { at } = connection.state;
    if (kind === KIND.listen && at === 'unproven') this.onListen(connection, body, nowMs);
    else if (kind === KIND.connect && at === 'unproven') this.onConnect(connection, body, nowMs);
    else if (kind === KIND.join && (at === 'unproven' || at === 'called')) {
      this.onJoin(connection, toHex(body));
    } else if (kind === KIND.ping && at === 'listening') {
      connection.deadlineMs = nowMs + RELAY_IDLE_MS;
      this.send(connection, KIND.pong);
    } else throw new Refusal(NO.malformed, `record ${kind} while ${at}`);
  }

  private onListen(connection: Connection, body: Uint8Array, nowMs: number): void {
    const key = body.subarray(0, KEY_BYTES);
    if (!isProven(key, body.subarray(KEY_BYTES), KIND.listen, connection.channel)) {
      throw new Refusal(NO.proof, 'bad proof');
    }
    const name = listenerName(toHex(key));
    const before = this.listeners.get(name);
    // One who has lost its line can't say so: the newest is the one that is there.
    if (before !== undefined) this.refuse(before, new Refusal(NO.replaced, 'replaced'));
    this.pending.remove(connection.source);
    connection.state = { at: 'listening', name };
    connection.deadlineMs = nowMs + RELAY_IDLE_MS;
    this.listeners.set(name, connection);
    this.send(connection, KIND.ok);
    this.log('listening', connection);
  }

  private onConnect(connection: Connection, body: Uint8Array, nowMs: number): void {
    const key = body.subarray(0, KEY_BYTES);
    const target = body.subarray(KEY_BYTES, 2 * KEY_BYTES);
    const signature = body.subarray(2 * KEY_BYTES);
    if (!isProven(key, signature, KIND.connect, connection.channel, target)) {
      throw new Refusal(NO.proof, 'bad proof');
    }
    const [caller, name] = [toHex(key), toHex(target)];
    if (this.sessions.of(caller) >= RELAY_SESSIONS_PER_KEY_MAX) {
      throw new Refusal(NO.tooMuch, 'sessions of a key');
    }
    const listener = this.listeners.get(name);
    if (listener === undefined) throw new Refusal(NO.unavailable, 'nobody listens');
    if (this.sessions.of(name) >= RELAY_SESSIONS_PER_LISTENER_MAX) {
      throw new Refusal(NO.unavailable, 'sessions of a listener');
    }
    const tokens = [this.rng.bytes(TOKEN_BYTES), this.rng.bytes(TOKEN_BYTES)] as const;
    const [forCaller, forListener] = tokens;
    const pair: Pair = {
      caller,
      name,
      tokens: [toHex(forCaller), toHex(forListener)],
      expiresMs: nowMs + RELAY_TOKEN_MS,
      joined: [null, null],
      over: false,
    };
    for (const token of pair.tokens) this.tokens.set(token, pair);
    this.sessions.add(caller);
    this.sessions.add(name);
    connection.state = { at: 'called' };
    connection.deadlineMs = pair.expiresMs;
    this.send(connection, KIND.token, forCaller);
    this.send(listener, KIND.offer, forListener);
  }

  /** A one-time key is good once, whatever comes of it. */
  private onJoin(connection: Connection, token: string): void {
    const pair = this.tokens.get(token);
    if (pair === undefined) throw new Refusal(NO.unavailable, 'no such token');
    this.tokens.delete(token);
    pair.joined[pair.tokens.indexOf(token)] = connection;
    connection.state = { at: 'joining', pair };
    connection.deadlineMs = pair.expiresMs;
    const [caller, listener] = pair.joined;
    if (!caller || !listener) return;
    const hasty = [caller, listener].find((end) => end.reader.partial);
    if (hasty !== undefined) {
      this.refuse(hasty, new Refusal(NO.malformed, 'bytes before the pipe'));
      return;
    }
    for (const end of [caller, listener]) {
      this.send(end, KIND.ok);
      end.state = { at: 'piped', pair };
      end.deadlineMs = Infinity;
      this.pending.remove(end.source);
      this.log('piped', end);
    }
    this.effects.push({ type: 'pipe', ids: [caller.id, listener.id] });
  }

  private onTick(nowMs: number): void {
    for (const connection of this.connections.values()) {
      if (connection.deadlineMs > nowMs) continue;
      const { at } = connection.state;
      if (at === 'unproven') this.refuse(connection, new Refusal(NO.tooSlow, 'no proof in time'));
      else if (at === 'listening') this.refuse(connection, new Refusal(NO.tooSlow, 'idle'));
      else this.refuse(connection, new Refusal(NO.unavailable, 'nobody joined in time'));
    }
    for (const pair of new Set(this.tokens.values())) if (pair.expiresMs <= nowMs) this.drop(pair);
  }

  private onDrain(): void {
    this.draining = true;
    for (const connection of this.connections.values()) {
      if (connection.state.at === 'piped') continue;
      this.refuse(connection, new Refusal(NO.draining, 'draining'));
    }
  }

  private onClosed(connection: Connection): void {
    this.leave(connection);
    this.connections.delete(connection.id);
    this.perSource.remove(connection.source);
  }

  private refuse(connection: Connection, { code, why }: Refusal): void {
    if (connection.state.at === 'closing') return;
    this.log('refused', connection, why);
    this.leave(connection);
    if (!connection.greeted) {
      this.effects.push({ type: 'send', id: connection.id, bytes: RELAY_MAGIC });
    }
    this.send(connection, KIND.no, Uint8Array.of(code));
    this.effects.push({ type: 'close', id: connection.id });
  }

  /** Takes a connection out of everything but the count of those that are open. */
  private leave(connection: Connection): void {
    const { state, source } = connection;
    connection.state = { at: 'closing' };
    connection.deadlineMs = Infinity;
    if (state.at === 'closing') return;
    if (state.at !== 'listening' && state.at !== 'piped') this.pending.remove(source);
    if (state.at === 'listening' && this.listeners.get(state.name) === connection) {
      this.listeners.delete(state.name);
      this.log('left', connection);
    }
    if (state.at === 'joining') this.drop(state.pair);
    if (state.at === 'piped') this.endPipe(connection, state.pair);
  }

  private endPipe(connection: Connection, pair: Pair): void {
    this.log('ended', connection);
    pair.joined[pair.joined.indexOf(connection)] = null;
    if (pair.joined.every((end) => end === null)) this.endSession(pair);
  }

  /** Ends a pair that never became a pipe. */
  private drop(pair: Pair): void {
    if (pair.over) return;
    this.endSession(pair);
    for (const token of pair.tokens) this.tokens.delete(token);
    for (const end of pair.joined) {
      if (end) this.refuse(end, new Refusal(NO.unavailable, 'the other side never came'));
    }
  }

  private endSession(pair: Pair): void {
    pair.over = true;
    this.sessions.remove(pair.caller);
    this.sessions.remove(pair.name);
  }

  private send({ id }: Connection, kind: number, ...parts: readonly Uint8Array[]): void {
    this.effects.push({ type: 'send', id, bytes: encodeRecord(kind, ...parts) });
  }

  private log(event: LogEntry['event'], { id, address }: Connection, why?: string): void {
    const entry = { event, id, from: address, ...(why === undefined ? {} : { why }) };
    this.effects.push({ type: 'log', entry });
  }
}

function checkHead(kind: number, length: number): void {
  if (LENGTHS.get(kind) === length) return;
  throw new WnError('invalid', `a record of kind ${kind} and ${length} bytes`);
}

/** How many there are of each; what there is none of takes no room. */
class Counts {
  private readonly counts = new Map<string, number>();

  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  add(what: string): void {
    this.counts.set(what, this.of(what) + 1);
  }

  remove(what: string): void {
    const left = this.of(what) - 1;
    assert(left >= 0, 'counted out more than came in');
    if (left === 0) this.counts.delete(what);
    else this.counts.set(what, left);
  }
}
