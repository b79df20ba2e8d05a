/**
 * Appends, seals, kills and power cuts in any order, on the simulated disk: what was
 * acknowledged is always there, in order, whether the index survives or not; and what a
 * crash tore is never called damage.
 */
import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { toHex } from '../../../src/core/bytes.js';
import type { Deflate } from '../../../src/core/ports.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import type { LogOffset } from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { SimClock } from '../../sim/clock.js';
import { SimDisk } from '../../sim/disk.js';
import { Seeded } from '../../sim/random.js';
import type { SimStorage } from '../../sim/storage.js';
import { Chain, lastEnd, scanAll, write } from './chains.js';

/** Deflates at once: a thread pool knows nothing of virtual time. */
const DEFLATE: Deflate = {
  ...nodeDeflate,
  deflateRaw: (bytes) => Promise.resolve(deflateRawSync(bytes)),
};
const LATENCY_MS = 1;

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly chars: number }
  | { readonly kind: 'seal' };
interface Crash {
  /** After the step began; a step takes up to three writes. */
  readonly afterMs: number;
  readonly power: boolean;
  readonly keepIndex: boolean;
}
interface Planned {
  readonly step: Step;
  readonly crash: Crash | null;
}

const PLANNED: fc.Arbitrary<Planned> = fc.record({
  step: fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      chars: fc.constantFrom(1, 500, 5_000),
    }),
    fc.record({ kind: fc.constant('seal' as const) }),
  ),
  crash: fc.option(
    fc.record({
      afterMs: fc.double({ min: 0, max: 3 * LATENCY_MS, noNaN: true }),
      power: fc.boolean(),
      keepIndex: fc.boolean(),
    }),
  ),
});

/** What one process after the other does to a log, and what each knows. */
class History {
  private readonly clock = new SimClock();
  private readonly disk: SimDisk;
  private storage: SimStorage;
  private store: LogStore;
  private readonly chain = new Chain(1);
  private acknowledged: { readonly end: LogOffset; readonly commits: number } | null = null;

  constructor(seed: number) {
    const random = new Seeded(seed);
    this.disk = new SimDisk({ random, clock: this.clock, latencyMs: LATENCY_MS });
    this.storage = this.disk.open();
    this.store = new LogStore(this.storage, DEFLATE);
  }

  async take({ step, crash }: Planned): Promise<void> {
    const work = this.work(step);
    if (crash === null) return this.finish(work);
    await this.clock.advance(crash.afterMs);
    if (crash.power) this.disk.crash();
    else this.disk.kill(this.storage);
    await this.restart(crash.keepIndex);
  }

  private async finish<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => (done = true));
    await this.clock.runUntil(() => done);
    return ended;
  }

  private async work(step: Step): Promise<void> {
    if (step.kind === 'seal') {
      await this.store.seal(this.chain.key, 0);
      return;
    }
    const { count, chars } = step;
    const after = this.acknowledged?.end ?? null;
    const positions = await write(this.store, this.chain, count, after, 'x'.repeat(chars));
    this.acknowledged = { end: lastEnd(positions), commits: this.chain.payloads.length };
  }

  /** A new process: reads what is there, heals the tail, takes in what it hadn't known. */
  async restart(keepIndex: boolean): Promise<void> {
    this.storage = this.disk.open();
    this.store = new LogStore(this.storage, DEFLATE);
    const acknowledged = keepIndex ? (this.acknowledged?.end ?? null) : null;
    const items = await scanAll(this.store, this.chain.key, { acknowledged });
    const found = items.flatMap((item) => (item.kind === 'commit' ? [item] : []));
    const damage = items.filter((item) => item.kind === 'damage');
    assert.deepEqual(damage, [], 'damage after a crash');
    const least = this.acknowledged?.commits ?? 0;
    assert.ok(found.length >= least, `${found.length} commits of ${least} acknowledged`);
    found.forEach((item, index) => {
      assert.equal(toHex(item.payload), toHex(this.chain.payloads[index]!), `commit ${index}`);
      assert.equal(toHex(this.store.payload(this.chain.key, item.position)), toHex(item.payload));
    });
    const cut = await this.finish(this.store.cutTorn(this.chain.key, acknowledged));
    assert.equal(cut !== null, items.at(-1)?.kind === 'torn', 'cut what is torn, and only that');
    await this.finish(this.store.sync(this.chain.key));
    this.chain.forget(found.length);
    const last = found.at(-1)?.position;
    this.acknowledged = last === undefined ? null : { end: lastEnd([last]), commits: found.length };
  }
}

describe('log store: crashes', function () {
  this.timeout(60_000);

  it('keeps what was acknowledged, and calls nothing damaged that a crash tore', async () => {
    const plan = fc.array(PLANNED, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), plan, async (seed, steps) => {
        const history = new History(seed);
        for (const step of steps) await history.take(step);
        await history.restart(true);
      }),
      { numRuns: 150 },
    );
  });
});
