import assert from 'node:assert/strict';
import { hashHex } from '../../src/core/crypto.js';
import { FRAME_BYTES_MAX, SYNC_CREDIT_BYTES, SYNC_WANTS_PER_PAGE } from '../../src/core/limits.js';
import { exchange, said, type Passed } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

function pair(): readonly [MemoryStore, MemoryStore] {
  const [a, b] = workspaceOf(['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  return [a, b];
}

function edit(store: MemoryStore, times: number): void {
  for (let each = 0; each < times; each++) store.commit();
}

function bytesOf(passed: readonly Passed[]): number {
  return passed.reduce((sum, { frame }) => sum + frame.byteLength, 0);
}

/** Both hold the union, both sides succeeded. */
async function synced(a: MemoryStore, b: MemoryStore) {
  const result = await exchange(a, b);
  assert.equal(result.near.error, null);
  assert.equal(result.far.error, null);
  assert.deepEqual(a.contents(), b.contents());
  return result;
}

describe('a sync session', () => {
  it('sync: both hold the same, and both know how much went each way', async () => {
    const [a, b] = pair();
    edit(a, 5);
    edit(b, 3);
    const { near, far } = await synced(a, b);
    assert.equal(a.contents().length, 8);
    assert.deepEqual([near.sent, near.received], [5, 3]);
    assert.deepEqual([far.sent, far.received], [3, 5]);
    assert.ok(near.ok && far.ok);
    assert.equal(near.bytes, far.bytes);
  });

  it('push: sends and takes nothing', async () => {
    const [a, b] = pair();
    edit(a, 5);
    edit(b, 3);
    const { near, far } = await exchange(a, b, 'push');
    assert.equal(near.error ?? far.error, null);
    assert.equal(b.contents().length, 8);
    assert.equal(a.contents().length, 5);
    assert.deepEqual([near.sent, near.received, far.received], [5, 0, 5]);
  });

  it('pull: fetches and sends nothing', async () => {
    const [a, b] = pair();
    edit(a, 5);
    edit(b, 3);
    const { near, far } = await exchange(a, b, 'pull');
    assert.equal(near.error ?? far.error, null);
    assert.equal(a.contents().length, 8);
    assert.equal(b.contents().length, 3);
    assert.deepEqual([near.sent, near.received, far.sent], [0, 3, 3]);
  });

  it('two empty stores: nothing to do, and well done', async () => {
    const [a, b] = pair();
    const { near } = await synced(a, b);
    assert.deepEqual([near.sent, near.received], [0, 0]);
  });

  it('nothing new: one round trip of six short frames, no writes', async () => {
    const [a, b] = pair();
    edit(a, 3);
    await synced(a, b);
    const batches = b.batches.length;
    const { passed } = await synced(a, b);
    assert.deepEqual(said(passed, 'near'), ['hello', 'have', 'end']);
    assert.deepEqual(said(passed, 'far'), ['hello', 'have', 'end']);
    assert.ok(bytesOf(passed) < 600, `${bytesOf(passed)} bytes`);
    assert.equal(b.batches.length, batches);
    const firstFlight = passed.findIndex(({ from }) => from === 'far');
    const answer = passed.findLastIndex(({ from }) => from === 'far');
    assert.deepEqual(
      passed.map(({ from }) => from).slice(firstFlight, answer + 1),
      ['far', 'far', 'far'],
      'the answer comes in one flight',
    );
  });

  it('one commit with a fresh checkpoint leaves in the first flight', async () => {
    const [a, b] = pair();
    edit(a, 3);
    await synced(a, b);
    a.commit();
    const { passed } = await synced(a, b);
    assert.deepEqual(said(passed.slice(0, 3), 'near'), ['hello', 'have', 'runs']);
    assert.ok(bytesOf(passed) < 1_100, `${bytesOf(passed)} bytes`);
  });

  it('fetching one commit takes one round trip', async () => {
    const [a, b] = pair();
    edit(a, 3);
    await synced(a, b);
    b.commit();
    const { passed } = await synced(a, b);
    assert.deepEqual(said(passed, 'near'), ['hello', 'have', 'end', 'done']);
    assert.deepEqual(said(passed, 'far'), ['hello', 'have', 'runs', 'end']);
  });

  it('a log that continues in a new epoch arrives whole', async () => {
    const [a, b] = pair();
    edit(a, 2);
    a.newEpoch();
    edit(a, 2);
    await synced(a, b);
    edit(b, 1);
    a.newEpoch();
    edit(a, 1);
    await synced(a, b);
    assert.equal(a.have().length, 4);
  });

  it('what was relayed with unchecked signatures can be relayed again', async () => {
    const [a, b] = pair();
    const [, , c, d] = workspaceOf(['a', 'b', 'c', 'd']);
    assert.ok(c !== undefined && d !== undefined);
    edit(a, 50);
    await synced(a, b);
    assert.ok([...b.held.values()].some(({ commit }) => commit.sig === null));
    await synced(b, c);
    await synced(d, c);
    assert.deepEqual(d.contents(), a.contents());
  });

  it('a commit as large as one may be travels in parts', async () => {
    const [a, b] = pair();
    const size = 900_000;
    a.commit('small');
    a.commit(new Uint8Array(size));
    a.commit('small again');
    const { passed } = await synced(a, b);
    assert.ok(said(passed, 'near').filter((type) => type === 'part').length >= 4);
    assert.ok(size < FRAME_BYTES_MAX);
  });

  it('a run beyond the credit, with one signature at its end, still gets through', async () => {
    const [a, b] = pair();
    const [, , c] = workspaceOf(['a', 'b', 'c']);
    assert.ok(c !== undefined);
    for (let each = 0; each < 45; each++) a.commit(new Uint8Array(60_000).fill(each));
    const runs = [...a.since([])];
    const [first] = runs;
    assert.ok(first !== undefined);
    await b.ingest([{ ...first, payloads: runs.flatMap((run) => run.payloads) }]);
    assert.equal([...b.since([])].length, 1, 'it can no longer be cut');
    await synced(b, c);
    assert.deepEqual(c.contents(), a.contents());
  });

  it('many megabytes flow both ways at once under the credit, stored as they come', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 60; each++) {
      a.commit(new Uint8Array(50_000).fill(each));
      b.commit(new Uint8Array(50_000).fill(each));
    }
    const { passed } = await synced(a, b);
    for (const store of [a, b]) {
      assert.ok(store.batches.length >= 3, `${store.batches.length} batches`);
      assert.ok(Math.max(...store.batches) <= SYNC_CREDIT_BYTES);
    }
    for (const from of ['near', 'far'] as const) {
      let inFlight = 0;
      for (const each of passed) {
        const content = each.message?.type === 'runs' || each.message?.type === 'part';
        if (each.from === from && content) inFlight += each.frame.byteLength;
        if (each.from !== from && each.message?.type === 'credit') inFlight -= each.message.bytes;
        assert.ok(inFlight <= SYNC_CREDIT_BYTES, `${inFlight} bytes without credit`);
      }
    }
  });

  it('two sessions at once on one store: all three end equal', async () => {
    const [a, b, c] = workspaceOf(['a', 'b', 'c']);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    edit(a, 30);
    edit(b, 30);
    edit(c, 30);
    const reports = await Promise.all([exchange(a, b), exchange(a, c), exchange(b, c)]);
    for (const { near, far } of reports) assert.equal(near.error ?? far.error, null);
    await exchange(a, b);
    await exchange(a, c);
    await exchange(a, b);
    assert.deepEqual(a.contents(), b.contents());
    assert.deepEqual(a.contents(), c.contents());
    assert.equal(a.contents().length, 90);
  });
});

describe('chunks in a session', () => {
  const chunk = (n: number, size = 1_000): Uint8Array => {
    const bytes = new Uint8Array(size).fill(n & 255);
    bytes[1] = n >> 8;
    return bytes;
  };

  it('follow the commits that name them', async () => {
    const [a, b] = pair();
    const [first, second] = a.commitChunks([chunk(1, 240_000), chunk(2, 240_000)]);
    const { near, far, passed } = await synced(a, b);
    assert.deepEqual([near.blobsSent, far.blobsReceived], [2, 2]);
    assert.ok(b.readBlob(first ?? '') !== null && b.readBlob(second ?? '') !== null);
    assert.deepEqual(said(passed, 'near'), ['hello', 'have', 'runs', 'end', 'blob', 'blob']);
    const answers = said(passed, 'far').filter((type) => type !== 'credit');
    assert.deepEqual(answers, ['hello', 'have', 'end', 'want', 'done']);
  });

  it('are left where they are if nobody wants them yet', async () => {
    const [a, b] = pair();
    a.commitChunks([chunk(1)]);
    const { far } = await exchange(a, b, 'sync', { wantsBlobs: false });
    assert.equal(far.error, null);
    assert.equal(b.chunks.size, 0);
    assert.equal(b.blobsWanted(10).length, 1);
    const later = await synced(a, b);
    assert.equal(later.far.blobsReceived, 1);
    assert.equal(b.blobsWanted(10).length, 0);
  });

  it('that the peer lacks too are counted and asked for once', async () => {
    const [a, b] = pair();
    a.commitChunks([chunk(1)], false);
    a.commitChunks([chunk(2)]);
    const { far, passed } = await synced(a, b);
    assert.deepEqual([far.blobsReceived, far.blobsAbsent], [1, 1]);
    assert.equal(said(passed, 'far').filter((type) => type === 'want').length, 1);
  });

  it('over one page of wants come page by page', async () => {
    const [a, b] = pair();
    const count = SYNC_WANTS_PER_PAGE + 3;
    const chunks = Array.from({ length: count }, (_, n) => chunk(n, 40));
    for (let at = 0; at < count; at += 500) a.commitChunks(chunks.slice(at, at + 500));
    const { far, passed } = await synced(a, b);
    assert.equal(far.blobsReceived, count);
    assert.equal(said(passed, 'far').filter((type) => type === 'want').length, 2);
  });

  it('are served in a push and fetched in a pull, never the other way', async () => {
    const [a, b] = pair();
    const [ofA] = a.commitChunks([chunk(1)]);
    const [ofB] = b.commitChunks([chunk(2)]);
    await exchange(a, b, 'push');
    assert.ok(b.readBlob(ofA ?? '') !== null && a.readBlob(ofB ?? '') === null);
    await exchange(a, b, 'pull');
    assert.ok(a.readBlob(ofB ?? '') !== null);
    assert.equal(hashHex('wn/blob/1', a.readBlob(ofB ?? '') ?? new Uint8Array()), ofB);
  });
});
