import assert from 'node:assert/strict';
import { exchange, said, type Exchange, type Side } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

function trio(): readonly [MemoryStore, MemoryStore, MemoryStore] {
  const [a, b, c] = workspaceOf(['a', 'b', 'c']);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

function edit(store: MemoryStore, times: number): void {
  for (let each = 0; each < times; each++) store.commit();
}

describe('checkpoints', () => {
  it('are equal on both sides, and what both hold', async () => {
    const [a, b] = trio();
    edit(a, 2);
    edit(b, 2);
    await exchange(a, b);
    assert.deepEqual(a.checkpoints.get(b.device)?.have, b.checkpoints.get(a.device)?.have);
    assert.equal(a.checkpoints.get(b.device)?.have.length, 2);
  });

  it('make HAVE as short as what changed', async () => {
    const stores = workspaceOf(Array.from({ length: 40 }, (_, at) => `d${at}`));
    const [a, b] = stores;
    assert.ok(a !== undefined && b !== undefined);
    for (const each of stores) {
      each.commit();
      await exchange(each, a, 'push');
    }
    const full = await exchange(b, a);
    const idle = await exchange(b, a);
    b.commit();
    const one = await exchange(b, a);
    const haveBytes = ({ passed }: Exchange, side: Side): number =>
      passed.find(({ from, message }) => from === side && message?.type === 'have')?.frame
        .byteLength ?? assert.fail('nothing was told');
    assert.ok(haveBytes(full, 'far') > 39 * 50, 'all that the dialler had not');
    assert.ok(haveBytes(idle, 'near') < 40);
    assert.ok(haveBytes(idle, 'far') < 40);
    assert.ok(haveBytes(one, 'near') < 100);
  });

  it('are written after a push that left both equal, not after one that did not', async () => {
    const [a, b] = trio();
    edit(a, 2);
    await exchange(a, b, 'push');
    assert.equal(a.checkpoints.size + b.checkpoints.size, 2);
    edit(b, 1);
    edit(a, 1);
    const before = a.checkpoints.get(b.device);
    await exchange(a, b, 'push');
    assert.equal(a.checkpoints.get(b.device), before);
  });

  it('are not written where something was held back, on either side', async () => {
    const [a, b] = trio();
    edit(a, 2);
    const ingest = b.ingest.bind(b);
    b.ingest = async (runs) => ({ ...(await ingest(runs)), pending: 1 });
    const { near, far } = await exchange(a, b);
    assert.equal(near.error ?? far.error, null);
    assert.equal(far.pending, 1);
    assert.equal(a.checkpoints.size + b.checkpoints.size, 0);
  });

  it('that the peer has lost cost one question, in the same session', async () => {
    const [a, b] = trio();
    edit(a, 3);
    edit(b, 3);
    await exchange(a, b);
    b.checkpoints.clear();
    edit(a, 1);
    edit(b, 1);
    const { near, passed } = await exchange(a, b);
    assert.equal(near.error, null);
    assert.deepEqual(a.contents(), b.contents());
    assert.equal(said(passed, 'far').filter((type) => type === 'ask').length, 1);
    assert.deepEqual(a.checkpoints.get(b.device), {
      ...a.checkpoints.get(b.device),
      have: b.checkpoints.get(a.device)?.have,
    });
  });

  it('that lie, on either side, change nothing but the cost', async () => {
    for (const liar of [0, 1]) {
      const [a, b, c] = trio();
      edit(a, 3);
      edit(b, 3);
      edit(c, 3);
      await exchange(a, b);
      const stores = [a, b] as const;
      const [it, other] = [stores[liar] ?? a, stores[1 - liar] ?? b];
      const checkpoint = it.checkpoints.get(other.device);
      assert.ok(checkpoint !== undefined);
      await exchange(c, it, 'push');
      edit(it, 2);
      it.checkpoints.set(other.device, { ...checkpoint, have: it.have() });
      const { near, far } = await exchange(a, b);
      assert.equal(near.error ?? far.error, null);
      await exchange(a, b);
      assert.deepEqual(a.contents(), b.contents());
    }
  });

  it('show a peer that holds less than before, and fill it again', async () => {
    const [a, b] = trio();
    edit(a, 5);
    edit(b, 1);
    await exchange(a, b);
    const [, restored] = trio();
    restored.checkpoints.set(a.device, b.checkpoints.get(a.device) ?? assert.fail());
    a.commit();
    const { near } = await exchange(a, restored);
    assert.equal(near.error, null);
    assert.equal(near.wentBack, true);
    assert.deepEqual(restored.contents(), a.contents());
    const again = await exchange(a, restored);
    assert.equal(again.near.wentBack, false);
  });

  it('of a dialler that was restored are told as what it holds now', async () => {
    const [a, b] = trio();
    edit(a, 5);
    edit(b, 5);
    await exchange(a, b);
    const [restored] = trio();
    restored.checkpoints.set(b.device, a.checkpoints.get(b.device) ?? assert.fail());
    const { near, far } = await exchange(restored, b);
    assert.equal(near.error ?? far.error, null);
    assert.equal(far.wentBack, true);
    assert.deepEqual(restored.contents(), b.contents());
  });
});
