import assert from 'node:assert/strict';
import { exchange, said } from './channels.js';
import { workspaceOf, type MemoryStore } from './memory-store.js';

function pair(): readonly [MemoryStore, MemoryStore] {
  const [a, b] = workspaceOf(['a', 'b']) as [MemoryStore, MemoryStore];
  return [a, b];
}

describe('a sync session', () => {
  it('sync: both hold the same, and both know the counts', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 5; each++) a.commit();
    for (let each = 0; each < 3; each++) b.commit();
    const { near, far, passed } = await exchange(a, b);
    console.log(said(passed, 'near'), said(passed, 'far'), near);
    assert.deepEqual(a.contents(), b.contents());
    const n = await exchange(a, b);
    console.log(
      said(n.passed, 'near'),
      said(n.passed, 'far'),
      n.near,
      n.passed.map((p) => p.frame.length),
    );
    a.commit();
    const m = await exchange(a, b);
    console.log(
      said(m.passed, 'near'),
      said(m.passed, 'far'),
      m.near,
      m.passed.map((p) => p.frame.length),
    );
    console.log(m.passed.map((p) => p.from + ' ' + p.message?.type));
  });
});
