import assert from 'node:assert/strict';
import { hashHex } from '../../src/core/crypto.js';
import {
  SYNC_ASKED_AGAIN_MAX,
  SYNC_CHUNK_CREDIT_BYTES,
  SYNC_IDLE_MS,
} from '../../src/core/limits.js';
import { runSync, type SyncOptions, type SyncReport } from '../../src/sync/driver.js';
import { encodeMessage, type Message } from '../../src/sync/frames.js';
import { linked, said, seededRng, settle, TestClock, type Link } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

/** Two stores that stay connected, and what each was told. */
class Staying {
  readonly clock = new TestClock();
  readonly link: Link;
  readonly leave = new AbortController();
  readonly moved = { near: [0, 0, 0], far: [0, 0, 0] };
  readonly tells = { near: new Set<() => void>(), far: new Set<() => void>() };
  readonly ended: Promise<readonly [SyncReport, SyncReport]>;

  constructor(near: MemoryStore, far: MemoryStore, meddle?: (frame: Uint8Array) => Uint8Array[]) {
    this.link = linked(meddle === undefined ? {} : { meddle });
    this.ended = Promise.all([
      runSync(near, this.link.near, this.ports(1), {
        ...this.options('near'),
        mode: 'follow',
        signal: this.leave.signal,
      }),
      runSync(far, this.link.far, this.ports(2), { ...this.options('far'), mode: 'answer' }),
    ]);
  }

  private ports(seed: number) {
    return { clock: this.clock, rng: seededRng(seed) };
  }

  private options(side: 'near' | 'far'): Omit<SyncOptions, 'mode'> {
    return {
      live: {
        listen: (tell) => {
          this.tells[side].add(tell);
          return () => this.tells[side].delete(tell);
        },
        moved: (received, acknowledged, chunks) => {
          const told = this.moved[side];
          told[0] = (told[0] ?? 0) + received;
          told[1] = (told[1] ?? 0) + acknowledged;
          told[2] = (told[2] ?? 0) + chunks;
        },
      },
    };
  }

  async news(side: 'near' | 'far'): Promise<void> {
    for (const tell of this.tells[side]) tell();
    await settle();
  }
}

function pair(): readonly [MemoryStore, MemoryStore] {
  const [a, b] = workspaceOf(['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  return [a, b];
}

describe('a session that stays', () => {
  it('exchanges, then passes on what comes, both ways, and both know what is stored', async () => {
    const [a, b] = pair();
    a.commit();
    b.commit();
    const staying = new Staying(a, b);
    await settle();
    assert.deepEqual(a.contents(), b.contents());
    const before = staying.link.passed.length;
    a.commit();
    a.commit();
    await staying.news('near');
    b.commit();
    await staying.news('far');
    assert.equal(a.contents().length, 5);
    assert.deepEqual(a.contents(), b.contents());
    assert.deepEqual(staying.moved, { near: [1, 2, 0], far: [2, 1, 0] });
    const since = staying.link.passed.slice(before);
    assert.deepEqual(said(since, 'near'), ['runs', 'stored']);
    assert.deepEqual(said(since, 'far'), ['stored', 'runs']);
    staying.leave.abort();
    const [near, far] = await staying.ended;
    assert.equal(near.error?.code, 'interrupted');
    assert.equal(far.error, null);
    assert.deepEqual([near.sent, near.received, far.received], [3, 2, 3]);
    assert.deepEqual([staying.tells.near.size, staying.tells.far.size], [0, 0]);
  });

  it('sends nothing where there is nothing new, and nothing back to where it came from', async () => {
    const [a, b] = pair();
    const staying = new Staying(a, b);
    await settle();
    a.commit();
    await staying.news('near');
    const before = staying.link.passed.length;
    await staying.news('near');
    await staying.news('far');
    assert.equal(staying.link.passed.length, before);
    staying.leave.abort();
    await staying.ended;
  });

  it('gives signs of life while nothing happens, and takes silence for the end', async () => {
    const [a, b] = pair();
    let silent = false;
    const staying = new Staying(a, b, (frame) => (silent ? [] : [frame]));
    await settle();
    for (let times = 0; times < 10; times++) {
      staying.clock.advance(SYNC_IDLE_MS / 3);
      await settle();
    }
    assert.ok(said(staying.link.passed, 'near').includes('stored'));
    assert.ok(said(staying.link.passed, 'far').includes('stored'));
    silent = true;
    for (let times = 0; times < 4; times++) {
      staying.clock.advance(SYNC_IDLE_MS / 3);
      await settle();
    }
    const [near, far] = await staying.ended;
    assert.match(near.error?.message ?? '', /silence/);
    assert.match(far.error?.message ?? '', /silence/);
  });

  for (const [when, early] of [
    ['before', true],
    ['while', false],
  ] as const) {
    it(`asks again for chunks that nobody had, asked for ${when} it stays, once they are there`, async () => {
      const [a, b] = pair();
      const chunks = Array.from({ length: SYNC_ASKED_AGAIN_MAX + 1 }, (_, n) => Buffer.of(n));
      const lacking = (): void => void a.commitChunks(chunks, false);
      if (early) lacking();
      const staying = new Staying(a, b);
      await settle();
      if (!early) lacking();
      await staying.news('near');
      assert.equal(b.blobsWanted(100).length, chunks.length);
      await a.writeBlobs(chunks.map((bytes) => ({ hash: hashHex('wn/blob/1', bytes), bytes })));
      await staying.news('near');
      assert.deepEqual(b.blobsWanted(100), []);
      assert.equal(staying.moved.far[2], chunks.length);
      staying.leave.abort();
      await staying.ended;
    });
  }

  it('ends once the other has lost its right', async () => {
    const [a, b] = pair();
    const staying = new Staying(a, b);
    await settle();
    b.admit = () => ({ ok: false, why: 'revoked' });
    b.commit();
    await staying.news('far');
    const [near, far] = await staying.ended;
    assert.equal(near.error?.code, 'denied');
    assert.equal(far.error?.code, 'denied');
    assert.equal(a.contents().length, 0);
  });

  const lies: readonly (readonly [string, Message, RegExp])[] = [
    ['a receipt for what was never sent', { type: 'stored', commits: 9 }, /never sent/],
    ['an end', { type: 'end', commits: 0, satisfied: true, digest: new Uint8Array(32) }, /place/],
    ['credit beyond what was sent', { type: 'credit', bytes: SYNC_CHUNK_CREDIT_BYTES }, /credit/],
  ];
  for (const [what, lie, why] of lies) {
    it(`ends at ${what}`, async () => {
      const [a, b] = pair();
      const staying = new Staying(a, b);
      await settle();
      await staying.link.near.send(encodeMessage(lie));
      const [, far] = await staying.ended;
      assert.match(far.error?.message ?? '', why);
    });
  }

  it('is refused by one that does not stay', async () => {
    const [a, b] = pair();
    const clock = new TestClock();
    const link = linked();
    const [near] = await Promise.all([
      runSync(
        a,
        link.near,
        { clock, rng: seededRng(1) },
        { mode: 'follow', live: { listen: () => () => undefined } },
      ),
      runSync(b, link.far, { clock, rng: seededRng(2) }, { mode: 'answer' }),
    ]);
    assert.match(near.error?.message ?? '', /nobody stays connected/);
  });
});
