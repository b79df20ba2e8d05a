import assert from 'node:assert/strict';
import { toHex } from '../../src/core/bytes.js';
import type { WnError } from '../../src/core/errors.js';
import { SYNC_UNPROVEN_FRAME_BYTES } from '../../src/core/limits.js';
import { decodeMessage } from '../../src/sync/decode.js';
import type { SyncEffect } from '../../src/sync/effects.js';
import { encodeMessage, SYNC_VERSIONS, type Hello, type SyncMode } from '../../src/sync/frames.js';
import { SyncSession } from '../../src/sync/session.js';
import { exchange, said } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { signerNamed, workspaceOf } from './workspace.js';

function trio(): readonly [MemoryStore, MemoryStore, MemoryStore] {
  const [a, b, c] = workspaceOf(['a', 'b', 'c']);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

function edit(store: MemoryStore, times: number): void {
  for (let each = 0; each < times; each++) store.commit();
}

function answererOf(store: MemoryStore, peer: string | null = null): SyncSession {
  const session = new SyncSession({
    store,
    mode: 'answer',
    peer,
    expected: null,
    likely: null,
    nonce: new Uint8Array(16),
    versions: SYNC_VERSIONS,
    wantsBlobs: true,
    mayFollow: false,
  });
  assert.deepEqual(session.handle({ on: 'open' }), [], 'an answerer speaks second');
  return session;
}

function helloOf(store: MemoryStore, change: Partial<Hello> = {}): Uint8Array {
  return encodeMessage({
    type: 'hello',
    versions: SYNC_VERSIONS,
    workspace: store.workspace,
    device: store.device,
    mode: 'sync' as SyncMode,
    credential: store.credential(),
    nonce: new Uint8Array(16),
    ...change,
  });
}

function framesIn(effects: readonly SyncEffect[]): readonly Uint8Array[] {
  return effects.flatMap((effect) => (effect.do === 'send' ? [effect.frame] : []));
}

/** What an answerer says to a greeting that it refuses: exactly one frame. */
function refusalTo(store: MemoryStore, greeting: Uint8Array, peer: string | null = null) {
  const session = answererOf(store, peer);
  const effects = session.handle({ on: 'frame', frame: greeting });
  const [frame, ...more] = framesIn(effects);
  assert.ok(frame !== undefined && more.length === 0, 'one frame and no more');
  const last = effects.at(-1);
  assert.ok(last?.do === 'end' && last.outcome.error !== null, 'the session is over');
  assert.deepEqual(session.handle({ on: 'frame', frame: greeting }), [], 'and stays so');
  const message = decodeMessage(frame);
  assert.ok(message?.type === 'error');
  return { frame: toHex(frame), message, error: last.outcome.error };
}

describe('admission', () => {
  it('says the same, byte for byte, to a wrong workspace, a wrong right and a wrong device', () => {
    const [a, b, c] = trio();
    const [stranger] = workspaceOf(['stranger'], 'another workspace');
    assert.ok(stranger !== undefined);
    edit(b, 5);
    const answers = [
      refusalTo(b, helloOf(a, { workspace: stranger.workspace })),
      refusalTo(b, helloOf(a, { credential: stranger.credential() })),
      refusalTo(b, helloOf(a, { credential: new Uint8Array() })),
      refusalTo(b, helloOf(a), c.device),
      refusalTo(b, helloOf(a, { device: c.device }), a.device),
      refusalTo(b, helloOf(stranger)),
    ];
    assert.equal(new Set(answers.map(({ frame }) => frame)).size, 1);
    assert.equal(answers[0]?.message.code, 'denied');
    assert.ok(answers.every(({ error }) => error.code === 'denied'));
  });

  it('takes nothing before a greeting, and no greeting beyond 64 KiB', () => {
    const [a, b] = trio();
    for (const frame of [
      encodeMessage({ type: 'ask' }),
      encodeMessage({ type: 'have', basis: null, logs: [], last: true }),
      encodeMessage({ type: 'credit', bytes: 1 }),
      Uint8Array.of(0x82, 0x18, 0x80, 0x00),
      new Uint8Array(),
      new Uint8Array(SYNC_UNPROVEN_FRAME_BYTES + 1),
    ]) {
      const { message } = refusalTo(b, frame);
      assert.equal(message.code, 'protocol');
      if (frame.byteLength > SYNC_UNPROVEN_FRAME_BYTES) assert.match(message.text, /65537 bytes/);
    }
    const session = answererOf(b);
    assert.equal(session.admitted, false);
    session.handle({ on: 'frame', frame: helloOf(a) });
    assert.equal(session.admitted, true);
  });

  it('lets the dialler refuse an answerer that is no member', async () => {
    const [a, b] = trio();
    edit(a, 3);
    edit(b, 3);
    b.show(new Uint8Array(3));
    const { near, far, passed } = await exchange(a, b);
    assert.equal(near.error?.code, 'denied');
    assert.equal(far.error?.code, 'denied');
    assert.deepEqual(said(passed, 'near'), ['hello', 'have', 'error'], 'no commits went out');
    assert.equal(a.contents().length, 3);
  });

  it('refuses an answerer that is not the device that the address names', async () => {
    const [a, b, c] = trio();
    edit(a, 3);
    const { near } = await exchange(a, b, 'push', { expected: c.device });
    assert.equal(near.error?.code, 'denied');
    assert.equal(b.contents().length, 0);
  });

  it('does not stream ahead to a peer whose right is gone', async () => {
    const [a, b] = trio();
    edit(a, 1);
    await exchange(a, b);
    const before = a.checkpoints.get(b.device);
    assert.ok(before !== undefined);
    a.checkpoints.set(b.device, { ...before, credential: new Uint8Array(2) });
    a.commit();
    const { passed } = await exchange(a, b);
    assert.deepEqual(said(passed.slice(0, 2), 'near'), ['hello', 'have']);
    assert.equal(passed[2]?.from, 'far');
    assert.deepEqual(a.contents(), b.contents());
  });
});

describe('versions', () => {
  it('both sides speak the newest that both know', async () => {
    const [a, b] = trio();
    edit(a, 1);
    const { near } = await exchange(a, b, 'sync', { versions: [1, 7] });
    assert.equal(near.error, null);
    assert.equal(a.checkpoints.get(b.device)?.version, 7);
  });

  it('none in common is refused before anything is said', () => {
    const [a, b] = trio();
    const { message, error } = refusalTo(b, helloOf(a, { versions: [99] }));
    assert.equal(message.code, 'version');
    assert.match(error.hint ?? '', /update/);
    assert.equal(refusalTo(b, helloOf(a, { versions: [] })).message.code, 'version');
  });

  it('a peer that spoke a newer one before is not led back to an older one', async () => {
    const [a, b] = trio();
    edit(a, 1);
    await exchange(a, b, 'sync', { versions: [1, 2] });
    a.commit();
    const session = new SyncSession({
      store: b,
      mode: 'answer',
      peer: null,
      expected: null,
      likely: null,
      nonce: new Uint8Array(16),
      versions: [1, 2],
      wantsBlobs: true,
      mayFollow: false,
    });
    const last = session.handle({ on: 'frame', frame: helloOf(a, { versions: [1] }) }).at(-1);
    assert.ok(last?.do === 'end');
    assert.match(last.outcome.error?.message ?? '', /spoke 2 before/);
  });

  it('a program that itself went back to an older version may still sync', async () => {
    const [a, b] = trio();
    edit(a, 1);
    await exchange(a, b, 'sync', { versions: [1, 2] });
    const { near, far } = await exchange(a, b, 'sync', { versions: [1] });
    assert.equal(near.error ?? far.error, null);
  });

  it('a greeting that was altered on the way is found out at the end', async () => {
    const [a, b] = trio();
    edit(a, 1);
    const { near, far } = await exchange(a, b, 'sync', {
      versions: [1, 2],
      meddle: (frame, number) => {
        const message = number === 0 ? decodeMessage(frame) : null;
        if (message?.type !== 'hello') return frame;
        return encodeMessage({ ...message, versions: [1] });
      },
    });
    assert.ok(near.error !== null && far.error !== null, 'led back without being noticed');
    assert.equal(b.checkpoints.size, 0);
  });
});

describe('a denied error', () => {
  it('carries the exit code of a denial and a hint', async () => {
    const [a, b] = trio();
    a.show(signerNamed('nobody').sign(new Uint8Array(1)));
    const { near } = await exchange(a, b);
    const error = near.error as WnError;
    assert.equal(error.exit, 12);
    assert.match(error.hint ?? '', /wn invite/);
  });
});
