import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex } from '../../src/core/bytes.js';
import { hashHex } from '../../src/core/crypto.js';
import { WnError } from '../../src/core/errors.js';
import {
  FRAME_BYTES_MAX,
  SYNC_FRAME_BYTES_MAX,
  SYNC_HEADS_MAX,
  SYNC_HEADS_PER_PAGE,
  SYNC_MESSAGE_BYTES_MAX,
  SYNC_RUN_BYTES_MAX,
} from '../../src/core/limits.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { encodeMessage } from '../../src/sync/frames.js';
import { vectorOf } from '../../src/sync/have.js';
import { HaveReader, havePages } from '../../src/sync/havepages.js';
import { Assembly, packBlobs, packRuns } from '../../src/sync/pack.js';
import type { Run } from '../../src/sync/store.js';

const id = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const aRun = (payloads: readonly Uint8Array[], firstSeq = 0): Run => ({
  dev: toHex(id(1)),
  epoch: toHex(id(2, 8)),
  firstSeq,
  prev: null,
  cap: null,
  payloads,
});

describe('packing runs', () => {
  const reassembled = (frames: Iterable<{ readonly frame: Uint8Array }>): readonly Run[] => {
    const assembly = new Assembly();
    const runs: Run[] = [];
    for (const { frame } of frames) {
      assert.ok(frame.byteLength <= SYNC_FRAME_BYTES_MAX, 'a frame over its bound');
      const decoded = decodeMessage(frame);
      if (decoded?.type === 'runs') runs.push(...decoded.runs);
      else if (decoded?.type === 'part') runs.push(...(assembly.add(decoded) ?? []));
    }
    assert.equal(assembly.open, false);
    return runs;
  };

  it('keeps every payload, in order, in frames within their bound', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 400_000 }));
    const sizes = fc.array(fc.array(size, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
    fc.assert(
      fc.property(sizes, (shape) => {
        const runs = shape.map((each, at) =>
          aRun(
            each.map((n) => id(at, n)),
            at,
          ),
        );
        const got = reassembled([...packRuns(runs)]);
        assert.deepEqual(
          got.map((each) => [each.firstSeq, each.payloads.map((payload) => payload.byteLength)]),
          shape.map((each, at) => [at, each]),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('carries a run at the bound, in parts, and counts its commits with the last', () => {
    const runs = [aRun([id(1, FRAME_BYTES_MAX), id(2, SYNC_RUN_BYTES_MAX - FRAME_BYTES_MAX)])];
    const frames = [...packRuns(runs)];
    assert.ok(frames.length > 12);
    assert.deepEqual(frames.map((each) => each.commits).filter(Boolean), [2]);
    assert.equal(frames.at(-1)?.commits, 2);
    const [got] = reassembled(frames);
    assert.deepEqual(got?.payloads.map(digestOf), runs[0]?.payloads.map(digestOf));
  });

  it('is lazy: nothing is read beyond the frame that was taken', () => {
    let read = 0;
    function* source(): Generator<Run> {
      for (;;) {
        read += 1;
        yield aRun([id(1, 50_000)]);
      }
    }
    const frames = packRuns(source());
    assert.equal(read, 0);
    frames.next();
    assert.equal(read, 6);
  });

  it('holds what a peer sends in parts to the bound of a message', () => {
    const assembly = new Assembly();
    const part = { last: false, bytes: new Uint8Array(SYNC_FRAME_BYTES_MAX - 100) };
    const fits = Math.floor(SYNC_MESSAGE_BYTES_MAX / part.bytes.byteLength);
    for (let at = 0; at < fits; at++) assert.equal(assembly.add(part), null);
    assert.throws(() => assembly.add(part), /parts of over/);
  });

  it('takes parts of nothing but runs', () => {
    const inner = encodeMessage({ type: 'part', last: true, bytes: id(1, 4) });
    assert.throws(() => new Assembly().add({ last: true, bytes: inner }), /but RUNS/);
  });

  it('says of each chunk what it is, or that it is absent', () => {
    const held = toHex(id(5));
    const frames = [
      ...packBlobs({ readBlob: (hash) => (hash === held ? id(7, 9) : null) }, [held, toHex(id(6))]),
    ];
    assert.deepEqual(
      frames.map((each) => each.blobs),
      [1, 0],
    );
    const second = decodeMessage(frames[1]?.frame ?? id(0));
    assert.ok(second?.type === 'blob' && second.bytes === null);
  });
});

describe('a vector on the wire', () => {
  const logs = (count: number) =>
    vectorOf(
      Array.from({ length: count }, (_, at) => {
        const dev = at.toString(16).padStart(64, '0');
        return { dev, epoch: '11'.repeat(8), seq: at, head: '22'.repeat(32) };
      }),
    );

  it('comes in pages that together say all of it', () => {
    const vector = logs(2 * SYNC_HEADS_PER_PAGE + 1);
    const frames = havePages(vector, null);
    assert.equal(frames.length, 3);
    const reader = new HaveReader();
    const told = frames.map((frame) => {
      assert.ok(frame.byteLength <= SYNC_FRAME_BYTES_MAX);
      const page = decodeMessage(frame);
      assert.ok(page?.type === 'have');
      return reader.add(page);
    });
    assert.deepEqual(told.slice(0, 2), [null, null]);
    assert.deepEqual(told[2]?.delta, vector);
  });

  it('is refused where one side holds more logs than can be compared', () => {
    assert.equal(
      havePages(logs(SYNC_HEADS_MAX), null).length,
      SYNC_HEADS_MAX / SYNC_HEADS_PER_PAGE,
    );
    assert.throws(
      () => havePages(logs(SYNC_HEADS_MAX + 1), null),
      (error) => error instanceof WnError && error.code === 'too_large',
    );
  });

  it('is refused from a peer where pages are out of order, endless or on two bases', () => {
    const page = (from: number, basis: Uint8Array | null = null, count = 1) => ({
      type: 'have' as const,
      basis,
      last: false,
      logs: [...logs(from + count).values()].slice(from),
    });
    const reading = (): HaveReader => new HaveReader();
    const ordered = reading();
    ordered.add(page(5));
    assert.throws(() => ordered.add(page(5)), /out of order/);
    const mixed = reading();
    mixed.add(page(1));
    assert.throws(() => mixed.add(page(2, id(1))), /different bases/);
    assert.throws(() => reading().add({ ...page(0), logs: [] }), /empty page/);
    const flood = reading();
    const all = [...logs(SYNC_HEADS_MAX + 1).values()];
    flood.add({ ...page(0), logs: all.slice(0, SYNC_HEADS_MAX) });
    assert.throws(() => flood.add({ ...page(0), logs: all.slice(SYNC_HEADS_MAX) }), /heads/);
  });
});

function digestOf(bytes: Uint8Array): string {
  return hashHex('wn/file/1', bytes);
}
