import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { WnError } from '../../src/core/errors.js';
import {
  SYNC_ADMISSION_MS,
  SYNC_CLOSE_MS,
  SYNC_CREDIT_BYTES,
  SYNC_FRAME_BYTES_MAX,
  SYNC_IDLE_MS,
} from '../../src/core/limits.js';
import type { SecureChannel } from '../../src/core/ports.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { runSync, type SyncOptions } from '../../src/sync/driver.js';
import { encodeMessage } from '../../src/sync/frames.js';
import { joinedChannels, syncStores } from '../../src/sync/path.js';
import { exchange, linked, seededRng, settle, TestClock } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

function pair(): readonly [MemoryStore, MemoryStore] {
  const [a, b] = workspaceOf(['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  return [a, b];
}

function run(
  store: MemoryStore,
  channel: SecureChannel,
  clock: TestClock,
  options: SyncOptions = { mode: 'answer' },
) {
  return runSync(store, channel, { clock, rng: seededRng(5) }, options);
}

/** Settled or not, without waiting for it. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  await settle();
  const waiting = Symbol('waiting');
  return (await Promise.race([promise, Promise.resolve(waiting)])) === waiting;
}

describe('the clock of a session', () => {
  it('gives a peer so long to greet, either way', async () => {
    const [a] = pair();
    for (const mode of ['answer', 'sync'] as const) {
      const clock = new TestClock();
      const [, far] = joinedChannels();
      const report = run(a, far, clock, { mode });
      clock.advance(SYNC_ADMISSION_MS - 1);
      assert.ok(await isPending(report));
      clock.advance(1);
      const { error } = await report;
      assert.equal(error?.code, 'unreachable');
      assert.match(error?.message ?? '', /greeting/);
      assert.equal(clock.pending, 0, 'no timer is left behind');
    }
  });

  it('takes half a greeting for none, however long it would still have had', async () => {
    const [a] = pair();
    const clock = new TestClock();
    const [near, far] = joinedChannels();
    const report = run(a, far, clock);
    clock.advance(SYNC_ADMISSION_MS - 1);
    await near.send(new Uint8Array(1));
    const { error } = await report;
    assert.equal(error?.details['refusal'] ?? error?.code, 'invalid', 'half a greeting is none');
  });

  it('ends a session in which nothing moves, and only then', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 40; each++) a.commit(new Uint8Array(60_000));
    const clock = new TestClock();
    const link = linked();
    let stalled = false;
    const far: SecureChannel = {
      ...link.far,
      send: (frame) => {
        if (decodeMessage(frame)?.type !== 'credit') return link.far.send(frame);
        stalled = true;
        return new Promise(() => undefined);
      },
    };
    const near = run(a, link.near, clock, { mode: 'push' });
    const answered = run(b, far, clock);
    await settle();
    assert.ok(stalled);
    clock.advance(SYNC_IDLE_MS - 1);
    assert.ok(await isPending(near));
    clock.advance(1);
    await settle();
    clock.advance(SYNC_CLOSE_MS);
    const { error } = await near;
    assert.equal(error?.details['refusal'], 'timeout');
    assert.equal((await answered).received, b.contents().length);
  });

  it('obeys other limits if given', async () => {
    const [a] = pair();
    const clock = new TestClock();
    const [, far] = joinedChannels();
    const report = run(a, far, clock, { mode: 'answer', admissionMs: 5 });
    clock.advance(5);
    assert.equal((await report).ok, false);
  });
});

describe('a session that is interrupted', () => {
  it('ends at once, with the exit code of an interruption; what was stored stays', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 40; each++) a.commit(new Uint8Array(60_000));
    const abort = new AbortController();
    const [near, far] = joinedChannels();
    const answering: SecureChannel = {
      ...far,
      send: (frame) => {
        if (decodeMessage(frame)?.type === 'credit') abort.abort();
        return far.send(frame);
      },
    };
    const clock = new TestClock();
    const [mine, theirs] = await Promise.all([
      run(a, near, clock, { mode: 'push', signal: abort.signal }),
      run(b, answering, clock),
    ]);
    assert.equal(mine.error?.exit, 130);
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
    assert.equal(theirs.error?.code, 'unreachable', "the other side's interruption is not ours");
    assert.equal(theirs.received, b.contents().length);
    assert.ok(b.contents().length > 0 && b.contents().length < 40);
  });

  it('before it began says nothing', async () => {
    const [a, b] = pair();
    a.commit();
    const { near, passed } = await exchange(a, b, 'sync', { signal: AbortSignal.abort() });
    assert.equal(near.error?.code, 'interrupted');
    assert.ok(passed.every(({ message }) => message?.type === 'error'));
    assert.equal(b.contents().length, 0);
  });
});

describe('a store that fails', () => {
  it('ends the session with its own error; the peer learns nothing of this machine', async () => {
    const [a, b] = pair();
    a.commit();
    b.failure = new WnError('disk_full', 'no room on /home/bob/secret');
    const { near, far } = await exchange(a, b);
    assert.equal(far.error?.code, 'disk_full');
    assert.equal(near.error?.code, 'unreachable');
    assert.doesNotMatch(near.error?.message ?? '', /bob/);
    assert.equal(b.contents().length, 0);
    const again = await exchange(a, b);
    assert.equal(again.near.error, null);
  });

  it('while it writes chunks likewise', async () => {
    const [a, b] = pair();
    a.commitChunks([new Uint8Array(500)]);
    const write = b.writeBlobs.bind(b);
    b.writeBlobs = () => Promise.reject(new WnError('disk_full', 'no room'));
    const { far } = await exchange(a, b);
    assert.equal(far.error?.code, 'disk_full');
    assert.equal(b.contents().length, 1, 'the commit is in');
    b.writeBlobs = write;
    assert.equal((await exchange(a, b)).far.blobsReceived, 1);
  });

  it('while it reads', async () => {
    const [a, b] = pair();
    a.commit();
    a.since = () => {
      throw new WnError('damage', 'segment /x/y is damaged');
    };
    const { near, far } = await exchange(a, b);
    assert.equal(near.error?.code, 'damage');
    assert.equal(far.error?.code, 'unreachable');
    assert.doesNotMatch(far.error?.message ?? '', /x\/y/);
  });

  it('by a bug is no report but a failure, and the channel is closed', async () => {
    const [a, b] = pair();
    a.commit();
    b.failure = new TypeError('a bug of ours');
    const link = linked();
    const clock = new TestClock();
    const near = run(a, link.near, clock, { mode: 'sync' });
    await assert.rejects(run(b, link.far, clock), /a bug of ours/);
    assert.equal((await near).error?.code, 'unreachable');
    assert.equal(clock.pending, 0);
  });
});

describe('a channel', () => {
  it('that is slow to take frames holds the sender back: no more than the credit piles up', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 60; each++) b.commit(new Uint8Array(60_000));
    const link = linked();
    const clock = new TestClock();
    let taken = 0;
    const release: (() => void)[] = [];
    const far: SecureChannel = {
      ...link.far,
      send: async (frame) => {
        await new Promise<void>((wake) => release.push(wake));
        taken += frame.byteLength;
        await link.far.send(frame);
      },
    };
    let read = 0;
    const since = b.since.bind(b);
    b.since = function* (have) {
      for (const each of since(have)) {
        read += each.payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
        yield each;
      }
    };
    const reports = Promise.all([run(a, link.near, clock, { mode: 'pull' }), run(b, far, clock)]);
    for (let done = false; !done; done = !(await isPending(reports))) {
      assert.ok(read - taken <= SYNC_CREDIT_BYTES + 2 * SYNC_FRAME_BYTES_MAX, `${read - taken}`);
      if (read > 0 && taken > 0) clock.advance(SYNC_IDLE_MS / 2); // slow, but never silent
      release.shift()?.();
    }
    const [near] = await reports;
    assert.equal(near.error, null);
    assert.equal(near.received, 60);
  });

  it('whose other end does not read is given up after the end', async () => {
    const [a] = pair();
    const clock = new TestClock();
    const [, far] = joinedChannels();
    const stuck: SecureChannel = {
      ...far,
      send: () => new Promise(() => undefined),
      close: () => new Promise(() => undefined),
    };
    const report = run(a, stuck, clock);
    clock.advance(SYNC_ADMISSION_MS);
    assert.ok(await isPending(report));
    clock.advance(SYNC_CLOSE_MS);
    assert.ok(await isPending(report), 'still closing');
    clock.advance(SYNC_CLOSE_MS);
    assert.equal((await report).error?.details['refusal'], 'timeout');
    assert.equal(clock.pending, 0);
  });

  it('that can no longer send still hears why the other side hung up, if that comes soon', async () => {
    for (const soon of [true, false]) {
      const [a] = pair();
      const clock = new TestClock();
      const [near, far] = joinedChannels();
      const broken: SecureChannel = {
        ...near,
        send: () => Promise.reject(new Error('broken pipe')),
      };
      const report = run(a, broken, clock, { mode: 'sync' });
      assert.ok(await isPending(report));
      if (soon) await far.send(encodeMessage({ type: 'error', code: 'later', text: 'come back' }));
      else clock.advance(SYNC_CLOSE_MS);
      const { error } = await report;
      assert.match(error?.message ?? '', soon ? /come back/ : /broken pipe/);
      assert.equal(clock.pending, 0);
    }
  });

  it('that proves another device than the peer claims to be is refused', async () => {
    const [a, b] = pair();
    const [, , c] = workspaceOf(['a', 'b', 'c']);
    a.commit();
    const wrong = await exchange(a, b, 'sync', { farPeer: c?.device ?? '' });
    assert.equal(wrong.near.error?.code, 'denied');
    const right = await exchange(a, b, 'sync', { farPeer: a.device, nearPeer: b.device });
    assert.equal(right.near.error, null);
  });

  it('in memory: frames in order, held back by the reader, the last ones still arrive', async () => {
    const [near, far] = joinedChannels();
    const frame = (n: number): Uint8Array => new Uint8Array(SYNC_FRAME_BYTES_MAX).fill(n);
    await near.send(frame(1));
    let second = false;
    void near.send(frame(2)).then(() => (second = true));
    await settle();
    assert.equal(second, false, 'the second waits until there is room');
    const reader = far.frames()[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const result = await reader.next();
      return result.done === true ? 'the end' : result.value[0];
    };
    assert.equal(await next(), 1);
    await settle();
    assert.equal(second, true);
    await near.close();
    assert.equal(await next(), 2);
    assert.equal(await next(), 'the end');
    await assert.rejects(far.send(frame(3)), (error) => (error as WnError).code === 'unreachable');
  });
});

describe('two stores in one process', () => {
  it('exchange over the same session, each with its own report', async () => {
    const [a, b] = pair();
    for (let each = 0; each < 3; each++) a.commit();
    b.commit();
    const ports = { clock: new TestClock(), rng: seededRng(9) };
    const { near, far } = await syncStores(a, b, 'sync', ports);
    assert.deepEqual([near.sent, near.received, near.ok], [3, 1, true]);
    assert.deepEqual([far.sent, far.received, far.ok], [1, 3, true]);
    assert.equal(near.peer, b.device);
    assert.deepEqual(a.contents(), b.contents());
    assert.equal(ports.clock.pending, 0);
  });
});
