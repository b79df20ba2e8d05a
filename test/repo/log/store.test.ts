import assert from 'node:assert/strict';
import { toHex } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { decodePayload } from '../../../src/core/frame.js';
import {
  BLOCK_CACHE_BYTES,
  SEALED_HEADS_CACHED_MAX,
  SEGMENT_BYTES_MAX,
  SEGMENT_HEADER_BYTES_MAX,
} from '../../../src/core/limits.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import { encodeSealed } from '../../../src/repo/log/sealed.js';
import {
  encodeSegment,
  encodeSegmentHeader,
  isBefore,
  readSegmentHeader,
  segmentPath,
  type Position,
} from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { brief, Chain, lastEnd, scanAll, write } from './chains.js';
import { MemoryStorage } from './storage.js';

const open = (storage: MemoryStorage): LogStore => new LogStore(storage, nodeDeflate);
const BIG = 'x'.repeat(60_000);
/** Commits of `BIG` that fill a segment. */
const FULL = Math.ceil(SEGMENT_BYTES_MAX / 60_000);

describe('log store: appending and reading', () => {
  it('gives back each payload at its position, and all in order', async () => {
    const storage = new MemoryStorage();
    const chain = new Chain(1);
    const first = await write(open(storage), chain, 3, null);
    const second = await write(open(storage), chain, 2, lastEnd(first));
    const store = open(storage);
    [...first, ...second].forEach((position, index) =>
      assert.equal(toHex(store.payload(chain.key, position)), toHex(chain.payloads[index]!)),
    );
    const items = await scanAll(store, chain.key);
    assert.deepEqual(
      items.flatMap((item) => (item.kind === 'commit' ? [toHex(item.payload)] : [])),
      chain.payloads.map(toHex),
    );
    assert.deepEqual(
      items.flatMap((item) => (item.kind === 'commit' ? [item.position] : [])),
      [...first, ...second],
    );
    assert.deepEqual(await store.logs(), [chain.key]);
  });

  it('lists no logs where there are none', async () => {
    assert.deepEqual(await open(new MemoryStorage()).logs(), []);
  });

  it('makes several logs durable in one call', async () => {
    const storage = new MemoryStorage();
    const [one, two] = [new Chain(1), new Chain(2)];
    const batches = [one, two].map((chain) => ({ ...chain.grow(2), after: null }));
    await open(storage).append(batches);
    assert.equal(storage.changes, 1);
    for (const chain of [one, two]) {
      assert.deepEqual(brief(await scanAll(open(storage), chain.key)), ['commit 0', 'commit 1']);
    }
  });

  it('reads on from where a reader stopped', async () => {
    const store = open(new MemoryStorage());
    const chain = new Chain(1);
    const positions = await write(store, chain, 4, null);
    const from = { ...lastEnd(positions.slice(0, 2)), seq: 2 };
    assert.deepEqual(brief(await scanAll(store, chain.key, { from })), ['commit 2', 'commit 3']);
    const end = { ...lastEnd(positions), seq: 4 };
    assert.deepEqual(brief(await scanAll(store, chain.key, { from: end })), []);
  });

  it('opens a segment where the one before has SEGMENT_BYTES_MAX, also within a batch', async () => {
    const storage = new MemoryStorage();
    const store = open(storage);
    const chain = new Chain(1, 40);
    const positions = await write(store, chain, FULL + 3, null, BIG);
    const segments = await store.segments(chain.key);
    assert.deepEqual(
      segments.map((info) => info.first),
      [40, 40 + FULL],
    );
    const size = (await storage.size(segments[0]?.file ?? '')) ?? 0;
    assert.ok(size >= SEGMENT_BYTES_MAX && size - BIG.length - 1_000 < SEGMENT_BYTES_MAX);
    const items = await scanAll(store, chain.key);
    assert.equal(items.filter((item) => item.kind === 'commit').length, FULL + 3);
    const second = items.findLast((item) => item.kind === 'segment');
    assert.ok(second?.kind === 'segment');
    const next = chain.commits[FULL];
    assert.deepEqual([second.place.prev, second.place.seq], [next?.header.prev, 40 + FULL]);
    assert.equal(
      decodePayload(chain.payloads[FULL] ?? new Uint8Array(), second.place).id,
      next?.id,
    );
    assert.ok(positions.every((at, index) => index === 0 || isBefore(positions[index - 1]!, at)));
    await write(store, chain, 1, lastEnd(positions));
    assert.equal((await store.segments(chain.key)).length, 2);
  });

  it('tears no segment but the last when a batch that crosses segments is cut off', async () => {
    for (const crash of [1, 2]) {
      const storage = new MemoryStorage();
      const chain = new Chain(1);
      const batch = { ...chain.grow(FULL + 2, BIG), after: null };
      storage.crashIn(crash, 'half');
      await assert.rejects(open(storage).append([batch]));
      const after = storage.copy();
      const items = await scanAll(open(after), chain.key);
      const commits = items.filter((item) => item.kind === 'commit');
      assert.ok(!items.some((item) => item.kind === 'damage'), `crash ${crash}: damage`);
      assert.equal(items.at(-1)?.kind, 'torn', `crash ${crash}`);
      // The commits that are whole were caught up with; appending cuts the rest.
      chain.forget(commits.length);
      const end = lastEnd(commits.map((item) => item.position));
      await write(open(after), chain, 3, end, BIG);
      const expected = chain.commits.map((commit) => `commit ${commit.header.seq}`);
      assert.deepEqual(brief(await scanAll(open(after), chain.key)), expected, `crash ${crash}`);
    }
  });

  it('refuses two batches for one log, and payloads out of bounds', async () => {
    const store = open(new MemoryStorage());
    const batch = { ...new Chain(1).grow(1), after: null };
    await assert.rejects(store.append([batch, batch]), /two batches/);
    await assert.rejects(
      store.append([{ ...batch, payloads: [new Uint8Array(0)] }]),
      /out of bounds/,
    );
    const long = new Uint8Array(2 * 1024 * 1024 + 1);
    await assert.rejects(store.append([{ ...batch, payloads: [long] }]), /out of bounds/);
  });
});

describe('log store: the end of a log', () => {
  async function written(): Promise<{
    storage: MemoryStorage;
    chain: Chain;
    positions: readonly Position[];
    file: string;
  }> {
    const storage = new MemoryStorage();
    const chain = new Chain(1);
    const positions = await write(open(storage), chain, 3, null);
    return { storage, chain, positions, file: segmentPath(chain.key, 0, 'tail') };
  }

  it('cuts what another process left torn, then appends', async () => {
    const { storage, chain, positions, file } = await written();
    const store = open(storage);
    const end = lastEnd(positions);
    assert.equal(brief(await scanAll(store, chain.key)).length, 3);
    await storage.append(file, Uint8Array.of(200, 0, 0, 0, 9, 9));
    const more = await write(store, chain, 1, end);
    assert.equal(more[0]?.offset, end.offset);
    assert.equal(
      toHex(store.payload(chain.key, more[0] ?? positions[0]!)),
      toHex(chain.payloads[3]!),
    );
    assert.equal(brief(await scanAll(store, chain.key)).at(-1), 'commit 3');
  });

  it('stops on an append behind commits that the caller has not seen', async () => {
    const { storage, chain, positions } = await written();
    const end = lastEnd(positions);
    await write(open(storage), chain, 1, end);
    const before = storage.files.get(segmentPath(chain.key, 0, 'tail'));
    await assert.rejects(write(open(storage), chain, 1, end), /bug: .*moved on/);
    assert.equal(storage.files.get(segmentPath(chain.key, 0, 'tail')), before);
  });

  it('refuses to append where acknowledged commits are gone', async () => {
    const { storage, chain, positions, file } = await written();
    const end = lastEnd(positions);
    await storage.truncate(file, end.offset - 1);
    await assert.rejects(write(open(storage), chain, 1, end), isDamage(file));
    await storage.remove(file);
    await assert.rejects(write(open(storage), chain, 1, end), isDamage(file));
  });

  it('never writes over a damaged first segment of a log that it knows nothing of', async () => {
    const { storage, chain, file } = await written();
    const bytes = storage.bytes(file);
    bytes[3] = 0;
    storage.files.set(file, bytes);
    const again = new Chain(1).grow(1);
    await assert.rejects(open(storage).append([{ ...again, after: null }]), isDamage(file));
    assert.deepEqual(storage.bytes(file), bytes);
    assert.equal(brief(await scanAll(open(storage), chain.key)).length, 1);
  });

  it('cuts nothing that hides whole commits, whatever it was told', async () => {
    const { storage, chain, positions, file } = await written();
    const bytes = storage.bytes(file);
    const second = positions[1]?.offset ?? 0;
    bytes[second + 20] = (bytes[second + 20] ?? 0) ^ 1;
    storage.files.set(file, bytes);
    const acknowledged = lastEnd(positions.slice(0, 1));
    const expected = ['commit 0', `damage ${second} a commit is damaged`];
    assert.deepEqual(brief(await scanAll(open(storage), chain.key, { acknowledged })), expected);
    assert.equal(await open(storage).cutTorn(chain.key, acknowledged), null);
    chain.forget(1);
    await assert.rejects(write(open(storage), chain, 1, acknowledged), isDamage(file));
    assert.deepEqual(storage.bytes(file), bytes);
  });

  it('says that acknowledged commits are missing at the end, in a scan', async () => {
    const { storage, chain, positions, file } = await written();
    const acknowledged = lastEnd(positions);
    await storage.truncate(file, lastEnd(positions.slice(0, 2)).offset);
    const cut = 'the file ends before the last acknowledged commit';
    const offset = lastEnd(positions.slice(0, 2)).offset;
    assert.deepEqual(brief(await scanAll(open(storage), chain.key, { acknowledged })), [
      'commit 0',
      'commit 1',
      `damage ${offset} ${cut}`,
    ]);
    const from = { ...acknowledged, seq: 3 };
    assert.deepEqual(brief(await scanAll(open(storage), chain.key, { from, acknowledged })), [
      `damage ${offset} the file lost commits at its end`,
    ]);
    await storage.remove(file);
    const nothing = ['damage 0 the segment is missing'];
    assert.deepEqual(brief(await scanAll(open(storage), chain.key, { acknowledged })), nothing);
    assert.deepEqual(brief(await scanAll(open(storage), chain.key, { from })), nothing);
  });

  it('names a missing segment in the middle, and reads on behind it', async () => {
    const storage = new MemoryStorage();
    const store = open(storage);
    const chain = new Chain(1);
    let end = null;
    for (let segment = 0; segment < 3; segment++) {
      end = lastEnd(await write(store, chain, 2, end));
      await store.seal(chain.key, 0);
    }
    const whole = storage.copy();
    await storage.remove(segmentPath(chain.key, 2, 'sealed'));
    assert.deepEqual(brief(await scanAll(store, chain.key)), [
      'commit 0',
      'commit 1',
      'damage 0 the commits from seq 2 on, before this segment, are missing',
      'commit 4',
      'commit 5',
    ]);
    await whole.remove(segmentPath(chain.key, 0, 'sealed'));
    assert.equal(
      brief(await scanAll(open(whole), chain.key))[0],
      'damage 0 the segments before this one are missing',
    );
  });
});

describe('log store: payloads by position', () => {
  it('throws damage with file, offset and remedy', async () => {
    const storage = new MemoryStorage();
    const chain = new Chain(1);
    const [position] = await write(open(storage), chain, 1, null);
    assert.ok(position !== undefined);
    const file = segmentPath(chain.key, 0, 'tail');
    for (const wrong of [
      { ...position, offset: position.offset + 1 },
      { ...position, length: position.length + 1 },
      { ...position, length: position.length - 1 },
      { ...position, length: 2 ** 40 },
    ]) {
      assert.throws(() => open(storage).payload(chain.key, wrong), isDamage(file));
    }
    const elsewhere = { ...position, segment: 9 };
    const missing = segmentPath(chain.key, 9, 'sealed');
    assert.throws(() => open(storage).payload(chain.key, elsewhere), isDamage(missing));
  });

  it('sees what other processes append, cut and seal under its cache', async () => {
    const storage = new MemoryStorage();
    const [mine, theirs] = [open(storage), open(storage)];
    const chain = new Chain(1);
    const first = await write(mine, chain, 1, null);
    assert.equal(toHex(mine.payload(chain.key, first[0]!)), toHex(chain.payloads[0]!));
    const file = segmentPath(chain.key, 0, 'tail');
    await storage.append(file, new Uint8Array(400).fill(0xee));
    const junk = { segment: 0, offset: lastEnd(first).offset, length: 300 };
    assert.throws(() => mine.payload(chain.key, junk), isDamage(file));
    const second = await write(theirs, chain, 1, lastEnd(first));
    assert.equal(toHex(mine.payload(chain.key, second[0]!)), toHex(chain.payloads[1]!));
    await theirs.seal(chain.key, 0);
    assert.equal(toHex(open(storage).payload(chain.key, second[0]!)), toHex(chain.payloads[1]!));
    assert.equal(toHex(mine.payload(chain.key, second[0]!)), toHex(chain.payloads[1]!));
    assert.equal(brief(await scanAll(mine, chain.key)).length, 2);
  });
});

describe('log store: bounds', () => {
  it('keeps blocks up to BLOCK_CACHE_BYTES, those read last', async () => {
    const storage = new MemoryStorage();
    const chain = new Chain(1);
    const positions = await write(open(storage), chain, FULL, null, BIG);
    const store = open(storage);
    for (const position of positions) store.payload(chain.key, position);
    const keeps = Math.floor(BLOCK_CACHE_BYTES / (BIG.length + 1_000)) - 1;
    storage.reads = 0;
    for (const position of positions.slice(-keeps)) store.payload(chain.key, position);
    assert.equal(storage.reads, 0);
    for (const position of positions.slice(0, 3)) store.payload(chain.key, position);
    assert.ok(storage.reads > 0);
  });

  it('keeps SEALED_HEADS_CACHED_MAX tables of blocks', async () => {
    const storage = new MemoryStorage();
    const chains = await Promise.all(
      Array.from({ length: SEALED_HEADS_CACHED_MAX + 1 }, async (_, name) => {
        const chain = new Chain(name % 256, name);
        const { place, payloads } = chain.grow(2, BIG);
        const file = await encodeSealed(encodeSegment(place, payloads), 2, nodeDeflate);
        storage.files.set(segmentPath(chain.key, name, 'sealed'), file);
        return { chain, name, file };
      }),
    );
    const store = open(storage);
    const at = (name: number, index: number, chain: Chain): Position => {
      const ends = [0, 1, 2].map(
        (count) => encodeSegment(chain.start, chain.payloads.slice(0, count)).byteLength,
      );
      const offset = ends[index] ?? 0;
      return { segment: name, offset, length: (ends[index + 1] ?? 0) - offset };
    };
    for (const { chain, name } of chains) store.payload(chain.key, at(name, 0, chain));
    const reads = ({ chain, name }: { chain: Chain; name: number }): number => {
      storage.reads = 0;
      store.payload(chain.key, at(name, 1, chain));
      return storage.reads;
    };
    assert.equal(reads(chains.at(-1)!), 1, 'the block');
    assert.equal(reads(chains[0]!), 4, 'no tail, the table, both blocks');
  });

  it('has room for every segment header', () => {
    const id = 'ff'.repeat(32);
    const place = { ws: id, dev: id, epoch: 'ff'.repeat(8), seq: 10 ** 12 - 1, prev: id, cap: id };
    const header = encodeSegmentHeader(place);
    assert.deepEqual(readSegmentHeader(header), { place, next: header.byteLength });
    assert.ok(header.byteLength <= SEGMENT_HEADER_BYTES_MAX);
    assert.throws(() => segmentPath(place, 10 ** 12, 'tail'), /bug/);
  });
});

function isDamage(file: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof WnError, String(error));
    assert.equal(error.code, 'damage');
    assert.equal(error.details['file'], file);
    assert.equal(typeof error.details['offset'], 'number');
    assert.match(error.hint ?? '', /wn fsck --repair/);
    return true;
  };
}
