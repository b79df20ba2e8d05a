/**
 * The laws of field types, over all of the registry. A type that is added there fails
 * here until `subjects.ts` says how it is used and what it promises. Each property
 * counts what it met: a generator that makes no conflicts proves nothing.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCanonical, encodeCanonical } from '../../src/core/canonical.js';
import { stamp } from '../../src/core/hlc.js';
import { FIELD_TYPES } from '../../src/crdt/registry.js';
import {
  causalOrder,
  concurrent,
  fold,
  log,
  pairsOf,
  play,
  spell,
  spellOutcome,
  steps,
} from './histories.js';
import { anyStamp, SUBJECTS } from './subjects.js';

const RUNS = 300;
const weights = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 });
const flags = fc.array(fc.boolean(), { minLength: 36, maxLength: 36 });

for (const type of FIELD_TYPES) {
  describe(`laws: ${type.name}`, () => {
    const found = SUBJECTS.get(type.name);
    assert(found !== undefined, `subjects.ts has no model of '${type.name}'`);
    const subject = found;
    const encoded = (state: unknown): string => spell(type.encodeState(state));
    const outcome = (state: unknown): readonly string[] =>
      spellOutcome({ value: type.value(state), losers: type.losers(state) });

    it('concurrent ops commute', () => {
      let pairs = 0;
      fc.assert(
        fc.property(steps, (script) => {
          const ops = play(subject, script);
          for (const [a, b] of pairsOf(ops)) {
            if (!concurrent(a, b)) continue;
            pairs++;
            const base = ops.filter((op) => a.past.has(op.index) || b.past.has(op.index));
            const ab = encoded(fold(type, [...base, a, b]));
            assert.equal(encoded(fold(type, [...base, b, a])), ab);
          }
        }),
        { numRuns: RUNS },
      );
      assert(pairs > RUNS * 10, `only ${pairs} concurrent pairs`);
    });

    it('every causal order converges', () => {
      let reordered = 0;
      fc.assert(
        fc.property(steps, weights, (script, chosen) => {
          const ops = play(subject, script);
          const order = causalOrder(ops, chosen);
          if (order.some((op, index) => op.index !== index)) reordered++;
          assert.equal(encoded(fold(type, order)), encoded(fold(type, ops)));
        }),
        { numRuns: RUNS },
      );
      assert(reordered > RUNS / 2, `only ${reordered} orders differed`);
    });

    it('the live ops alone decide, as the model of causality says', () => {
      const met = { concurrency: 0, 'dead ops': 0, 'another outcome without them': 0 };
      let contested = 0;
      fc.assert(
        fc.property(steps, weights, flags, (script, chosen, dead) => {
          const all = play(subject, script);
          const live = all.filter((op) => dead[op.index] !== true);
          for (const ops of [all, live]) {
            const state = fold(type, causalOrder(ops, chosen));
            assert.deepEqual(outcome(state), spellOutcome(subject.model(ops, all)));
          }
          const [whole, alive] = [outcome(fold(type, all)), outcome(fold(type, live))];
          if (pairsOf(all).some(([a, b]) => concurrent(a, b))) met.concurrency++;
          if (live.length < all.length) met['dead ops']++;
          if (whole.join() !== alive.join()) met['another outcome without them']++;
          if (whole.length > 1) contested++;
        }),
        { numRuns: RUNS },
      );
      for (const [what, count] of Object.entries(met)) {
        assert(count > RUNS / 4, `only ${count} histories with ${what}`);
      }
      assert(!subject.contested || contested > RUNS / 4, `only ${contested} with losers`);
    });

    it('any order at all converges, whatever stamps a hostile author names', () => {
      let twins = 0;
      const anyOp = fc.record({ at: anyStamp, arg: subject.anyArg });
      const anyOps = fc.array(anyOp, { maxLength: 10 });
      const shuffled = anyOps.chain((ops) =>
        fc.tuple(fc.constant(ops), fc.shuffledSubarray(ops, { minLength: ops.length })),
      );
      fc.assert(
        fc.property(shuffled, ([ops, other]) => {
          if (new Set(ops.map((op) => op.at)).size < ops.length) twins++;
          assert.equal(encoded(fold(type, other)), encoded(fold(type, ops)));
        }),
        { numRuns: RUNS * 3 },
      );
      assert(twins > RUNS, `only ${twins} histories with two ops of one stamp`);
    });

    if (subject.idempotent) {
      it('duplicates change nothing, however late', () => {
        let duplicates = 0;
        fc.assert(
          fc.property(steps, weights, flags, (script, chosen, again) => {
            const order = causalOrder(play(subject, script), chosen);
            const once = encoded(fold(type, order));
            const late = order.filter((op) => again[op.index] === true);
            duplicates += late.length;
            assert.equal(encoded(fold(type, [...order, ...late])), once);
            const twice = order.flatMap((op) => (again[op.index] === true ? [op, op] : [op]));
            assert.equal(encoded(fold(type, twice)), once);
          }),
          { numRuns: RUNS },
        );
        assert(duplicates > RUNS, `only ${duplicates} duplicates`);
      });
    }

    it('an argument and a state survive their encoding', () => {
      fc.assert(
        fc.property(steps, (script) => {
          const ops = play(subject, script);
          for (const { arg, log: own, after } of ops) {
            const wire = decodeCanonical(encodeCanonical(type.encode(arg, own)));
            assert.deepEqual(type.decode(wire, own), arg);
            const kept = decodeCanonical(encodeCanonical(type.encodeState(after)));
            const read = type.decodeState(kept);
            assert.equal(encoded(read), encoded(after));
            assert.deepEqual(outcome(read), outcome(after));
            assert.equal(type.newest(read), type.newest(after));
          }
        }),
        { numRuns: RUNS },
      );
    });

    it('the newest op is the newest that was applied', () => {
      fc.assert(
        fc.property(steps, (script) => {
          const ops = play(subject, script);
          const newest =
            ops
              .map((op) => op.at)
              .sort()
              .at(-1) ?? null;
          assert.equal(type.newest(fold(type, ops)), newest);
        }),
        { numRuns: RUNS },
      );
    });

    it('taking back the last op shows the value before it, and taking that back, the op', () => {
      let undone = 0;
      fc.assert(
        fc.property(steps, (script) => {
          for (const { arg, at, before, after } of play(subject, script)) {
            const inverse = type.invert(arg, at, before, after);
            const shown = (state: unknown): string => spell(type.value(state) ?? subject.blank);
            if (inverse === undefined) {
              assert.equal(shown(after), shown(before));
              continue;
            }
            undone++;
            const later = [stamp(10_000n, log(0)), stamp(10_001n, log(1))] as const;
            const back = type.apply(after, inverse, later[0]);
            assert.equal(shown(back), shown(before));
            const redo = type.invert(inverse, later[0], after, back);
            assert(redo !== undefined, 'an undo that nothing followed can be taken back');
            assert.equal(shown(type.apply(back, redo, later[1])), shown(after));
          }
        }),
        { numRuns: RUNS },
      );
      assert(undone > RUNS, `only ${undone} ops taken back`);
    });

    it('an empty state holds nothing', () => {
      assert.equal(type.value(type.empty()), undefined);
      assert.deepEqual(type.losers(type.empty()), []);
      assert.equal(type.newest(type.empty()), null);
      assert.equal(type.isEmpty(type.empty()), true);
    });
  });
}
