import assert from 'node:assert/strict';
import { authorize, permits } from '../../src/caps/verdict.js';
import {
  creator,
  ROOT_CAP,
  home,
  authorityOf,
  commitOf,
  outcome,
  ops,
  aliceMay,
  may,
} from './fixtures.js';

describe('caps/verdict, moves', () => {
  const mine = aliceMay('write', 'a');

  it('moving a folder into mine gives me nothing', () => {
    assert.equal(may(mine, ops.move('b', 'a')), 'outside_home');
    // Somebody with the right moved it in: its home is still what it was.
    assert.equal(may(mine, ops.text('b')), 'outside_home');
    assert.equal(may(mine, ops.create('b')), 'outside_home');
    assert.equal(may(mine, ops.delete('b/x')), 'outside_home');
  });

  it('moving mine into another folder gives nobody there anything, and needs create there', () => {
    assert.equal(may(mine, ops.move('a/x', 'b')), 'outside_home');
    assert.equal(may(aliceMay('write', 'b'), ops.text('a/x')), 'outside_home');
  });

  it('the holder of a folder can neither move it nor name it into another', () => {
    // Two folders of one name show as one: this rename would put a/x into "y".
    const holder = aliceMay('write', 'a/x');
    assert.equal(may(holder, ops.move('a/x', 'a')), 'outside_home');
    // a/x/1 may show anywhere by now, so this is no circle: a/x would vanish from a.
    assert.equal(may(holder, ops.move('a/x', 'a/x/1')), 'outside_home');
    assert.equal(may(holder, ops.move('a/x/1', 'a/x')), 'ok');
  });

  it('a chain of moves through three homes: only where it was created counts', () => {
    // a/x/1 was created in a/x. The creator moves it to b, then to ab, then back.
    const steps = ['b', 'ab', 'a/x'].map((to) => ops.move('a/x/1', to));
    for (const op of steps) {
      const commit = commitOf(creator, ROOT_CAP, [op]);
      assert.equal(outcome(authorize(commit, authorityOf([]))), 'ok');
    }
    // Wherever it shows now, who has its birthplace writes it and may fetch it back.
    const atBirth = aliceMay('write', 'a/x');
    assert.equal(may(atBirth, ops.text('a/x/1')), 'ok');
    assert.equal(may(atBirth, ops.move('a/x/1', 'a/x')), 'ok');
    assert.equal(may(atBirth, ops.move('a/x/1', 'ab')), 'outside_home');
    // Who has a place on the way has nothing of it.
    for (const path of ['b', 'ab']) {
      const onTheWay = aliceMay('write', path);
      assert.equal(may(onTheWay, ops.text('a/x/1')), 'outside_home');
      assert.equal(may(onTheWay, ops.move('a/x/1', path)), 'outside_home');
      assert.equal(may(onTheWay, ops.delete('a/x/1')), 'outside_home');
    }
  });

  it('what a command checks besides: delete where the worknode shows now', () => {
    assert.ok(permits(mine.cap, 'delete', home('a/y')));
    assert.ok(!permits(mine.cap, 'delete', home('b')));
    assert.ok(!permits(mine.cap, 'admin', home('a/y')));
  });
});
