/**
 * Tickets: an invitation as one line of text. It holds the seed of a fresh key and the
 * chain of capabilities down to that key's, so a joiner signs its own device's
 * capability offline, with the ticket's key. That key has no log: any number may join
 * with one ticket. A ticket is a secret: who has it can add devices until it expires.
 *
 *   line    = "wn-ticket-1." base64url(length(u16 BE) crc32c(u32 BE) payload)
 *   payload = CBOR [name, [address…], seed, act, [[cap, sig]…]]
 *
 * `act` is what a joining device is given; the ticket's own capability has `delegate`
 * besides, or its key could sign nothing.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import { utf8 } from '../core/bytes.js';
import { signerFromSeed, type Signer } from '../core/crypto.js';
import { assert, WnError } from '../core/errors.js';
import { crc32c } from '../core/frame.js';
import type { DeviceId, WorkspaceId } from '../core/ids.js';
import {
  CAP_DEPTH_MAX,
  NAME_BYTES_MAX,
  TICKET_ADDRESS_BYTES_MAX,
  TICKET_ADDRESSES_MAX,
  TICKET_BYTES_MAX,
} from '../core/limits.js';
import type { Rng } from '../core/ports.js';
import { ACT, hasActs } from './acts.js';
import {
  attenuationFault,
  delegate,
  isSigned,
  type CapView,
  type Chain,
  type Terms,
} from './attenuate.js';
import { decodeCap, encodeCap, rootCap, type SignedCap } from './cap.js';

export interface Ticket {
  readonly ws: WorkspaceId;
  /** The workspace's name; hostile text until shown escaped. */
  readonly name: string;
  /** Where the workspace can be fetched, best first. */
  readonly addresses: readonly string[];
  /** 32 bytes: the ticket's key. */
  readonly seed: Uint8Array;
  /** What a joining device is given. */
  readonly act: number;
  /** From the first below the root down to the ticket's own. */
  readonly caps: readonly SignedCap[];
}

export interface Invitation extends Omit<Terms, 'aud'> {
  readonly name: string;
  readonly addresses: readonly string[];
}

const PREFIX = 'wn-ticket-1.';
const HEAD_BYTES = 6;
const ASK_AGAIN = 'ask for a new one: wn invite';

/**
 * Makes a ticket under the last capability of `chain` (as `verifyChain` gives it), whose
 * holder signs. Its expiry ends the membership of those who joined, too: a capability
 * never outlives the one that it rests on. Throws `denied`.
 */
export function invite(chain: Chain, terms: Invitation, signer: Signer, rng: Rng): Ticket {
  const { name, addresses, ...rights } = terms;
  const parent = chain[chain.length - 1];
  assert(parent !== undefined, 'an empty chain');
  // The root is no delegation; the ticket's capability and the joiner's are two more.
  if (chain.length - 1 + 2 > CAP_DEPTH_MAX) {
    throw new WnError('denied', 'This device is too many delegations away to invite others.', {
      hint: 'ask a device nearer to the creator: wn cap list',
    });
  }
  const seed = rng.bytes(32);
  const aud = signerFromSeed(seed).publicKey;
  const cap = delegate(parent, { ...rights, aud, act: rights.act | ACT.delegate }, signer, rng);
  const caps = [...chain.slice(1), cap];
  return { ws: cap.cap.ws, name, addresses, seed, act: rights.act, caps };
}

/**
 * The capabilities that a joining device carries in its first commit, its own last.
 * Signed with the ticket's key, without a network. Throws `expired`, `invalid_ticket`.
 */
export function redeem(ticket: Ticket, device: DeviceId, nowMs: number, rng: Rng): Chain {
  const own = ticket.caps[ticket.caps.length - 1];
  assert(own !== undefined, 'a ticket without a capability');
  checkTime(own, nowMs);
  const { home, nbf, exp, fields } = own.cap;
  const terms = { aud: device, home, act: ticket.act, nbf, exp, fields };
  return [...ticket.caps, delegate(own, terms, signerFromSeed(ticket.seed), rng)];
}

/**
 * What a joiner can judge others by before it holds the genesis: the root that its own
 * chain hangs on, whose holder issued the chain's first link.
 */
export function viewUnderRootOf([first, ...rest]: Chain): CapView {
  assert(first !== undefined && first.cap.prf !== null, 'a chain that hangs on nothing');
  const { ws, iss, prf } = first.cap;
  const below = new Map([first, ...rest].map((cap) => [cap.id, { known: true, ...cap } as const]));
  const root = { ...rootCap(ws, iss), id: prf };
  return { ws, roots: [root], capOf: (id) => below.get(id) ?? null };
}

/** Throws `too_large` for more than a ticket holds. */
export function encodeTicket(ticket: Ticket): string {
  const payload = encodeCanonical([
    ticket.name,
    ticket.addresses,
    ticket.seed,
    ticket.act,
    ticket.caps.map(({ cap, sig }): Canonical => [encodeCap(cap), sig]),
  ]);
  const tooLarge =
    payload.byteLength > TICKET_BYTES_MAX ||
    ticket.addresses.length > TICKET_ADDRESSES_MAX ||
    ticket.addresses.some((one) => utf8(one).byteLength > TICKET_ADDRESS_BYTES_MAX) ||
    utf8(ticket.name).byteLength > NAME_BYTES_MAX;
  if (tooLarge) {
    throw new WnError('too_large', 'Name, addresses and rights are too long for a ticket.', {
      hint: 'name fewer or shorter addresses with --via',
    });
  }
  const bytes = Buffer.alloc(HEAD_BYTES + payload.byteLength);
  bytes.writeUInt16BE(payload.byteLength, 0);
  bytes.writeUInt32BE(crc32c(payload), 2);
  bytes.set(payload, HEAD_BYTES);
  return PREFIX + bytes.toString('base64url');
}

/**
 * Reads a ticket; line breaks that a mail program put in don't matter. Throws
 * `invalid_ticket`, `expired`, or `unknown_format` for one of a newer version.
 */
export function decodeTicket(text: string, nowMs: number): Ticket {
  const line = text.replace(/\s+/g, '');
  if (!line.startsWith(PREFIX)) {
    if (/^wn-ticket-\d+\./.test(line)) throw newer();
    throw invalidTicket('This is not a ticket.', 'a ticket is one line: wn-ticket-1.…');
  }
  const payload = unwrap(line.slice(PREFIX.length));
  let ticket: Ticket;
  try {
    ticket = decodePayload(payload);
  } catch (error) {
    if (error instanceof WnError && error.code === 'invalid') {
      throw invalidTicket(`The ticket was not made by wn: ${error.message}.`, ASK_AGAIN, error);
    }
    throw error;
  }
  const own = ticket.caps[ticket.caps.length - 1];
  if (own !== undefined) checkTime(own, nowMs);
  return ticket;
}

function invalidTicket(message: string, hint: string, cause?: unknown): WnError {
  return new WnError('invalid_ticket', `${message} Nothing was changed.`, { hint, cause });
}

function newer(): WnError {
  return new WnError('unknown_format', 'The ticket was made by a newer wn. Nothing was changed.', {
    hint: 'update wn on this machine, then join again',
  });
}

/** Length first, so that a ticket cut short is called that. */
function unwrap(encoded: string): Uint8Array {
  const damaged = invalidTicket('The ticket is damaged.', `copy it again, or ${ASK_AGAIN}`);
  if (!/^[\w-]*$/.test(encoded) || encoded.length > 2 * TICKET_BYTES_MAX) throw damaged;
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.byteLength < HEAD_BYTES || bytes.byteLength < HEAD_BYTES + bytes.readUInt16BE(0)) {
    throw invalidTicket(
      'The ticket is cut short.',
      `copy the whole line, up to its end, or ${ASK_AGAIN}`,
    );
  }
  const payload = bytes.subarray(HEAD_BYTES);
  const whole = payload.byteLength === bytes.readUInt16BE(0);
  // Encoding again catches the bits of the last character that stand for no byte.
  if (!whole || bytes.toString('base64url') !== encoded) throw damaged;
  if (crc32c(payload) !== bytes.readUInt32BE(2)) throw damaged;
  return payload;
}

/** Throws `invalid`; `unknown_format` where a capability is of a newer kind. */
function decodePayload(payload: Uint8Array): Ticket {
  const [name, addresses, seed, act, caps] = asArray(
    decodeCanonical(payload, TICKET_BYTES_MAX),
    'ticket',
    5,
  );
  const chain = asArray(caps, 'capabilities').map((entry) => {
    const [bytes, sig] = asArray(entry, 'signed capability', 2);
    const cap = decodeCap(asBytes(bytes, 'capability'), asBytes(sig, 'signature', 64));
    if (!cap.known) throw newer();
    return { id: cap.id, cap: cap.cap, sig: cap.sig };
  });
  const ticket = {
    name: asBoundedText(name, 'name', NAME_BYTES_MAX),
    addresses: asArray(addresses, 'addresses').map((address) =>
      asBoundedText(address, 'address', TICKET_ADDRESS_BYTES_MAX),
    ),
    seed: asBytes(seed, 'key', 32),
    act: asUint(act, 'rights'),
  };
  if (ticket.addresses.length > TICKET_ADDRESSES_MAX) throw invalid('too many addresses');
  const own = checkLinks(chain);
  if (own.cap.aud !== signerFromSeed(ticket.seed).publicKey) throw invalid('the key of another');
  if (ticket.act === 0 || !hasActs(own.cap.act, ticket.act | ACT.delegate)) {
    throw invalid('rights that it does not have');
  }
  return { ...ticket, ws: own.cap.ws, caps: chain };
}

/** Every link but the first, whose root only the genesis commit can show. Returns the last. */
function checkLinks(chain: readonly SignedCap[]): SignedCap {
  if (chain.length >= CAP_DEPTH_MAX) throw invalid('too many delegations');
  let last: SignedCap | null = null;
  for (const link of chain) {
    const fits =
      last === null || (link.cap.prf === last.id && attenuationFault(link.cap, last.cap) === null);
    if (!fits || !isSigned(link)) throw invalid('a broken chain of capabilities');
    last = link;
  }
  if (last === null) throw invalid('no capability');
  return last;
}

function asBoundedText(value: Canonical | undefined, what: string, bytesMax: number): string {
  const text = asText(value, what);
  if (utf8(text).byteLength > bytesMax) throw invalid(`${what} over its bound`);
  return text;
}

function invalid(why: string): WnError {
  return new WnError('invalid', why);
}

function checkTime({ cap }: SignedCap, nowMs: number): void {
  if (nowMs >= (cap.exp ?? Infinity)) {
    throw new WnError('expired', `The ticket expired on ${showMs(cap.exp)}. Nothing was changed.`, {
      hint: ASK_AGAIN,
    });
  }
  if (nowMs < (cap.nbf ?? 0)) {
    throw invalidTicket(
      `The ticket is valid from ${showMs(cap.nbf)} on.`,
      "wait until then, or set this machine's clock",
    );
  }
}

/** Beyond what a date can show, the milliseconds. */
function showMs(ms: number | null): string {
  return ms !== null && ms <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
