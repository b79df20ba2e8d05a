/**
 * A voter's write-ahead log: what Raft must not forget and the ledger doesn't hold yet.
 * Entries that are certified stand in the ledger for good and are read from there, so the
 * log is never too short for a follower and no snapshot is ever sent. One file of framed
 * records (`core/frame`), synced once for all that a batch brings; a torn end was never
 * acknowledged and is cut. Leaves out when to write (`member.ts`).
 *
 *   "wnraft-1\n" record…
 *   record = [0, term, vote, commit] | [1, index, term, type, data] | [2, ballot…]
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { concat, utf8 } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';
import { encodeRecord, readRecord } from '../../core/frame.js';
import {
  RAFT_RECORD_BYTES_MAX,
  RAFT_TAIL_ENTRIES,
  RAFT_WAL_BYTES_TARGET,
} from '../../core/limits.js';
import type { Path, Storage } from '../../core/ports.js';
import { limitSize } from '../raft/entries.js';
import type { ConfState, Entry, HardState, Index, LogStorage, Term } from '../raft/types.js';
import type { Ballot } from '../strong/certificate.js';
import { raftConfState } from '../strong/configuration.js';
import { asEntryType, typeNumber } from '../strong/entry.js';
import type { Ledger } from '../strong/ledger.js';
import { toRaft } from './translate.js';

const PATH: Path = 'strong/raft';
const MAGIC = utf8('wnraft-1\n');

/** What one batch makes durable. */
export interface WalBatch {
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  readonly ballots: readonly Ballot[];
}

export class WriteAheadLog implements LogStorage {
  /** Entries behind `base`, as stored. */
  private tail: Entry[] = [];
  private base: Index;
  private hard: HardState = { term: 0, vote: 0, commit: 0 };
  private last: Ballot | null = null;
  private bytes = 0;

  private constructor(
    private readonly storage: Storage,
    private readonly ledger: Ledger,
  ) {
    this.base = ledger.head().index;
  }

  /** Throws `damage` for a file that is damaged before its end. */
  static async open(storage: Storage, ledger: Ledger): Promise<WriteAheadLog> {
    const log = new WriteAheadLog(storage, ledger);
    const bytes = await storage.read(PATH);
    if (bytes === null || bytes.byteLength < MAGIC.byteLength) await log.rewrite();
    else await log.load(bytes);
    return log;
  }

  private async load(bytes: Uint8Array): Promise<void> {
    let at = MAGIC.byteLength;
    for (;;) {
      const read = readRecord(bytes, at, RAFT_RECORD_BYTES_MAX);
      if (!read.ok) {
        // A record that was cut short, or whose bytes never came, is the end; one amid others isn't.
        if (read.why === 'damaged' && holdsMore(bytes, at)) throw damaged(at);
        break;
      }
      this.take(read.payload, at);
      at = read.next;
    }
    this.bytes = at;
    if (at < bytes.byteLength) await this.storage.truncate(PATH, at);
  }

  private take(payload: Uint8Array, at: number): void {
    const parts = asArray(decodeCanonical(payload, RAFT_RECORD_BYTES_MAX), 'record of Raft');
    if (parts[0] === 0) {
      const [, term, vote, commit] = parts.map((part) => asUint(part, 'hard state'));
      this.hard = { term: term ?? 0, vote: vote ?? 0, commit: commit ?? 0 };
    } else if (parts[0] === 1) {
      const [, index, term, type, data] = asArray(parts, 'entry', 5);
      const entry = {
        index: asUint(index, 'index'),
        term: asUint(term, 'term'),
        type: asEntryType(type),
        data: asBytes(data, 'data of an entry'),
      };
      if (entry.index > this.base && !this.keep(entry)) throw damaged(at);
    } else {
      const [, configuration, term, index, root] = asArray(parts, 'ballot', 5);
      this.last = {
        configuration: asUint(configuration, 'configuration'),
        term: asUint(term, 'term'),
        index: asUint(index, 'index'),
        root: asBytes(root, 'root', 32),
      };
    }
  }

  /** False where it leaves a gap. */
  private keep(entry: Entry): boolean {
    const place = entry.index - this.base - 1;
    if (place > this.tail.length) return false;
    this.tail.length = place;
    this.tail.push(entry);
    return true;
  }

  /** The last vote cast; none may be cast that contradicts it. */
  get lastBallot(): Ballot | null {
    return this.last;
  }

  /** Durable once resolved; with `mustSync` false it may be lost, and is written with the next. */
  async append({ hardState, entries, ballots }: WalBatch): Promise<void> {
    const records: Canonical[] = entries.map(entryRecord);
    if (hardState !== null) records.push(hardRecord(hardState));
    for (const ballot of ballots) records.push(ballotRecord(ballot));
    if (records.length === 0) return;
    const frames = concat(records.map((record) => encodeRecord(encodeCanonical(record))));
    await this.storage.append(PATH, frames);
    this.bytes += frames.byteLength;
    for (const entry of entries) assert(this.keep(entry), 'an entry out of its place');
    if (hardState !== null) this.hard = hardState;
    this.last = ballots.at(-1) ?? this.last;
  }

  /** Lets go of what the ledger holds, but for a tail that followers may be about to ask for. */
  async trim(): Promise<void> {
    const held = this.ledger.head().index;
    const drop = Math.min(held - RAFT_TAIL_ENTRIES - this.base, this.tail.length);
    if (drop > RAFT_TAIL_ENTRIES) {
      this.tail = this.tail.slice(drop);
      this.base += drop;
    }
    if (this.bytes > RAFT_WAL_BYTES_TARGET) await this.rewrite();
  }

  /** The same without what the ledger holds; atomic. */
  private async rewrite(): Promise<void> {
    const held = this.ledger.head().index;
    const records: Canonical[] = [hardRecord(this.hard)];
    if (this.last !== null) records.push(ballotRecord(this.last));
    records.push(...this.tail.filter(({ index }) => index > held).map(entryRecord));
    const frames = records.map((record) => encodeRecord(encodeCanonical(record)));
    const bytes = concat([MAGIC, ...frames]);
    await this.storage.replace(PATH, bytes);
    this.bytes = bytes.byteLength;
  }

  // What Raft reads

  initialState(): { hardState: HardState; confState: ConfState } {
    const { state } = this.ledger;
    const commit = Math.max(this.hard.commit, state.index);
    const term = Math.max(this.hard.term, state.term);
    const vote = term === this.hard.term ? this.hard.vote : 0;
    const known = term > 0 || commit > 0;
    return {
      hardState: known ? { term, vote, commit: Math.min(commit, this.lastIndex()) } : this.hard,
      confState: raftConfState(state.configuration),
    };
  }

  firstIndex(): Index {
    return 1;
  }

  lastIndex(): Index {
    return this.base + this.tail.length;
  }

  term(index: Index): Term | null {
    if (index === 0) return 0;
    if (index > this.base) return this.tail[index - this.base - 1]?.term ?? null;
    return this.ledger.entries(index, index + 1, 1)[0]?.term ?? null;
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    assert(hi <= this.lastIndex() + 1, `no entries up to ${hi} are stored`);
    if (lo > this.base) {
      const stored = this.tail.slice(lo - this.base - 1, hi - this.base - 1);
      return limitSize(stored, maxBytes);
    }
    const older = this.ledger.entries(lo, Math.min(hi, this.base + 1), maxBytes);
    return limitSize(older.map(toRaft), maxBytes);
  }

  snapshot(): null {
    return null;
  }
}

function hardRecord({ term, vote, commit }: HardState): Canonical {
  return [0, term, vote, commit];
}

function entryRecord({ index, term, type, data }: Entry): Canonical {
  return [1, index, term, typeNumber(type), data];
}

function ballotRecord({ configuration, term, index, root }: Ballot): Canonical {
  return [2, configuration, term, index, root];
}

/** Whether a whole record stands anywhere behind a damaged one: then it is no torn end. */
function holdsMore(bytes: Uint8Array, damagedAt: number): boolean {
  for (let at = damagedAt + 1; at < bytes.byteLength; at++) {
    if (readRecord(bytes, at, RAFT_RECORD_BYTES_MAX).ok) return true;
  }
  return false;
}

function damaged(at: number): WnError {
  return new WnError('damage', `${PATH} is damaged at byte ${at}. Nothing was changed.`, {
    hint: 'this voter can not vote any more: remove it from the group and let it join anew',
    details: { file: PATH, offset: at },
  });
}
