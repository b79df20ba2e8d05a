import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex } from '../../../src/core/bytes.js';
import { encodeCanonical } from '../../../src/core/canonical.js';
import type { FieldPath } from '../../../src/core/op.js';
import { evaluate, initialState } from '../../../src/consensus/strong/evaluate.js';
import { decodeOutcome, encodeOutcome } from '../../../src/consensus/strong/outcome.js';
import { decodeState, encodeState } from '../../../src/consensus/strong/snapshot.js';
import type { StrongState } from '../../../src/consensus/strong/state.js';
import type { Action, Effect, Expectation } from '../../../src/consensus/strong/types.js';
import { A, add, ALICE, B, BOB, C, CREATOR, GROUP, set, TestLog, word } from './fixtures.js';

const node = fc.constantFrom(A, B, C);
const path = fc.constantFrom<FieldPath>(['status'], ['title'], [0]);
const index = fc.integer({ min: 1, max: 12 });
const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant('x'.repeat(2_000)));

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(node, value, path).map(([n, v, p]) => set(n, v, p)),
  },
  fc.record({ action: fc.constant('release' as const), node, path }),
  fc.record({ action: fc.constant('delete' as const), node: fc.constant(C) }),
  fc.record({
    action: fc.constant('claim' as const),
    nodes: fc.array(node, { minLength: 1, maxLength: 3 }),
    leaseMs: fc.constant(1_000),
  }),
  fc.record({
    action: fc.constant('renew' as const),
    node,
    token: index,
    leaseMs: fc.constant(2_000),
  }),
  fc.record({ action: fc.constant('unclaim' as const), node, token: index }),
  fc.record({
    action: fc.constant('expire' as const),
    node,
    token: index,
    renewal: fc.nat(1),
  }),
  fc.record({
    action: fc.constant('create' as const),
    parent: node,
    name: fc.constant('new'),
    type: fc.constant('file' as const),
  }),
);

const expectation: fc.Arbitrary<Expectation> = fc.oneof(
  fc.record({ expect: fc.constant('index' as const), node, path, index }),
  fc.record({ expect: fc.constant('value' as const), node, path, value }),
  fc.record({ expect: fc.constant('unowned' as const), node, path }),
  fc.record({ expect: fc.constant('token' as const), node, token: index }),
);

const ask = fc.record({
  who: fc.constantFrom(ALICE, BOB, CREATOR),
  actions: fc.array(action, { minLength: 1, maxLength: 3 }),
  expects: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(expectation, { maxLength: 2 }),
  ),
});

type Ask = typeof ask extends fc.Arbitrary<infer T> ? T : never;

/** A log of requests, some of them sent twice, some amid a change of the configuration. */
function logOf(asks: readonly Ask[], again: number, joint: boolean): TestLog {
  const log = new TestLog();
  if (joint) log.ask(CREATOR, [{ action: 'configure', changes: [add(2)] }]);
  for (const { who, actions, expects } of asks) log.ask(who, actions, { expects });
  const repeated = log.entries[again % log.entries.length];
  if (repeated !== undefined) log.append(repeated.entry.data, repeated.entry.type);
  if (joint) log.append(new Uint8Array(0), 'confChange');
  return log;
}

const log = fc
  .tuple(fc.array(ask, { minLength: 1, maxLength: 12 }), fc.nat(), fc.boolean())
  .map(([asks, again, joint]) => logOf(asks, again, joint));

/** What the effects alone say, computed without the evaluation. */
function replay(entries: TestLog['entries']): Map<string, unknown> {
  const facts = new Map<string, unknown>();
  for (const { entry, evaluation } of entries) {
    const { outcome } = evaluation;
    if (outcome.outcome !== 'accepted') continue;
    for (const effect of outcome.effects) apply(facts, effect, entry.index);
  }
  return facts;
}

function apply(facts: Map<string, unknown>, effect: Effect, index: number): void {
  if (effect.effect === 'configured') return;
  const field = 'path' in effect ? `${effect.node} ${JSON.stringify(effect.path)}` : '';
  const claim = `${effect.node} claim`;
  if (effect.effect === 'set') facts.set(field, [index, false]);
  else if (effect.effect === 'released')
    facts.set(field, [(facts.get(field) as number[])[0], true]);
  else if (effect.effect === 'claimed')
    facts.set(claim, [effect.token, effect.owner, effect.renewal]);
  else if (effect.effect === 'ended') facts.delete(claim);
  else if (effect.effect === 'created') facts.set(`${effect.node} created`, index);
  else {
    for (const key of facts.keys()) {
      if (key.startsWith(effect.node) && !key.endsWith(' created')) facts.delete(key);
    }
    facts.set(`${effect.node} deleted`, index);
  }
}

function factsOf({ nodes }: StrongState): Map<string, unknown> {
  const facts = new Map<string, unknown>();
  for (const [id, { created, deleted, fields, claim }] of nodes.entries()) {
    for (const [key, owned] of fields) facts.set(`${id} ${key}`, [owned.index, owned.released]);
    if (claim !== null) facts.set(`${id} claim`, [claim.token, claim.owner, claim.renewal]);
    if (created !== null) facts.set(`${id} created`, created);
    if (deleted !== null) facts.set(`${id} deleted`, deleted.index);
  }
  return facts;
}

function sorted(facts: ReadonlyMap<string, unknown>): unknown {
  return [...facts].sort(([a], [b]) => (a < b ? -1 : 1));
}

const RUNS = { numRuns: 150 };

describe('evaluation, properties', () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);

  it('what the effects say is what the state holds', () => {
    fc.assert(
      fc.property(log, ({ entries, state }) => {
        for (const { evaluation } of entries) {
          count(word(evaluation.outcome));
          if (evaluation.outcome.outcome !== 'accepted') continue;
          for (const { effect } of evaluation.outcome.effects) count(effect);
        }
        assert.deepEqual(sorted(factsOf(state)), sorted(replay(entries)));
      }),
      RUNS,
    );
    const wanted = [
      'accepted',
      'repeat',
      'index',
      'value',
      'owned',
      'fenced',
      'deleted',
      'claimed',
    ];
    const effects = ['set', 'released', 'deleted', 'created', 'claimed', 'ended', 'configured'];
    const rare = [...wanted, ...effects, 'unowned'].filter((what) => (seen.get(what) ?? 0) < 3);
    assert.deepEqual(rare, [], `hardly happened: ${JSON.stringify([...seen])}`);
  });

  it('a rejected or repeated request changes nothing but what is remembered', () => {
    fc.assert(
      fc.property(log, ({ entries }) => {
        let before = initialState(GROUP);
        for (const { evaluation } of entries) {
          const { state, outcome } = evaluation;
          if (outcome.outcome !== 'accepted') {
            assert.deepEqual([...state.nodes.entries()], [...before.nodes.entries()]);
            assert.deepEqual(state.configuration, before.configuration);
          }
          before = state;
        }
      }),
      RUNS,
    );
  });

  it('is the same again, on a state that was dropped and read back at any entry', () => {
    fc.assert(
      fc.property(log, fc.nat(), ({ entries, state }, pick) => {
        const cut = pick % (entries.length + 1);
        let again = initialState(GROUP);
        entries.forEach(({ entry, evaluation }, at) => {
          if (at === cut) again = decodeState(encodeState(again), GROUP);
          const second = evaluate(again, entry);
          assert.deepEqual(second.outcome, evaluation.outcome);
          assert.equal(toHex(second.leaf.entry), toHex(evaluation.leaf.entry));
          again = second.state;
        });
        assert.equal(toHex(encodeState(again)), toHex(encodeState(state)));
      }),
      RUNS,
    );
  });

  it('an overlay that is dropped leaves no trace in the state below it', () => {
    fc.assert(
      fc.property(log, fc.nat(), ({ entries }, pick) => {
        const at = pick % entries.length;
        const below = entries[at - 1]?.evaluation.state ?? initialState(GROUP);
        const bytes = toHex(encodeState(below));
        let overlay = below;
        for (const { entry } of entries.slice(at)) {
          overlay = evaluate(overlay, entry).state;
        }
        assert.equal(toHex(encodeState(below)), bytes);
      }),
      RUNS,
    );
  });

  it('outcomes say the same after encoding', () => {
    fc.assert(
      fc.property(log, ({ entries }) => {
        for (const { evaluation } of entries) {
          const encoded = encodeOutcome(evaluation.outcome);
          assert.deepEqual(decodeOutcome(encoded), evaluation.outcome);
          encodeCanonical(encoded);
        }
      }),
      RUNS,
    );
  });

  it('throws for no bytes, neither for changed entries nor for noise', () => {
    let [rejected, others] = [0, 0];
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() });
    fc.assert(
      fc.property(
        log,
        fc.nat(),
        fc.array(change, { minLength: 1, maxLength: 20 }),
        (made, pick, list) => {
          const chosen = made.entries[pick % made.entries.length];
          if (chosen === undefined || chosen.entry.data.byteLength === 0) return;
          const { entry } = chosen;
          for (const { at, byte, cut } of list) {
            const place = at % entry.data.byteLength;
            const data = cut ? entry.data.subarray(0, place) : Uint8Array.from(entry.data);
            if (!cut) data[place] = byte;
            const next = { ...entry, index: made.state.index + 1, data };
            const { outcome } = evaluate(made.state, next);
            if (outcome.outcome === 'rejected') rejected++;
            else others++;
          }
        },
      ),
      RUNS,
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), (data, kind) => {
        const type = kind ? 'normal' : 'confChange';
        const { outcome } = evaluate(initialState(GROUP), { index: 1, term: 1, type, data });
        assert.equal(word(outcome), 'malformed');
      }),
      { numRuns: 500 },
    );
    assert.ok(rejected > 300 && others > 20, `${rejected} rejected, ${others} not`);
  });
});
