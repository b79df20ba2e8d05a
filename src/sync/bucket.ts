/** Token buckets: so much at once, so much a second; who takes more waits. */
import type { Clock } from '../core/ports.js';

export interface Rate {
  readonly perSecond: number;
  /** How much may come at once after a silence. */
  readonly burst: number;
}

export class Bucket {
  private tokens: number;
  private atMs: number;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs' | 'after'>,
    private rate: Rate,
  ) {
    this.tokens = rate.burst;
    this.atMs = clock.monotonicMs();
  }

  /** From now on. */
  change(rate: Rate): void {
    this.fill();
    this.rate = rate;
    this.tokens = Math.min(this.tokens, rate.burst);
  }

  get isFull(): boolean {
    this.fill();
    return this.tokens >= this.rate.burst;
  }

  /** Takes `amount` if it is there. */
  tryTake(amount: number): boolean {
    this.fill();
    if (this.tokens < amount) return false;
    this.tokens -= amount;
    return true;
  }

  /** Takes `amount` now and waits until the debt is paid, so that a large one passes too. */
  async take(amount: number): Promise<void> {
    this.fill();
    this.tokens -= amount;
    if (this.tokens >= 0) return;
    const waitMs = (-this.tokens / this.rate.perSecond) * 1000;
    await new Promise<void>((resolve) => this.clock.after(waitMs, resolve));
  }

  private fill(): void {
    const nowMs = this.clock.monotonicMs();
    const gained = ((nowMs - this.atMs) / 1000) * this.rate.perSecond;
    this.tokens = Math.min(this.rate.burst, this.tokens + gained);
    this.atMs = nowMs;
  }
}
