import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import fc from 'fast-check';
import { fromHex } from '../../src/core/bytes.js';
import type { Signer } from '../../src/core/crypto.js';
import { CAP_DEPTH_MAX, CAP_SIGNATURES_CACHED_MAX } from '../../src/core/limits.js';
import { ACT, parseActs } from '../../src/caps/acts.js';
import {
  delegate,
  isSigned,
  isWithin,
  verifyChain,
  withCaps,
  type CapView,
} from '../../src/caps/attenuate.js';
import { encodeCap, capId, type Cap, type SignedCap } from '../../src/caps/cap.js';
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
  outcome,
  recovery,
  RECOVERY_CAP,
  ROOT,
  ROOT_CAP,
  terms,
  TREE,
  viewOf,
  WS,
} from './fixtures.js';

/** The verdict on the last of `chain`, with all of it at hand. */
function judge(...chain: readonly SignedCap[]): string {
  const leaf = chain[chain.length - 1];
  assert.ok(leaf !== undefined);
  return outcome(verifyChain(leaf, viewOf(...chain)));
}

describe('caps/attenuate', () => {
  const toAlice = forge(ROOT_CAP, creator, alice, { home: home('a'), nbf: 100, exp: 200 });
  const child = (change: Partial<Cap>): SignedCap =>
    forge(toAlice, alice, bob, { home: home('a'), nbf: 100, exp: 200, ...change });

  it('returns the chain from the root down', () => {
    const toBob = child({ home: home('a/x') });
    const result = verifyChain(toBob, viewOf(toAlice, toBob));
    assert.ok(result.ok);
    assert.deepEqual(
      result.chain.map((link) => link.id),
      [ROOT_CAP.id, toAlice.id, toBob.id],
    );
  });

  it('takes the roots themselves, and chains from either', () => {
    assert.equal(judge(ROOT_CAP), 'ok');
    assert.equal(judge(RECOVERY_CAP), 'ok');
    assert.equal(judge(forge(RECOVERY_CAP, recovery, alice)), 'ok');
  });

  it('never takes a root from the lookup', () => {
    const fake: SignedCap = { ...forge(ROOT_CAP, mallory, mallory, { prf: null }), sig: null };
    assert.equal(judge(fake, forge(fake, mallory, mallory)), 'not_rooted');
  });

  describe('a child that exceeds its parent', () => {
    const cases: readonly [string, Partial<Cap>, string][] = [
      ['not at all', {}, 'ok'],
      ['a smaller home', { home: home('a/x/1') }, 'ok'],
      ['fewer rights', { act: ACT.read }, 'ok'],
      ['a shorter time', { nbf: 101, exp: 199 }, 'ok'],
      ['fields', { fields: ['status'] }, 'ok'],
      ['the parent of its home', { home: [ROOT] }, 'wider_home'],
      ['a sibling whose name begins alike', { home: home('ab') }, 'wider_home'],
      ['another folder', { home: home('b') }, 'wider_home'],
      ['a home without the root', { home: [node('a')] }, 'wider_home'],
      ['a home that skips a level', { home: [ROOT, node('a/x')] }, 'wider_home'],
      ['a right more', { act: parseActs('write,admin') }, 'wider_acts'],
      ['an earlier beginning', { nbf: 99 }, 'wider_time'],
      ['no beginning', { nbf: null }, 'wider_time'],
      ['a later end (child outlives parent)', { exp: 201 }, 'wider_time'],
      ['no end (child outlives parent)', { exp: null }, 'wider_time'],
      ['another workspace', { ws: '33'.repeat(32) }, 'wrong_workspace'],
    ];
    for (const [name, change, expected] of cases) {
      it(`${name}: ${expected}`, () => assert.equal(judge(toAlice, child(change)), expected));
    }
  });

  it('compares homes by whole ids: /a is not /ab', () => {
    const [a, ab] = ['11'.repeat(16), `${'11'.repeat(15)}12`];
    assert.ok(isWithin([ROOT, a], [ROOT, a]));
    assert.ok(isWithin([ROOT, a, ab], [ROOT, a]));
    assert.ok(!isWithin([ROOT, ab], [ROOT, a]));
    assert.ok(!isWithin([ROOT], [ROOT, a]));
    assert.ok(!isWithin([ROOT + a], [ROOT, a]));
  });

  it('an empty home contains nothing, and is contained in nothing', () => {
    assert.ok(!isWithin([ROOT], []));
    assert.ok(!isWithin([], []));
    assert.ok(!isWithin([], [ROOT]));
  });

  it('fields may be dropped but not added, and none is more than any', () => {
    const parent = forge(ROOT_CAP, creator, alice, { fields: ['due', 'status'] });
    const with_ = (fields: Cap['fields']): string =>
      judge(parent, forge(parent, alice, bob, { fields }));
    assert.equal(with_(['due', 'status']), 'ok');
    assert.equal(with_(['due']), 'ok');
    assert.equal(with_(['due', 'title']), 'wider_fields');
    assert.equal(with_(null), 'wider_fields');
  });

  it('needs the right to delegate', () => {
    const parent = forge(ROOT_CAP, creator, alice, { act: parseActs('write') });
    assert.equal(judge(parent, forge(parent, alice, bob, { act: 1 })), 'no_delegate');
  });

  it('needs the holder of the parent as issuer', () => {
    const same = { home: home('a'), nbf: 100, exp: 200 };
    assert.equal(judge(toAlice, forge(toAlice, mallory, mallory, same)), 'wrong_issuer');
    const named = forge(toAlice, mallory, mallory, { ...same, iss: alice.publicKey });
    assert.equal(judge(toAlice, named), 'bad_signature');
  });

  it('a signature higher up is checked too', () => {
    const unsigned: SignedCap = { ...toAlice, sig: new Uint8Array(64) };
    assert.equal(judge(unsigned, child({})), 'bad_signature');
    assert.equal(judge({ ...toAlice, sig: null }, child({})), 'bad_signature');
  });

  it('another workspace on the whole chain is refused', () => {
    const elsewhere = forge(ROOT_CAP, creator, alice, { ws: '44'.repeat(32) });
    assert.equal(judge(elsewhere), 'wrong_workspace');
    const view: CapView = { ...viewOf(toAlice), ws: '44'.repeat(32), roots: [] };
    assert.equal(outcome(verifyChain(toAlice, view)), 'wrong_workspace');
  });

  it('says that a parent is missing', () => {
    assert.equal(outcome(verifyChain(child({}), viewOf())), 'cap_missing');
  });

  it('is held below a capability of an unknown kind', () => {
    const view: CapView = { ...viewOf(), capOf: (id) => ({ known: false, id }) };
    assert.equal(outcome(verifyChain(child({}), view)), 'held unknown_cap');
  });

  it(`allows ${CAP_DEPTH_MAX} delegations and refuses one more (depth 9)`, () => {
    const chain: SignedCap[] = [];
    let parent = ROOT_CAP;
    let issuer = creator;
    for (let depth = 1; depth <= CAP_DEPTH_MAX + 1; depth++) {
      const aud = keyOf(`depth ${depth}`);
      parent = forge(parent, issuer, aud);
      chain.push(parent);
      issuer = aud;
      assert.equal(judge(...chain), depth <= CAP_DEPTH_MAX ? 'ok' : 'too_deep', `depth ${depth}`);
    }
  });

  it('ends on a lookup that goes round in circles', () => {
    const loop = forge(ROOT_CAP, alice, alice, { prf: '55'.repeat(32) });
    let asked = 0;
    const view: CapView = {
      ...viewOf(),
      capOf(id) {
        asked++;
        return { known: true, ...loop, id };
      },
    };
    assert.equal(outcome(verifyChain(loop, view)), 'too_deep');
    assert.equal(asked, CAP_DEPTH_MAX);
  });

  it('a key of small order signs nothing, though OpenSSL takes its universal signature', () => {
    const identity = '01' + '00'.repeat(31);
    const universal = Uint8Array.of(1, ...new Uint8Array(63));
    const cap: Cap = { ...toAlice.cap, iss: identity, prf: ROOT_CAP.id };
    const id = capId(encodeCap(cap));
    const x = Buffer.from(identity, 'hex').toString('base64url');
    const key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    assert.ok(crypto.verify(null, fromHex(id), key, universal), 'OpenSSL accepts it');
    assert.ok(!isSigned({ id, cap, sig: universal }));
    // Even where a careless creator gave that key a capability.
    const holder: SignedCap = {
      ...forge(ROOT_CAP, creator, alice),
      cap: { ...forge(ROOT_CAP, creator, alice).cap, aud: identity },
    };
    const below: Cap = { ...terms(bob), ws: WS, iss: identity, prf: holder.id, n: '00'.repeat(16) };
    const leaf: SignedCap = { id: capId(encodeCap(below)), cap: below, sig: universal };
    assert.equal(judge(holder, leaf), 'bad_signature');
  });

  it('remembers signatures within its bound, and a bad one beside a good one', () => {
    const bad: SignedCap = { ...toAlice, sig: new Uint8Array(64).fill(9) };
    assert.ok(!isSigned(bad));
    assert.ok(isSigned(toAlice));
    assert.ok(!isSigned(bad));
    for (let count = 0; count <= CAP_SIGNATURES_CACHED_MAX; count++) {
      const sig = new Uint8Array(64);
      new DataView(sig.buffer).setUint32(0, count);
      // A short key fails before any arithmetic, so that filling the cache costs nothing.
      assert.ok(!isSigned({ ...toAlice, cap: { ...toAlice.cap, iss: '00' }, sig }));
    }
    assert.ok(isSigned(toAlice));
  });

  it('prefers what is known to be good over what a commit brings', () => {
    const copy: SignedCap = { ...toAlice, sig: new Uint8Array(64) };
    const view = withCaps(viewOf(toAlice), [{ known: true, ...copy }]);
    assert.equal(outcome(verifyChain(child({}), view)), 'ok');
    assert.equal(outcome(verifyChain(copy, view)), 'bad_signature');
  });

  describe('delegate', () => {
    it('issues what verifies', () => {
      const one = delegate(ROOT_CAP, terms(alice), creator, fixedRng('one'));
      const two = delegate(one, terms(bob, { home: home('b'), exp: 5 }), alice, fixedRng('two'));
      assert.equal(judge(one, two), 'ok');
      assert.equal(two.cap.prf, one.id);
    });

    it('refuses locally what nobody would accept', () => {
      const rng = fixedRng('refused');
      const refused = { code: 'denied', message: /No capability was issued/, exit: 12 };
      assert.throws(() => delegate(toAlice, terms(bob), alice, rng), refused);
      assert.throws(() => delegate(toAlice, child({}).cap, bob, rng), refused);
    });

    it('refuses terms that nobody could read', () => {
      const rng = fixedRng('unreadable');
      for (const change of [{ fields: ['b', 'a'] }, { exp: 1.5 }, { aud: '00'.repeat(32) }]) {
        const bad = terms(alice, change);
        assert.throws(() => delegate(ROOT_CAP, bad, creator, rng), { code: 'invalid' });
      }
    });
  });
});

// Properties: against a model that knows no prefixes and no comparisons, only sets of rights.

const TIMES = [0, 1, 2, 3, 4];
const ACTS = [ACT.read, ACT.write, ACT.delegate, ACT.admin];
const FIELDS = ['p', 'q'];

/** Every single thing that a capability permits over the fixed tree, spelt out. */
function rights(cap: Cap): ReadonlySet<string> {
  const all = new Set<string>();
  const nodes = TREE.filter((path) => {
    const chain = home(path).join(' ') + ' ';
    return chain.startsWith(cap.home.join(' ') + ' ');
  });
  const times = TIMES.filter((at) => at >= (cap.nbf ?? 0) && (cap.exp === null || at < cap.exp));
  const acts = ACTS.filter((act) => Math.floor(cap.act / act) % 2 === 1);
  const fields = [...FIELDS, 'other', 'structure'].filter((name) =>
    cap.fields === null ? true : cap.fields.indexOf(name) >= 0,
  );
  for (const path of nodes)
    for (const at of times)
      for (const act of acts) for (const name of fields) all.add(`${path} ${at} ${act} ${name}`);
  return all;
}

type Limits = Pick<Cap, 'home' | 'act' | 'nbf' | 'exp' | 'fields'>;

const anyHome = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...TREE).map(home) },
  { weight: 1, arbitrary: fc.constantFrom([node('a')], [ROOT, node('a/x')], [node('a'), ROOT]) },
);
const anyTime = fc.constantFrom(null, 0, 1, 2, 3, 4);
const anyFields = fc.constantFrom<Cap['fields']>(null, null, ['p'], ['q'], ['p', 'q']);
const anyAct = fc
  .subarray(ACTS, { minLength: 1 })
  .map((acts) => acts.reduce((sum: number, act) => sum + act, 0));

/** One narrowing step per field, each of which may instead be anything at all. */
const step = fc.record({
  home: fc.option(anyHome, { freq: 3 }),
  deeper: fc.nat(5),
  act: fc.option(anyAct, { freq: 3 }),
  drop: fc.constantFrom(0, ACT.write, ACT.admin),
  nbf: fc.option(fc.record({ to: anyTime }), { freq: 3 }),
  exp: fc.option(fc.record({ to: anyTime }), { freq: 3 }),
  fields: fc.option(fc.record({ to: anyFields }), { freq: 3 }),
  issuer: fc.constantFrom('right', 'right', 'right', 'right', 'right', 'wrong'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function follow(parent: Limits, { home: to, deeper, act, drop, nbf, exp, fields }: Step): Limits {
  const below = TREE.map(home).filter((one) => isBelow(one, parent.home));
  const kept = act === null || act === undefined ? parent.act : act;
  return {
    home: to ?? below[deeper % Math.max(below.length, 1)] ?? parent.home,
    act: kept - drop > 0 && Math.floor(kept / Math.max(drop, 1)) % 2 === 1 ? kept - drop : kept,
    nbf: nbf === null ? parent.nbf : nbf.to,
    exp: exp === null ? parent.exp : exp.to,
    fields: fields === null ? parent.fields : fields.to,
  };
}

function isBelow(one: readonly string[], top: readonly string[]): boolean {
  return one.slice(0, top.length).join() === top.join();
}

describe('caps/attenuate, properties', () => {
  const people = [creator, alice, bob, carol];

  it('a chain verifies iff each link is issued rightly and permits no more than the one above', () => {
    const seen = { ok: 0, refused: 0, escapes: 0 };
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 3 }), (steps) => {
      const caps: SignedCap[] = [ROOT_CAP];
      let expected = true;
      let judgeable = true;
      steps.forEach((one, index) => {
        const parent = caps[index] ?? ROOT_CAP;
        const aud = people[index + 1] ?? carol;
        const issuer: Signer = one.issuer === 'right' ? (people[index] ?? creator) : mallory;
        const next = forge(parent, issuer, aud, follow(parent.cap, one));
        caps.push(next);
        const [above, below] = [rights(parent.cap), rights(next.cap)];
        const subset = [...below].every((right) => above.has(right));
        if (!subset) seen.escapes++;
        const may = Math.floor(parent.cap.act / ACT.delegate) % 2 === 1;
        expected &&= subset && may && one.issuer === 'right';
        // An empty set of rights is a subset of all, however it is spelt.
        judgeable &&= below.size > 0;
      });
      const result = judge(...caps);
      if (result === 'ok') seen.ok++;
      else seen.refused++;
      if (!expected) assert.notEqual(result, 'ok');
      else if (judgeable) assert.equal(result, 'ok');
    });
    fc.assert(property, { numRuns: 1_500 });
    assert.ok(seen.ok > 100, `${seen.ok} chains were accepted`);
    assert.ok(seen.refused > 100, `${seen.refused} chains were refused`);
    assert.ok(seen.escapes > 100, `${seen.escapes} links gave more than they had`);
  });

  it('a valid chain with any one value changed, and not signed anew, never verifies', () => {
    const one = forge(ROOT_CAP, creator, alice, { home: home('a'), nbf: 1, exp: 4 });
    const two = forge(one, alice, bob, { home: home('a/x'), nbf: 1, exp: 3, fields: ['p', 'q'] });
    assert.equal(judge(one, two), 'ok');
    const key = fc.constantFrom(...[...people, mallory].map((signer) => signer.publicKey));
    const change = fc.oneof(
      fc.record({ home: anyHome }),
      fc.record({ act: anyAct }),
      fc.record({ nbf: anyTime }),
      fc.record({ exp: anyTime }),
      fc.record({ fields: anyFields }),
      fc.record({ iss: key }),
      fc.record({ aud: key }),
      fc.record({ prf: fc.constantFrom(ROOT_CAP.id, RECOVERY_CAP.id, one.id, null) }),
      fc.record({ n: fc.constantFrom('00'.repeat(16), 'ff'.repeat(16)) }),
    );
    let changed = 0;
    const property = fc.property(fc.constantFrom(0, 1), change, (link, values) => {
      const target = link === 0 ? one : two;
      const cap: Cap = { ...target.cap, ...values };
      const id = capId(encodeCap(cap));
      if (id === target.id) return;
      changed++;
      const tampered: SignedCap = { id, cap, sig: target.sig };
      assert.notEqual(judge(one, two, tampered), 'ok');
      // Nor does anything below it, however well signed.
      const below = forge(tampered, bob, carol, { ...two.cap, iss: bob.publicKey, prf: id });
      assert.notEqual(judge(one, two, tampered, below), 'ok');
    });
    fc.assert(property, { numRuns: 500 });
    assert.ok(changed > 250, `${changed} changes`);
  });
});
