/** Linearizable reads under way: each asks with a fresh context (Ongaro's thesis, §6.4). */
import { toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import type { Clock, Rng } from '../../core/ports.js';
import type { Index } from '../raft/types.js';

interface Read {
  readonly resolve: () => void;
  readonly reject: (error: WnError) => void;
  readonly cancel: () => void;
  /** What must be in the ledger first; null until a majority has confirmed the leader. */
  index: Index | null;
}

const CONTEXT_BYTES = 16;

export class Reads {
  private readonly open = new Map<string, Read>();

  constructor(private readonly rng: Rng) {}

  ask(
    clock: Pick<Clock, 'after'>,
    timeoutMs: number,
  ): { readonly context: Uint8Array; readonly confirmed: Promise<void> } {
    const context = this.rng.bytes(CONTEXT_BYTES);
    const key = toHex(context);
    const confirmed = new Promise<void>((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => this.end(key)?.reject(noQuorum()));
      this.open.set(key, { resolve, reject, cancel, index: null });
    });
    return { context, confirmed };
  }

  /** A majority confirmed whoever leads: the read may be served from `index` on. */
  confirmed(context: Uint8Array, index: Index): void {
    const read = this.open.get(toHex(context));
    if (read !== undefined) read.index = index;
  }

  /** The ledger holds entries up to `index`. */
  applied(index: Index): void {
    for (const [key, read] of this.open) {
      if (read.index !== null && read.index <= index) this.end(key)?.resolve();
    }
  }

  fail(context: Uint8Array, error: WnError): void {
    this.end(toHex(context))?.reject(error);
  }

  private end(key: string): Read | undefined {
    const read = this.open.get(key);
    this.open.delete(key);
    read?.cancel();
    return read;
  }
}

export function noQuorum(): WnError {
  return new WnError('no_quorum', 'no majority of the group can be reached', {
    hint: 'what is held here can still be read, and ordinary commits go on; try again later',
  });
}
