import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isTransient, withRetries } from '../../src/cli/retry.js';
import { WnError, type ErrorCode } from '../../src/core/errors.js';
import { RETRIES_MAX, RETRY_MS_MAX, RETRY_MS_MIN } from '../../src/core/limits.js';
import { cutShort, refusal, refusedByPeer } from '../../src/sync/refusal.js';
import { SimClock } from '../sim/clock.js';
import { SimRng } from '../sim/random.js';

const away = new WnError('unreachable', 'refused', { details: { reason: 'no_connection' } });
const fault = (code: ErrorCode, reason?: string): WnError =>
  new WnError(code, 'a fault', { details: { reason } });

interface Tried {
  readonly error: WnError | null;
  /** When each attempt began, milliseconds after the first. */
  readonly atMs: readonly number[];
}

/** Runs attempts that come to `errors` in order, the last again and again. */
async function tried(
  errors: readonly (WnError | null)[],
  forMs: number,
  { seed = 1, signal = new AbortController().signal } = {},
): Promise<Tried> {
  const clock = new SimClock();
  const atMs: number[] = [];
  const attempt = (): Promise<{ readonly error: WnError | null }> => {
    const error = errors[Math.min(atMs.length, errors.length - 1)] ?? null;
    atMs.push(clock.monotonicMs());
    return Promise.resolve({ error });
  };
  let ended: { readonly error: WnError | null } | null = null;
  const patience = { clock, rng: new SimRng(seed), signal, forMs };
  void withRetries(attempt, patience).then((end) => (ended = end));
  await clock.runUntil(() => ended !== null, Number.MAX_SAFE_INTEGER);
  return { error: (ended as unknown as Tried).error, atMs };
}

const gaps = ({ atMs }: Tried): readonly number[] =>
  atMs.slice(1).map((at, i) => at - (atMs[i] ?? 0));

describe('trying again', () => {
  it('is not done unless there is time for it', async () => {
    assert.deepEqual(await tried([away, null], 0), { error: away, atMs: [0] });
  });

  it('ends when it goes well', async () => {
    const { error, atMs } = await tried([away, away, null], 3_600_000);
    assert.deepEqual([error, atMs.length], [null, 3]);
  });

  it('is not done for what somebody has to mend', async () => {
    for (const error of [fault('denied'), fault('damage'), fault('unreachable', 'disk_full')]) {
      assert.deepEqual(await tried([error, null], 3_600_000), { error, atMs: [0] });
    }
  });

  it('waits a random part of a time that doubles up to a bound', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const waits = gaps(await tried([away], 3_600_000, { seed }));
        waits.forEach((waitMs, i) => {
          assert.ok(waitMs < Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** i), `wait ${i}: ${waitMs}`);
        });
        assert.ok(Math.max(...waits) > RETRY_MS_MAX / 2, 'it never waits long');
      }),
      { numRuns: 20 },
    );
  });

  it('is different on two devices', async () => {
    const [one, other] = [
      await tried([away], 60_000, { seed: 1 }),
      await tried([away], 60_000, { seed: 2 }),
    ];
    assert.notDeepEqual(gaps(one), gaps(other));
  });

  it('ends within the time that was given for it', async () => {
    for (const forMs of [1_000, 60_000, 600_000]) {
      const { error, atMs } = await tried([away], forMs);
      assert.equal(error, away);
      assert.ok((atMs.at(-1) ?? 0) < forMs, `${forMs}`);
    }
  });

  it('ends after so many times however long there would be', async () => {
    assert.equal((await tried([away], Number.MAX_SAFE_INTEGER)).atMs.length, 1 + RETRIES_MAX);
  });

  it('ends when it is interrupted, also in the midst of a wait', async () => {
    const gone = new AbortController();
    gone.abort();
    assert.equal((await tried([away], 60_000, { signal: gone.signal })).atMs.length, 1);
    const clock = new SimClock();
    const going = new AbortController();
    let attempts = 0;
    const ended = withRetries(() => ((attempts += 1), Promise.resolve({ error: away })), {
      clock,
      rng: new SimRng(1),
      signal: going.signal,
      forMs: 60_000,
    });
    await new Promise((resolve) => setImmediate(resolve));
    going.abort();
    assert.equal((await ended).error, away);
    assert.equal(attempts, 1);
  });
});

describe('what may go well a moment later', () => {
  it('is a lock, a line that broke, silence, and a relay that has no room or nobody there', () => {
    const passing = [
      fault('busy'),
      cutShort(null),
      refusal('timeout', 'silence'),
      refusedByPeer('timeout', 'silence'),
      ...['no_connection', 'no_answer', 'unavailable', 'too_much'].map((reason) =>
        fault('unreachable', reason),
      ),
    ];
    for (const error of passing) assert.ok(isTransient(error), JSON.stringify(error.details));
  });

  it('is neither a refusal, nor a disk that is full, nor a host that is not who it was', () => {
    const lasting = [
      fault('unreachable'),
      fault('unreachable', 'disk_full'),
      fault('unreachable', 'host_key'),
      refusedByPeer('denied', 'no'),
      refusedByPeer('failed', 'its disk is full'),
      refusal('interrupted', 'interrupted'),
      fault('failed', 'no_connection'),
    ];
    for (const error of lasting) assert.ok(!isTransient(error), JSON.stringify(error.details));
  });
});
