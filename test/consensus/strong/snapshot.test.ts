import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../../src/core/errors.js';
import { toHex } from '../../../src/core/bytes.js';
import { groupOf } from '../../../src/consensus/strong/group.js';
import { decodeState, encodeState } from '../../../src/consensus/strong/snapshot.js';
import { A, add, ALICE, B, BOB, GENESIS, GROUP, set, TestLog } from './fixtures.js';

function someState(): Uint8Array {
  const log = new TestLog();
  log.ask(ALICE, [set(A, 'x'.repeat(2_000)), set(A, 1, [0])]);
  log.ask(BOB, [{ action: 'claim', nodes: [A, B], leaseMs: 5_000 }]);
  log.ask(ALICE, [{ action: 'delete', node: B }]);
  log.beginChange(add(2));
  return encodeState(log.state);
}

const isInvalid = (error: unknown): boolean => error instanceof WnError && error.code === 'invalid';

describe('snapshots of the strong state', () => {
  it('come back as they were', () => {
    const bytes = someState();
    assert.equal(toHex(encodeState(decodeState(bytes, GROUP))), toHex(bytes));
  });

  it('are refused cut at any byte, with any byte changed, and of another group', () => {
    const bytes = someState();
    for (let end = 0; end < bytes.byteLength; end++) {
      assert.throws(() => decodeState(bytes.subarray(0, end), GROUP), isInvalid, `cut at ${end}`);
    }
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        assert.throws(() => decodeState(changed, GROUP), isInvalid);
      }),
      { numRuns: 500 },
    );
    const other = groupOf({ ...GENESIS, ws: 'ab'.repeat(32) });
    assert.throws(() => decodeState(bytes, other), isInvalid);
    assert.throws(() => decodeState(Buffer.concat([bytes, bytes]), GROUP), isInvalid);
  });
});
