/**
 * The relay itself, as a pure machine: bytes and time in, bytes and orders out. It knows
 * who listens, pairs callers with listeners by one-time keys, and keeps everybody within
 * bounds. Leaves out sockets, TLS and the moving of bytes within a pipe (`src/node`).
 */
import { toHex } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';
import {
  MAILBOX_BYTES_PER_ADDRESS_PER_DAY,
  MAILBOX_CONNECTIONS_MAX,
  MAILBOX_REQUEST_MS,
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
import type { MailAnswer } from './boxes.js';
import {
  checkHead,
  Refusal,
  type Connection,
  type ConnectionId,
  type HubEffect,
  type HubEvent,
  type LogEntry,
  type Pair,
} from './connection.js';
import { Counts } from './counts.js';
import { decodeRequest, encodeAnswer } from './mail.js';
import { boxId, isProven, listenerName } from './proof.js';
import { sourceOf } from './source.js';
import {
  encodeRecord,
  ITEM_ID_BYTES,
  KEY_BYTES,
  KIND,
  NO,
  NONCE_BYTES,
  RecordReader,
  RELAY_MAGIC,
  TOKEN_BYTES,
  type RelayRecord,
} from './wire.js';

const DAY_MS = 24 * 3_600_000;

export class RelayHub {
  private readonly connections = new Map<ConnectionId, Connection>();
  private readonly listeners = new Map<string, Connection>();
  private readonly tokens = new Map<string, Pair>();
  /** Pairs on their way or piped, by the caller's key and by the listener's name. */
  private readonly sessions = new Counts();
  private readonly perSource = new Counts();
  private readonly pending = new Counts();
  private boxes = 0;
  /** Bytes that each address has put into mailboxes since `dayMs`. */
  private put = new Counts();
  private dayMs = 0;
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
      else if (event.type === 'mail') this.onMail(connection, event.answer, nowMs);
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
      reader: new RecordReader((kind, length) => checkHead(connection, kind, length)),
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
    } else if (kind === KIND.box && at === 'unproven') this.onBox(connection, body, nowMs);
    else if (at === 'box') this.onRequest(connection, { kind, body }, nowMs);
    else throw new Refusal(NO.malformed, `record ${kind} while ${at}`);
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

  private onBox(connection: Connection, body: Uint8Array, nowMs: number): void {
    const key = body.subarray(0, KEY_BYTES);
    if (!isProven(key, body.subarray(KEY_BYTES), KIND.box, connection.channel)) {
      throw new Refusal(NO.proof, 'bad proof');
    }
    if (this.boxes >= MAILBOX_CONNECTIONS_MAX) throw new Refusal(NO.tooMuch, 'mailboxes open');
    this.boxes += 1;
    this.pending.remove(connection.source);
    connection.state = { at: 'box', key, box: boxId(toHex(key)), busy: false };
    connection.deadlineMs = nowMs + MAILBOX_REQUEST_MS;
    this.send(connection, KIND.ok);
  }

  /** One request at a time: the answer comes before the next. */
  private onRequest(connection: Connection, record: RelayRecord, nowMs: number): void {
    const { id, state, channel, source } = connection;
    assert(state.at === 'box', 'a request for a mailbox on another kind of connection');
    const request = decodeRequest(record);
    if (request === null || state.busy) throw new Refusal(NO.malformed, 'out of turn');
    if (request.type === 'ack') {
      const [item, signature] = [
        record.body.subarray(0, ITEM_ID_BYTES),
        record.body.subarray(ITEM_ID_BYTES),
      ];
      if (!isProven(state.key, signature, KIND.ack, channel, item)) {
        throw new Refusal(NO.proof, 'bad proof');
      }
    } else if (request.type === 'put') {
      this.countPut(source, request.bytes.byteLength, nowMs);
      this.log('mail', connection, { bytes: request.bytes.byteLength });
    }
    state.busy = true;
    connection.deadlineMs = Infinity;
    this.effects.push({ type: 'mail', id, box: state.box, request });
  }

  private countPut(source: string, bytes: number, nowMs: number): void {
    if (nowMs >= this.dayMs + DAY_MS) {
      this.dayMs = nowMs;
      this.put = new Counts();
    }
    if (this.put.of(source) + bytes > MAILBOX_BYTES_PER_ADDRESS_PER_DAY) {
      throw new Refusal(NO.full, 'mailbox bytes of an address');
    }
    this.put.add(source, bytes);
  }

  private onMail(connection: Connection, answer: MailAnswer, nowMs: number): void {
    const { id, state } = connection;
    if (state.at !== 'box') return;
    state.busy = false;
    if (answer.type === 'full') this.refuse(connection, new Refusal(NO.full, 'mailbox full'));
    else if (answer.type === 'failed') {
      this.refuse(connection, new Refusal(NO.failed, 'the disk failed'));
    } else {
      connection.deadlineMs = nowMs + MAILBOX_REQUEST_MS;
      this.effects.push({ type: 'send', id, bytes: encodeAnswer(answer) });
    }
  }

  private onTick(nowMs: number): void {
    for (const connection of this.connections.values()) {
      if (connection.deadlineMs > nowMs) continue;
      const { at } = connection.state;
      if (at === 'unproven') this.refuse(connection, new Refusal(NO.tooSlow, 'no proof in time'));
      else if (at === 'listening' || at === 'box') {
        this.refuse(connection, new Refusal(NO.tooSlow, 'idle'));
      } else this.refuse(connection, new Refusal(NO.unavailable, 'nobody joined in time'));
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
    this.log('refused', connection, { why });
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
    if (state.at === 'box') this.boxes -= 1;
    else if (state.at !== 'listening' && state.at !== 'piped') this.pending.remove(source);
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

  private log(
    event: LogEntry['event'],
    { id, address }: Connection,
    more: Pick<LogEntry, 'why' | 'bytes'> = {},
  ): void {
    this.effects.push({ type: 'log', entry: { event, id, from: address, ...more } });
  }
}
