import assert from 'node:assert/strict';
import { encodeCanonical } from '../../src/core/canonical.js';
import { hashHex } from '../../src/core/crypto.js';
import {
  PENDING_COMMITS_MAX,
  SYNC_CHUNK_CREDIT_BYTES,
  SYNC_CREDIT_BYTES,
  SYNC_FRAME_BYTES_MAX,
  SYNC_IGNORED_MAX,
  SYNC_MESSAGE_BYTES_MAX,
  SYNC_REJECTED_MAX,
} from '../../src/core/limits.js';
import { runSync } from '../../src/sync/driver.js';
import type { Message } from '../../src/sync/frames.js';
import { attack, NOBODY, runsOf } from './attacker.js';
import { exchange, linked, seededRng, settle, TestClock } from './channels.js';
import { workspaceOf } from './workspace.js';

describe('a hostile peer', () => {
  it('greets twice', async () => {
    const it = attack();
    await it.greet();
    await it.greet();
    await it.refused(/out of place: hello/);
  });

  it('tells a second vector', async () => {
    const it = attack();
    await it.open();
    it.send({ type: 'have', basis: null, logs: [], last: true });
    await it.refused(/second vector/);
  });

  it('names a basis that was never agreed on, twice', async () => {
    const it = attack();
    await it.greet();
    it.send({ type: 'have', basis: new Uint8Array(32), logs: [], last: true });
    await settle();
    assert.equal(it.heard.at(-1)?.type, 'ask');
    it.send({ type: 'have', basis: new Uint8Array(32), logs: [], last: true });
    await it.refused(/never agreed/);
  });

  it('asks an answerer for everything, or hands it a bundle', async () => {
    for (const message of [
      { type: 'ask' },
      { type: 'bundle', workspace: '00'.repeat(32) },
    ] as const) {
      const it = attack();
      await it.open();
      it.send(message);
      await it.refused(/out of turn|out of place/);
    }
  });

  it('sends a frame over its bound', async () => {
    const it = attack();
    await it.open();
    it.raw(new Uint8Array(SYNC_FRAME_BYTES_MAX + 1));
    await it.refused(/262145 bytes/);
  });

  it('sends an empty frame', async () => {
    const it = attack();
    await it.open();
    it.raw(new Uint8Array());
    await it.refused(/cut short/);
  });

  it('floods beyond the credit', async () => {
    const it = attack();
    await it.open();
    const payloads = [new Uint8Array(200_000)];
    it.victim.ingest = () => new Promise(() => undefined); // a disk that never answers
    for (let firstSeq = 0; firstSeq < 6; firstSeq++) {
      it.send({ type: 'runs', runs: [{ ...NOBODY, firstSeq, payloads }] });
    }
    await settle();
    assert.ok(it.heard.at(-1)?.type === 'error');
    const last = it.heard.at(-1);
    assert.match(last?.type === 'error' ? last.text : '', /beyond the credit/);
  });

  it('sends parts without end', async () => {
    const it = attack();
    await it.open();
    const bytes = new Uint8Array(200_000);
    for (let sent = 0; sent <= SYNC_MESSAGE_BYTES_MAX; sent += bytes.byteLength) {
      it.send({ type: 'part', last: false, bytes });
      await settle(2);
    }
    await it.refused(/parts of over/);
  });

  it('sends runs amid parts, ends amid parts, or goes on after the end', async () => {
    const amid = attack();
    await amid.open();
    amid.send({ type: 'part', last: false, bytes: new Uint8Array(9) });
    amid.send({ type: 'runs', runs: [{ ...NOBODY, firstSeq: 0, payloads: [new Uint8Array(9)] }] });
    await amid.refused(/amid parts/);
    const ends = attack();
    await ends.open();
    ends.send({ type: 'part', last: false, bytes: new Uint8Array(9) });
    ends.end();
    await ends.refused(/end amid parts/);
    const after = attack();
    await after.open();
    after.victim.commitChunks([new Uint8Array(9)], false); // so that the session waits for a chunk
    after.self.commit();
    after.send({ type: 'runs', runs: runsOf(after.self) });
    after.end();
    await settle();
    after.send({ type: 'runs', runs: runsOf(after.self) });
    await after.refused(/after the end/);
  });

  it('sends content against the direction that it asked for', async () => {
    const it = attack();
    it.self.commit();
    await it.open('pull');
    it.send({ type: 'runs', runs: runsOf(it.self) });
    await it.refused(/against the direction/);
    assert.equal(it.victim.contents().length, 1);
  });

  it('ends too early, twice, or with another story', async () => {
    const early = attack();
    await early.greet();
    early.end();
    await early.refused(/too early/);
    const miscounted = attack();
    await miscounted.open();
    miscounted.end({ commits: 1 });
    await miscounted.refused(/does not match/);
    const altered = attack();
    await altered.open();
    altered.end({ digest: new Uint8Array(32) });
    await altered.refused(/does not match/);
    const twice = attack();
    await twice.open();
    twice.victim.commitChunks([new Uint8Array(9)], false);
    twice.self.commit();
    twice.send({ type: 'runs', runs: runsOf(twice.self) });
    twice.end();
    await settle();
    twice.end();
    await twice.refused(/second end/);
  });

  it('grants credit that it was not asked for', async () => {
    const most = SYNC_CHUNK_CREDIT_BYTES - SYNC_CREDIT_BYTES;
    for (const bytes of [0, most + 1, Number.MAX_SAFE_INTEGER]) {
      const it = attack();
      await it.greet();
      it.send({ type: 'credit', bytes });
      await it.refused(/beyond what was sent/);
    }
  });

  it('wants chunks out of turn, or in a direction where it takes nothing', async () => {
    const want: Message = { type: 'want', hashes: ['00'.repeat(32)] };
    const early = attack();
    await early.greet();
    early.send(want);
    await early.refused(/out of turn/);
    const wrongWay = attack();
    await wrongWay.open('push');
    wrongWay.send(want);
    await wrongWay.refused(/out of turn/);
  });

  it('piles up wants that it takes no answers to', async () => {
    const it = attack();
    const chunks = Array.from({ length: 9 }, (_, n) => new Uint8Array(200_000).fill(n));
    const hashes = it.victim.commitChunks(chunks);
    await it.open();
    it.send({ type: 'want', hashes });
    await settle();
    assert.equal(it.heard.filter(({ type }) => type === 'blob').length, 5, 'as far as credit goes');
    it.send({ type: 'want', hashes });
    await it.refused(/out of turn/);
  });

  it('sends chunks that nobody asked for, or that are not what they are said to be', async () => {
    const unasked = attack();
    await unasked.open();
    unasked.send({ type: 'blob', hash: '00'.repeat(32), bytes: new Uint8Array(5) });
    await unasked.refused(/nobody asked/);
    const forged = attack();
    const [hash] = forged.victim.commitChunks([new Uint8Array(9)], false);
    assert.ok(hash !== undefined);
    await forged.open();
    forged.self.commit();
    forged.send({ type: 'runs', runs: runsOf(forged.self) });
    forged.end();
    await settle();
    assert.equal(forged.heard.at(-1)?.type, 'want');
    forged.send({ type: 'blob', hash, bytes: new Uint8Array(10) });
    await forged.refused(/not what its hash says/);
    assert.equal(forged.victim.readBlob(hash), null);
  });

  it('signs for what it did not get, or signs twice', async () => {
    for (const wrong of [{ commits: 2 }, { blobs: 1 }, { digest: new Uint8Array(32) }]) {
      const it = attack();
      await it.open();
      it.receipt(wrong);
      await it.refused(/receipt/);
      assert.equal(it.victim.checkpoints.size, 0);
    }
    const twice = attack();
    await twice.open();
    twice.receipt();
    await settle();
    assert.equal(twice.heard.at(-1)?.type, 'end', 'a true receipt is taken');
    twice.receipt();
    await twice.refused(/receipt/);
  });

  it('talks in types that nobody knows', async () => {
    const it = attack();
    await it.open();
    for (let each = 0; each <= SYNC_IGNORED_MAX; each++) it.raw(encodeCanonical([200, each]));
    await it.refused(/unknown/);
  });

  it('may hint in types that a newer version knows', async () => {
    const it = attack();
    await it.open();
    it.raw(encodeCanonical([200, 'a hint']));
    await settle();
    assert.notEqual(it.heard.at(-1)?.type, 'error');
  });

  it('floods with runs that are no good', async () => {
    const it = attack();
    await it.open();
    const runs = Array.from({ length: SYNC_REJECTED_MAX + 1 }, (_, firstSeq) => ({
      ...NOBODY,
      firstSeq,
      payloads: [new Uint8Array(20)],
    }));
    it.send({ type: 'runs', runs });
    const report = await it.refused(/no good/);
    assert.equal(report.received, 0);
    assert.equal(it.victim.contents().length, 1);
  });

  it('is told to go on later when too much of what it sends must wait', async () => {
    const it = attack();
    it.victim.ingest = (runs) =>
      Promise.resolve({
        added: 0,
        pending: runs.flatMap((run) => run.payloads).length,
        rejected: [],
        forks: 0,
      });
    await it.open();
    const payloads = new Array<Uint8Array>(5_001).fill(new Uint8Array(20));
    it.send({ type: 'runs', runs: [{ ...NOBODY, firstSeq: 0, payloads }] });
    await settle();
    assert.notEqual(it.heard.at(-1)?.type, 'error');
    it.send({ type: 'runs', runs: [{ ...NOBODY, firstSeq: 5_001, payloads }] });
    const report = await it.refused(new RegExp(`over ${PENDING_COMMITS_MAX} commits that wait`));
    assert.equal(report.error?.details['refusal'], 'later');
  });

  it('sends commits with altered bytes, of another log or another workspace: none gets in', async () => {
    const it = attack();
    const [stranger] = workspaceOf(['a'], 'another workspace');
    assert.ok(stranger !== undefined);
    it.self.commit();
    stranger.commit();
    const [good] = runsOf(it.self);
    assert.ok(good !== undefined);
    const altered = good.payloads.map((payload) => {
      const copy = Uint8Array.from(payload);
      copy[copy.byteLength - 3] = (copy[copy.byteLength - 3] ?? 0) ^ 1;
      return copy;
    });
    const runs = [
      { ...good, payloads: altered },
      { ...good, epoch: '33'.repeat(8) },
      { ...good, dev: it.victim.device },
      { ...good, firstSeq: 4 },
      { ...good, cap: '44'.repeat(32), prev: '55'.repeat(32) },
      ...runsOf(stranger),
    ];
    await it.open();
    it.send({ type: 'runs', runs });
    it.end();
    await settle();
    assert.equal(it.victim.contents().length, 1);
    assert.equal(
      it.heard.some(({ type }) => type === 'done'),
      true,
      'it is told how many',
    );
    const done = it.heard.find((message) => message.type === 'done');
    assert.ok(done?.type === 'done' && done.heldBack === runs.length);
    assert.equal(it.victim.checkpoints.size, 0);
  });

  it('replays what another session said: it does not end well, and nothing changes', async () => {
    const [a, b] = workspaceOf(['a', 'b']);
    assert.ok(a !== undefined && b !== undefined);
    a.commit();
    const recorded = await exchange(a, b);
    const [, fresh] = workspaceOf(['a', 'b']);
    assert.ok(fresh !== undefined);
    const link = linked();
    const ports = { clock: new TestClock(), rng: seededRng(77) };
    const report = runSync(fresh, link.far, ports, { mode: 'answer' });
    for (const { from, frame } of recorded.passed) {
      if (from === 'near') await link.near.send(frame).catch(() => undefined);
    }
    await settle();
    await link.near.close();
    assert.match((await report).error?.message ?? '', /does not match what came before/);
    assert.equal(fresh.checkpoints.size, 0);
    assert.ok(fresh.contents().every((id) => a.contents().includes(id)));
  });

  it('is an answerer that lies about its vector: the dialler loses nothing', async () => {
    const [a, b] = workspaceOf(['a', 'b']);
    assert.ok(a !== undefined && b !== undefined);
    a.commit();
    b.commit();
    const before = a.contents();
    const honest = b.have();
    b.have = () =>
      honest.map((entry) => ({ ...entry, seq: 1_000_000, head: hashHex('wn/blob/1') }));
    const { near } = await exchange(a, b);
    assert.equal(near.error, null);
    assert.ok(before.every((id) => a.contents().includes(id)));
  });
});
