/**
 * Ends a simulated process at its n-th step that changes something outside of it: a
 * write that is on its way to the disk, a change of the index or of a file. Each process
 * has its own. Leaves out what is lost then: that is the disk's business
 * (`test/sim/disk.ts`).
 */

/** Thrown to whatever of the dead process still runs; nobody may catch and go on. */
export class Dead extends Error {
  constructor() {
    super('the process was ended here');
  }
}

export class Fuse {
  private left = Infinity;
  private dead = false;
  private onBlow: () => void = () => undefined;

  /** The n-th step from now on is the last; `onBlow` is called in the middle of it. */
  arm(steps: number, onBlow: () => void): void {
    this.left = steps;
    this.onBlow = onBlow;
  }

  disarm(): void {
    this.left = Infinity;
  }

  /** The process has died of something else. */
  end(): void {
    this.dead = true;
  }

  /** A step that happens at once, or not at all. */
  burn(): void {
    this.check();
    this.left -= 1;
    if (this.left > 0) return;
    this.dead = true;
    this.onBlow();
    throw new Dead();
  }

  /** A dead process sees nothing any more. */
  check(): void {
    if (this.dead) throw new Dead();
  }

  /** Between the moment when a write is seen and the one when it is acknowledged, or never is. */
  write(acknowledge: () => void): void {
    try {
      this.burn();
    } catch (error) {
      if (error instanceof Dead) return;
      throw error;
    }
    acknowledge();
  }
}
