import assert from 'node:assert/strict';
import { CAP_GRANTS_PER_COMMIT_MAX } from '../../src/core/limits.js';
import type { Op } from '../../src/core/op.js';
import { ACT, parseActs } from '../../src/caps/acts.js';
import { verifyChain, withCaps, type CapView } from '../../src/caps/attenuate.js';
import type { SignedCap } from '../../src/caps/cap.js';
import { invite, redeem } from '../../src/caps/ticket.js';
import { admit, authorize } from '../../src/caps/verdict.js';
import {
  NOW_MS,
  keyOf,
  fixedRng,
  creator,
  alice,
  bob,
  mallory,
  ROOT_CAP,
  home,
  forge,
  viewOf,
  authorityOf,
  commitOf,
  outcome,
  ops,
  aliceMay,
  may,
} from './fixtures.js';

describe('caps/verdict, capabilities', () => {
  describe('granting', () => {
    const delegable = aliceMay('write,delegate', 'a');
    const toBob = forge(delegable, alice, bob, { act: ACT.read, home: home('a/x') });

    it('what one holds, to others', () => {
      assert.equal(may(delegable, ops.grant(toBob)), 'ok');
    });

    it('not more than that, nor without the right to delegate', () => {
      assert.equal(may(delegable, ops.grant(forge(delegable, alice, bob))), 'wider_home');
      const plain = aliceMay('write');
      const granted = forge(plain, alice, bob, { act: ACT.read, home: home('a') });
      assert.equal(may(plain, ops.grant(granted)), 'no_delegate');
    });

    it('a commit may bring the whole chain that it acts under', () => {
      const bobs = commitOf(bob, toBob, [ops.grant(delegable), ops.grant(toBob)]);
      assert.equal(outcome(authorize(bobs, authorityOf([]))), 'ok');
      const further = forge(toBob, bob, mallory);
      const grants = [delegable, toBob, further].map(ops.grant);
      const widened = commitOf(bob, toBob, grants);
      assert.equal(outcome(authorize(widened, authorityOf([]))), 'no_delegate');
    });

    it('may carry what others issued', () => {
      const carrier = forge(ROOT_CAP, creator, bob, { act: ACT.read });
      const commit = commitOf(bob, carrier, [ops.grant(delegable), ops.grant(toBob)]);
      assert.equal(outcome(authorize(commit, authorityOf([carrier]))), 'ok');
    });

    it('a capability of an unknown kind grants nothing and harms nobody', () => {
      const odd: Op = { op: 'grant', cap: Uint8Array.of(0x82, 2, 0), sig: new Uint8Array(64) };
      assert.equal(may(delegable, odd, ops.text('a/x')), 'ok');
    });

    it('bytes that are no capability make the commit invalid', () => {
      const junk: Op = { op: 'grant', cap: Uint8Array.of(1), sig: new Uint8Array(64) };
      assert.equal(may(delegable, junk), 'malformed_cap');
    });

    it('a grant with a bad signature makes the commit that brings it invalid', () => {
      assert.equal(may(delegable, ops.grant({ ...toBob, sig: null })), 'bad_signature');
    });

    it(`at most ${CAP_GRANTS_PER_COMMIT_MAX} in one commit`, () => {
      const grants = Array.from({ length: CAP_GRANTS_PER_COMMIT_MAX }, () => ops.grant(toBob));
      assert.equal(may(delegable, ...grants), 'ok');
      assert.equal(may(delegable, ...grants, ops.grant(toBob)), 'too_many_grants');
    });
  });

  describe('admission to a session', () => {
    const reader = aliceMay('read', 'a', { exp: NOW_MS });
    const at = (cap: SignedCap, view: CapView, nowMs = NOW_MS - 1): string =>
      outcome(admit(alice.publicKey, cap.id, view, nowMs));

    it('needs a capability that holds now, and lets its holder read', () => {
      assert.equal(at(reader, viewOf(reader)), 'ok');
      assert.equal(at(reader, viewOf(reader), NOW_MS), 'expired');
      assert.equal(at(aliceMay('create'), viewOf(aliceMay('create'))), 'cap_missing');
      const mute = aliceMay('create');
      assert.equal(at(mute, viewOf(mute)), 'right_missing');
      assert.equal(outcome(admit(bob.publicKey, reader.id, viewOf(reader), 0)), 'not_holder');
    });

    it('takes the chain that a newcomer brings', () => {
      assert.equal(at(reader, viewOf()), 'cap_missing');
      assert.equal(at(reader, withCaps(viewOf(), [{ known: true, ...reader }])), 'ok');
      const forged: SignedCap = { ...reader, sig: new Uint8Array(64) };
      assert.equal(at(forged, withCaps(viewOf(), [{ known: true, ...forged }])), 'bad_signature');
    });
  });

  it('forty joiners of one ticket, offline, are all members', () => {
    const root = verifyChain(ROOT_CAP, viewOf());
    assert.ok(root.ok);
    const rights = { act: parseActs('write'), home: home('a'), nbf: null, exp: null, fields: null };
    const offer = { name: 'w', addresses: [], ...rights };
    const ticket = invite(root.chain, offer, creator, fixedRng('forty'));
    const ids = new Set<string>();
    for (let count = 0; count < 40; count++) {
      const device = keyOf(`joiner ${count}`);
      const chain = redeem(ticket, device.publicKey, NOW_MS, fixedRng(`joiner ${count}`));
      const own = chain[chain.length - 1];
      assert.ok(own !== undefined);
      ids.add(own.id);
      const first = [...chain.map(ops.grant), { op: 'device' as const, name: `d${count}` }];
      const commit = commitOf(device, own, [...first, ops.text('a/x')]);
      assert.equal(outcome(authorize(commit, authorityOf([]))), 'ok', `joiner ${count}`);
      const beyond = commitOf(device, own, [...first, ops.text('b')]);
      assert.equal(outcome(authorize(beyond, authorityOf([]))), 'outside_home');
    }
    assert.equal(ids.size, 40);
  });
});
