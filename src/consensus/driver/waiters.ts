/** Those who asked for something and wait to hear what became of it. */
import { WnError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import type { Index } from '../raft/types.js';
import type { Settled } from '../strong/aside.js';
import type { RequestId } from '../strong/types.js';

interface Waiter {
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: WnError) => void;
  readonly cancel: () => void;
}

export class Waiters {
  private readonly waiting = new Map<RequestId, Waiter[]>();
  /** Whose answer is that of an entry which the ledger is about to hold. */
  private repeats: { readonly request: RequestId; readonly first: Index }[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Rejects with `unknown_outcome` after `timeoutMs`. */
  wait(request: RequestId, clock: Pick<Clock, 'after'>, timeoutMs: number): Promise<Settled> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => {
        this.drop(request, waiter);
        reject(unknownOutcome());
      });
      const waiter: Waiter = { resolve, reject, cancel };
      this.waiting.set(request, [...(this.waiting.get(request) ?? []), waiter]);
      this.count += 1;
    });
  }

  answer(request: RequestId, settled: Settled): void {
    const waiters = this.waiting.get(request);
    if (waiters === undefined) return;
    this.waiting.delete(request);
    this.count -= waiters.length;
    for (const { resolve, cancel } of waiters) {
      cancel();
      resolve(settled);
    }
  }

  /** The same request came before: its answer is that of entry `first`. */
  repeat(request: RequestId, first: Index): void {
    if (this.waiting.has(request)) this.repeats.push({ request, first });
  }

  /** The ledger holds entries up to `index` by now. */
  inLedger(index: Index, read: (index: Index) => Settled): void {
    const { repeats } = this;
    this.repeats = repeats.filter(({ first }) => first > index);
    for (const { request, first } of repeats) {
      if (first <= index) this.answer(request, read(first));
    }
  }

  /** Nobody here will ever know. */
  abandon(): void {
    for (const waiters of this.waiting.values()) {
      for (const { reject, cancel } of waiters) {
        cancel();
        reject(unknownOutcome());
      }
    }
    this.waiting.clear();
    this.count = 0;
  }

  private drop(request: RequestId, waiter: Waiter): void {
    const rest = (this.waiting.get(request) ?? []).filter((one) => one !== waiter);
    if (rest.length > 0) this.waiting.set(request, rest);
    else this.waiting.delete(request);
    this.count -= 1;
  }
}

function unknownOutcome(): WnError {
  return new WnError('unknown_outcome', 'no majority has answered in time', {
    hint: 'the request may still be accepted; settle it with: wn commit --resume',
  });
}
