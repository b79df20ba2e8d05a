import assert from 'node:assert/strict';
import { SYNC_CREDIT_BYTES } from '../../src/core/limits.js';
import type { SecureChannel } from '../../src/core/ports.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { runSync } from '../../src/sync/driver.js';
import { exchange, linked, seededRng, settle, TestClock, type Passed } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

function storesOf(...names: string[]): MemoryStore[] {
  return [...workspaceOf(names)];
}

function contentBytes(passed: readonly Passed[], from: 'near' | 'far'): number {
  return passed
    .filter((each) => each.from === from && ['runs', 'part'].includes(each.message?.type ?? ''))
    .reduce((sum, { frame }) => sum + frame.byteLength, 0);
}

/** Everything that is held follows from what is held: no gap was let in. */
function assertSound(store: MemoryStore): void {
  for (const { commit } of store.held.values()) {
    for (const id of [commit.header.prev, ...commit.header.deps]) {
      assert.ok(id === null || store.held.has(id), 'a commit without its past');
    }
  }
}

describe('a connection that is cut', () => {
  it('at any frame: a clear error, no gap, and the next sync ends it', async () => {
    const fill = (): readonly [MemoryStore, MemoryStore] => {
      const [a, b] = storesOf('a', 'b');
      assert.ok(a !== undefined && b !== undefined);
      for (let each = 0; each < 8; each++) {
        a.commit(new Uint8Array(60_000).fill(each));
        b.commit(new Uint8Array(60_000).fill(each));
      }
      a.commitChunks([new Uint8Array(2_000).fill(1), new Uint8Array(2_000).fill(2)]);
      return [a, b];
    };
    const [a, b] = fill();
    const whole = await exchange(a, b);
    const frames = whole.passed.length;
    assert.ok(frames > 12);
    for (let at = 0; at < frames; at++) {
      const [near, far] = fill();
      const cut = await exchange(near, far, 'sync', {
        meddle: (frame, number) => (number === at ? null : frame),
      });
      const failed = [cut.near.error, cut.far.error].filter((error) => error !== null);
      assert.ok(failed.length > 0, `cut at frame ${at}: somebody must know`);
      for (const error of failed) assert.equal(error.code, 'unreachable');
      assertSound(near);
      assertSound(far);
      const again = await exchange(near, far);
      assert.equal(again.near.error ?? again.far.error, null, `resumed after frame ${at}`);
      assert.deepEqual(near.contents(), far.contents());
      assert.equal(far.blobsWanted(9).length, 0);
      const twice = near.contents().length * 60_000;
      assert.ok(contentBytes(again.passed, 'near') < twice);
    }
  });

  it('loses at most the credit: what was stored is not sent again', async () => {
    const commits = 100;
    const size = 60_000;
    for (const at of [8, 15, 25]) {
      const [a, b] = storesOf('a', 'b');
      assert.ok(a !== undefined && b !== undefined);
      for (let each = 0; each < commits; each++) a.commit(new Uint8Array(size).fill(each));
      const cut = await exchange(a, b, 'push', {
        meddle: (frame, number) => (number === at ? null : frame),
      });
      assert.equal(cut.near.error?.code, 'unreachable');
      assert.equal(cut.far.received, b.contents().length, 'what is reported is what is held');
      const sent = contentBytes(cut.passed, 'near');
      const again = await exchange(a, b, 'push');
      assert.equal(again.near.error, null);
      const resent = sent + contentBytes(again.passed, 'near') - commits * size;
      assert.ok(resent <= SYNC_CREDIT_BYTES + 50_000, `${resent} bytes twice, cut at ${at}`);
      assert.equal(again.near.sent + cut.far.received, commits);
    }
  });

  it('in every session still comes to an end, as long as each gets a run across', async () => {
    const [a, b] = storesOf('a', 'b');
    assert.ok(a !== undefined && b !== undefined);
    for (let each = 0; each < 30; each++) a.commit(new Uint8Array(100_000).fill(each));
    let sessions = 0;
    for (let done = false; !done; sessions++) {
      assert.ok(sessions < 40, 'no progress');
      const { near } = await exchange(a, b, 'push', {
        meddle: (frame, number) => (number === 9 ? null : frame),
      });
      done = near.ok;
      if (b.contents().length === 30) break;
    }
    assert.deepEqual(b.contents(), a.contents());
  });
});

describe('what waits for the store when the connection is cut', () => {
  it('is stored before the session ends, and counted', async () => {
    const [a, b] = storesOf('a', 'b');
    assert.ok(a !== undefined && b !== undefined);
    for (let each = 0; each < 12; each++) a.commit(new Uint8Array(60_000).fill(each));
    const link = linked();
    const ports = { clock: new TestClock(), rng: seededRng(1) };
    const ingest = b.ingest.bind(b);
    let finish = (): void => assert.fail('the store was never at work');
    b.ingest = async (runs) => {
      await new Promise<void>((wake) => (finish = wake));
      return ingest(runs);
    };
    const held = { ...link.near, send: stopping(link.near) };
    const near = runSync(a, held, ports, { mode: 'push' });
    const far = runSync(b, link.far, ports, { mode: 'answer' });
    await settle();
    finish();
    await settle();
    assert.equal(b.batches.length, 1);
    finish();
    const report = await far;
    assert.equal(report.error?.code, 'unreachable');
    assert.equal(b.contents().length, 12);
    assert.equal(report.received, 12);
    assert.equal((await near).error?.code, 'unreachable');
  });

  /** Hangs up where the end would be said. */
  function stopping(channel: SecureChannel): SecureChannel['send'] {
    return async (frame) => {
      if (decodeMessage(frame)?.type !== 'end') return channel.send(frame);
      await channel.close();
      throw new Error('gone');
    };
  }
});

describe('random histories', () => {
  const seed = Number(process.env['SEED'] ?? 20_261_121);

  for (let round = 0; round < 6; round++) {
    it(`three stores, random edits, syncs and cuts end equal (SEED=${seed}, round ${round})`, async () => {
      const rng = seededRng(seed + round * 7_919);
      const stores = storesOf('a', 'b', 'c');
      const pick = (): MemoryStore => stores[rng.below(3)] ?? assert.fail();
      let cuts = 0;
      for (let step = 0; step < 40; step++) {
        const [one, other] = [pick(), pick()];
        const dice = rng.below(10);
        if (dice < 4) for (let n = rng.below(5); n >= 0; n--) one.commit(`${step}/${n}`);
        else if (dice === 4) one.newEpoch();
        else if (dice === 5) one.commit(rng.bytes(1 + rng.below(90_000)));
        else if (one !== other) {
          const mode = (['push', 'pull', 'sync'] as const)[rng.below(3)] ?? 'sync';
          const cutAt = dice === 6 ? rng.below(9) : -1;
          const { near, far } = await exchange(one, other, mode, {
            meddle: (frame, number) => (number === cutAt ? null : frame),
          });
          for (const { error } of [near, far]) {
            if (error === null) continue;
            assert.equal(error.code, 'unreachable');
            cuts += 1;
          }
          if (near.ok && far.ok && mode === 'sync') {
            assert.deepEqual(one.contents(), other.contents(), `step ${step}`);
          }
        }
        stores.forEach(assertSound);
      }
      const [a, b, c] = stores;
      assert.ok(a !== undefined && b !== undefined && c !== undefined);
      await exchange(a, b);
      await exchange(b, c);
      await exchange(c, a);
      await exchange(a, b);
      assert.ok(a.contents().length > 5, `something happened (${cuts} cuts)`);
      for (const each of [b, c]) assert.deepEqual(each.contents(), a.contents());
      for (const each of stores) assert.deepEqual(each.pendingRuns, []);
    });
  }
});
