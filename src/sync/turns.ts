/**
 * Turns over one replica that several sessions of a process share: one writes at a time,
 * and nobody reads while it does, since a replica shows what it has folded before that is
 * on disk. Readers come before the next writer: each turn of writing begins in a task of
 * its own, after everything that the one before it has set off.
 */
import type { Clock } from '../core/ports.js';

export class Turns {
  private last: Promise<void> = Promise.resolve();
  private writing = false;
  private readers: (() => void)[] = [];

  constructor(private readonly clock: Pick<Clock, 'after'>) {}

  /** Runs `work` when all that were here before are through. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    const before = this.last;
    let leave: () => void = () => undefined;
    this.last = new Promise((resolve) => (leave = resolve));
    await before;
    await new Promise<void>((resolve) => this.clock.after(0, resolve));
    this.writing = true;
    try {
      return await work();
    } finally {
      this.writing = false;
      for (const wake of this.readers.splice(0)) wake();
      leave();
    }
  }

  /** Resolves between two turns; what follows without waiting reads what is on disk. */
  async reading(): Promise<void> {
    while (this.writing) await new Promise<void>((resolve) => this.readers.push(resolve));
  }
}
