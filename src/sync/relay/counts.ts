/** How many there are of each; what there is none of takes no room. */
import { assert } from '../../core/errors.js';

export class Counts {
  private readonly counts = new Map<string, number>();

  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  add(what: string, by = 1): void {
    this.counts.set(what, this.of(what) + by);
  }

  remove(what: string): void {
    const left = this.of(what) - 1;
    assert(left >= 0, 'counted out more than came in');
    if (left === 0) this.counts.delete(what);
    else this.counts.set(what, left);
  }
}
