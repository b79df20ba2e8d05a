/**
 * The writer's lock: of one living process, by the operating system's doing. It is never
 * held across the network.
 */
import { WnError } from '../core/errors.js';
import type { Clock, Storage } from '../core/ports.js';

const LOCK_PATH = 'lock';
const LOCK_RETRY_MS = 20;

/** Tries until it is free; throws `busy` after `timeoutMs`. Returns what lets go of it. */
export async function waitForLock(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  timeoutMs: number,
): Promise<() => void> {
  const start = clock.monotonicMs();
  for (;;) {
    const release = await storage.lock(LOCK_PATH);
    if (release !== null) return release;
    if (clock.monotonicMs() - start >= timeoutMs) {
      throw new WnError('busy', 'another wn process is writing to this repository', {
        hint: 'nothing was changed; run the command again, or wait longer: --lock-timeout 30s',
      });
    }
    await new Promise<void>((resolve) => clock.after(LOCK_RETRY_MS, resolve));
  }
}
