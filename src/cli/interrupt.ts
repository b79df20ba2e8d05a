/**
 * Ctrl-C, SIGTERM and a reader that went away. Commands listen to `signal` and end by
 * themselves; what must be undone (a temporary file, a child process) is registered as a
 * cleanup. The process isn't killed from here unless it doesn't end in time.
 */

export type InterruptReason = 'SIGINT' | 'SIGTERM' | 'EPIPE';

export interface Interruption {
  readonly signal: AbortSignal;
  readonly reason: InterruptReason | undefined;
  /** Runs `cleanup` on an interruption, last registered first; the result unregisters it. */
  onInterrupt(cleanup: () => void | Promise<void>): () => void;
}

export class ProcessInterruption implements Interruption {
  readonly #controller = new AbortController();
  readonly #cleanups = new Set<() => void | Promise<void>>();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): InterruptReason | undefined {
    return this.signal.aborted ? (this.signal.reason as InterruptReason) : undefined;
  }

  onInterrupt(cleanup: () => void | Promise<void>): () => void {
    this.#cleanups.add(cleanup);
    return () => void this.#cleanups.delete(cleanup);
  }

  interrupt(reason: InterruptReason): void {
    this.#controller.abort(reason);
  }

  /** Runs the cleanups once. One that fails doesn't keep the others from running. */
  async cleanUp(): Promise<void> {
    const cleanups = [...this.#cleanups].reverse();
    this.#cleanups.clear();
    for (const cleanup of cleanups) {
      try {
        await cleanup();
      } catch {
        // The command has failed already; its own error is the one that is told.
      }
    }
  }
}
