import assert from 'node:assert/strict';
import {
  PENDING_COMMITS_MAX,
  SYNC_ABSENT_BLOBS_MAX,
  SYNC_CHUNK_CREDIT_BYTES,
  SYNC_CREDIT_BYTES,
  SYNC_CREDIT_STEP_BYTES,
  SYNC_FORKS_REPORTED_MAX,
  SYNC_REJECTED_MAX,
} from '../../src/core/limits.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { bound, NO_FRAMES } from '../../src/sync/digest.js';
import type { SyncEffect } from '../../src/sync/effects.js';
import { encodeMessage, type Message } from '../../src/sync/frames.js';
import { Incoming } from '../../src/sync/incoming.js';
import { exchange } from './channels.js';
import { workspaceOf } from './workspace.js';

const hashOf = (n: number): string => n.toString(16).padStart(64, '0');
const nothing = { blobsWanted: () => [] };

function sent(effects: readonly SyncEffect[]): readonly Message[] {
  return effects.flatMap((effect) => {
    const message = effect.do === 'send' ? decodeMessage(effect.frame) : null;
    return message === null ? [] : [message];
  });
}

function runsOf(bytes: number): Extract<Message, { type: 'runs' }> {
  const payloads = [new Uint8Array(bytes)];
  const dev = '11'.repeat(32);
  const run = { dev, epoch: '22'.repeat(8), firstSeq: 0, prev: null, cap: null, payloads };
  return { type: 'runs', runs: [run] };
}

const counts = { added: 0, pending: 0, rejected: [], forks: 0 };

const config = {
  store: nothing,
  receiving: true,
  wantsBlobs: true,
  creditMax: SYNC_CREDIT_BYTES,
} as const;

describe('the receiving half', () => {
  it('holds the peer to its credit, to the byte', () => {
    const incoming = new Incoming(config);
    const half = new Uint8Array(SYNC_CREDIT_BYTES / 2);
    incoming.take(runsOf(5), half);
    incoming.take(runsOf(5), half);
    assert.throws(() => incoming.take(runsOf(5), new Uint8Array(1)), /beyond the credit/);
  });

  it('gives credit back for what is stored, not before, and in steps', () => {
    const incoming = new Incoming(config);
    incoming.take(runsOf(5), new Uint8Array(SYNC_CREDIT_STEP_BYTES - 1));
    const [ingest, ...more] = incoming.effects([]);
    assert.equal(ingest?.do, 'ingest');
    assert.deepEqual(more, []);
    incoming.take(runsOf(5), new Uint8Array(1));
    assert.deepEqual(incoming.effects([]), [], 'one batch at a time');
    incoming.ingested(counts);
    assert.deepEqual(sent(incoming.effects([])), [], 'too little for a step');
    incoming.ingested(counts);
    assert.deepEqual(sent(incoming.effects([])), [
      { type: 'credit', bytes: SYNC_CREDIT_STEP_BYTES },
    ]);
  });

  it('grants more, once, with the first chunks that it asks for', () => {
    let wanted = [hashOf(1)];
    const store = { blobsWanted: () => wanted };
    const incoming = new Incoming({ ...config, store, creditMax: SYNC_CHUNK_CREDIT_BYTES });
    const digest = bound([], NO_FRAMES);
    incoming.takeEnd({ type: 'end', commits: 0, satisfied: true, digest }, []);
    const more = SYNC_CHUNK_CREDIT_BYTES - SYNC_CREDIT_BYTES;
    assert.deepEqual(sent(incoming.effects([])), [
      { type: 'credit', bytes: more },
      { type: 'want', hashes: wanted },
    ]);
    const blob = { type: 'blob', hash: hashOf(1), bytes: null } as const;
    assert.throws(
      () => incoming.take(blob, new Uint8Array(SYNC_CHUNK_CREDIT_BYTES + 1)),
      /beyond the credit/,
    );
    incoming.take(blob, new Uint8Array(SYNC_CHUNK_CREDIT_BYTES));
    wanted = [hashOf(2)];
    assert.deepEqual(sent(incoming.effects([])), [
      { type: 'credit', bytes: SYNC_CHUNK_CREDIT_BYTES },
      { type: 'want', hashes: wanted },
    ]);
  });

  it('refuses one bad run, or one waiting commit, more than it may', () => {
    const incoming = new Incoming(config);
    const rejected = new Array(SYNC_REJECTED_MAX).fill({ what: 'it', why: 'bad' });
    incoming.ingested({ ...counts, rejected, pending: PENDING_COMMITS_MAX });
    incoming.checkStored();
    incoming.ingested({ ...counts, pending: 1 });
    assert.throws(() => incoming.checkStored(), /that wait for others/);
    incoming.ingested({ ...counts, rejected: rejected.slice(0, 1) });
    assert.throws(() => incoming.checkStored(), /no good/);
  });

  it('gives up on chunks that the peer lacks too, after so many', () => {
    const store = {
      blobsWanted: (limit: number) => Array.from({ length: limit }, (_, n) => hashOf(n)),
    };
    const incoming = new Incoming({ ...config, store });
    const digest = bound([], NO_FRAMES);
    incoming.takeEnd({ type: 'end', commits: 0, satisfied: true, digest }, []);
    let asked = 0;
    while (!incoming.done) {
      for (const message of sent(incoming.effects([]))) {
        if (message.type !== 'want') continue;
        asked += message.hashes.length;
        for (const hash of message.hashes) {
          const absent = { type: 'blob', hash, bytes: null } as const;
          incoming.take(absent, encodeMessage(absent));
        }
      }
    }
    assert.equal(asked, SYNC_ABSENT_BLOBS_MAX);
    assert.equal(incoming.blobsAbsent, SYNC_ABSENT_BLOBS_MAX);
  });
});

describe('fork spam', () => {
  it('is reported up to a bound', async () => {
    const [a, b] = workspaceOf(['a', 'b']);
    assert.ok(a !== undefined && b !== undefined);
    a.have = () =>
      Array.from({ length: SYNC_FORKS_REPORTED_MAX + 50 }, (_, n) => ({
        dev: hashOf(n),
        epoch: '22'.repeat(8),
        seq: 1,
        head: hashOf(7),
      }));
    b.headsAt = () => [hashOf(8).replaceAll('0', '1')];
    const { far } = await exchange(a, b);
    assert.equal(far.error, null);
    assert.equal(far.forks.length, SYNC_FORKS_REPORTED_MAX);
  });
});
