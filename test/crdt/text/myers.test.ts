/** Edit scripts: right, shortest, and given up at the bounds. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DIFF_EDITS_MAX } from '../../../src/core/limits.js';
import { editScript, newEffort, type Edit } from '../../../src/crdt/text/myers.js';
import { FUZZ_RUNS } from './histories.js';

const sequence = fc.array(fc.nat(3), { maxLength: 25 }).map((items) => Int32Array.from(items));

function cost(edits: readonly Edit[]): number {
  return edits.reduce((sum, edit) => sum + edit.aEnd - edit.aStart + edit.bEnd - edit.bStart, 0);
}

/** Elements to delete and insert, by the textbook table of longest common subsequences. */
function leastCost(a: Int32Array, b: Int32Array): number {
  let above = new Array<number>(b.length + 1).fill(0);
  for (const item of a) {
    const row = [0];
    b.forEach((other, j) => {
      row.push(item === other ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!));
    });
    above = row;
  }
  return a.length + b.length - 2 * above[b.length]!;
}

describe('editScript', () => {
  it('leads from one sequence to the other by the fewest changes', () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const { edits, isShortest } = editScript(a, b, newEffort());
        const result: number[] = [];
        let at = 0;
        for (const edit of edits) {
          assert.ok(result.length === 0 || edit.aStart > at, 'something equal lies between edits');
          result.push(...a.subarray(at, edit.aStart), ...b.subarray(edit.bStart, edit.bEnd));
          at = edit.aEnd;
        }
        assert.deepEqual([...result, ...a.subarray(at)], [...b]);
        assert.ok(isShortest);
        assert.equal(cost(edits), leastCost(a, b));
      }),
      { numRuns: FUZZ_RUNS * 20 },
    );
  });

  it('is given up past the bound of edits, for one edit between the common ends', () => {
    // Each second element is to be deleted.
    const long = (edits: number) => Int32Array.from({ length: 2 * edits + 1 }, (_, i) => i);
    const short = (edits: number) => long(edits).filter((_, i) => i % 2 === 0);
    const at = editScript(long(DIFF_EDITS_MAX), short(DIFF_EDITS_MAX), newEffort());
    assert.ok(at.isShortest);
    assert.equal(at.edits.length, DIFF_EDITS_MAX);
    const past = DIFF_EDITS_MAX + 1;
    assert.deepEqual(editScript(long(past), short(past), newEffort()), {
      edits: [{ aStart: 1, aEnd: 2 * past, bStart: 1, bEnd: past }],
      isShortest: false,
    });
  });

  it('is given up when the effort is used up, which scripts share', () => {
    const a = Int32Array.of(1, 2, 3, 9);
    const b = Int32Array.of(1, 3, 4, 9);
    const effort = newEffort();
    editScript(a, b, effort);
    const spent = newEffort().stepsLeft - effort.stepsLeft;
    assert.ok(spent > 0);
    const shared = { stepsLeft: spent };
    assert.ok(editScript(a, b, shared).isShortest);
    assert.deepEqual(editScript(a, b, shared), {
      edits: [{ aStart: 1, aEnd: 3, bStart: 1, bEnd: 3 }],
      isShortest: false,
    });
  });
});
