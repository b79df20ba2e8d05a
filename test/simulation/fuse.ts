/**
 * Ends a simulated process at its n-th step that changes something outside of it: a
 * write that is on its way to the disk, a change of the index or of a file. Leaves out
 * what is lost then: that is the disk's business (`test/sim/disk.ts`).
 */
import type { Clock } from '../../src/core/ports.js';

/** Thrown to whatever of the dead process still runs; nobody may catch and go on. */
export class Dead extends Error {
  constructor() {
    super('the process was ended here');
  }
}

export class Fuse {
  /** Steps since it was armed, or ever. */
  steps = 0;
  private left = Infinity;
  private dead = false;
  private blow: () => void = () => undefined;

  /** The n-th step from now on is the last; `onBlow` is called in the middle of it. */
  arm(steps: number, onBlow: () => void): void {
    this.steps = 0;
    this.left = steps;
    this.dead = false;
    this.blow = onBlow;
  }

  disarm(): void {
    this.left = Infinity;
    this.dead = false;
  }

  get blown(): boolean {
    return this.dead;
  }

  /** A step that happens at once, or not at all. */
  burn(): void {
    this.check();
    this.steps += 1;
    this.left -= 1;
    if (this.left > 0) return;
    this.dead = true;
    this.blow();
    throw new Dead();
  }

  /** A dead process sees nothing any more. */
  check(): void {
    if (this.dead) throw new Dead();
  }

  /** Between the moment when a write is seen and the one when it is acknowledged. */
  readonly diskClock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    after: (_delayMs, run) => {
      try {
        this.burn();
      } catch (error) {
        if (!(error instanceof Dead)) throw error;
        return () => undefined; // the write is never acknowledged
      }
      run();
      return () => undefined;
    },
  };
}
