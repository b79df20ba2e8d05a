/**
 * Every byte of a small log flipped and every length cut, one at a time: noticed and
 * named, or recognised as torn at the very end; never a crash, never another payload.
 */
import assert from 'node:assert/strict';
import { toHex } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { SEALED_BLOCK_BYTES } from '../../../src/core/limits.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import { checkLogs } from '../../../src/repo/log/check.js';
import type { ScanItem } from '../../../src/repo/log/scan.js';
import {
  segmentPath,
  STREAM_BYTES_MAX,
  type LogOffset,
  type Position,
} from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { brief, Chain, lastEnd, scanAll, WORKSPACE, write } from './chains.js';
import { MemoryStorage } from './storage.js';

/** Each changes every byte value. */
const FLIPS = [0x01, 0x80, 0xff];

interface Log {
  readonly chain: Chain;
  readonly file: string;
  readonly bytes: Buffer;
  readonly positions: readonly Position[];
}

/** Three commits in a tail; the last one's append is of its own. */
async function tail(): Promise<Log> {
  const storage = new MemoryStorage();
  const store = new LogStore(storage, nodeDeflate);
  const chain = new Chain(1);
  const first = await write(store, chain, 2, null);
  const second = await write(store, chain, 1, lastEnd(first));
  const file = segmentPath(chain.key, 0, 'tail');
  return { chain, file, bytes: storage.bytes(file), positions: [...first, ...second] };
}

/** Three commits over two sealed blocks. */
async function sealed(): Promise<Log> {
  const storage = new MemoryStorage();
  const store = new LogStore(storage, nodeDeflate);
  const chain = new Chain(2);
  const positions = await write(store, chain, 3, null, 'a'.repeat(SEALED_BLOCK_BYTES * 0.4));
  await store.seal(chain.key, 0);
  const file = segmentPath(chain.key, 0, 'sealed');
  return { chain, file, bytes: storage.bytes(file), positions };
}

interface Seen {
  readonly scanned: readonly ScanItem[];
  /** How many payloads could be had by position. */
  readonly readable: number;
  readonly problems: number;
  readonly torn: number;
}

/** Reads a changed file in every way; fails if anything read isn't what was written. */
async function look(log: Log, bytes: Uint8Array, acknowledged: LogOffset | null): Promise<Seen> {
  const store = new LogStore(new MemoryStorage(new Map([[log.file, bytes]])), nodeDeflate);
  const scanned = await scanAll(store, log.chain.key, { acknowledged });
  for (const item of scanned) {
    if (item.kind === 'commit') assertWritten(log, item.seq, item.payload);
    if (item.kind === 'damage' || item.kind === 'torn') assert.equal(item.file, log.file);
    if (item.kind === 'damage') assert.ok(item.offset <= log.bytes.byteLength && item.what !== '');
  }
  let readable = 0;
  log.positions.forEach((position, seq) => {
    try {
      assertWritten(log, seq, store.payload(log.chain.key, position));
      readable += 1;
    } catch (error) {
      assert.ok(error instanceof WnError && error.code === 'damage', String(error));
    }
  });
  const check = await checkLogs(store, { ws: WORKSPACE, acknowledged: () => acknowledged });
  for (const problem of check.problems) {
    assert.equal(problem.file, log.file);
    assert.match(problem.remedy, /wn fsck --repair/);
  }
  return { scanned, readable, problems: check.problems.length, torn: check.torn.length };
}

function assertWritten(log: Log, seq: number, payload: Uint8Array): void {
  assert.equal(
    toHex(payload),
    toHex(log.chain.payloads[seq] ?? new Uint8Array(0)),
    `commit ${seq}`,
  );
}

function ending(seen: Seen): string {
  return seen.scanned.at(-1)?.kind ?? 'nothing';
}

async function forEachFlip(
  log: Log,
  acknowledged: LogOffset | null,
  expect: (seen: Seen, at: number, where: string) => void,
  flips: (at: number) => readonly number[] = () => FLIPS,
): Promise<void> {
  for (let at = 0; at < log.bytes.byteLength; at++) {
    for (const flip of flips(at)) {
      const bytes = Buffer.from(log.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      const seen = await look(log, bytes, acknowledged);
      expect(seen, at, `byte ${at} of ${log.bytes.byteLength} ^ ${flip}`);
    }
  }
}

const isDamaged = (seen: Seen, _at: number, where: string): void => {
  assert.ok(
    seen.scanned.some((item) => item.kind === 'damage'),
    `${where}: no damage seen`,
  );
  assert.equal(seen.torn, 0, `${where}: called torn`);
  assert.ok(seen.problems > 0, `${where}: fsck saw nothing`);
};

describe('log store: damage', function () {
  this.timeout(60_000);

  it('notices every flipped byte of a tail whose commits were acknowledged', async () => {
    const log = await tail();
    await forEachFlip(log, lastEnd(log.positions), isDamaged);
  });

  it('takes no flipped byte of a tail for a torn append when the index is gone', async () => {
    await forEachFlip(await tail(), null, isDamaged);
  });

  it('tells what was acknowledged from what was not, at every byte', async () => {
    const log = await tail();
    const acknowledged = lastEnd(log.positions.slice(0, 2));
    await forEachFlip(log, acknowledged, (seen, at, where) => {
      if (at < acknowledged.offset) return isDamaged(seen, at, where);
      assert.equal(ending(seen), 'torn', where);
      assert.equal(seen.problems, 0, where);
    });
  });

  it('notices every flipped byte of a sealed segment', async () => {
    await forEachFlip(await sealed(), null, isDamaged, (at) => [FLIPS[at % 3] ?? 1]);
  });

  it('recognises a tail cut at every length as torn, or as cut off what was acknowledged', async () => {
    const log = await tail();
    const whole = lastEnd(log.positions).offset;
    const ends = log.positions.map((position) => position.offset);
    for (let length = 0; length < whole; length++) {
      const bytes = log.bytes.subarray(0, length);
      const atEnd = length === 0 || ends.includes(length);
      const held = log.positions.filter(({ offset, length: size }) => offset + size <= length);
      const unknown = await look(log, bytes, null);
      assert.equal(unknown.torn, atEnd ? 0 : 1, `cut at ${length}: torn`);
      assert.equal(unknown.problems, 0, `cut at ${length}: problems`);
      assert.equal(unknown.readable, held.length, `cut at ${length}: readable`);
      const known = await look(log, bytes, lastEnd(log.positions));
      assert.equal(ending(known), 'damage', `cut at ${length}, acknowledged`);
      assert.equal(known.torn, 0, `cut at ${length}, acknowledged: torn`);
    }
  });

  it('notices a sealed segment cut at every length', async () => {
    const log = await sealed();
    for (let length = 0; length < log.bytes.byteLength; length++) {
      const seen = await look(log, log.bytes.subarray(0, length), null);
      isDamaged(seen, length, `cut at ${length}`);
    }
    const longer = await look(log, Buffer.concat([log.bytes, Buffer.of(0)]), null);
    isDamaged(longer, log.bytes.byteLength, 'one byte more');
    assert.equal(longer.readable, 3);
  });

  it('recognises zeros at the end as torn, unless a commit stands behind them', async () => {
    const log = await tail();
    const zeros = Buffer.concat([log.bytes, new Uint8Array(5_000)]);
    assert.equal(ending(await look(log, zeros, null)), 'torn');
    const sector = Buffer.from(log.bytes);
    const hole = lastEnd(log.positions.slice(0, 1)).offset + 20;
    const filled = Buffer.concat([sector.subarray(0, hole), new Uint8Array(2_000)]);
    assert.equal(ending(await look(log, filled, null)), 'torn');
    const last = log.bytes.subarray(log.positions[2]?.offset);
    const between = Buffer.concat([log.bytes, new Uint8Array(1_000), last]);
    assert.equal(ending(await look(log, between, null)), 'damage');
    const behind = Buffer.concat([between, new Uint8Array(1_000)]);
    assert.equal(ending(await look(log, behind, null)), 'damage');
  });

  it('gives up the search for commits behind a bad one at its bound, and cuts nothing', async () => {
    const log = await tail();
    const trap = Buffer.alloc(6 * 1024 * 1024);
    for (let at = 0; at + 9 < trap.byteLength; at += 9) {
      trap.writeUInt32LE(1024 * 1024, at);
      trap[at + 8] = 0x87;
    }
    const zeros = new Uint8Array(1_000);
    const seen = await look(log, Buffer.concat([log.bytes, trap, zeros]), null);
    assert.equal(ending(seen), 'damage');
    const short = Buffer.concat([log.bytes, trap.subarray(0, 9_000), zeros]);
    assert.equal(ending(await look(log, short, null)), 'torn');
  });

  it('cuts what is torn and nothing else, and appends there again', async () => {
    const log = await tail();
    const storage = new MemoryStorage(new Map([[log.file, log.bytes.subarray(0, -3)]]));
    const store = new LogStore(storage, nodeDeflate);
    const two = lastEnd(log.positions.slice(0, 2));
    assert.equal(await store.cutTorn(log.chain.key, lastEnd(log.positions)), null);
    assert.equal(storage.changes, 0);
    const cut = await store.cutTorn(log.chain.key, two);
    assert.deepEqual([cut?.file, cut?.offset], [log.file, two.offset]);
    assert.equal(await store.cutTorn(log.chain.key, two), null);
    assert.equal(storage.bytes(log.file).byteLength, two.offset);
  });

  it('calls nothing torn that another segment follows', async () => {
    const log = await tail();
    const storage = new MemoryStorage(new Map([[log.file, log.bytes]]));
    const store = new LogStore(storage, nodeDeflate);
    await store.seal(log.chain.key, 0);
    await write(store, log.chain, 1, lastEnd(log.positions));
    await storage.remove(segmentPath(log.chain.key, 0, 'sealed'));
    storage.files.set(log.file, log.bytes.subarray(0, -3));
    const offset = log.positions[2]?.offset;
    assert.deepEqual(brief(await scanAll(store, log.chain.key)), [
      'commit 0',
      'commit 1',
      `damage ${offset} a commit is damaged`,
      'commit 3',
    ]);
    assert.equal(await store.cutTorn(log.chain.key, null), null);
  });

  it('calls a file damaged that is longer than a segment can be', async () => {
    const log = await tail();
    const bytes = Buffer.concat([log.bytes, new Uint8Array(STREAM_BYTES_MAX)]);
    const store = new LogStore(new MemoryStorage(new Map([[log.file, bytes]])), nodeDeflate);
    assert.deepEqual(brief(await scanAll(store, log.chain.key)).slice(3), [
      `damage ${STREAM_BYTES_MAX} the file is longer than a segment can be`,
    ]);
  });

  it('reads the segment behind a damaged one, and says what is lost', async () => {
    const storage = new MemoryStorage();
    const store = new LogStore(storage, nodeDeflate);
    const chain = new Chain(1);
    const first = await write(store, chain, 3, null);
    await store.seal(chain.key, 0);
    await write(store, chain, 2, lastEnd(first));
    const file = segmentPath(chain.key, 0, 'sealed');
    const bytes = storage.bytes(file);
    bytes[bytes.byteLength - 5] = (bytes.at(-5) ?? 0) ^ 1;
    storage.files.set(file, bytes);
    const items = await scanAll(store, chain.key);
    const [damaged] = items.filter((item) => item.kind === 'damage');
    assert.deepEqual(damaged?.kind === 'damage' && damaged.lost, { from: 0, to: 3 });
    assert.deepEqual(
      items.flatMap((item) => (item.kind === 'commit' ? [item.seq] : [])),
      [3, 4],
    );
  });
});
