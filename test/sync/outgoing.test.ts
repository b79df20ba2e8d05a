import assert from 'node:assert/strict';
import { SYNC_CREDIT_BYTES } from '../../src/core/limits.js';
import { Outgoing } from '../../src/sync/outgoing.js';
import type { Packed } from '../../src/sync/pack.js';

const frameOf = (size: number): Packed => ({ frame: new Uint8Array(size), commits: 1, blobs: 0 });

describe('the sending half', () => {
  it('sends as far as credit goes, to the byte, and on when more is given', () => {
    const out = new Outgoing();
    out.add([frameOf(SYNC_CREDIT_BYTES - 5), frameOf(5), frameOf(1)]);
    assert.equal(out.frames().length, 2);
    assert.equal(out.drained, false);
    assert.equal(out.frames().length, 0);
    out.grant(1, SYNC_CREDIT_BYTES);
    assert.equal(out.frames().length, 1);
    assert.ok(out.drained);
    assert.equal(out.commits, 3);
  });

  it('takes back no more credit than it used', () => {
    const out = new Outgoing();
    assert.throws(() => out.grant(1, SYNC_CREDIT_BYTES), /beyond what was sent/);
    out.add([frameOf(7)]);
    out.frames();
    assert.throws(() => out.grant(8, SYNC_CREDIT_BYTES), /beyond what was sent/);
    assert.throws(() => out.grant(0, SYNC_CREDIT_BYTES), /beyond what was sent/);
    out.grant(7, SYNC_CREDIT_BYTES);
  });

  it('reads its sources one after the other, and lets go of those it does not finish', () => {
    const released: string[] = [];
    function* source(name: string, frames: number): Generator<Packed> {
      try {
        for (let at = 0; at < frames; at++) yield frameOf(SYNC_CREDIT_BYTES / 2);
      } finally {
        released.push(name);
      }
    }
    const out = new Outgoing();
    out.add(source('first', 1));
    out.add(source('second', 5));
    assert.equal(out.frames().length, 2);
    assert.deepEqual(released, ['first']);
    out.stop();
    assert.deepEqual(released, ['first', 'second']);
    assert.ok(out.drained);
  });
});
