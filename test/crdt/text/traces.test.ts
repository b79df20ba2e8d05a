/**
 * Recorded editing sessions that nobody here wrote (josephg/editing-traces, CC BY 4.0): each must
 * end in exactly its `endContent`, by every way that we have of getting there.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { TextBuffer } from '../../../src/crdt/text/buffer.js';
import type { DiamondTypes } from '../../../src/crdt/text/diamond.js';
import { TextDocument } from '../../../src/crdt/text/document.js';
import { MergedText } from '../../../src/crdt/text/merged.js';
import type { TextOp } from '../../../src/crdt/text/op.js';
import { skip } from '../../support/skip.js';
import { loadTrace, traceNames } from '../../support/traces.js';
import { logOf, opsOf } from './traceops.js';

const require = createRequire(import.meta.url);
const diamondTypes = () => require('diamond-types-node') as DiamondTypes;

/** The trace as ops, while the tests of one `describe` run. */
function loadedBefore(name: string): { ops: readonly TextOp[]; endContent: string } {
  const loaded: { ops: readonly TextOp[]; endContent: string } = { ops: [], endContent: '' };
  before(() => {
    const trace = loadTrace(name);
    loaded.ops = opsOf(trace);
    loaded.endContent = trace.endContent;
  });
  after(() => {
    loaded.ops = [];
  });
  return loaded;
}

/** One device's ops for as long as they don't need the other's, then the other's. */
function byDevice(ops: readonly TextOp[]): TextOp[] {
  const queues = [0, 1].map((agent) => ops.filter((op) => op.log === logOf(agent)));
  const arrived = new Set<number>();
  const order: TextOp[] = [];
  for (let at = 0; order.length < ops.length; at = 1 - at) {
    const queue = queues[at]!;
    let taken = 0;
    while (queue[taken]?.base.every((head) => arrived.has(head.seq)) === true) {
      arrived.add(queue[taken]!.seq);
      taken += 1;
    }
    order.push(...queue.splice(0, taken));
  }
  return order;
}

describe('editing traces', function () {
  this.timeout(120_000);

  before(function () {
    if (traceNames().length === 0) skip(this, 'the editing traces are not on this machine');
  });

  describe('friendsforever, two people at once', () => {
    const trace = loadedBefore('friendsforever');
    for (const [engine, options] of [
      ['Diamond Types', { diamondTypes }],
      ['the walker', {}],
    ] as const) {
      it(`ends as recorded, by ${engine}, in either order of arrival`, () => {
        for (const ops of [trace.ops, byDevice(trace.ops)]) {
          const document = TextDocument.open(options);
          for (const op of ops) if (!document.add(op).ok) assert.fail(`op ${op.seq} is refused`);
          assert.ok(!document.isLinear);
          assert.equal(document.text(), trace.endContent);
          document.free();
        }
      });
    }
  });

  for (const name of ['automerge-paper', 'rustcode']) {
    describe(`${name}, one person`, () => {
      const trace = loadedBefore(name);

      it('ends as recorded, by the buffer', () => {
        const buffer = new TextBuffer();
        for (const op of trace.ops) for (const run of op.runs) buffer.apply(run);
        assert.equal(buffer.toString(), trace.endContent);
      });

      it('ends as recorded, by a document that stays linear', () => {
        const document = TextDocument.open({ diamondTypes: () => assert.fail('not needed') });
        for (const op of trace.ops) document.add(op);
        assert.ok(document.isLinear);
        assert.equal(document.text(), trace.endContent);
      });

      for (const engine of ['Diamond Types', 'the walker']) {
        it(`ends as recorded, by ${engine}`, () => {
          const text = new MergedText(engine === 'the walker' ? undefined : diamondTypes());
          for (const op of trace.ops) text.add(op);
          assert.equal(text.text(), trace.endContent);
          text.free();
        });
      }
    });
  }
});
