/**
 * A stored log held in memory: all of a simulation's storage, and what a write-ahead log on
 * disk is mirrored in. Leaves out durability.
 */
import { assert, WnError } from '../../core/errors.js';
import { EMPTY_CONF } from './confchange.js';
import { limitSize } from './entries.js';
import { NO_BYTES } from './messages.js';
import { NONE, type Entry, type HardState, type Index, type LogStorage } from './types.js';
import type { ConfState, Snapshot, SnapshotMetadata, Term } from './types.js';

export class MemoryStorage implements LogStorage {
  #hardState: HardState = { term: 0, vote: NONE, commit: 0 };
  #snapshot: Snapshot = {
    metadata: { index: 0, term: 0, confState: EMPTY_CONF },
    data: NO_BYTES,
  };
  /** Where the entries begin; not before the snapshot was taken, possibly behind it. */
  #compacted = { index: 0, term: 0 };
  #entries: Entry[] = [];

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  firstIndex(): Index {
    return this.#compacted.index + 1;
  }

  lastIndex(): Index {
    return this.#compacted.index + this.#entries.length;
  }

  term(index: Index): Term | null {
    if (index === this.#compacted.index) return this.#compacted.term;
    return this.#entries[index - this.firstIndex()]?.term ?? null;
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] | null {
    const first = this.firstIndex();
    assert(hi <= this.lastIndex() + 1, `no entries up to ${hi} are stored`);
    if (lo < first) return null;
    return limitSize(this.#entries.slice(lo - first, hi - first), maxBytes);
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Appends, in place of whatever stands at or behind the first of `entries`. */
  append(entries: readonly Entry[]): void {
    const first = this.firstIndex();
    const news = entries.filter(({ index }) => index >= first);
    const [next] = news;
    if (next === undefined) return;
    assert(next.index <= this.lastIndex() + 1, `entries at ${next.index} leave a gap`);
    this.#entries.length = next.index - first;
    this.#entries.push(...news);
  }

  /** Throws `invalid` for a snapshot that isn't newer. */
  applySnapshot(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    const held = this.#snapshot.metadata.index;
    if (held !== 0 && held >= index) throw outdated(snapshot.metadata);
    this.#snapshot = snapshot;
    this.#compacted = { index, term };
    this.#entries = [];
  }

  /** The application's state as of an applied entry that is still here. Throws `invalid`. */
  createSnapshot(index: Index, confState: ConfState, data: Uint8Array): Snapshot {
    const term = this.term(index);
    assert(term !== null, `no entry ${index} to take a snapshot at`);
    const metadata = { index, term, confState };
    if (index <= this.#snapshot.metadata.index) throw outdated(metadata);
    this.#snapshot = { metadata, data };
    return this.#snapshot;
  }

  /** Forgets entries up to and with `index`. Throws `invalid` if they are forgotten already. */
  compact(index: Index): void {
    if (index <= this.#compacted.index) {
      throw new WnError('invalid', 'requested index is unavailable due to compaction');
    }
    const term = this.term(index);
    assert(term !== null, `no entry ${index} to compact up to`);
    this.#entries = this.#entries.slice(index + 1 - this.firstIndex());
    this.#compacted = { index, term };
  }
}

function outdated({ index }: SnapshotMetadata): WnError {
  return new WnError('invalid', `the snapshot at ${index} is older than the existing one`);
}
