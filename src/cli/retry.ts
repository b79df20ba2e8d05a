/**
 * Trying again what failed for a reason that may be gone a moment later: exponential
 * back-off with full jitter, so that many devices cut off at once don't all come back at
 * once (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * Bounded in time by who asks for it, and in number.
 */
import type { WnError } from '../core/errors.js';
import { RETRIES_MAX, RETRY_MS_MAX, RETRY_MS_MIN } from '../core/limits.js';
import type { Clock, Rng } from '../core/ports.js';

/** What ends without having failed for good: `details.reason` of `unreachable`. */
const PASSING: ReadonlySet<unknown> = new Set([
  'no_connection',
  'cut_short',
  // Of a relay: it, or who listens there, is away or has too much to do.
  'no_answer',
  'hung_up',
  'unavailable',
  'too_much',
  'draining',
]);

/** Whether the same again may go well without anybody mending anything. */
export function isTransient({ code, details }: WnError): boolean {
  if (code === 'busy') return true;
  if (code !== 'unreachable') return false;
  return PASSING.has(details['reason']) || details['refusal'] === 'timeout';
}

export interface Patience {
  readonly clock: Clock;
  readonly rng: Rng;
  /** No more attempts, and no more waiting. */
  readonly signal: AbortSignal;
  /** From the first attempt on; 0: one attempt. */
  readonly forMs: number;
}

/** Calls `attempt` until it goes well, fails for good, or patience ends: gives how the last one went. */
export async function withRetries<T extends { readonly error: WnError | null }>(
  attempt: () => Promise<T>,
  { clock, rng, signal, forMs }: Patience,
): Promise<T> {
  const untilMs = clock.monotonicMs() + forMs;
  for (let retries = 0; ; retries++) {
    const ended = await attempt();
    if (ended.error === null || !isTransient(ended.error)) return ended;
    const waitMs = jittered(retries, rng);
    const late = clock.monotonicMs() + waitMs >= untilMs;
    if (late || retries >= RETRIES_MAX || signal.aborted) return ended;
    await pause(clock, waitMs, signal);
    if (signal.aborted) return ended;
  }
}

/** Anything up to a bound that doubles, each as likely. */
function jittered(retries: number, rng: Rng): number {
  const boundMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** retries);
  const share = Buffer.from(rng.bytes(4)).readUInt32BE() / 2 ** 32;
  return Math.floor(share * boundMs);
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}
