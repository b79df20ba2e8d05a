/** Any history, any causal order of arrival: one text, the model's; with either engine. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { applyRuns } from '../../../src/crdt/text/buffer.js';
import type { DiamondTypes } from '../../../src/crdt/text/diamond.js';
import { TextDocument } from '../../../src/crdt/text/document.js';
import type { Run, TextOp } from '../../../src/crdt/text/op.js';
import { arrivals, FUZZ_RUNS, headsOf, histories, type History } from './histories.js';

const require = createRequire(import.meta.url);
const diamondTypes = () => require('diamond-types-node') as DiamondTypes;
const ENGINES = [{ diamondTypes }, {}];

const picks = fc.array(fc.nat(99), { minLength: 1, maxLength: 40 });
const runs = { numRuns: FUZZ_RUNS, endOnFailure: false };

function liveText({ model }: History): string {
  return model.text(model.live(new Set(model.ops.keys())));
}

function merged(ops: readonly TextOp[], engine: (typeof ENGINES)[number]): TextDocument {
  const document = TextDocument.open(engine);
  for (const op of ops) document.add(op);
  return document;
}

describe('text documents, random histories', function () {
  this.timeout(Math.max(20_000, FUZZ_RUNS * 100));

  for (const dead of [false, true]) {
    const kind = dead ? 'with dead ops' : 'all live';

    it(`converge in any order of arrival, ${kind}`, () => {
      fc.assert(
        fc.property(histories({ dead }), picks, picks, (history, one, other) => {
          const expected = liveText(history);
          for (const engine of ENGINES) {
            for (const order of [arrivals(history, one), arrivals(history, other)]) {
              const document = merged(order, engine);
              assert.equal(document.text(), expected);
              document.free();
            }
          }
        }),
        runs,
      );
    });

    it(`are the same added one by one and read at each step, ${kind}`, () => {
      fc.assert(
        fc.property(histories({ dead }), picks, (history, order) => {
          const ops = arrivals(history, order);
          for (const engine of ENGINES) {
            const document = TextDocument.open(engine);
            ops.forEach((op, i) => {
              const added = document.add(op);
              const key = history.model.ops.get(`${op.log}/${op.seq}/${op.index}`)!;
              assert.equal(added.ok, !key.isMalformed, 'malformed by the model');
              const known = history.model.past(headsOf(ops.slice(0, i + 1)));
              assert.equal(document.text(), history.model.text(history.model.live(known)));
              assert.equal(document.fullText(), history.model.text(known));
            });
            document.free();
          }
        }),
        runs,
      );
    });

    it(`show the text of any earlier version, ${kind}`, () => {
      fc.assert(
        fc.property(histories({ dead }), picks, fc.nat(999), (history, order, pick) => {
          const past = history.ops.slice(0, 1 + (pick % Math.max(1, history.ops.length)));
          const heads = headsOf(past);
          const version = history.model.past(heads);
          for (const engine of ENGINES) {
            const document = merged(arrivals(history, order), engine);
            assert.equal(document.textAt(heads), history.model.text(history.model.live(version)));
            document.free();
          }
        }),
        runs,
      );
    });

    it(`go on from a snapshot, ${kind}`, () => {
      fc.assert(
        fc.property(histories({ dead }), picks, fc.nat(999), (history, order, pick) => {
          const ops = arrivals(history, order);
          const cut = pick % (ops.length + 1);
          const added = ops.slice(0, cut);
          const before = merged(added, ENGINES[0]!);
          const snapshot = before.snapshot();
          before.free();
          const document = TextDocument.open({
            history: () => added,
            diamondTypes,
            ...(snapshot === undefined ? {} : { snapshot }),
          });
          for (const op of ops.slice(cut)) {
            document.add(op);
            added.push(op);
          }
          assert.equal(document.text(), liveText(history));
          document.free();
        }),
        runs,
      );
    });
  }

  it('are edited as typed on what shows, dead ops or not', () => {
    const edits = fc.array(fc.tuple(fc.nat(999), fc.nat(5), fc.constantFrom('', 'é', '🙂x')), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(histories({ dead: true }), edits, (history, typed) => {
        const document = merged(history.ops, {});
        const before = document.text();
        let length = [...before].length;
        const onLive = typed.flatMap(([place, size, text]): Run[] => {
          const at = place % (length + 1);
          const count = Math.min(size, length - at);
          length += [...text].length - count;
          return [
            ...(count > 0 ? [[at, count] as const] : []),
            ...(text === '' ? [] : [[at, text] as const]),
          ];
        });
        const base = document.heads();
        const full = document.toFullRuns(base, onLive);
        const added = document.add({
          log: 'd'.repeat(32),
          seq: 1,
          index: 0,
          base,
          live: true,
          ...full,
        });
        assert.deepEqual(added, { ok: true });
        assert.equal(document.text(), applyRuns(before, onLive));
      }),
      runs,
    );
  });
});
