import assert from 'node:assert/strict';
import { LOG_PROBLEMS_MAX } from '../../../src/core/limits.js';
import { encodeRecord } from '../../../src/core/frame.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import { checkLogs, type CheckOptions } from '../../../src/repo/log/check.js';
import { encodeSegment, placeAfter, segmentPath } from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { Chain, lastEnd, write, WORKSPACE } from './chains.js';
import { MemoryStorage } from './storage.js';

const open = (storage: MemoryStorage): LogStore => new LogStore(storage, nodeDeflate);
const OPTIONS: CheckOptions = { ws: WORKSPACE, acknowledged: () => null };

/** One log of three segments, two sealed, with two commits each. */
async function threeSegments(storage: MemoryStorage, name = 1): Promise<Chain> {
  const store = open(storage);
  const chain = new Chain(name);
  let end = lastEnd(await write(store, chain, 2, null));
  await store.seal(chain.key, 0);
  end = lastEnd(await write(store, chain, 2, end));
  await store.seal(chain.key, 0);
  await write(store, chain, 2, end);
  return chain;
}

describe('log check', () => {
  it('finds nothing wrong with good logs, and sees every commit and head', async () => {
    const storage = new MemoryStorage();
    const chains = [await threeSegments(storage, 1), await threeSegments(storage, 2)];
    const seen: string[] = [];
    const files: string[] = [];
    const check = await checkLogs(open(storage), {
      ...OPTIONS,
      inspect: (commit) => (seen.push(commit.id), null),
      onProgress: ({ file }) => files.push(file),
    });
    assert.deepEqual([check.logs, check.commits], [2, 12]);
    assert.deepEqual([check.problems, check.problemsTotal, check.torn], [[], 0, []]);
    const ids = chains.flatMap((chain) => chain.commits.map((commit) => commit.id));
    assert.deepEqual(seen.sort(), ids.sort());
    assert.deepEqual(files, [...storage.files.keys()].sort());
    for (const chain of chains) {
      const head = check.heads.find(({ dev }) => dev === chain.key.dev);
      assert.deepEqual(head, { ...chain.key, seq: 5, id: chain.commits[5]?.id });
    }
  });

  it('names a segment that does not continue the one before', async () => {
    const storage = new MemoryStorage();
    const chain = await threeSegments(storage);
    const file = segmentPath(chain.key, 4, 'tail');
    const place = { ...placeAfter(chain.commits[3]!, { ...chain.place, seq: 3 }) };
    const forged = { ...place, prev: 'dd'.repeat(32) };
    storage.files.set(file, encodeSegment(forged, chain.payloads.slice(4)));
    const { problems, commits } = await checkLogs(open(storage), OPTIONS);
    assert.deepEqual(
      problems.map(({ file: at, offset, what }) => [at, offset, what]),
      [[file, 0, 'the segment does not continue commit 3 of its log']],
    );
    assert.equal(commits, 6);
  });

  it('names damage once, and believes the next segment', async () => {
    const storage = new MemoryStorage();
    const chain = await threeSegments(storage);
    const file = segmentPath(chain.key, 2, 'sealed');
    const bytes = storage.bytes(file);
    bytes[bytes.byteLength - 3] = (bytes.at(-3) ?? 0) ^ 1;
    storage.files.set(file, bytes);
    const { problems, commits, heads } = await checkLogs(open(storage), OPTIONS);
    assert.deepEqual(
      problems.map((problem) => [problem.file, problem.what]),
      [[file, 'a block is damaged']],
    );
    assert.equal(commits, 4);
    assert.equal(heads[0]?.id, chain.commits[5]?.id);
  });

  it('names a record that is no commit, and trusts nothing behind it in its segment', async () => {
    const storage = new MemoryStorage();
    const chain = await threeSegments(storage);
    const file = segmentPath(chain.key, 4, 'tail');
    const tail = storage.bytes(file);
    const junk = encodeRecord(Uint8Array.of(0x80));
    storage.files.set(file, Buffer.concat([tail, junk, junk]));
    const { problems, commits, heads } = await checkLogs(open(storage), OPTIONS);
    assert.equal(commits, 6);
    assert.deepEqual(heads, []);
    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.offset, tail.byteLength);
    assert.match(problems[0]?.what ?? '', /^commit 6 can't be decoded/);
  });

  it('names segments of another workspace, and what the caller finds wrong', async () => {
    const storage = new MemoryStorage();
    const chain = await threeSegments(storage);
    const bad = chain.commits[1]?.id;
    const inspect: CheckOptions['inspect'] = ({ id }) => (id === bad ? 'is not signed' : null);
    const inspected = await checkLogs(open(storage), { ...OPTIONS, inspect });
    assert.deepEqual(
      inspected.problems.map(({ what }) => what.replace(/\d+ inside/, 'N inside')),
      ['commit 1 is not signed (at byte N inside)'],
    );
    const { problems } = await checkLogs(open(storage), { ...OPTIONS, ws: 'ab'.repeat(32) });
    assert.deepEqual(
      problems.map(({ what }) => what),
      Array(3).fill('the segment is of another workspace'),
    );
  });

  it('does not count a torn tail as a problem', async () => {
    const storage = new MemoryStorage();
    const chain = await threeSegments(storage);
    const file = segmentPath(chain.key, 4, 'tail');
    storage.files.set(file, storage.bytes(file).subarray(0, -1));
    const { problems, torn, commits } = await checkLogs(open(storage), OPTIONS);
    assert.deepEqual([problems.length, commits], [0, 5]);
    assert.deepEqual(
      torn.map((item) => item.file),
      [file],
    );
  });

  it('lists problems up to the bound and counts the rest', async () => {
    const storage = new MemoryStorage();
    const chain = new Chain(1);
    await write(open(storage), chain, LOG_PROBLEMS_MAX + 5, null);
    const check = await checkLogs(open(storage), { ...OPTIONS, inspect: () => 'is wrong' });
    assert.equal(check.problems.length, LOG_PROBLEMS_MAX);
    assert.equal(check.problemsTotal, LOG_PROBLEMS_MAX + 5);
  });
});
