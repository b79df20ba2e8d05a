/** Members of a group at work, on simulated machines. */
import assert from 'node:assert/strict';
import { verifyReceipt } from '../../../src/consensus/strong/receipt.js';
import { A, CREATOR, GENESIS, set } from '../strong/fixtures.js';
import { Cluster } from './cluster.js';

describe('a member of a group', function () {
  this.timeout(60_000);

  it('decides alone at once, and proves it', async () => {
    const cluster = await Cluster.begin(1, 1);
    const settled = await cluster.done(1, [set(A, 'doing')]);
    const { ledger } = cluster.machine(1);
    assert(ledger !== null);
    await cluster.clock.advance(100);
    assert.ok(ledger.head().index >= settled.index);
    const receipt = await ledger.receipt(settled.index);
    assert.equal(verifyReceipt(receipt, { from: 'workspace', ws: GENESIS.ws }).ok, true);
  });

  it('answers a request that comes twice with the same entry', async () => {
    const cluster = await Cluster.begin(2, 1);
    const signed = cluster.signed(CREATOR, [set(A, 'doing')]);
    const first = await cluster.ask(1, signed);
    const again = await cluster.ask(1, signed);
    assert.equal(again.index, first.index);
  });

  it('grows to three, which all hold what is certified', async () => {
    const cluster = await Cluster.begin(3, 3);
    const settled = await cluster.done(1, [set(A, 'doing')]);
    await cluster.clock.advance(1_000);
    for (const id of [1, 2, 3]) {
      const { ledger } = cluster.machine(id);
      assert.ok((ledger?.head().index ?? 0) >= settled.index, `member ${id}`);
      assert.deepEqual(ledger?.state.entryHash, cluster.machine(1).ledger?.state.entryHash);
    }
    const receipt = await cluster.machine(2).ledger?.receipt(settled.index);
    assert(receipt !== undefined);
    assert.equal(verifyReceipt(receipt, { from: 'workspace', ws: GENESIS.ws }).ok, true);
  });

  it('takes over when the leader dies, and takes it back in', async () => {
    const cluster = await Cluster.begin(4, 3);
    const before = await cluster.done(1, [set(A, 'one')]);
    cluster.crash(1, true);
    await cluster.clock.advance(5_000);
    const leader = await cluster.leader();
    assert.notEqual(leader.leader, 1);
    const after = await cluster.done(leader.leader, [set(A, 'two')]);
    assert.ok(after.index > before.index);
    await cluster.start(1);
    await cluster.clock.advance(3_000);
    assert.equal(cluster.machine(1).ledger?.head().index, cluster.machine(2).ledger?.head().index);
  });

  it('says that it can not know, where no majority answers', async () => {
    const cluster = await Cluster.begin(5, 3);
    cluster.crash(2, false);
    cluster.crash(3, false);
    const signed = cluster.signed(CREATOR, [set(A, 'alone')]);
    await assert.rejects(cluster.ask(1, signed, 3_000), { code: 'unknown_outcome' });
    await cluster.start(2);
    await cluster.clock.advance(5_000);
    const leader = await cluster.leader();
    const settled = await cluster.ask(leader.leader, signed);
    assert.equal(settled.outcome.outcome, 'accepted');
  });
});
