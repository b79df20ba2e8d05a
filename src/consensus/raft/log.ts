/**
 * The log as the machine sees it: what is stored, the unstable end, and how far it is
 * committed, handed out and applied: applied <= applying <= committed <= lastIndex.
 */
import { assert, WnError } from '../../core/errors.js';
import { entriesSize, entrySize, limitSize, type EntryId } from './entries.js';
import type { Entry, Index, LogStorage, Snapshot, Term } from './types.js';
import { Unstable } from './unstable.js';

export class RaftLog {
  readonly #storage: LogStorage;
  readonly unstable: Unstable;
  committed: Index;
  applied: Index;
  /** Handed out for applying; the application may not be done with them. */
  #applying: Index;
  /** Bytes handed out and not yet applied, and how many there may be. */
  #applyingBytes = 0;
  readonly #applyingBytesMax: number;
  #applyingPaused = false;

  constructor(storage: LogStorage, applyingBytesMax: number) {
    this.#storage = storage;
    this.#applyingBytesMax = applyingBytesMax;
    this.unstable = new Unstable(storage.lastIndex() + 1);
    this.committed = storage.firstIndex() - 1;
    this.applied = this.committed;
    this.#applying = this.committed;
  }

  firstIndex(): Index {
    const { snapshot } = this.unstable;
    return snapshot === null ? this.#storage.firstIndex() : snapshot.metadata.index + 1;
  }

  lastIndex(): Index {
    return this.unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  lastId(): EntryId {
    const index = this.lastIndex();
    const term = this.term(index);
    assert(term !== null, `the last entry ${index} has no term`);
    return { term, index };
  }

  /** Known for [firstIndex - 1, lastIndex]; null elsewhere. */
  term(index: Index): Term | null {
    const unstable = this.unstable.term(index);
    if (unstable !== null) return unstable;
    if (index < this.firstIndex() - 1 || index > this.lastIndex()) return null;
    return this.#storage.term(index);
  }

  matches({ index, term }: EntryId): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends at `last` has all that this one can have committed (§3.6.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.lastId();
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  snapshot(): Snapshot | null {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** From `from` on, within `maxBytes` but at least one; null if compacted away. */
  entries(from: Index, maxBytes: number): readonly Entry[] | null {
    const last = this.lastIndex();
    return from > last ? [] : this.slice(from, last + 1, maxBytes);
  }

  /** Of [lo, hi), within `maxBytes` but at least one; null if `lo` is compacted away. */
  slice(lo: Index, hi: Index, maxBytes: number): readonly Entry[] | null {
    assert(lo <= hi && hi <= this.lastIndex() + 1, `no slice [${lo}, ${hi}) of this log`);
    if (lo < this.firstIndex()) return null;
    if (lo === hi) return [];
    const { offset } = this.unstable;
    if (lo >= offset) return limitSize(this.unstable.slice(lo, hi), maxBytes);
    const cut = Math.min(hi, offset);
    const stored = this.#storage.entries(lo, cut, maxBytes);
    if (stored === null || hi <= offset || stored.length < cut - lo) return stored;
    const room = maxBytes - entriesSize(stored);
    const rest = limitSize(this.unstable.slice(offset, hi), room);
    const [first] = rest;
    return first === undefined || entrySize(first) > room ? stored : [...stored, ...rest];
  }

  /**
   * Appends a leader's entries behind `prev`, in place of those that contradict them. Returns
   * the index of the last of them, or null if this log has no such `prev`.
   */
  maybeAppend(prev: EntryId, entries: readonly Entry[], committed: Index): Index | null {
    if (!this.matches(prev)) return null;
    const news = entries.findIndex((entry) => !this.matches(entry));
    if (news >= 0) this.append(entries.slice(news));
    const last = prev.index + entries.length;
    this.commitTo(Math.min(committed, last));
    return last;
  }

  /** Throws `damage` for entries that would replace committed ones. */
  append(entries: readonly Entry[]): Index {
    const [first] = entries;
    if (first === undefined) return this.lastIndex();
    if (first.index <= this.committed) {
      throw damaged(
        `entry ${first.index} was committed here, and a leader has another in its place`,
        'A voter has lost or rolled back its disk. Stop the group and compare the logs.',
      );
    }
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /**
   * The last entry at or before `index` whose term is at most `term`: the logs of two members
   * can't match behind it. Term 0 where it isn't known.
   */
  findConflictByTerm(index: Index, term: Term): EntryId {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (own === null) return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  /** Only entries of a leader's own term commit by count; older ones with them (§3.6.2). */
  maybeCommit(at: EntryId): boolean {
    if (at.term === 0 || at.index <= this.committed || !this.matches(at)) return false;
    this.commitTo(at.index);
    return true;
  }

  /** Never goes back. Throws `damage` if entries are missing that a quorum has. */
  commitTo(index: Index): void {
    if (index <= this.committed) return;
    if (index > this.lastIndex()) {
      throw damaged(
        `entry ${index} is committed, and this member, which had confirmed it, has none ` +
          `behind ${this.lastIndex()}`,
        'The others have what is missing. Take this member out and let it join anew.',
      );
    }
    this.committed = index;
  }

  /** The log is what a snapshot says, and nothing behind it. */
  restore(snapshot: Snapshot): void {
    this.committed = snapshot.metadata.index;
    this.unstable.restore(snapshot);
  }

  /** Committed entries to apply; without `allowUnstable` only those known to be stored. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return [];
    const room = this.#applyingBytesMax - this.#applyingBytes;
    assert(room > 0, 'applying was not paused at its bound');
    const entries = this.slice(this.#applying + 1, this.#appliable(allowUnstable) + 1, room);
    assert(entries !== null, 'an entry was compacted before it was applied');
    return entries;
  }

  hasNextCommitted(allowUnstable: boolean): boolean {
    // A snapshot is applied before what comes behind it.
    if (this.#applyingPaused || this.unstable.snapshot !== null) return false;
    return this.#applying < this.#appliable(allowUnstable);
  }

  #appliable(allowUnstable: boolean): Index {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** `entries` of `nextCommitted` are handed out. Pauses where the bound cut them short. */
  acceptApplying(entries: readonly Entry[], allowUnstable: boolean): void {
    const last = entries.at(-1)?.index ?? this.#applying;
    this.#applying = last;
    this.#applyingBytes += entriesSize(entries);
    this.#applyingPaused =
      this.#applyingBytes >= this.#applyingBytesMax || last < this.#appliable(allowUnstable);
  }

  /** Applied up to `index`, entries of `bytes` among those handed out. */
  appliedTo(index: Index, bytes: number): void {
    assert(
      index >= this.applied && index <= this.committed,
      `applied ${index} of [${this.applied}, ${this.committed}]`,
    );
    this.applied = index;
    this.#applying = Math.max(this.#applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax;
  }
}

/** Some disk isn't what its member told the others: this member must not go on. */
function damaged(what: string, hint: string): WnError {
  return new WnError('damage', `${what}; nothing was changed`, { hint });
}
