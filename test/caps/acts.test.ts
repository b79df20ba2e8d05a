import assert from 'node:assert/strict';
import { ACT, ALL_ACTS, hasActs, parseActs, showActs, WRITE_ACTS } from '../../src/caps/acts.js';

describe('caps/acts', () => {
  it('has the bits of the format', () => {
    assert.deepEqual(ACT, {
      read: 1,
      create: 2,
      write: 4,
      delete: 8,
      delegate: 16,
      admin: 32,
      strong: 64,
      execute: 128,
      vote: 256,
      purge: 512,
    });
    assert.equal(ALL_ACTS, 1023);
  });

  it('reads "write" as read, create, write and delete', () => {
    assert.equal(parseActs('write'), WRITE_ACTS);
    assert.equal(WRITE_ACTS, 15);
  });

  it('reads every other right alone, in any order, with spaces', () => {
    assert.equal(parseActs('read'), 1);
    assert.equal(parseActs('create'), 2);
    assert.equal(parseActs('delete'), 8);
    assert.equal(parseActs('strong, read'), 65);
    assert.equal(parseActs('read,write,strong'), 79);
  });

  for (const text of ['', 'read,', 'all', 'Write', 'constructor', 'write;delete', '15']) {
    it(`refuses ${JSON.stringify(text)} as usage`, () => {
      assert.throws(() => parseActs(text), { code: 'usage', hint: /rights: read, create/ });
    });
  }

  it('shows exactly the bits held', () => {
    assert.equal(showActs(WRITE_ACTS), 'read,create,write,delete');
    assert.equal(showActs(ACT.write), 'write');
    assert.equal(showActs(0), '');
    assert.equal(showActs(ALL_ACTS).split(',').length, 10);
  });

  it('holds a set of rights only if it holds each', () => {
    assert.ok(hasActs(WRITE_ACTS, ACT.read | ACT.delete));
    assert.ok(!hasActs(WRITE_ACTS, ACT.read | ACT.admin));
  });
});
