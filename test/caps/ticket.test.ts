import assert from 'node:assert/strict';
import { toHex } from '../../src/core/bytes.js';
import { encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { signerFromSeed } from '../../src/core/crypto.js';
import { WnError } from '../../src/core/errors.js';
import { crc32c } from '../../src/core/frame.js';
import {
  CAP_DEPTH_MAX,
  TICKET_ADDRESS_BYTES_MAX,
  TICKET_ADDRESSES_MAX,
  TICKET_BYTES_MAX,
} from '../../src/core/limits.js';
import { ACT, parseActs } from '../../src/caps/acts.js';
import { verifyChain, type Chain } from '../../src/caps/attenuate.js';
import { encodeCap, type SignedCap } from '../../src/caps/cap.js';
import {
  decodeTicket,
  encodeTicket,
  invite,
  redeem,
  type Invitation,
  type Ticket,
} from '../../src/caps/ticket.js';
import {
  alice,
  bob,
  creator,
  fixedRng,
  forge,
  home,
  keyOf,
  mallory,
  NOW_MS,
  outcome,
  ROOT_CAP,
  viewOf,
  WS,
} from './fixtures.js';

const DAY_MS = 86_400_000;
const rng = fixedRng('tickets');

const offer: Invitation = {
  name: 'runbooks',
  addresses: ['ssh://me@desk/~/runbooks'],
  act: parseActs('write'),
  home: home('a'),
  nbf: null,
  exp: NOW_MS + 7 * DAY_MS,
  fields: null,
};
const ticket = invite([ROOT_CAP], offer, creator, rng);
const line = encodeTicket(ticket);

/** Wraps a payload as a ticket, checksum and all, like a forger would. */
function wrap(payload: Uint8Array): string {
  const bytes = Buffer.alloc(6 + payload.byteLength);
  bytes.writeUInt16BE(payload.byteLength, 0);
  bytes.writeUInt32BE(crc32c(payload), 2);
  bytes.set(payload, 6);
  return `wn-ticket-1.${bytes.toString('base64url')}`;
}

/** A ticket with parts of the payload replaced. */
function forgedLine(change: Partial<Ticket>, extra: readonly Canonical[] = []): string {
  const { name, addresses, seed, act, caps } = { ...ticket, ...change };
  const signed = caps.map(({ cap, sig }): Canonical => [encodeCap(cap), sig]);
  return wrap(encodeCanonical([name, addresses, seed, act, signed, ...extra]));
}

function errorOf(run: () => unknown): WnError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WnError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

function inHex({ id, cap, sig }: SignedCap): unknown {
  return { id, cap, sig: sig === null ? null : toHex(sig) };
}

function last(chain: Chain): SignedCap {
  const leaf = chain[chain.length - 1];
  assert.ok(leaf !== undefined);
  return leaf;
}

describe('caps/ticket', () => {
  it('reads what it wrote', () => {
    const read = decodeTicket(line, NOW_MS);
    assert.deepEqual([read.ws, read.name, read.addresses], [WS, offer.name, offer.addresses]);
    assert.deepEqual([toHex(read.seed), read.act], [toHex(ticket.seed), offer.act]);
    assert.deepEqual(read.caps.map(inHex), ticket.caps.map(inHex));
    assert.equal(encodeTicket(read), line);
  });

  it('is one line of letters, digits, dot, dash and underscore', () => {
    assert.match(line, /^wn-ticket-1\.[\w-]+$/);
    assert.ok(line.length < 600, `${line.length} characters`);
  });

  it('survives line breaks and spaces of a mail program', () => {
    const wrapped = `  ${line.replace(/.{60}/g, '$&\r\n  ')}\n`;
    assert.equal(decodeTicket(wrapped, NOW_MS).ws, WS);
  });

  describe('redeeming', () => {
    const chain = redeem(decodeTicket(line, NOW_MS), bob.publicKey, NOW_MS, rng);
    const own = last(chain).cap;

    it('gives a chain that verifies without a network', () => {
      assert.equal(outcome(verifyChain(last(chain), viewOf(...chain))), 'ok');
      assert.equal(chain.length, 2);
      assert.equal(own.aud, bob.publicKey);
    });

    it('gives the acts of the invitation, without delegate', () => {
      assert.equal(own.act, parseActs('write'));
      assert.equal(last(ticket.caps).cap.act, parseActs('write,delegate'));
    });

    it('gives delegate where the invitation names it', () => {
      const generous = invite(
        [ROOT_CAP],
        { ...offer, act: parseActs('write,delegate') },
        creator,
        rng,
      );
      const reread = decodeTicket(encodeTicket(generous), NOW_MS);
      const joined = last(redeem(reread, bob.publicKey, NOW_MS, rng));
      assert.equal(joined.cap.act, parseActs('write,delegate'));
    });

    it('keeps folder, fields and times', () => {
      const narrow = invite(
        [ROOT_CAP],
        { ...offer, home: home('a/x'), fields: ['status'], nbf: NOW_MS },
        creator,
        rng,
      );
      const joined = last(redeem(narrow, bob.publicKey, NOW_MS, rng)).cap;
      assert.deepEqual(joined.home, home('a/x'));
      assert.deepEqual(joined.fields, ['status']);
      assert.deepEqual([joined.nbf, joined.exp], [NOW_MS, offer.exp]);
    });

    it('fails once the ticket has expired, and not before', () => {
      const exp = offer.exp ?? 0;
      assert.ok(redeem(ticket, bob.publicKey, exp - 1, rng));
      assert.equal(errorOf(() => redeem(ticket, bob.publicKey, exp, rng)).code, 'expired');
    });

    it('fails for a device key that no one may use', () => {
      const bad = errorOf(() => redeem(ticket, '00'.repeat(32), NOW_MS, rng));
      assert.equal(bad.code, 'invalid');
    });
  });

  describe('inviting', () => {
    it('is refused to who may not delegate', () => {
      const plain = forge(ROOT_CAP, creator, alice, { act: parseActs('write') });
      const error = errorOf(() => invite([ROOT_CAP, plain], offer, alice, rng));
      assert.equal(error.code, 'denied');
    });

    it('is refused for more than one has', () => {
      const some = forge(ROOT_CAP, creator, alice, { home: home('a') });
      for (const change of [{ home: home('ab') }, { act: ACT.admin }]) {
        const more = { ...offer, ...change };
        assert.equal(errorOf(() => invite([ROOT_CAP, some], more, alice, rng)).code, 'denied');
      }
    });

    it('leaves room in the chain for the joiner', () => {
      const chain: SignedCap[] = [ROOT_CAP];
      let issuer = creator;
      for (let depth = 1; depth <= CAP_DEPTH_MAX - 2; depth++) {
        const aud = keyOf(`inviter ${depth}`);
        chain.push(forge(last(chain), issuer, aud));
        issuer = aud;
      }
      const deepest = decodeTicket(encodeTicket(invite(chain, offer, issuer, rng)), NOW_MS);
      const joined = redeem(deepest, bob.publicKey, NOW_MS, rng);
      assert.equal(joined.length, CAP_DEPTH_MAX);
      assert.equal(outcome(verifyChain(last(joined), viewOf(...joined))), 'ok');
      const aud = keyOf('too deep');
      chain.push(forge(last(chain), issuer, aud));
      assert.equal(errorOf(() => invite(chain, offer, aud, rng)).code, 'denied');
    });

    it('keeps name and addresses to their bounds', () => {
      const address = 'x'.repeat(TICKET_ADDRESS_BYTES_MAX);
      const many = Array.from({ length: TICKET_ADDRESSES_MAX }, () => address);
      const full = { ...ticket, addresses: many };
      assert.equal(decodeTicket(encodeTicket(full), NOW_MS).addresses.length, many.length);
      for (const change of [
        { addresses: [...many, 'x'] },
        { addresses: [`${address}x`] },
        { name: 'n'.repeat(256) },
        { addresses: [], caps: Array.from({ length: 200 }, () => last(ticket.caps)) },
      ]) {
        assert.equal(errorOf(() => encodeTicket({ ...ticket, ...change })).code, 'too_large');
      }
    });
  });

  describe('a bad ticket', () => {
    const refused = (text: string, nowMs = NOW_MS): WnError =>
      errorOf(() => decodeTicket(text, nowMs));

    it('is refused after the change of any character', () => {
      for (let at = 0; at < line.length; at++) {
        for (const other of ['A', 'b', '9', '_', '.', '+', '=', '\u00e9']) {
          if (line[at] === other) continue;
          const code = refused(line.slice(0, at) + other + line.slice(at + 1)).code;
          assert.ok(['invalid_ticket', 'unknown_format'].includes(code), `${at} ${other}: ${code}`);
        }
      }
    });

    it('is refused after the loss of any one character', () => {
      for (let at = 0; at < line.length; at++) {
        const { code } = refused(line.slice(0, at) + line.slice(at + 1));
        assert.equal(code, 'invalid_ticket', `without character ${at}`);
      }
    });

    it('is called cut short wherever its end is missing', () => {
      for (let length = 'wn-ticket-1.'.length; length < line.length; length++) {
        const error = refused(line.slice(0, length));
        assert.equal(error.code, 'invalid_ticket');
        assert.match(error.message, /cut short/, `cut to ${length} characters`);
        assert.match(error.hint ?? '', /wn invite/);
      }
    });

    it('is called damaged where anything is added', () => {
      assert.match(refused(`${line}A`).message, /damaged/);
      assert.match(refused(line + line).message, /damaged/);
    });

    it('says when it expired', () => {
      const error = refused(line, offer.exp ?? 0);
      assert.equal(error.code, 'expired');
      assert.match(error.message, /expired on 20\d\d-.*Nothing was changed/);
      assert.match(error.hint ?? '', /wn invite/);
      assert.equal(decodeTicket(line, (offer.exp ?? 0) - 1).ws, WS);
    });

    it('says from when on it is valid', () => {
      const later = invite([ROOT_CAP], { ...offer, nbf: NOW_MS + 1 }, creator, rng);
      assert.match(refused(encodeTicket(later)).message, /valid from/);
      assert.equal(decodeTicket(encodeTicket(later), NOW_MS + 1).ws, WS);
    });

    it('of another kind is not one', () => {
      for (const text of ['', 'ssh://me@desk/~/runbooks', 'wn-ticket-1', 'wn-recovery-key-1']) {
        const error = refused(text);
        assert.equal(error.code, 'invalid_ticket');
        assert.match(error.message, /not a ticket/);
      }
    });

    it('of a newer version asks for an update', () => {
      assert.equal(refused('wn-ticket-2.AAAA').code, 'unknown_format');
      const unknown = wrap(
        encodeCanonical(['w', [], ticket.seed, 1, [[Uint8Array.of(0x81, 2), new Uint8Array(64)]]]),
      );
      assert.equal(refused(unknown).code, 'unknown_format');
    });

    it('over its bound is refused before it is decoded', () => {
      const huge = `wn-ticket-1.${'A'.repeat(2 * TICKET_BYTES_MAX + 1)}`;
      assert.match(refused(huge).message, /damaged/);
    });

    const own = last(ticket.caps);
    const ticketKey = signerFromSeed(ticket.seed);
    const foreign = forge(ROOT_CAP, creator, alice, { ws: 'ab'.repeat(32) });
    const tooDeep: SignedCap[] = [];
    for (let depth = 1; depth <= CAP_DEPTH_MAX; depth++) {
      const aud = depth < CAP_DEPTH_MAX ? keyOf(`ticket ${depth}`) : ticketKey;
      const issuer = depth > 1 ? keyOf(`ticket ${depth - 1}`) : creator;
      tooDeep.push(forge(tooDeep[depth - 2] ?? ROOT_CAP, issuer, aud));
    }
    const forgeries: readonly [string, string][] = [
      ['no capability', forgedLine({ caps: [] })],
      ['a part more', forgedLine({}, [null])],
      ['the key of another', forgedLine({ seed: new Uint8Array(32).fill(3) })],
      ['a short key', forgedLine({ seed: new Uint8Array(31) })],
      ['no acts', forgedLine({ act: 0 })],
      ['acts beyond its capability', forgedLine({ act: ACT.admin })],
      ['an unsigned capability', forgedLine({ caps: [{ ...own, sig: new Uint8Array(64) }] })],
      ['a widened capability', forgedLine({ caps: [{ ...own, cap: { ...own.cap, act: 1023 } }] })],
      [
        'a chain that does not link',
        forgedLine({ caps: [forge(ROOT_CAP, creator, mallory), own] }),
      ],
      [
        'a chain across workspaces',
        forgedLine({ caps: [foreign, forge(foreign, alice, ticketKey)] }),
      ],
      ['a chain too deep for a joiner', forgedLine({ caps: [...tooDeep] })],
      ['too many addresses', forgedLine({ addresses: Array.from({ length: 9 }, () => 'x') })],
      ['a name over its bound', forgedLine({ name: 'n'.repeat(256) })],
    ];
    for (const [name, text] of forgeries) {
      it(`is refused with a good checksum and ${name}`, () => {
        assert.equal(refused(text).code, 'invalid_ticket');
      });
    }

    it('is refused where its key may not delegate', () => {
      const seed = new Uint8Array(32).fill(5);
      const act = parseActs('write');
      const cap = forge(ROOT_CAP, creator, signerFromSeed(seed), { act });
      assert.equal(refused(forgedLine({ seed, act, caps: [cap] })).code, 'invalid_ticket');
    });

    it('never shows its secret in a message', () => {
      const secret = Buffer.from(ticket.seed).toString('base64url').slice(0, 20);
      for (const text of [line.slice(0, -9), `${line}A`, forgedLine({ act: ACT.admin })]) {
        const error = refused(text);
        assert.ok(!`${error.message} ${error.hint}`.includes(secret));
      }
    });
  });
});
