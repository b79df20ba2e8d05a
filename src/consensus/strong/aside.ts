/**
 * What is kept beside the ledger to answer without reading it whole: where each entry
 * stands, whose request it holds, its hash, its outcome, and the hashes of the tree. All
 * follows from the log and is made again where it is missing. A checkpoint writes it and,
 * last, the state and how far that goes (`strong/state`).
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  fromUint64,
} from '../../core/canonical.js';
import { concat, equalBytes, fromHex, idBytes, toHex } from '../../core/bytes.js';
import { hlcOf } from '../../core/commit.js';
import { assert, WnError } from '../../core/errors.js';
import { encodeRecord, readRecord } from '../../core/frame.js';
import type { Hlc } from '../../core/hlc.js';
import { FRAME_BYTES_MAX } from '../../core/limits.js';
import type { Path, Storage } from '../../core/ports.js';
import { decodeCertificate, encodeCertificate } from './certificate.js';
import { firstHash, type Leaf } from './entry.js';
import { initialState, type Evaluation } from './evaluate.js';
import { frontierOf, HASH_BYTES, hashCount, inclusionPath } from './merkle.js';
import { decodeOutcome, encodeOutcome } from './outcome.js';
import { SideFile } from './sidefile.js';
import { decodeState, encodeState } from './snapshot.js';
import type { StrongState } from './state.js';
import type { Certificate, Group, Outcome, RequestId } from './types.js';
import type { DeviceId } from '../../core/ids.js';

const PLACES: Path = 'strong/places';
const HASHES: Path = 'strong/hashes';
const OUTCOMES: Path = 'strong/outcomes';
const STATE: Path = 'strong/state';

/** Offset in the log, offset in the outcomes, hash of the entry, beginning of the request's id. */
const PLACE_BYTES = 8 + 8 + HASH_BYTES + 8;
const ID_HEAD_BYTES = 8;
const SEARCHED_PLACES = 1_024;

/** What an entry came to, as everybody finds it. */
export interface Settled {
  readonly index: number;
  readonly timeMs: number;
  /** Null for an entry without one, or with one that its author didn't sign. */
  readonly request: RequestId | null;
  readonly author: DeviceId | null;
  /** The request's time; null where there is none, and for a repeat. */
  readonly hlc: Hlc | null;
  readonly outcome: Outcome;
}

/** How far the ledger goes: its last certificate, and where the record of that ends. */
export interface Head {
  readonly certificate: Certificate | null;
  readonly logEnd: number;
}

export class Aside {
  private constructor(
    private readonly storage: Storage,
    private readonly group: Group,
    private readonly places: SideFile,
    private readonly hashes: SideFile,
    private readonly outcomes: SideFile,
  ) {}

  /** As the last checkpoint left it; empty where there is none that fits. */
  static async open(
    storage: Storage,
    group: Group,
  ): Promise<{ readonly aside: Aside; readonly state: StrongState; readonly head: Head }> {
    const kept = await readCheckpoint(storage, group);
    const files = (places: number, hashes: number, outcomes: number): Aside =>
      new Aside(
        storage,
        group,
        new SideFile(storage, PLACES, places),
        new SideFile(storage, HASHES, hashes),
        new SideFile(storage, OUTCOMES, outcomes),
      );
    if (kept !== null) {
      const { index } = kept.state;
      const hashBytes = hashCount(index) * HASH_BYTES;
      const aside = files(index * PLACE_BYTES, hashBytes, kept.outcomeBytes);
      if (await aside.fits(kept.state)) return { aside, state: kept.state, head: kept.head };
    }
    const head = { certificate: null, logEnd: 0 };
    return { aside: files(0, 0, 0), state: initialState(group), head };
  }

  /** Whether the files hold what the state says; a folder may be restored piecemeal. */
  private async fits({ index, tree }: StrongState): Promise<boolean> {
    for (const [path, file] of [
      [PLACES, this.places],
      [HASHES, this.hashes],
      [OUTCOMES, this.outcomes],
    ] as const) {
      if (((await this.storage.size(path)) ?? 0) < file.size) return false;
    }
    const { peaks } = frontierOf(index, this.readHash);
    return peaks.every((peak, at) => equalBytes(peak, tree.peaks[at] ?? peak.subarray(1)));
  }

  /** Entries that are here. */
  get count(): number {
    return this.places.size / PLACE_BYTES;
  }

  get unwrittenBytes(): number {
    return this.places.unwritten + this.hashes.unwritten + this.outcomes.unwritten;
  }

  /** `at`: where the entry's record begins in the log. */
  append({ state, outcome, leaf, hashes, asked }: Evaluation, at: number): void {
    assert(state.index === this.count + 1, 'an entry out of its place');
    const place = Buffer.alloc(PLACE_BYTES);
    place.writeBigUInt64LE(BigInt(at), 0);
    place.writeBigUInt64LE(BigInt(this.outcomes.size), 8);
    place.set(leaf.entry, 16);
    if (asked !== null) place.set(idHead(asked.request), 16 + HASH_BYTES);
    this.places.append(place);
    this.hashes.append(concat(hashes));
    const value = [
      state.timeMs,
      asked === null ? null : fromHex(asked.request),
      asked === null ? null : idBytes(asked.author),
      asked === null || asked.hlc === null ? null : fromUint64(asked.hlc),
      leaf.outcome,
      encodeOutcome(outcome),
    ];
    this.outcomes.append(encodeRecord(encodeCanonical(value)));
  }

  /** Durable; the state last, so that it never says more than there is. */
  async checkpoint(state: StrongState, { certificate, logEnd }: Head): Promise<void> {
    assert(state.index === this.count, 'a state of another index');
    for (const file of [this.places, this.hashes, this.outcomes]) await file.write();
    const certified = certificate === null ? null : encodeCertificate(certificate);
    const head = encodeRecord(encodeCanonical([logEnd, this.outcomes.size, certified]));
    await this.storage.replace(STATE, concat([head, encodeState(state)]));
  }

  readonly readHash = (at: number): Uint8Array =>
    this.hashes.read(at * HASH_BYTES, (at + 1) * HASH_BYTES);

  path(index: number, size: number): readonly Uint8Array[] {
    return inclusionPath(index - 1, size, this.readHash);
  }

  private place(index: number): Buffer {
    assert(index > 0 && index <= this.count, 'an entry that is not here');
    const bytes = this.places.read((index - 1) * PLACE_BYTES, index * PLACE_BYTES);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the record of entry `index` begins in the log. */
  logOffset(index: number): number {
    return Number(this.place(index).readBigUInt64LE(0));
  }

  /** Of entry 0: what stands for it. */
  entryHash(index: number): Uint8Array {
    if (index === 0) return firstHash(this.group.id);
    return Uint8Array.from(this.place(index).subarray(16, 16 + HASH_BYTES));
  }

  settled(index: number): Settled & { readonly leaf: Leaf } {
    const from = Number(this.place(index).readBigUInt64LE(8));
    const to =
      index === this.count ? this.outcomes.size : Number(this.place(index + 1).readBigUInt64LE(8));
    const record = readRecord(this.outcomes.read(from, to), 0);
    if (!record.ok) {
      throw new WnError('damage', `${OUTCOMES} is damaged at byte ${from}. Nothing was changed.`, {
        hint: `remove ${STATE}: what stands beside the ledger is made again`,
      });
    }
    const [time, request, author, hlc, outcomeHash, outcome] = asArray(
      decodeCanonical(record.payload),
      'outcome',
      6,
    );
    return {
      index,
      timeMs: asUint(time, 'time'),
      request: request === null ? null : toHex(asBytes(request, 'request', 32)),
      author: author === null ? null : toHex(asBytes(author, 'author', 32)),
      hlc: hlc === null ? null : hlcOf(hlc),
      outcome: decodeOutcome(outcome),
      leaf: {
        entry: this.entryHash(index),
        outcome: asBytes(outcomeHash, 'hash of the outcome', HASH_BYTES),
      },
    };
  }

  /** The entry that answered a request, newest first, repeats aside; null if there is none. */
  find(request: RequestId): number | null {
    const head = idHead(request);
    for (let to = this.count; to > 0; to -= SEARCHED_PLACES) {
      const from = Math.max(to - SEARCHED_PLACES, 0);
      const places = this.places.read(from * PLACE_BYTES, to * PLACE_BYTES);
      for (let index = to; index > from; index--) {
        const end = (index - from) * PLACE_BYTES;
        if (!equalBytes(places.subarray(end - ID_HEAD_BYTES, end), head)) continue;
        const { request: id, outcome } = this.settled(index);
        if (id === request && outcome.outcome !== 'repeat') return index;
      }
    }
    return null;
  }
}

function idHead(request: RequestId): Uint8Array {
  return fromHex(request.slice(0, 2 * ID_HEAD_BYTES));
}

interface Checkpoint {
  readonly state: StrongState;
  readonly head: Head;
  readonly outcomeBytes: number;
}

/** Null where there is none, or none that can be read: it is disposable. */
async function readCheckpoint(storage: Storage, group: Group): Promise<Checkpoint | null> {
  const bytes = await storage.read(STATE);
  const record = bytes === null ? null : readRecord(bytes, 0, FRAME_BYTES_MAX);
  if (bytes === null || record?.ok !== true) return null;
  try {
    const [end, outcomeBytes, certificate] = asArray(
      decodeCanonical(record.payload),
      'checkpoint',
      3,
    );
    const head = {
      logEnd: asUint(end, 'end of the log'),
      certificate: certificate === null ? null : decodeCertificate(certificate),
    };
    const state = decodeState(bytes.subarray(record.next), group);
    return { state, head, outcomeBytes: asUint(outcomeBytes, 'length of the outcomes') };
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}
