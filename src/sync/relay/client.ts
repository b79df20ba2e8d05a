/**
 * What a client says to a relay: to be reached, to reach another, to join a pipe. Works
 * over any line of bytes; leaves out how that comes about (`src/node`) and what is spoken
 * within a pipe.
 */
import { equalBytes, fromHex } from '../../core/bytes.js';
import type { Signer } from '../../core/crypto.js';
import { WnError } from '../../core/errors.js';
import { RELAY_UNPROVEN_BYTES_MAX } from '../../core/limits.js';
import { prove, type Channel } from './proof.js';
import {
  decodeHead,
  encodeRecord,
  KIND,
  NO,
  NONCE_BYTES,
  RECORD_HEAD_BYTES,
  RELAY_MAGIC,
  TOKEN_BYTES,
  type RelayRecord,
} from './wire.js';

/** A connection to a relay, read piece by piece. */
export interface RelayLine {
  /** The exporter of the TLS session (RFC 9266); null without TLS. */
  readonly exporter: Uint8Array | null;
  send(bytes: Uint8Array): void;
  /** Exactly so many bytes. Throws `unreachable` when the line ends before. */
  read(bytes: number): Promise<Uint8Array>;
}

/** Nobody is there under that key, as far as the relay tells. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof WnError && error.details['reason'] === 'unavailable';
}

/** A line at whose other end a relay has shown itself, and what proofs on it are bound to. */
export interface GreetedLine<Line extends RelayLine = RelayLine> {
  readonly line: Line;
  readonly channel: Channel;
}

/** There is something else, or something in between that doesn't let the two speak. */
export function isNoRelay(error: unknown): boolean {
  return error instanceof WnError && NO_RELAY.has(error.details['reason']);
}

const NO_RELAY: ReadonlySet<unknown> = new Set(['not_a_relay', 'hung_up', 'no_answer']);

/** Opens the conversation. Throws `unreachable` for what isn't a relay; see `isNoRelay`. */
export async function greet(line: RelayLine): Promise<Channel> {
  line.send(RELAY_MAGIC);
  const magic = await line.read(RELAY_MAGIC.byteLength);
  if (!equalBytes(magic, RELAY_MAGIC)) throw refused('it is no relay', 'not_a_relay');
  const { body } = await expect(line, KIND.challenge, 1 + NONCE_BYTES);
  const [binding] = body;
  if (binding === 1 && line.exporter === null) throw refused('it is no relay', 'not_a_relay');
  return { nonce: body.subarray(1), exporter: binding === 1 ? line.exporter : null };
}

/** Registers; offers follow on the same line: `nextOffer`. */
export async function listen({ line, channel }: GreetedLine, signer: Signer): Promise<void> {
  const proof = prove(signer, KIND.listen, channel);
  line.send(encodeRecord(KIND.listen, fromHex(signer.publicKey), proof));
  await expect(line, KIND.ok, 0);
}

/** The one-time key for the next caller. */
export async function nextOffer(line: RelayLine): Promise<Uint8Array> {
  for (;;) {
    const { kind, body } = await nextRecord(line);
    if (kind === KIND.offer && body.byteLength === TOKEN_BYTES) return body;
    if (kind !== KIND.pong) throw refused('it speaks another protocol', 'not_a_relay');
  }
}

export function ping(line: RelayLine): void {
  line.send(encodeRecord(KIND.ping));
}

/** Makes the line a pipe to who listens under `name`. Throws `unreachable`; see `isUnavailable`. */
export async function reach(
  { line, channel }: GreetedLine,
  caller: Signer,
  name: string,
): Promise<void> {
  const target = fromHex(name);
  const proof = prove(caller, KIND.connect, channel, target);
  line.send(encodeRecord(KIND.connect, fromHex(caller.publicKey), target, proof));
  const { body: token } = await expect(line, KIND.token, TOKEN_BYTES);
  await join(line, token);
}

/** Makes the line a pipe to whoever was given the other one-time key. */
export async function join(line: RelayLine, token: Uint8Array): Promise<void> {
  line.send(encodeRecord(KIND.join, token));
  await expect(line, KIND.ok, 0);
}

/** `length`: exactly so many bytes. */
async function expect(line: RelayLine, kind: number, length: number): Promise<RelayRecord> {
  const record = await nextRecord(line);
  if (record.kind === kind && record.body.byteLength === length) return record;
  throw refused('it speaks another protocol', 'not_a_relay');
}

/** Throws what the relay refuses with. */
export async function nextRecord(
  line: RelayLine,
  bytesMax = RELAY_UNPROVEN_BYTES_MAX,
): Promise<RelayRecord> {
  const { kind, length } = decodeHead(await line.read(RECORD_HEAD_BYTES));
  if (length > bytesMax) throw refused('it is no relay', 'not_a_relay');
  const body = await line.read(length);
  if (kind === KIND.no) throw noOf(body[0]);
  return { kind, body };
}

function noOf(code: number | undefined): WnError {
  switch (code) {
    case NO.unavailable:
      return refused('the device is not connected to the relay, or takes no calls', 'unavailable');
    case NO.proof:
      return refused(
        'something on the way opens the connection, as an inspecting proxy does',
        'proof',
      );
    case NO.tooMuch:
      return refused('the relay takes no more from here at the moment', 'too_much');
    case NO.draining:
      return refused('the relay is about to stop', 'draining');
    case NO.replaced:
      return refused('another copy of this device has taken its place at the relay', 'replaced');
    case NO.full:
      return refused('the mailbox there is full', 'full');
    default:
      return refused(`the relay refuses (${code ?? 'no reason'})`, 'refused');
  }
}

export function refused(why: string, reason: string): WnError {
  return new WnError('unreachable', `at the relay: ${why}`, {
    hint: 'nothing was exchanged, and nothing is lost; try again later',
    details: { reason },
  });
}
