/**
 * Writes test/vectors/caps.json: `npx tsx test/caps/make-vectors.ts`. Keys, nonces and
 * signatures follow from fixed seeds, so that a run changes the file only where the
 * format or this list changed. Each invalid case has one fault.
 */
import { writeFileSync } from 'node:fs';
import { decodeCanonical, encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { fromHex, toHex } from '../../src/core/bytes.js';
import type { Signer } from '../../src/core/crypto.js';
import { ACT, parseActs } from '../../src/caps/acts.js';
import { capId, encodeCap, type SignedCap } from '../../src/caps/cap.js';
import { encodeTicket, invite } from '../../src/caps/ticket.js';
import {
  alice,
  bob,
  carol,
  creator,
  fixedRng,
  forge,
  home,
  keyOf,
  mallory,
  node,
  NOW_MS,
  recovery,
  RECOVERY_CAP,
  ROOT,
  ROOT_CAP,
  WS,
} from './fixtures.js';

interface Link {
  readonly bytes: string;
  readonly sig: string;
}

function link({ cap, sig }: SignedCap): Link {
  return { bytes: toHex(encodeCap(cap)), sig: toHex(sig ?? new Uint8Array(64)) };
}

/** The encoding of `cap` with parts replaced or added, rightly signed. */
function edited(
  { cap }: SignedCap,
  signer: Signer,
  edit: (parts: readonly Canonical[]) => readonly Canonical[],
): Link {
  const parts = decodeCanonical(encodeCap(cap)) as readonly Canonical[];
  const bytes = encodeCanonical(edit(parts));
  return { bytes: toHex(bytes), sig: toHex(signer.sign(fromHex(capId(bytes)))) };
}

const a = forge(ROOT_CAP, creator, alice, { home: home('a'), nbf: 1_000, exp: 2_000 });
const under = (change: Parameters<typeof forge>[3]): SignedCap =>
  forge(a, alice, bob, { home: home('a/x'), nbf: 1_000, exp: 2_000, ...change });
const good = under({});
const some = forge(ROOT_CAP, creator, alice, { fields: ['due', 'status'] });
const silent = forge(ROOT_CAP, creator, alice, { act: parseActs('write') });
const flipped = link(good);

function deep(depth: number): readonly SignedCap[] {
  const chain: SignedCap[] = [];
  let [parent, issuer] = [ROOT_CAP, creator];
  for (let at = 1; at <= depth; at++) {
    const aud = keyOf(`depth ${at}`);
    parent = forge(parent, issuer, aud);
    chain.push(parent);
    issuer = aud;
  }
  return chain;
}

const replace =
  (position: number, value: Canonical) =>
  (parts: readonly Canonical[]): readonly Canonical[] =>
    parts.with(position, value);

const chains: readonly (readonly [string, string, readonly Link[]])[] = [
  ['one delegation', 'ok', [link(a)]],
  ['two delegations', 'ok', [a, good].map(link)],
  ['under the recovery key', 'ok', [link(forge(RECOVERY_CAP, recovery, carol))]],
  ['fewer fields', 'ok', [some, forge(some, alice, bob, { fields: ['due'] })].map(link)],
  ['depth 8', 'ok', deep(8).map(link)],
  ['depth 9', 'too_deep', deep(9).map(link)],
  ['a sibling folder', 'wider_home', [a, under({ home: home('ab') })].map(link)],
  ['the parent folder', 'wider_home', [a, under({ home: [ROOT] })].map(link)],
  ['a home that skips a level', 'wider_home', [a, under({ home: [ROOT, node('a/x')] })].map(link)],
  ['a right more', 'wider_acts', [a, under({ act: parseActs('write,admin') })].map(link)],
  ['an earlier beginning', 'wider_time', [a, under({ nbf: 999 })].map(link)],
  ['child outlives parent', 'wider_time', [a, under({ exp: 2_001 })].map(link)],
  ['child without end', 'wider_time', [a, under({ exp: null })].map(link)],
  [
    'a field more',
    'wider_fields',
    [some, forge(some, alice, bob, { fields: ['title'] })].map(link),
  ],
  ['all fields', 'wider_fields', [some, forge(some, alice, bob)].map(link)],
  [
    'no right to delegate',
    'no_delegate',
    [silent, forge(silent, alice, bob, { act: 1 })].map(link),
  ],
  [
    'an issuer who does not hold the parent',
    'wrong_issuer',
    [a, forge(a, mallory, bob, { home: home('a'), nbf: 1_000, exp: 2_000 })].map(link),
  ],
  ['signed by another', 'bad_signature', [a, forge(a, mallory, bob, good.cap)].map(link)],
  [
    'one bit of the nonce changed',
    'bad_signature',
    [link(a), { ...flipped, bytes: flipped.bytes.replace(good.cap.n, `8${good.cap.n.slice(1)}`) }],
  ],
  [
    'another workspace',
    'wrong_workspace',
    [link(forge(ROOT_CAP, creator, alice, { ws: 'ab'.repeat(32) }))],
  ],
  ['a root that is none', 'not_rooted', [link(forge(ROOT_CAP, mallory, mallory, { prf: null }))]],
  ['a parent that is not here', 'cap_missing', [link(good)]],
  ['a version to come', 'held unknown_cap', [edited(a, creator, replace(0, 2))]],
  ['an algorithm to come', 'held unknown_cap', [edited(a, creator, replace(1, 2))]],
  ['a part to come', 'held unknown_cap', [edited(a, creator, (parts) => [...parts, null])]],
  ['a right to come', 'held unknown_cap', [edited(a, creator, replace(6, 1024 + ACT.read))]],
  ['a right beyond 32 bits', 'held unknown_cap', [edited(a, creator, replace(6, 2 ** 40))]],
  ['an empty home', 'invalid', [edited(a, creator, replace(5, []))]],
  ['no right', 'invalid', [edited(a, creator, replace(6, 0))]],
  ['an empty list of fields', 'invalid', [edited(a, creator, replace(11, []))]],
  ['fields out of order', 'invalid', [edited(a, creator, replace(11, ['status', 'due']))]],
  [
    'a holder of small order',
    'invalid',
    [edited(a, creator, replace(4, Uint8Array.of(1, ...new Uint8Array(31))))],
  ],
  ['a part missing', 'invalid', [edited(a, creator, (parts) => parts.slice(0, 11))]],
  ['an expiry that is a float', 'invalid', [edited(a, creator, replace(8, 0.5))]],
];

const terms = { act: parseActs('write'), home: home('a'), nbf: null, exp: NOW_MS, fields: null };
const offer = { name: 'runbooks', addresses: ['ssh://me@desk/~/runbooks'], ...terms };
const line = encodeTicket(invite([ROOT_CAP], offer, creator, fixedRng('vectors')));

const tickets: readonly (readonly [string, string, number, string])[] = [
  ['a ticket', 'ok', NOW_MS - 1, line],
  ['at its expiry', 'expired', NOW_MS, line],
  ['one character cut', 'invalid_ticket', NOW_MS - 1, line.slice(0, -1)],
  ['half of it', 'invalid_ticket', NOW_MS - 1, line.slice(0, line.length / 2)],
  [
    'one character changed',
    'invalid_ticket',
    NOW_MS - 1,
    `${line.slice(0, 99)}_${line.slice(100)}`,
  ],
  ['a version to come', 'unknown_format', NOW_MS - 1, line.replace('ticket-1', 'ticket-2')],
];

const vectors = {
  about:
    'Capabilities (hex) from the first below the root down; the last one is judged. ' +
    'Tickets are read at nowMs. One fault each.',
  workspace: WS,
  creator: creator.publicKey,
  recovery: recovery.publicKey,
  rootCap: ROOT_CAP.id,
  recoveryCap: RECOVERY_CAP.id,
  chains: chains.map(([name, expected, chain]) => ({ name, expected, chain })),
  tickets: tickets.map(([name, expected, nowMs, text]) => ({ name, expected, nowMs, text })),
};

const path = new URL('../vectors/caps.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(vectors, null, 2)}\n`);
