/**
 * The end of the log that isn't known to be stored: entries and at most one snapshot before
 * them. Some of it may be under way to the storage (`inProgress`); a newer leader may replace
 * it all the same.
 */
import { assert } from '../../core/errors.js';
import type { EntryId } from './entries.js';
import type { Entry, Index, Snapshot, Term } from './types.js';

export class Unstable {
  snapshot: Snapshot | null = null;
  /** Index of the first entry here, or of the next one to come. */
  offset: Index;
  #entries: Entry[] = [];
  #snapshotInProgress = false;
  /** Entries before this index are being stored; at least `offset`. */
  #offsetInProgress: Index;

  constructor(offset: Index) {
    this.offset = offset;
    this.#offsetInProgress = offset;
  }

  get hasEntries(): boolean {
    return this.#entries.length > 0;
  }

  /** Null: nothing here says where the log ends. */
  lastIndex(): Index | null {
    if (this.hasEntries) return this.offset + this.#entries.length - 1;
    return this.snapshot?.metadata.index ?? null;
  }

  term(index: Index): Term | null {
    const entry = this.#entries[index - this.offset];
    if (entry !== undefined) return entry.term;
    const metadata = this.snapshot?.metadata;
    return metadata?.index === index ? metadata.term : null;
  }

  /** Entries that nobody has begun to store. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.offset);
  }

  get hasNextEntries(): boolean {
    return this.#offsetInProgress - this.offset < this.#entries.length;
  }

  nextSnapshot(): Snapshot | null {
    return this.#snapshotInProgress ? null : this.snapshot;
  }

  /** All that is here now is being stored. */
  acceptInProgress(): void {
    this.#offsetInProgress = this.offset + this.#entries.length;
    this.#snapshotInProgress = this.snapshot !== null;
  }

  /**
   * Entries up to `id` are stored. Ignored where another entry has taken that place since:
   * what was stored is then being overwritten.
   */
  stableTo({ index, term }: EntryId): void {
    const entry = this.#entries[index - this.offset];
    if (entry?.term !== term) return;
    this.#entries = this.#entries.slice(index + 1 - this.offset);
    this.offset = index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.offset);
  }

  stableSnapshotTo(index: Index): void {
    if (this.snapshot?.metadata.index !== index) return;
    this.snapshot = null;
    this.#snapshotInProgress = false;
  }

  /** The log begins anew behind a snapshot. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.metadata.index + 1;
    this.#offsetInProgress = this.offset;
    this.#entries = [];
    this.snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Appends, in place of whatever stands at or behind the first of `entries`. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]?.index ?? 0;
    const end = this.offset + this.#entries.length;
    assert(from > 0 && from <= end, `entries at ${from} leave a gap behind ${end - 1}`);
    if (from === end) {
      this.#entries.push(...entries);
    } else if (from <= this.offset) {
      this.#entries = [...entries];
      this.offset = from;
      this.#offsetInProgress = from;
    } else {
      this.#entries = [...this.#entries.slice(0, from - this.offset), ...entries];
      this.#offsetInProgress = Math.min(this.#offsetInProgress, from);
    }
  }

  /** Entries of [lo, hi), all of which are here. */
  slice(lo: Index, hi: Index): readonly Entry[] {
    const end = this.offset + this.#entries.length;
    assert(lo >= this.offset && lo <= hi && hi <= end, `no entries [${lo}, ${hi}) in memory`);
    return this.#entries.slice(lo - this.offset, hi - this.offset);
  }
}
