/**
 * What a voter has evaluated of the log beyond the ledger: kept by entry, so that a leader
 * who replaces a tail takes its evaluation away with it.
 */
import { assert } from '../../core/errors.js';
import type { Entry, Index } from '../raft/types.js';
import { evaluate, type Evaluation } from '../strong/evaluate.js';
import type { StrongState } from '../strong/state.js';
import type { StrongEntry } from '../strong/types.js';
import { toStrong } from './translate.js';

export interface Evaluated {
  readonly entry: StrongEntry;
  /** What it was evaluated on. */
  readonly before: StrongState;
  readonly evaluation: Evaluation;
}

export class Overlay {
  private evaluated: Evaluated[] = [];

  /** `head`: of the ledger. */
  constructor(private head: StrongState) {}

  /** Evaluates entries in place of whatever stood at or behind the first of them. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index <= this.head.index) continue;
      this.evaluated.length = entry.index - this.head.index - 1;
      const before = this.last;
      assert(before.index === entry.index - 1, 'an entry out of its place');
      const strong = toStrong(entry);
      this.evaluated.push({ entry: strong, before, evaluation: evaluate(before, strong) });
    }
  }

  /** The last entry that has been settled. */
  get headIndex(): Index {
    return this.head.index;
  }

  /** The state behind the last entry. */
  get last(): StrongState {
    return this.evaluated.at(-1)?.evaluation.state ?? this.head;
  }

  /** Undefined for entries that the ledger holds, or nobody. */
  at(index: Index): Evaluated | undefined {
    return this.evaluated[index - this.head.index - 1];
  }

  /** Up to and with `index`; they leave, for they go to the ledger. */
  settle(index: Index): readonly Evaluated[] {
    const settled = this.evaluated.slice(0, index - this.head.index);
    assert(settled.at(-1)?.entry.index === index, 'entries that were not evaluated');
    this.evaluated = this.evaluated.slice(settled.length);
    this.head = settled.at(-1)?.evaluation.state ?? this.head;
    return settled;
  }

  /** The ledger went on by itself. */
  restart(head: StrongState): void {
    this.head = head;
    this.evaluated = [];
  }
}
