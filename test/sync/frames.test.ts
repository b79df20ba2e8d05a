import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { toHex } from '../../src/core/bytes.js';
import { WnError } from '../../src/core/errors.js';
import {
  CHUNK_BYTES_MAX,
  FRAME_BYTES_MAX,
  SYNC_BRANCHES_MAX,
  SYNC_CREDENTIAL_BYTES_MAX,
  SYNC_FRAME_BYTES_MAX,
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
import { compareHeads, type LogHeads } from '../../src/sync/have.js';
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
  fc.record({ type: fc.constant('stored' as const), commits: fc.nat() }),
);

const id = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
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
    refused(encodeCanonical([13, 'x']), /unknown type 13/);
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
    for (const size of [1, 23, 24, 255, 256, 65_535, 65_536, 65_537]) {
      const read = decodeMessage(blob(size));
      assert.ok(read?.type === 'blob' && read.hash === toHex(id(3)), `${size} bytes`);
      assert.equal(read.bytes?.byteLength, size);
    }
    const long = blob(65_536);
    refused(long.subarray(0, -1), /./);
    refused(Uint8Array.of(...blob(70_000), 0), /./);
    // 65,535 bytes behind the head of a longer one.
    const short = blob(65_535);
    refused(Uint8Array.of(...short.subarray(0, 36), 0x5a, 0, 0, ...short.subarray(37)), /./);
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

/** Byte arrays of any kind print alike. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  const buffer = value as { readonly type?: unknown; readonly data?: readonly number[] } | null;
  return buffer?.type === 'Buffer' ? toHex(Uint8Array.from(buffer.data ?? [])) : value;
}
