/** The relay's machine: who gets a pipe to whom, and what nobody gets. */
import assert from 'node:assert/strict';
import { fromHex } from '../../../src/core/bytes.js';
import {
  RELAY_IDLE_MS,
  RELAY_PENDING_PER_ADDRESS_MAX,
  RELAY_PER_ADDRESS_MAX,
  RELAY_CONNECTIONS_MAX,
  RELAY_PROOF_MS,
  RELAY_SESSIONS_PER_KEY_MAX,
  RELAY_SESSIONS_PER_LISTENER_MAX,
  RELAY_TOKEN_MS,
} from '../../../src/core/limits.js';
import { prove } from '../../../src/sync/relay/proof.js';
import { encodeRecord, KIND, NO, RELAY_MAGIC } from '../../../src/sync/relay/wire.js';
import { HubUnderTest, nameOf, signer, type Client } from './harness.js';

const [DESK, LAP, OTHER] = [signer(1), signer(2), signer(3)];

describe('the hub of a relay', () => {
  let under: HubUnderTest;
  let desk: Client;
  beforeEach(() => {
    under = new HubUnderTest();
    desk = under.open();
    desk.listen(DESK);
    desk.expect(KIND.ok);
  });

  /** A caller with its token, and the token that the listener was offered. */
  function called(by = LAP, address?: string): readonly [Client, Uint8Array, Uint8Array] {
    const caller = under.open(address);
    caller.connect(by, nameOf(DESK));
    return [caller, caller.expect(KIND.token), desk.expect(KIND.offer)];
  }

  function piped(by = LAP): readonly [Client, Client] {
    const [caller, mine, theirs] = called(by);
    const answer = under.open();
    answer.greet();
    caller.join(mine);
    assert.equal(caller.next(), null, 'the caller waits for the other');
    answer.join(theirs);
    caller.expect(KIND.ok);
    answer.expect(KIND.ok);
    return [caller, answer];
  }

  it('joins a caller and a listener by one-time keys', () => {
    const [caller, answer] = piped();
    assert.deepEqual(under.pipes, [[caller.id, answer.id]]);
  });

  it('gives the same answer, byte for byte, whatever the reason that nobody is to be had', () => {
    const nobody = under.open();
    nobody.connect(LAP, nameOf(OTHER));
    nobody.refusedWith(NO.unavailable);
    const callers = Array.from({ length: RELAY_SESSIONS_PER_LISTENER_MAX / 8 }, (_, n) => n + 10);
    for (const n of callers) for (let i = 0; i < 8; i++) called(signer(n), `198.51.100.${n}`);
    const full = under.open();
    full.connect(LAP, nameOf(DESK));
    full.refusedWith(NO.unavailable);
    assert.deepEqual(full.received.slice(-1), nobody.received.slice(-1));
  });

  it('takes a one-time key once, and for a while only', () => {
    const [caller, mine, theirs] = called();
    caller.join(mine);
    const twice = under.open();
    twice.greet();
    twice.join(mine);
    twice.refusedWith(NO.unavailable);
    under.pass(RELAY_TOKEN_MS - 1);
    assert.equal(caller.closed, false);
    under.pass(1);
    caller.refusedWith(NO.unavailable);
    const late = under.open();
    late.greet();
    late.join(theirs);
    late.refusedWith(NO.unavailable);
  });

  it('gives up a pair as soon as one side of it has gone', () => {
    const [caller, mine, theirs] = called();
    caller.join(mine);
    caller.leave();
    const answer = under.open();
    answer.greet();
    answer.join(theirs);
    answer.refusedWith(NO.unavailable);
  });

  it('refuses proofs for another nonce, kind, target, key or TLS session', () => {
    const target = nameOf(DESK);
    const exporter = new Uint8Array(32).fill(7);
    const key = fromHex(LAP.publicKey);
    for (const [what, make] of Object.entries({
      nonce: (c: Client) =>
        prove(LAP, KIND.connect, { ...c.greet(), nonce: new Uint8Array(32) }, target),
      kind: (c: Client) => prove(LAP, KIND.listen, c.greet(), target),
      target: (c: Client) => prove(LAP, KIND.connect, c.greet(), nameOf(OTHER)),
      key: (c: Client) => prove(OTHER, KIND.connect, c.greet(), target),
      session: (c: Client) =>
        prove(LAP, KIND.connect, { ...c.greet(), exporter: new Uint8Array(32) }, target),
      without: (c: Client) => prove(LAP, KIND.connect, { ...c.greet(), exporter: null }, target),
    })) {
      const caller = under.open('192.0.2.9', exporter);
      caller.send(encodeRecord(KIND.connect, key, target, make(caller)).slice());
      assert.deepEqual([...caller.expect(KIND.no)], [NO.proof], what);
    }
    const bound = under.open('192.0.2.9', exporter);
    bound.connect(LAP, target);
    bound.expect(KIND.token);
  });

  it('lets the newest listener of a key have its place, and the older one not take it away again', () => {
    const newer = under.open();
    newer.listen(DESK);
    newer.expect(KIND.ok);
    desk.refusedWith(NO.replaced);
    desk = newer;
    called();
  });

  it('bounds the time until a proof, between pings, and of half-done records', () => {
    const silent = under.open();
    const dripping = under.open();
    dripping.greet();
    dripping.send(Uint8Array.of(KIND.join, 0, 0));
    under.pass(RELAY_PROOF_MS - 1);
    dripping.send(Uint8Array.of(32, 1));
    assert.equal(silent.closed || dripping.closed, false);
    under.pass(1);
    silent.refusedWith(NO.tooSlow);
    dripping.refusedWith(NO.tooSlow);
    desk.send(encodeRecord(KIND.ping));
    desk.expect(KIND.pong);
    under.pass(RELAY_IDLE_MS - 1);
    assert.equal(desk.closed, false);
    under.pass(1);
    desk.refusedWith(NO.tooSlow);
  });

  for (const [what, bytes] of [
    ['a length beyond its kind', Uint8Array.of(KIND.join, 0xff, 0xff, 0xff)],
    ['an unknown kind', encodeRecord(0x7f)],
    ['a kind of the other side', encodeRecord(KIND.ok)],
    ['a ping before a proof', encodeRecord(KIND.ping)],
  ] as const) {
    it(`refuses ${what}, at its head`, () => {
      const client = under.open();
      client.greet();
      client.send(bytes);
      client.refusedWith(NO.malformed);
    });
  }

  it('refuses what is another protocol', () => {
    const client = under.open();
    client.send(Buffer.from('GET / HTTP/1.1\r\n'));
    client.refusedWith(NO.malformed);
  });

  it('refuses bytes before the pipe', () => {
    for (const early of [Uint8Array.of(1), encodeRecord(KIND.ping)]) {
      const [caller, mine, theirs] = called();
      const answer = under.open();
      answer.greet();
      caller.send(Buffer.concat([encodeRecord(KIND.join, mine), early]));
      answer.join(theirs);
      assert.ok(caller.closed);
      answer.refusedWith(NO.unavailable);
    }
    assert.deepEqual(under.pipes, []);
  });

  it('takes only so many from an address that have proven nothing, and others all the same', () => {
    const pending = Array.from({ length: RELAY_PENDING_PER_ADDRESS_MAX }, () => under.open());
    assert.ok(pending.every(({ closed }) => !closed));
    under.open().refusedWith(NO.tooMuch);
    under.open('::ffff:192.0.2.1').refusedWith(NO.tooMuch);
    called(LAP, '198.51.100.7');
    pending[0]?.leave();
    assert.equal(under.open().closed, false);
  });

  it('counts a /64 of IPv6 as one address', () => {
    for (let n = 0; n < RELAY_PENDING_PER_ADDRESS_MAX; n++)
      under.open(`2001:db8::${n.toString(16)}`);
    under.open('2001:db8:0:0:ffff::1').refusedWith(NO.tooMuch);
    assert.equal(under.open('2001:db8:0:1::1').closed, false);
  });

  it('takes only so many connections of an address, proven or not', () => {
    for (let n = 0; n < RELAY_PER_ADDRESS_MAX; n++) under.open('198.51.100.1').listen(signer(n));
    under.open('198.51.100.1').refusedWith(NO.tooMuch);
    assert.equal(under.open('198.51.100.2').closed, false);
  });

  it('takes only so many connections in all', () => {
    for (let n = 0; under.hub.size < RELAY_CONNECTIONS_MAX; n++) under.open(`203.0.${n >> 5}.${n}`);
    under.open('192.0.2.77').refusedWith(NO.tooMuch);
    desk.leave();
    assert.equal(under.open('192.0.2.77').closed, false);
  });

  it('gives one caller only so many pipes, and another once one has ended', () => {
    const ends = Array.from({ length: RELAY_SESSIONS_PER_KEY_MAX }, () => piped());
    const caller = under.open();
    caller.connect(LAP, nameOf(DESK));
    caller.refusedWith(NO.tooMuch);
    const [first] = ends;
    first?.[0].leave();
    first?.[1].leave();
    piped();
  });

  it('lets pipes go on when it is told to stop, and nobody else', () => {
    const [caller] = piped();
    under.tell({ type: 'drain' });
    desk.refusedWith(NO.draining);
    assert.equal(caller.closed, false);
    under.open().refusedWith(NO.tooMuch);
  });

  it('holds nothing of those who have gone', () => {
    const clients = [...piped(), ...piped(OTHER), called()[0], under.open(), desk];
    clients[5]?.send(RELAY_MAGIC.slice(0, 4));
    for (const client of clients) client.leave();
    under.pass(RELAY_TOKEN_MS);
    assert.equal(under.hub.size, 0);
    const empty = new HubUnderTest().hub;
    // What a fresh hub has is all that is left, but for the chance that was used.
    const { rng: _, ...left } = under.hub as unknown as Record<string, unknown>;
    const { rng: __, ...fresh } = empty as unknown as Record<string, unknown>;
    assert.deepEqual({ ...left, effects: [] }, { ...fresh, effects: [] });
  });

  it('logs addresses and reasons, and no key, name or token', () => {
    piped()[0].leave();
    const bad = under.open();
    bad.greet();
    bad.send(encodeRecord(0x7f));
    assert.deepEqual(new Set(under.log.map(({ event }) => event)).size, 4);
    for (const { event: _, from: __, id: ___, ...rest } of under.log) {
      assert.doesNotMatch(JSON.stringify(rest), /[0-9a-f]{8}/);
    }
  });
});
