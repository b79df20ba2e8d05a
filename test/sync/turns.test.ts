import assert from 'node:assert/strict';
import { Bucket } from '../../src/sync/bucket.js';
import { Turns } from '../../src/sync/turns.js';
import { settle, TestClock } from './channels.js';

/** Something to be written that ends when it is told to. */
function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open };
}

describe('turns', () => {
  it('lets one write at a time, and readers in before the next one', async () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    const seen: string[] = [];
    const [one, two] = [gate(), gate()];
    const write = (name: string, until: Promise<void>): Promise<void> =>
      turns.write(async () => {
        seen.push(`${name} begins`);
        await until;
        seen.push(`${name} ends`);
      });
    const writes = [write('one', one.closed), write('two', two.closed)];
    await settle();
    clock.advance(0);
    await settle();
    const reader = turns.reading().then(() => seen.push('reader'));
    await settle();
    assert.deepEqual(seen, ['one begins']);
    one.open();
    await settle();
    assert.deepEqual(seen, ['one begins', 'one ends', 'reader']);
    clock.advance(0);
    two.open();
    await settle();
    await Promise.all([...writes, reader]);
    assert.deepEqual(seen.slice(3), ['two begins', 'two ends']);
  });

  it('goes on after a write that failed', async () => {
    const clock = new TestClock();
    const turns = new Turns(clock);
    const failed = turns.write(() => Promise.reject(new Error('full')));
    const next = turns.write(() => Promise.resolve('written'));
    const rejected = assert.rejects(failed, /full/);
    await settle();
    clock.advance(0);
    await rejected;
    await settle();
    clock.advance(0);
    assert.equal(await next, 'written');
  });
});

describe('a token bucket', () => {
  const rate = { perSecond: 10, burst: 20 };

  it('gives its burst at once, then so much a second', () => {
    const clock = new TestClock();
    const bucket = new Bucket(clock, rate);
    assert.ok(bucket.tryTake(20));
    assert.ok(!bucket.tryTake(1));
    clock.advance(500);
    assert.ok(bucket.tryTake(5));
    assert.ok(!bucket.tryTake(1));
    clock.advance(60_000);
    assert.ok(!bucket.tryTake(21), 'no more than its burst is saved up');
  });

  it('lets what is larger than its burst pass, and makes it wait until it is paid', async () => {
    const clock = new TestClock();
    const bucket = new Bucket(clock, rate);
    let through = false;
    void bucket.take(50).then(() => (through = true));
    clock.advance(2_999);
    await settle();
    assert.equal(through, false);
    clock.advance(1);
    await settle();
    assert.equal(through, true);
    assert.ok(!bucket.isFull);
  });

  it('takes a new rate at once', () => {
    const clock = new TestClock();
    const bucket = new Bucket(clock, rate);
    bucket.change({ perSecond: 1, burst: 2 });
    assert.ok(!bucket.tryTake(3));
    assert.ok(bucket.tryTake(2));
  });
});
