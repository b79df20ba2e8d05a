import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { toHex } from '../../src/core/bytes.js';
import { hashHex } from '../../src/core/crypto.js';
import { WnError } from '../../src/core/errors.js';
import {
  CHUNK_BYTES_MAX,
  FRAME_BYTES_MAX,
  SYNC_BRANCHES_MAX,
  SYNC_CREDENTIAL_BYTES_MAX,
  SYNC_FRAME_BYTES_MAX,
  SYNC_HEADS_MAX,
  SYNC_HEADS_PER_PAGE,
  SYNC_MESSAGE_BYTES_MAX,
  SYNC_MESSAGE_ITEMS_MAX,
  SYNC_REASON_CHARS_MAX,
  SYNC_RUN_BYTES_MAX,
  SYNC_RUN_COMMITS_MAX,
  SYNC_VERSIONS_MAX,
  SYNC_WANTS_PER_PAGE,
} from '../../src/core/limits.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { ADVISORY_FROM, encodeMessage, NUMBER, type Message } from '../../src/sync/frames.js';
import { compareHeads, vectorOf, type LogHeads } from '../../src/sync/have.js';
import { HaveReader, havePages } from '../../src/sync/havepages.js';
import { Assembly, packBlobs, packRuns } from '../../src/sync/pack.js';
import type { Run } from '../../src/sync/store.js';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hexOf = (length: number) => bytesOf(length).map(toHex);
const head = fc.record({ seq: fc.nat(), head: hexOf(8) });
const logHeads: fc.Arbitrary<LogHeads> = fc.record({
  dev: hexOf(32),
  epoch: hexOf(8),
  heads: fc
    .uniqueArray(head, { maxLength: 4, selector: ({ seq, head: id }) => `${seq}/${id}` })
    .map((heads) => heads.sort(compareHeads)),
});
const run: fc.Arbitrary<Run> = fc.record({
  dev: hexOf(32),
  epoch: hexOf(8),
  firstSeq: fc.nat(),
  prev: fc.option(hexOf(32)),
  cap: fc.option(hexOf(32)),
  payloads: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 5,
  }),
});
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    versions: fc.array(fc.nat(), { maxLength: SYNC_VERSIONS_MAX }),
    workspace: hexOf(32),
    device: hexOf(32),
    mode: fc.constantFrom('push' as const, 'pull' as const, 'sync' as const),
    credential: fc.uint8Array({ maxLength: 50 }),
    nonce: bytesOf(16),
  }),
  fc.record({
    type: fc.constant('have' as const),
    basis: fc.option(bytesOf(32)),
    logs: fc
      .uniqueArray(logHeads, { maxLength: 5, selector: (log) => log.dev + log.epoch })
      .map((logs) => logs.sort((a, b) => (a.dev + a.epoch < b.dev + b.epoch ? -1 : 1))),
    last: fc.boolean(),
  }),
  fc.constant({ type: 'ask' as const }),
  fc.record({
    type: fc.constant('runs' as const),
    runs: fc.array(run, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant('part' as const),
    last: fc.boolean(),
    bytes: fc.uint8Array({ minLength: 1 }),
  }),
  fc.record({ type: fc.constant('credit' as const), bytes: fc.nat() }),
  fc.record({
    type: fc.constant('end' as const),
    commits: fc.nat(),
    satisfied: fc.boolean(),
    digest: bytesOf(32),
  }),
  fc.record({
    type: fc.constant('want' as const),
    hashes: fc.array(hexOf(32), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('blob' as const),
    hash: hexOf(32),
    bytes: fc.option(fc.uint8Array({ minLength: 1 })),
  }),
  fc.record({
    type: fc.constant('done' as const),
    commits: fc.nat(),
    blobs: fc.nat(),
    heldBack: fc.nat(),
    digest: bytesOf(32),
  }),
  fc.record({
    type: fc.constant('error' as const),
    code: fc.constantFrom('denied' as const, 'later' as const),
    text: fc.constant('plain words'),
  }),
  fc.record({ type: fc.constant('bundle' as const), workspace: hexOf(32) }),
);

const id = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const aRun = (payloads: readonly Uint8Array[], firstSeq = 0): Run => ({
  dev: toHex(id(1)),
  epoch: toHex(id(2, 8)),
  firstSeq,
  prev: null,
  cap: null,
  payloads,
});

function refused(bytes: Uint8Array, why: RegExp): void {
  assert.throws(
    () => decodeMessage(bytes),
    (error) => error instanceof WnError && error.code === 'invalid' && why.test(error.message),
  );
}

/** A list with the number of `type` in front, encoded without going through the encoder of messages. */
function raw(type: keyof typeof NUMBER, ...fields: readonly Canonical[]): Uint8Array {
  return encodeCanonical([NUMBER[type], ...fields]);
}

describe('sync frames', () => {
  it('decode what was encoded, for every type', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(message, (given) => {
        seen.add(given.type);
        const decoded = decodeMessage(encodeMessage(given));
        assert.equal(JSON.stringify(decoded, plain), JSON.stringify(given, plain));
      }),
      { numRuns: 300 },
    );
    assert.equal(seen.size, Object.keys(NUMBER).length);
  });

  it('are refused when cut at any byte', () => {
    for (const given of fc.sample(message, { numRuns: 24, seed: 7 })) {
      const bytes = encodeMessage(given);
      for (let length = 0; length < bytes.byteLength; length++) {
        refused(bytes.subarray(0, length), /./);
      }
    }
  });

  it('of an unknown type are refused below 128 and ignored from there on', () => {
    refused(encodeCanonical([12, 'x']), /unknown type 12/);
    refused(encodeCanonical([ADVISORY_FROM - 1]), /unknown type 127/);
    assert.equal(decodeMessage(encodeCanonical([ADVISORY_FROM, 'hint', null])), null);
  });

  it('that are no list with a type are refused', () => {
    refused(encodeCanonical('text'), /not a list/);
    refused(encodeCanonical([]), /not a count/);
    refused(encodeCanonical([-1]), /not a count/);
    refused(encodeCanonical(new Map([['__proto__', 1]])), /not a list/);
    refused(new Uint8Array(), /./);
  });

  it('in another than the shortest form are refused', () => {
    refused(Uint8Array.of(0x82, 0x05, 0x18, 0x07), /canonical/); // CREDIT 7 in two bytes
    refused(Uint8Array.of(0x9f, 0x02, 0xff), /canonical/); // ASK as an indefinite list
    refused(Uint8Array.of(0x81, 0xc1, 0x02), /canonical/); // a tagged type
  });

  it('nested beyond the bound are refused without overflowing the stack', () => {
    refused(new Uint8Array(200_000).fill(0x81), /too many items/);
    refused(new Uint8Array(1_000).fill(0x81), /nested/);
  });

  it('that promise more than they hold are refused before anything is allocated', () => {
    refused(
      Uint8Array.of(0x82, 0x05, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      /cut short/,
    );
    refused(Uint8Array.of(0x9b, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff), /count beyond/);
    const bomb = new Uint8Array(SYNC_FRAME_BYTES_MAX).fill(0x40); // empty byte strings
    refused(bomb, /too many items/);
  });

  it('of as many items as allowed pass the bound, one more does not', () => {
    const of = (items: number) => raw('want', new Array(items - 3).fill(1));
    refused(of(SYNC_MESSAGE_ITEMS_MAX), /65533 wants/);
    refused(of(SYNC_MESSAGE_ITEMS_MAX + 1), /too many items/);
  });

  it('over the bound of a message are refused', () => {
    refused(new Uint8Array(SYNC_MESSAGE_BYTES_MAX + 1), /bytes/);
    assert.throws(() => decodeMessage(new Uint8Array(65), 64), /65 bytes/);
  });

  it('hold each count to its bound', () => {
    const hello = (versions: number, credential: number) =>
      raw(
        'hello',
        new Array(versions).fill(1),
        id(1),
        id(1),
        0,
        new Uint8Array(credential),
        id(1, 16),
      );
    assert.ok(decodeMessage(hello(SYNC_VERSIONS_MAX, SYNC_CREDENTIAL_BYTES_MAX)));
    refused(hello(SYNC_VERSIONS_MAX + 1, 0), /versions/);
    refused(hello(1, SYNC_CREDENTIAL_BYTES_MAX + 1), /credential/);
    const want = (count: number) => raw('want', new Array(count).fill(id(3)));
    assert.ok(decodeMessage(want(SYNC_WANTS_PER_PAGE)));
    assert.ok(want(SYNC_WANTS_PER_PAGE).byteLength <= SYNC_FRAME_BYTES_MAX);
    refused(want(SYNC_WANTS_PER_PAGE + 1), /wants/);
    refused(want(0), /nothing/);
    const blob = (size: number) => raw('blob', id(3), new Uint8Array(size));
    assert.ok(decodeMessage(blob(CHUNK_BYTES_MAX)));
    assert.ok(blob(CHUNK_BYTES_MAX).byteLength <= SYNC_FRAME_BYTES_MAX);
    refused(blob(CHUNK_BYTES_MAX + 1), /blob/);
    refused(blob(0), /empty/);
    refused(raw('part', true, new Uint8Array()), /empty/);
  });

  it('hold the heads of a page and the branches of a log to their bounds', () => {
    const branches = (count: number): Canonical =>
      Array.from({ length: count }, (_, at): Canonical => [count - at, id(at, 8)]);
    const have = (logs: readonly Canonical[]) => raw('have', null, logs, true);
    assert.ok(decodeMessage(have([[id(1), id(1, 8), branches(SYNC_BRANCHES_MAX)]])));
    refused(have([[id(1), id(1, 8), branches(SYNC_BRANCHES_MAX + 1)]]), /branches/);
    const log = (at: number): Canonical => {
      const device = new Uint8Array(32);
      new DataView(device.buffer).setUint32(0, at);
      return [device, id(1, 8), branches(1)];
    };
    const page = (count: number) => have(Array.from({ length: count }, (_, at) => log(at)));
    assert.ok(decodeMessage(page(SYNC_HEADS_PER_PAGE)));
    refused(page(SYNC_HEADS_PER_PAGE + 1), /heads on one page/);
    refused(have([log(2), log(1)]), /out of order/);
    refused(have([log(1), log(1)]), /out of order/);
    refused(
      have([
        [
          id(1),
          id(1, 8),
          [
            [1, id(1, 8)],
            [2, id(1, 8)],
          ],
        ],
      ]),
      /out of order/,
    );
    refused(have([[id(1), id(1, 8), [[-1, id(1, 8)]]]]), /not a count/);
  });

  it('refuse runs that are empty, too long or inconsistent', () => {
    const runs = (lengths: readonly Canonical[], bytes: Uint8Array, seq: Canonical = 0) =>
      raw('runs', [[id(1), id(1, 8), seq, null, null, lengths, bytes]]);
    assert.ok(decodeMessage(runs([2, 1], id(9, 3))));
    refused(runs([], new Uint8Array()), /empty run/);
    refused(runs([0], new Uint8Array()), /payload of 0/);
    refused(runs([2, 2], id(9, 3)), /exceed the payloads/);
    refused(runs([2], id(9, 3)), /exceed their lengths/);
    refused(runs([-1], id(9, 3)), /not a count/);
    refused(runs([1], id(9, 1), 2n ** 63n), /not a count/);
    refused(runs([1], id(9, 1), Number.MAX_SAFE_INTEGER), /beyond counting/);
    refused(raw('runs', []), /nothing/);
    assert.ok(decodeMessage(runs([FRAME_BYTES_MAX], new Uint8Array(FRAME_BYTES_MAX))));
    refused(runs([FRAME_BYTES_MAX + 1], new Uint8Array(FRAME_BYTES_MAX + 1)), /payload of/);
    const many = (count: number) => runs(new Array(count).fill(1), new Uint8Array(count));
    assert.ok(decodeMessage(many(SYNC_RUN_COMMITS_MAX)));
    refused(many(SYNC_RUN_COMMITS_MAX + 1), /commits in one run/);
    const big = SYNC_RUN_BYTES_MAX + 1 - FRAME_BYTES_MAX;
    refused(
      runs([FRAME_BYTES_MAX, big], new Uint8Array(SYNC_RUN_BYTES_MAX + 1)),
      /bytes in one run/,
    );
  });

  it("show a peer's words without what could steer a terminal", () => {
    const bytes = raw('error', 'denied', `a\u001b[2Jb\u202ec\u0000\n${'x'.repeat(10_000)}`);
    const decoded = decodeMessage(bytes);
    assert.ok(decoded?.type === 'error');
    assert.equal(decoded.text.slice(0, 10), 'a [2Jb c  ');
    assert.equal(decoded.text.length, SYNC_REASON_CHARS_MAX);
    const strange = decodeMessage(raw('error', 'tomorrow', ''));
    assert.ok(strange?.type === 'error' && strange.code === 'failed');
  });
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

/** Byte arrays of any kind print alike. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  const buffer = value as { readonly type?: unknown; readonly data?: readonly number[] } | null;
  return buffer?.type === 'Buffer' ? toHex(Uint8Array.from(buffer.data ?? [])) : value;
}

function digestOf(bytes: Uint8Array): string {
  return hashHex('wn/file/1', bytes);
}
