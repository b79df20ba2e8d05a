/** What a relay's pipes hold at a time, and how long one may say nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { Pipes } from '../../src/node/pipes.js';

const KIB = 1024;
const LONG_MS = 3_600_000;

/** An end whose reader takes nothing until it is told to. */
class SlowEnd extends Duplex {
  taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor() {
    super({ highWaterMark: 16 * KIB });
  }

  override _read(): void {
    // What it has to say, a test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.waiting.push(() => {
      this.taken += chunk.byteLength;
      done();
    });
  }

  async takeAll(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      next();
      await turn();
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Says so much in pieces of 1 KiB, as far as it is read. */
async function say(end: SlowEnd, bytes: number): Promise<void> {
  for (let said = 0; said < bytes; said += KIB) end.push(Buffer.alloc(KIB));
  for (let n = 0; n < 10; n++) await turn();
}

describe('pipes of a relay', () => {
  const open: SlowEnd[] = [];
  afterEach(() => {
    for (const end of open.splice(0)) end.destroy();
  });

  function joined(pipes: Pipes): readonly [SlowEnd, SlowEnd] {
    const ends = [new SlowEnd(), new SlowEnd()] as const;
    open.push(...ends);
    pipes.join(...ends);
    return ends;
  }

  it('hold no more of a direction than their bound, and go on when there is room', async () => {
    const pipes = new Pipes({ perDirection: 64 * KIB, all: 1024 * KIB, idleMs: LONG_MS });
    const [from, to] = joined(pipes);
    await say(from, 256 * KIB);
    assert.equal(pipes.bufferedBytes, 64 * KIB);
    assert.equal(to.writableLength, 64 * KIB);
    await to.takeAll();
    assert.equal(to.taken, 256 * KIB);
    assert.equal(pipes.bufferedBytes, 0);
  });

  it('hold no more together than their bound for all, whoever is slow', async () => {
    const pipes = new Pipes({ perDirection: 64 * KIB, all: 100 * KIB, idleMs: LONG_MS });
    const [[a, b], [c, d]] = [joined(pipes), joined(pipes)];
    await say(a, 256 * KIB);
    await say(c, 256 * KIB);
    assert.equal(pipes.bufferedBytes, 100 * KIB);
    await b.takeAll();
    await d.takeAll();
    assert.deepEqual([b.taken, d.taken], [256 * KIB, 256 * KIB]);
  });

  it('give back what one that is cut off held', async () => {
    const pipes = new Pipes({ perDirection: 64 * KIB, all: 64 * KIB, idleMs: LONG_MS });
    const [[a, b], [c, d]] = [joined(pipes), joined(pipes)];
    await say(a, 256 * KIB);
    await say(c, 64 * KIB);
    const before = d.writableLength;
    const closed = once(b, 'close');
    b.destroy();
    await closed;
    await turn();
    assert.ok(before < 64 * KIB);
    await d.takeAll();
    assert.equal(d.taken, 64 * KIB);
    assert.equal(pipes.bufferedBytes, 0);
  });

  it('are cut when neither end says anything for too long', async () => {
    const pipes = new Pipes({ perDirection: KIB, all: KIB, idleMs: 1 });
    const [a, b] = joined(pipes);
    await Promise.all([once(a, 'close'), once(b, 'close')]);
  });
});
