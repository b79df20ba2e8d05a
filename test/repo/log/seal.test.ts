import assert from 'node:assert/strict';
import { toHex, utf8 } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { encodeRecord } from '../../../src/core/frame.js';
import { encodeCanonical } from '../../../src/core/canonical.js';
import { SEALED_BLOCK_BYTES, SEALED_HEAD_BYTES_MAX } from '../../../src/core/limits.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import { encodeSealed, readSealedHead, unseal } from '../../../src/repo/log/sealed.js';
import {
  encodeSegment,
  segmentPath,
  STREAM_BYTES_MAX,
  type Position,
} from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { brief, Chain, lastEnd, scanAll, write } from './chains.js';
import { Crash, MemoryStorage, TEARS } from './storage.js';

const open = (storage: MemoryStorage): LogStore => new LogStore(storage, nodeDeflate);
const TEXT = 'some text '.repeat(3_000);

interface Log {
  readonly storage: MemoryStorage;
  readonly chain: Chain;
  readonly positions: readonly Position[];
  readonly tail: string;
  readonly sealed: string;
}

async function written(count = 5): Promise<Log> {
  const storage = new MemoryStorage();
  const chain = new Chain(3);
  const positions = await write(open(storage), chain, count, null, TEXT);
  const tail = segmentPath(chain.key, 0, 'tail');
  return { storage, chain, positions, tail, sealed: segmentPath(chain.key, 0, 'sealed') };
}

async function assertAllReads({ chain, positions }: Log, storage: MemoryStorage): Promise<void> {
  const store = open(storage);
  positions.forEach((position, seq) =>
    assert.equal(toHex(store.payload(chain.key, position)), toHex(chain.payloads[seq]!)),
  );
  const kinds = (await scanAll(store, chain.key)).map((item) => item.kind);
  assert.deepEqual(kinds, ['segment', ...positions.map(() => 'commit')]);
}

describe('log store: sealing', () => {
  it('keeps every position, shrinks the file, and removes the tail', async () => {
    const log = await written();
    const before = log.storage.bytes(log.tail).byteLength;
    const [result] = await open(log.storage).seal(log.chain.key, 0);
    assert.ok(result?.kind === 'sealed');
    assert.deepEqual([result.file, result.before], [log.sealed, before]);
    assert.ok(result.after < before / 10);
    assert.deepEqual([...log.storage.files.keys()], [log.sealed]);
    await assertAllReads(log, log.storage);
  });

  it('leaves tails below the bound alone, and those without commits', async () => {
    const log = await written();
    assert.deepEqual(await open(log.storage).seal(log.chain.key), []);
    assert.equal(log.storage.changes, 1);
    log.storage.files.set(log.tail, new Uint8Array(0));
    assert.deepEqual(await open(log.storage).seal(log.chain.key, 0), []);
  });

  it('goes on in a new segment', async () => {
    const { storage, chain, positions } = await written();
    const store = open(storage);
    await store.seal(chain.key, 0);
    const more = await write(store, chain, 2, lastEnd(positions));
    assert.deepEqual(
      more.map((position) => position.segment),
      [5, 5],
    );
    assert.equal(brief(await scanAll(store, chain.key)).length, 7);
    const again = await write(store, chain, 1, lastEnd(more));
    assert.equal(again[0]?.segment, 5);
  });

  it('loses nothing in a crash at any step, and finishes when run again', async () => {
    const log = await written();
    const steps = 2; // the sealed form is written; the tail is removed
    for (let step = 1; step <= steps + 1; step++) {
      for (const tear of TEARS) {
        const storage = log.storage.copy();
        storage.crashIn(step, tear);
        const crash = await open(storage)
          .seal(log.chain.key, 0)
          .then(
            () => null,
            (error: unknown) => error,
          );
        assert.equal(crash instanceof Crash, step <= steps, `step ${step}`);
        const after = storage.copy();
        await assertAllReads(log, after);
        const more = after.copy();
        await open(after).seal(log.chain.key, 0);
        assert.deepEqual([...after.files.keys()], [log.sealed], `step ${step}, ${tear}`);
        await assertAllReads(log, after);
        const chain = new Chain(3);
        chain.grow(5, TEXT);
        const [at] = await write(open(more), chain, 1, lastEnd(log.positions), TEXT);
        const isSealed = more.files.has(log.sealed);
        assert.equal(at?.segment, isSealed ? 5 : 0, `appends after step ${step}, ${tear}`);
        assert.equal(brief(await scanAll(open(more), log.chain.key)).at(-1), 'commit 5');
      }
    }
  });

  it('keeps a tail that ends in no commit, and one whose sealed form does not read back', async () => {
    const log = await written();
    const torn = log.storage.copy();
    await torn.append(log.tail, Uint8Array.of(1, 2, 3));
    const [kept] = await open(torn).seal(log.chain.key, 0);
    assert.ok(kept?.kind === 'kept');
    assert.deepEqual([kept.file, kept.offset], [log.tail, lastEnd(log.positions).offset]);
    assert.deepEqual([...torn.files.keys()], [log.tail]);

    const lying = log.storage.copy();
    lying.replace = (path, bytes) => {
      lying.files.set(path, bytes.slice(0, -1));
      return Promise.resolve();
    };
    const [unsure] = await open(lying).seal(log.chain.key, 0);
    assert.equal(unsure?.kind, 'kept');
    assert.deepEqual([...lying.files.keys()], [log.tail]);
    await assertAllReads(log, lying);
  });

  it('writes a damaged sealed form anew from the tail beside it', async () => {
    const log = await written();
    const both = log.storage.copy();
    await open(both).seal(log.chain.key, 0);
    const bytes = both.bytes(log.sealed);
    bytes[bytes.byteLength - 9] = (bytes.at(-9) ?? 0) ^ 4;
    both.files.set(log.sealed, bytes);
    both.files.set(log.tail, log.storage.bytes(log.tail));
    const [result] = await open(both).seal(log.chain.key, 0);
    assert.equal(result?.kind, 'sealed');
    assert.deepEqual([...both.files.keys()], [log.sealed]);
    await assertAllReads(log, both);
  });

  it('never lets a shorter tail replace a longer sealed form', async () => {
    const log = await written();
    const both = log.storage.copy();
    await open(both).seal(log.chain.key, 0);
    const short = log.storage.bytes(log.tail).subarray(0, log.positions[2]?.offset);
    both.files.set(log.tail, short);
    assert.equal((await open(both).seal(log.chain.key, 0))[0]?.kind, 'sealed');
    await assertAllReads(log, both);
    const other = encodeSegment(
      { ...new Chain(3).place, cap: 'ee'.repeat(32) },
      log.chain.payloads,
    );
    both.files.set(log.tail, other);
    assert.equal((await open(both).seal(log.chain.key, 0))[0]?.kind, 'kept');
    assert.deepEqual([...both.files.keys()].sort(), [log.tail, log.sealed]);
    await assertAllReads(log, both);
  });
});

describe('log store: shipping sealed segments', () => {
  it('installs the very file that another store sealed', async () => {
    const log = await written();
    const source = open(log.storage);
    assert.equal(await source.readSealed(log.chain.key, 0), null);
    await source.seal(log.chain.key, 0);
    const file = await source.readSealed(log.chain.key, 0);
    assert.ok(file !== null);
    const target = new MemoryStorage();
    const info = await open(target).install(log.chain.key, file);
    assert.deepEqual(info, { first: 0, sealed: true, file: log.sealed });
    await assertAllReads(log, target);
  });

  it('replaces a damaged segment, and a tail that the new one continues', async () => {
    const log = await written();
    const file = await encodeSealed(log.storage.bytes(log.tail), 5, nodeDeflate);
    for (const flipped of [3, log.positions[3]?.offset ?? 0]) {
      const storage = log.storage.copy();
      const bytes = storage.bytes(log.tail);
      bytes[flipped] = (bytes[flipped] ?? 0) ^ 1;
      storage.files.set(log.tail, bytes);
      await open(storage).install(log.chain.key, file);
      assert.deepEqual([...storage.files.keys()], [log.sealed]);
      await assertAllReads(log, storage);
    }
  });

  it('refuses what would lose commits, is damaged, or of another log', async () => {
    const log = await written();
    const store = open(log.storage);
    const chain = new Chain(3);
    const shorter = encodeSegment(chain.place, log.chain.payloads.slice(0, 4));
    const refuse = async (file: Uint8Array, why: RegExp): Promise<void> => {
      await assert.rejects(store.install(log.chain.key, file), (error: unknown) => {
        assert.ok(error instanceof WnError && error.code === 'invalid', String(error));
        assert.match(error.message, why);
        return true;
      });
      await assertAllReads(log, log.storage);
    };
    await refuse(await encodeSealed(shorter, 4, nodeDeflate), /lacks commits/);
    await refuse(await encodeSealed(shorter, 5, nodeDeflate), /do not add up/);
    await refuse((await encodeSealed(shorter, 4, nodeDeflate)).subarray(0, -1), /cut short/);
    await refuse(utf8('wnsegz1\nnonsense'), /head/);
    const foreign = encodeSegment(new Chain(9).place, log.chain.payloads);
    await refuse(await encodeSealed(foreign, 5, nodeDeflate), /another log/);
    const rest = encodeSegment(chain.place, [...log.chain.payloads]);
    const ragged = Buffer.concat([rest, Buffer.of(1)]);
    await refuse(await encodeSealed(ragged, 5, nodeDeflate), /do not add up/);
  });
});

describe('sealed segments', () => {
  const place = new Chain(1).place;

  it('have a table that fits its bound at the longest stream', async () => {
    const stream = new Uint8Array(STREAM_BYTES_MAX);
    crypto.getRandomValues(stream.subarray(0, 65_536));
    for (let at = 65_536; at < stream.byteLength; at += 65_536) stream.copyWithin(at, 0, 65_536);
    const file = await encodeSealed(stream, 2 ** 32, nodeDeflate);
    const head = readSealedHead(file.subarray(0, SEALED_HEAD_BYTES_MAX));
    assert.equal(head?.streamBytes, STREAM_BYTES_MAX);
    assert.equal(head.blocks.length, Math.ceil(STREAM_BYTES_MAX / SEALED_BLOCK_BYTES));
    assert.ok(Buffer.from(unseal(file, nodeDeflate).stream).equals(stream));
    await assert.rejects(encodeSealed(new Uint8Array(STREAM_BYTES_MAX + 1), 1, nodeDeflate));
  });

  it('notice bits that inflating ignores', async () => {
    const file = Buffer.from(await encodeSealed(encodeSegment(place, []), 0, nodeDeflate));
    const last = file.byteLength - 1;
    file[last] = (file[last] ?? 0) ^ 0x80;
    assert.equal(unseal(file, nodeDeflate).damage?.what, 'a block is damaged');
  });

  it('refuse heads beyond their bounds before anything is read or inflated', () => {
    const head = (value: Parameters<typeof encodeCanonical>[0]): Uint8Array =>
      Buffer.concat([utf8('wnsegz1\n'), encodeRecord(encodeCanonical(value))]);
    assert.notEqual(readSealedHead(head([9, 1, [[5, 0]]])), null);
    assert.equal(readSealedHead(head([0, 0, []])), null, 'an empty stream');
    assert.equal(readSealedHead(head([STREAM_BYTES_MAX + 1, 1, []])), null, 'too long');
    assert.equal(
      readSealedHead(
        head([
          9,
          1,
          [
            [5, 0],
            [5, 0],
          ],
        ]),
      ),
      null,
      'a block too many',
    );
    assert.equal(readSealedHead(head([9, 1, [[70_000, 0]]])), null, 'a block too long');
    assert.equal(readSealedHead(head([9, 1, [[-5, 0]]])), null, 'a negative length');
    assert.equal(readSealedHead(head([9, 1])), null, 'no table');
  });

  it('do not let a bomb grow beyond its declared block', async () => {
    const bomb = await nodeDeflate.deflateRaw(new Uint8Array(64 * 1024 * 1024).fill(7));
    assert.ok(bomb.byteLength < SEALED_BLOCK_BYTES + 1024);
    assert.equal(nodeDeflate.inflateRaw(bomb, SEALED_BLOCK_BYTES), null);
    const small = await nodeDeflate.deflateRaw(new Uint8Array(100));
    assert.equal(nodeDeflate.inflateRaw(small, 99), null);
    assert.equal(nodeDeflate.inflateRaw(small, 100)?.byteLength, 100);
    assert.equal(nodeDeflate.inflateRaw(Buffer.concat([small, small]), 200), null, 'two streams');
    assert.equal(nodeDeflate.inflateRaw(small.subarray(0, -1), 100), null, 'cut short');
    assert.equal(nodeDeflate.inflateRaw(new Uint8Array(0), 100), null, 'nothing');
  });
});
