/** Commit records in blocks, beside a plain map. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commitRecord, commitRecords, putCommitRecord } from '../../../src/repo/index/commits.js';
import type { CommitRecord } from '../../../src/repo/index/records.js';
import { Tables } from '../../../src/repo/index/tables.js';
import { SimKeyValue } from '../../sim/keyvalue.js';

function recordOf(salt: number): CommitRecord {
  return {
    id: salt.toString(16).padStart(64, '0'),
    hlc: BigInt(salt) << 20n,
    ops: salt % 8_192,
    position: { segment: salt, offset: salt % 1_000, length: 77 },
    state: (['live', 'dead', 'held'] as const)[salt % 3] ?? 'live',
    signed: salt % 2 === 0,
    part: salt % 5 === 0,
  };
}

const SEQ_MAX = 70;
const STEP = fc.oneof(
  fc.record({
    log: fc.integer({ min: 1, max: 2 }),
    seq: fc.integer({ min: 0, max: SEQ_MAX }),
    salt: fc.integer({ min: 0, max: 1 << 20 }),
  }),
  fc.constant('flush' as const),
);

describe('repo/index/commits', () => {
  it('holds what a map of records would, written out or not', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 120 }), fc.nat(SEQ_MAX), (steps, from) => {
        const tables = new Tables(new SimKeyValue());
        const model = new Map<string, CommitRecord>();
        for (const step of steps) {
          if (step === 'flush') tables.flush();
          else {
            const record = recordOf(step.salt);
            putCommitRecord(tables, step.log, step.seq, record);
            model.set(`${step.log}/${step.seq}`, record);
          }
        }
        for (const log of [1, 2]) {
          const expected: (readonly [number, CommitRecord])[] = [];
          for (let seq = 0; seq <= SEQ_MAX; seq++) {
            const record = model.get(`${log}/${seq}`) ?? null;
            assert.deepEqual(commitRecord(tables, log, seq), record);
            if (record !== null && seq >= from && seq <= from + 20) expected.push([seq, record]);
          }
          assert.deepEqual([...commitRecords(tables, log, from, from + 20)], expected);
        }
      }),
    );
  });

  it('forgets with the overlay what was not written', () => {
    const tables = new Tables(new SimKeyValue());
    putCommitRecord(tables, 1, 3, recordOf(3));
    tables.flush();
    putCommitRecord(tables, 1, 4, recordOf(4));
    tables.discard();
    assert.deepEqual(commitRecord(tables, 1, 3), recordOf(3));
    assert.equal(commitRecord(tables, 1, 4), null);
  });
});
