import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCanonical, encodeCanonical, type Canonical } from '../../../src/core/canonical.js';
import { WnError } from '../../../src/core/errors.js';
import {
  STRONG_ACTIONS_MAX,
  STRONG_CANDIDATES_MAX,
  STRONG_EXPECTS_MAX,
  STRONG_LEASE_MS_MAX,
  STRONG_LEASE_MS_MIN,
  STRONG_PATH_BYTES_MAX,
  STRONG_REQUEST_BYTES_MAX,
} from '../../../src/core/limits.js';
import {
  decodeRequest,
  encodeRequest,
  isSignedBy,
  requestIdBytes,
  signRequests,
} from '../../../src/consensus/strong/request.js';
import type { Action, Expectation, SignedRequest } from '../../../src/consensus/strong/types.js';
import { A, add, ALICE, alice, B, bob, request, set } from './fixtures.js';

const ACTIONS: readonly Action[] = [
  set(A, 'done'),
  { action: 'set', node: A, path: [0], type: 0, value: undefined },
  { action: 'create', parent: A, name: 'new.md', type: 'file' },
  { action: 'delete', node: B },
  { action: 'release', node: A, path: ['status'] },
  { action: 'claim', nodes: [A, B], leaseMs: 60_000 },
  { action: 'renew', node: A, token: 7, leaseMs: 60_000 },
  { action: 'unclaim', node: A, token: 7 },
  { action: 'expire', node: A, token: 7, renewal: 2 },
];

const EXPECTS: readonly Expectation[] = [
  { expect: 'index', node: A, path: ['status'], index: 3 },
  { expect: 'value', node: A, path: ['status'], value: new Map([['a', [1, null]]]) },
  { expect: 'value', node: A, path: ['status'], value: undefined },
  { expect: 'unowned', node: A, path: [4] },
  { expect: 'token', node: A, token: 7 },
];

const isInvalid = (error: unknown): boolean =>
  error instanceof WnError && (error.code === 'invalid' || error.code === 'too_large');

function isGood(signed: SignedRequest | undefined, author = alice): boolean {
  assert.ok(signed !== undefined);
  return isSignedBy(author.publicKey, requestIdBytes(signed.bytes), signed);
}

const batch = (count: number): SignedRequest[] =>
  signRequests(
    Array.from({ length: count }, (_, at) => encodeRequest(request(ALICE, [set(A, at)]))),
    alice,
  );

describe('strong requests', () => {
  it('say the same after encoding, every action and expectation of them', () => {
    const made = request(ALICE, ACTIONS, { expects: EXPECTS });
    assert.deepEqual(decodeRequest(encodeRequest(made)), made);
    const configure = request(ALICE, [
      {
        action: 'configure',
        changes: [add(2), { change: 'promote', id: 3 }, { change: 'remove', id: 4 }],
      },
    ]);
    assert.deepEqual(decodeRequest(encodeRequest(configure)), configure);
  });

  for (const [what, actions, expects] of [
    ['actions', new Array<Action>(STRONG_ACTIONS_MAX).fill(set(A, 1)), []],
    [
      'expectations',
      [],
      new Array<Expectation>(STRONG_EXPECTS_MAX).fill(EXPECTS[4] as Expectation),
    ],
  ] as const) {
    it(`have a bound of ${what}, and it is held`, () => {
      encodeRequest(request(ALICE, actions, { expects }));
      const over = request(ALICE, actions.length > 0 ? [...actions, ...actions.slice(-1)] : [], {
        expects: expects.length > 0 ? [...expects, ...expects.slice(-1)] : [],
      });
      assert.throws(() => encodeRequest(over), isInvalid);
    });
  }

  for (const [what, good, bad] of [
    ['candidates', STRONG_CANDIDATES_MAX, STRONG_CANDIDATES_MAX + 1],
    ['candidates', 1, 0],
  ] as const) {
    it(`claim one of ${good} ${what}, never of ${bad}`, () => {
      const claim = (count: number): Action => ({
        action: 'claim',
        nodes: new Array<string>(count).fill(A),
        leaseMs: 1_000,
      });
      encodeRequest(request(ALICE, [claim(good)]));
      assert.throws(() => encodeRequest(request(ALICE, [claim(bad)])), isInvalid);
    });
  }

  it('lease for a second to a day', () => {
    const renew = (leaseMs: number): Action => ({ action: 'renew', node: A, token: 1, leaseMs });
    for (const ms of [STRONG_LEASE_MS_MIN, STRONG_LEASE_MS_MAX]) {
      encodeRequest(request(ALICE, [renew(ms)]));
    }
    for (const ms of [STRONG_LEASE_MS_MIN - 1, STRONG_LEASE_MS_MAX + 1]) {
      assert.throws(() => encodeRequest(request(ALICE, [renew(ms)])), isInvalid);
    }
  });

  it('name fields by paths of bounded size', () => {
    encodeRequest(request(ALICE, [set(A, 1, ['é'.repeat(STRONG_PATH_BYTES_MAX / 2)])]));
    const long = set(A, 1, ['é'.repeat(STRONG_PATH_BYTES_MAX / 2), 'x']);
    assert.throws(() => encodeRequest(request(ALICE, [long])), isInvalid);
  });

  it('are refused beyond their size', () => {
    const body = set(A, 'x'.repeat(STRONG_REQUEST_BYTES_MAX));
    assert.throws(() => encodeRequest(request(ALICE, [body])), isInvalid);
  });

  it('change the configuration alone, or not at all', () => {
    const both = request(ALICE, [
      set(A, 1),
      { action: 'configure', changes: [{ change: 'promote', id: 2 }] },
    ]);
    assert.throws(() => encodeRequest(both), isInvalid);
  });

  it('of a version to come are refused', () => {
    const parts = decodeCanonical(encodeRequest(request(ALICE, []))) as readonly Canonical[];
    assert.throws(() => decodeRequest(encodeCanonical(parts.with(0, 2))), isInvalid);
    assert.throws(() => decodeRequest(encodeCanonical([...parts, null])), isInvalid);
  });

  it('throw nothing but `invalid` for changed bytes', () => {
    const bytes = encodeRequest(request(ALICE, ACTIONS, { expects: EXPECTS }));
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = byte;
        try {
          decodeRequest(changed);
        } catch (error) {
          assert.ok(isInvalid(error), String(error));
          refused++;
        }
      }),
      { numRuns: 2_000 },
    );
    assert.ok(refused > 200, `only ${refused} refused`);
  });
});

describe('requests signed together', () => {
  for (const count of [1, 2, 3, 7, 256]) {
    it(`${count}: each is proven, in any order, and by its author alone`, () => {
      const signed = batch(count);
      for (const one of [...signed, ...signed.toReversed()]) assert.ok(isGood(one));
      assert.ok(!isGood(signed[0], bob));
    });
  }

  it('prove no request that was not among them', () => {
    const [first, second] = batch(8);
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(isGood(first));
    const { bytes } = batch(1)[0] ?? first;
    const forged: readonly SignedRequest[] = [
      { ...first, bytes },
      { ...first, leaf: 1 },
      { ...first, siblings: second.siblings },
      { ...first, siblings: first.siblings.slice(1) },
      { ...first, siblings: [...first.siblings, first.sig.subarray(0, 32)] },
      { ...first, siblings: first.siblings.with(2, first.sig.subarray(0, 32)) },
      { ...first, sig: first.sig.map((byte, at) => (at === 63 ? byte ^ 1 : byte)) },
    ];
    // The true ones in between have what is remembered point at them.
    for (const one of forged) {
      assert.ok(isGood(second));
      assert.ok(!isGood(one));
      assert.ok(isGood(first));
    }
  });

  it('stay refused where the first of them was forged', () => {
    const signed = batch(4).map((one) => ({ ...one, sig: one.sig.with(0, (one.sig[0] ?? 0) ^ 1) }));
    for (const one of signed) assert.ok(!isGood(one));
  });
});
