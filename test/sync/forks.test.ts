import assert from 'node:assert/strict';
import type { HaveEntry } from '../../src/sync/store.js';
import { exchange, said } from './channels.js';
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

describe('forks', () => {
  /** Two that hold one log in two versions from seq 3 on, the second `ahead` commits longer. */
  function forkedPair(ahead: number): readonly [MemoryStore, MemoryStore] {
    const [a] = trio();
    edit(a, 3);
    const twin = a.twin();
    edit(a, 1);
    edit(twin, 1 + ahead);
    return [a, twin];
  }

  for (const [what, ahead] of [
    ['equal', 0],
    ['shorter', 2],
  ] as const) {
    it(`are reported, the rest goes on, both get the proof: our branch ${what}`, async () => {
      const [a, twin] = forkedPair(ahead);
      const [, b] = trio();
      edit(b, 4);
      await exchange(b, a, 'push');
      const { near, far } = await exchange(a, twin);
      assert.equal(near.error ?? far.error, null);
      assert.ok([...near.forks, ...far.forks].some(({ seq }) => seq >= 3));
      assert.deepEqual(a.contents(), twin.contents(), 'both branches are on both sides');
      assert.equal(a.contents().length, 3 + 1 + 1 + ahead + 4);
    });
  }

  it('of which the dialler holds the longer branch are proven to both by the second sync', async () => {
    const [a, twin] = forkedPair(2);
    const first = await exchange(twin, a);
    assert.equal(first.near.error ?? first.far.error, null);
    assert.equal(first.near.forks.length, 1);
    assert.equal(first.far.forksProven, 1);
    await exchange(twin, a);
    assert.deepEqual(a.contents(), twin.contents());
  });

  it('name the place, what is held and what the peer claims', async () => {
    const [a, twin] = forkedPair(0);
    const { far } = await exchange(a, twin);
    const [fork] = far.forks;
    const held = twin.have()[0] as HaveEntry;
    assert.equal(far.forks.length, 1);
    assert.deepEqual([fork?.dev, fork?.epoch, fork?.seq], [held.dev, held.epoch, 3]);
    assert.notEqual(fork?.held[0]?.slice(0, 16), fork?.claimed);
    assert.ok(a.contents().some((id) => id.startsWith(fork?.claimed ?? '-')));
  });

  it('leave no checkpoint until both sides know both branches', async () => {
    const [a, twin] = forkedPair(0);
    await exchange(a, twin);
    assert.equal(twin.checkpoints.size, 0);
    await exchange(a, twin);
    const { near, far, passed } = await exchange(a, twin);
    assert.deepEqual([near.forks, far.forks], [[], []]);
    assert.equal(said(passed, 'near').length, 3, 'nothing is left to say');
  });

  it('do not stop a pull', async () => {
    const [a, twin] = forkedPair(0);
    const [, b] = trio();
    edit(b, 4);
    await exchange(b, twin, 'push');
    const { near } = await exchange(a, twin, 'pull');
    assert.equal(near.error, null);
    assert.ok(b.contents().every((id) => a.contents().includes(id)));
  });
});
