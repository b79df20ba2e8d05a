import assert from 'node:assert/strict';
import { Leases } from '../../../src/consensus/strong/leases.js';
import type { Action, Effect } from '../../../src/consensus/strong/types.js';
import { A, ALICE, B, BOB, TestLog } from './fixtures.js';

const claim = (node: string, leaseMs: number): Action => ({
  action: 'claim',
  nodes: [node],
  leaseMs,
});

function effects(log: TestLog): readonly Effect[] {
  const outcome = log.entries.at(-1)?.evaluation.outcome;
  return outcome?.outcome === 'accepted' ? outcome.effects : [];
}

/** A is Alice's for 10 s, then B Bob's for 5 s. */
function claimed(): TestLog {
  const log = new TestLog();
  log.ask(ALICE, [claim(A, 10_000)]);
  log.ask(BOB, [claim(B, 5_000)]);
  return log;
}

describe('leases', () => {
  it('are due when their time is over, the longest over first', () => {
    const leases = Leases.restarted(claimed().state, 1_000);
    assert.equal(leases.nextDueMs(), 6_000);
    assert.deepEqual(leases.due(5_999), []);
    assert.deepEqual(leases.due(6_000), [{ node: B, token: 2, renewal: 0 }]);
    assert.deepEqual(
      leases.due(20_000).map(({ node }) => node),
      [B, A],
    );
  });

  it('run anew from a renewal, and end with the claim', () => {
    const log = claimed();
    const leases = Leases.restarted(log.state, 0);
    log.ask(ALICE, [{ action: 'renew', node: A, token: 1, leaseMs: 3_000 }]);
    leases.observe(effects(log), 9_000);
    assert.deepEqual(
      leases.due(11_999).map(({ node }) => node),
      [B],
    );
    assert.deepEqual(leases.due(12_000)[1], { node: A, token: 1, renewal: 1 });
    log.ask(BOB, [{ action: 'unclaim', node: B, token: 2 }]);
    leases.observe(effects(log), 9_500);
    assert.deepEqual(
      leases.due(12_000).map(({ node }) => node),
      [A],
    );
  });

  it('start again in full with a new leader', () => {
    const { state } = claimed();
    assert.equal(Leases.restarted(state, 4_999).nextDueMs(), 9_999);
  });

  it('go on where they were within one boot, and start again after another', () => {
    const { state } = claimed();
    const bytes = Leases.restarted(state, 1_000).kept('boot 1');
    assert.equal(Leases.restored(bytes, state, 'boot 1', 5_000).nextDueMs(), 6_000);
    assert.equal(Leases.restored(bytes, state, 'boot 2', 5_000).nextDueMs(), 10_000);
    assert.equal(Leases.restored(null, state, 'boot 1', 5_000).nextDueMs(), 10_000);
  });

  it('that were renewed or given up since they were kept are not believed', () => {
    const log = claimed();
    const bytes = Leases.restarted(log.state, 1_000).kept('boot');
    log.ask(BOB, [{ action: 'renew', node: B, token: 2, leaseMs: 5_000 }]);
    log.ask(ALICE, [{ action: 'unclaim', node: A, token: 1 }]);
    const leases = Leases.restored(bytes, log.state, 'boot', 5_000);
    assert.deepEqual(leases.due(9_999), []);
    assert.deepEqual(leases.due(60_000), [{ node: B, token: 2, renewal: 1 }]);
  });
});
