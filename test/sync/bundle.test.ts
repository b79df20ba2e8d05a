import assert from 'node:assert/strict';
import { concat } from '../../src/core/bytes.js';
import type { WnError } from '../../src/core/errors.js';
import { encodeRecord } from '../../src/core/frame.js';
import {
  SYNC_CREDIT_BYTES,
  SYNC_FRAME_BYTES_MAX,
  SYNC_REJECTED_MAX,
} from '../../src/core/limits.js';
import { readBundle, writeBundle } from '../../src/sync/bundle.js';
import { encodeMessage, type Message } from '../../src/sync/frames.js';
import type { HaveEntry } from '../../src/sync/store.js';
import { seededRng } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

const MAGIC = Buffer.from('wn-bundle/1\n');

function trio(): readonly [MemoryStore, MemoryStore, MemoryStore] {
  const [a, b, c] = workspaceOf(['a', 'b', 'c']);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

async function bundleOf(store: MemoryStore, since: readonly HaveEntry[] = []): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeBundle(store, since)) parts.push(part);
  return concat(parts);
}

async function* piecesOf(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

function fails(bytes: Uint8Array, into: MemoryStore, code: string, why: RegExp): Promise<void> {
  return assert.rejects(readBundle(piecesOf(bytes), into), (error) => {
    assert.equal((error as WnError).code, code);
    assert.match((error as WnError).message, why);
    assert.ok((error as WnError).hint !== undefined || code === 'invalid');
    return true;
  });
}

/** A bundle that is put together by hand. */
function made(...messages: readonly Message[]): Uint8Array {
  return concat([MAGIC, ...messages.map((message) => encodeRecord(encodeMessage(message)))]);
}

describe('a bundle', () => {
  it('carries all commits and chunks of one store into another, in pieces of any size', async () => {
    const [a] = trio();
    for (let each = 0; each < 5; each++) a.commit();
    a.commit(new Uint8Array(600_000));
    const [hash] = a.commitChunks([new Uint8Array(5_000).fill(3)]);
    const bytes = await bundleOf(a);
    for (const size of [997, 65_536, bytes.byteLength]) {
      const [, b] = trio();
      const result = await readBundle(piecesOf(bytes, size), b);
      assert.deepEqual(b.contents(), a.contents());
      assert.ok(b.readBlob(hash ?? '') !== null);
      const { rejected, ...counts } = result;
      assert.deepEqual(rejected, []);
      assert.deepEqual(counts, { commits: 7, added: 7, pending: 0, forks: 0, blobs: 1 });
    }
  });

  it('of nothing is valid, and changes nothing', async () => {
    const [a, b] = trio();
    assert.equal((await readBundle(piecesOf(await bundleOf(a)), b)).commits, 0);
    assert.deepEqual(b.contents(), []);
  });

  it('taken in twice changes nothing the second time', async () => {
    const [a, b] = trio();
    a.commit();
    a.commitChunks([new Uint8Array(500)]);
    const bytes = await bundleOf(a);
    await readBundle(piecesOf(bytes), b);
    const again = await readBundle(piecesOf(bytes), b);
    assert.deepEqual([again.commits, again.added], [2, 0]);
    assert.deepEqual(b.contents(), a.contents());
  });

  it('since a vector carries only what is newer, and says what it builds on', async () => {
    const [a, b, c] = trio();
    a.commit();
    await readBundle(piecesOf(await bundleOf(a)), b);
    const basis = b.have();
    a.commit();
    const bytes = await bundleOf(a, basis);
    assert.equal((await readBundle(piecesOf(bytes), b)).added, 1);
    assert.deepEqual(b.contents(), a.contents());
    await fails(bytes, c, 'condition_not_met', /missing here/);
    assert.deepEqual(c.contents(), []);
  });

  it('is taken in a megabyte at a time', async () => {
    const [a, b] = trio();
    for (let each = 0; each < 60; each++) a.commit(new Uint8Array(60_000).fill(each));
    await readBundle(piecesOf(await bundleOf(a)), b);
    assert.ok(b.batches.length >= 3);
    assert.ok(Math.max(...b.batches) <= SYNC_CREDIT_BYTES + SYNC_FRAME_BYTES_MAX);
  });

  it('of another workspace is refused', async () => {
    const [a] = trio();
    const [stranger] = workspaceOf(['a'], 'another workspace');
    assert.ok(stranger !== undefined);
    a.commit();
    await fails(await bundleOf(a), stranger, 'invalid', /another workspace/);
    assert.deepEqual(stranger.contents(), []);
  });

  it('that is no bundle, or a newer one, is refused by name', async () => {
    const [a] = trio();
    await fails(new Uint8Array(), a, 'invalid', /no bundle/);
    await fails(Buffer.from('wn-bun'), a, 'invalid', /no bundle/);
    await fails(Buffer.from('PK\u0003\u0004 something else'), a, 'invalid', /no bundle/);
    await fails(Buffer.from('wn-bundle/2\n...'), a, 'unknown_format', /another version/);
  });

  it('cut at any byte: what came whole stays, nothing wrong gets in, it says so', async () => {
    const [a] = trio();
    a.commit();
    a.commit();
    const bytes = await bundleOf(a);
    for (let length = MAGIC.byteLength; length < bytes.byteLength; length++) {
      const [, b] = trio();
      await fails(bytes.subarray(0, length), b, 'damage', /cut short.*\d commits before that/);
      assert.ok(b.contents().every((id) => a.contents().includes(id)));
      if (length % 100 !== 0) continue;
      await readBundle(piecesOf(bytes), b);
      assert.deepEqual(b.contents(), a.contents());
    }
  });

  it('keeps what came before the cut', async () => {
    const [a, b] = trio();
    for (let each = 0; each < 60; each++) a.commit(new Uint8Array(60_000).fill(each));
    const bytes = await bundleOf(a);
    await assert.rejects(
      readBundle(piecesOf(bytes.subarray(0, bytes.byteLength / 2)), b),
      (error) => {
        const { added } = (error as WnError).details;
        assert.equal(added, b.contents().length);
        return true;
      },
    );
    assert.ok(b.contents().length >= 28, `${b.contents().length}`);
  });

  it('with any byte altered: damage, and nothing wrong gets in', async () => {
    const [a] = trio();
    a.commit();
    a.commit();
    const bytes = await bundleOf(a);
    for (let at = MAGIC.byteLength; at < bytes.byteLength; at++) {
      const [, b] = trio();
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 0x10;
      await fails(altered, b, 'damage', /damaged at byte|cut short/);
      assert.ok(b.contents().every((id) => a.contents().includes(id)));
    }
  });

  it('with records left out, doubled or swapped is damage by its digest', async () => {
    const [a] = trio();
    for (let each = 0; each < 9; each++) a.commit(new Uint8Array(100_000).fill(each));
    const records: Uint8Array[] = [];
    for await (const part of writeBundle(a, [])) records.push(part);
    assert.ok(records.length >= 6);
    const [magic, bundle, have, first, second, ...rest] = records as [
      ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
      ...Uint8Array[],
    ];
    for (const wrong of [
      [magic, bundle, have, first, ...rest],
      [magic, bundle, have, first, first, second, ...rest],
      [magic, bundle, have, second, first, ...rest],
    ]) {
      const [, b] = trio();
      await fails(concat(wrong), b, 'damage', /digest/);
      assert.ok(b.contents().every((id) => a.contents().includes(id)));
    }
    const [, b] = trio();
    await fails(concat([...records, first]), b, 'damage', /out of place/);
  });

  it('made by hand with records out of place, empty or forged is refused', async () => {
    const [a] = trio();
    const { workspace } = a;
    const have: Message = { type: 'have', basis: null, logs: [], last: true };
    const done: Message = {
      type: 'done',
      commits: 0,
      blobs: 0,
      heldBack: 0,
      digest: new Uint8Array(32),
    };
    const blob: Message = { type: 'blob', hash: '00'.repeat(32), bytes: new Uint8Array(3) };
    const bundle: Message = { type: 'bundle', workspace };
    await fails(made(have), a, 'damage', /out of place: have/);
    await fails(made(bundle, bundle), a, 'damage', /out of place: bundle/);
    await fails(made(bundle, done), a, 'damage', /out of place: done/);
    await fails(made(bundle, have, have), a, 'damage', /out of place: have/);
    await fails(made(bundle, have, { type: 'ask' }), a, 'damage', /out of place: ask/);
    await fails(made(bundle, have, done), a, 'damage', /digest/);
    await fails(made(bundle, have, blob, done), a, 'damage', /not what its hash says/);
    assert.equal(a.chunks.size, 0);
    const zero = new Uint8Array(8);
    await fails(concat([MAGIC, zero]), a, 'damage', /damaged at byte 12/);
    const huge = Buffer.alloc(8, 0xff);
    await fails(concat([MAGIC, huge]), a, 'damage', /damaged at byte 12/);
  });

  it('full of runs that are no good is given up', async () => {
    const [a] = trio();
    const runs = Array.from({ length: SYNC_REJECTED_MAX + 1 }, (_, firstSeq) => ({
      dev: '11'.repeat(32),
      epoch: '22'.repeat(8),
      firstSeq,
      prev: null,
      cap: null,
      payloads: [new Uint8Array(5)],
    }));
    const bytes = made(
      { type: 'bundle', workspace: a.workspace },
      { type: 'have', basis: null, logs: [], last: true },
      { type: 'runs', runs },
      { type: 'done', commits: 0, blobs: 0, heldBack: 0, digest: new Uint8Array(32) },
    );
    await fails(bytes, a, 'invalid', /no good here/);
  });

  it('random bytes behind a good beginning never crash the reader', async () => {
    const seed = Number(process.env['SEED'] ?? 4_711);
    const [a] = trio();
    a.commit();
    const bytes = await bundleOf(a);
    for (let round = 0; round < 100; round++) {
      const rng = seededRng(seed + round);
      const [, b] = trio();
      const junk = concat([
        bytes.subarray(0, rng.below(bytes.byteLength)),
        rng.bytes(rng.below(99)),
      ]);
      await assert.rejects(readBundle(piecesOf(junk), b), (error) => {
        assert.match((error as WnError).code, /damage|invalid/, `SEED=${seed} round ${round}`);
        return true;
      });
    }
  });
});
