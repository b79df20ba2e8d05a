/**
 * One run that nobody watches: after a random wait, and never beside another of the same
 * workspace that still works. The lock dies with its process.
 */
import { EXIT } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import { nodeRng } from '../../node/rng.js';
import type { Context } from '../context.js';
import { interrupted } from '../failure.js';
import { findRepository } from '../location.js';
import { Outcome } from '../outcome.js';
import { portsOf } from '../repository.js';
import { synchronise, type SyncResult, type SyncWish } from '../synchronise.js';

const LOCK_PATH = 'schedule.lock';

export interface UnattendedWish {
  readonly jitterMs: number;
  readonly commit: boolean;
  /** A remote that was in step so recently may be out of reach: a laptop often is. */
  readonly tolerateMs: number;
}

/** The run before is still at work. */
export interface Skipped {
  readonly skipped: true;
}

/** Throws the failure of an only remote. */
export async function runUnattended(
  context: Context,
  { jitterMs, commit, tolerateMs }: UnattendedWish,
): Promise<SyncResult | Skipped | Outcome<SyncResult>> {
  const { storage } = portsOf(findRepository(context.cwd, context.env));
  const release = await storage.lock(LOCK_PATH);
  if (release === null) return { skipped: true };
  try {
    await pause(context, randomBelow(jitterMs));
    const wish: SyncWish = {
      mode: 'sync',
      remotes: null,
      lan: false,
      commit: commit ? { message: null } : null,
      failOnConflict: false,
      retryMs: 0,
      tolerateMs,
    };
    return await synchronise({ ...context, interactive: false }, wish);
  } finally {
    release();
  }
}

/** Nothing to tell: all went well. */
export function isUneventful(result: SyncResult | Skipped | Outcome<SyncResult>): boolean {
  return !(result instanceof Outcome) || result.exit === EXIT.done;
}

function randomBelow(ms: number): number {
  return Math.floor((Buffer.from(nodeRng.bytes(4)).readUInt32BE() / 2 ** 32) * ms);
}

/** Throws `interrupted`. */
async function pause(
  { clock, interruption: { signal } }: { readonly clock: Clock } & Pick<Context, 'interruption'>,
  ms: number,
): Promise<void> {
  if (ms > 0 && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      const stop = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
    });
  }
  if (signal.aborted) throw interrupted();
}
