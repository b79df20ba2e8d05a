/** Logs to write: chains of real commits, with payloads as they stand in segments. */
import {
  encodeGroup,
  makeCommit,
  signCommit,
  type Commit,
  type CommitKind,
} from '../../../src/core/commit.js';
import { signerFromSeed } from '../../../src/core/crypto.js';
import { encodePayload, type Place } from '../../../src/core/frame.js';
import type { Op } from '../../../src/core/op.js';
import type { LogStore } from '../../../src/repo/log/store.js';
import type { ScanItem, ScanOptions } from '../../../src/repo/log/scan.js';
import {
  endOf,
  placeAfter,
  type LogKey,
  type LogOffset,
  type Position,
} from '../../../src/repo/log/segment.js';

export const WORKSPACE = 'a1'.repeat(32);
const CAP = 'c4'.repeat(32);

/** Grows one log, commit by commit; every second one is signed. */
export class Chain {
  readonly key: LogKey;
  readonly commits: Commit[] = [];
  readonly payloads: Uint8Array[] = [];
  /** Of the first commit, and of the next. */
  readonly start: Place;
  place: Place;
  private readonly signer;

  constructor(name: number, firstSeq = 0) {
    this.signer = signerFromSeed(new Uint8Array(32).fill(name));
    const epoch = name.toString(16).padStart(2, '0').repeat(8);
    this.key = { dev: this.signer.publicKey, epoch };
    this.start = { ...this.key, ws: WORKSPACE, seq: firstSeq, prev: null, cap: null };
    this.place = this.start;
  }

  /** Commits with `text` in each; returns what to append. */
  grow(count: number, text = 'a value'): { place: Place; payloads: readonly Uint8Array[] } {
    const { place } = this;
    const from = this.payloads.length;
    for (let index = 0; index < count; index++) this.add(text);
    return { place, payloads: this.payloads.slice(from) };
  }

  /** Drops the commits from `count` on, which a crash lost. */
  forget(count: number): void {
    this.commits.length = count;
    this.payloads.length = count;
    const last = this.commits.at(-1);
    this.place =
      last === undefined ? this.start : placeAfter(last, { ...this.start, seq: last.header.seq });
  }

  private add(text: string): void {
    const { place } = this;
    const kind: CommitKind = 'change';
    const header = { ...place, prev: place.prev, deps: [], cap: CAP, kind };
    const salt = new Uint8Array(16).fill(place.seq);
    const op: Op = { op: 'field', node: '0b'.repeat(16), path: ['status'], type: 0, arg: text };
    const bytes = encodeGroup({ salt, scope: null, msg: null, ops: [op] });
    const hlc = (1_789_000_000_000n << 16n) + BigInt(place.seq);
    const unsigned = makeCommit({ ...header, hlc }, [{ bytes, ops: 1, form: 'plain' }]);
    const sig = place.seq % 2 === 0 ? signCommit(unsigned.id, this.signer) : null;
    const commit = { ...unsigned, sig };
    this.commits.push(commit);
    this.payloads.push(encodePayload(commit, place));
    this.place = placeAfter(commit, place);
  }
}

/** Appends `count` commits in one go and returns where they stand. */
export async function write(
  store: LogStore,
  chain: Chain,
  count: number,
  after: LogOffset | null,
  text?: string,
): Promise<readonly Position[]> {
  const [positions = []] = await store.append([{ ...chain.grow(count, text), after }]);
  return positions;
}

/** The end of the last position: what an index would call acknowledged. */
export function lastEnd(positions: readonly Position[]): LogOffset {
  const last = positions.at(-1);
  if (last === undefined) throw new Error('no positions');
  return endOf(last);
}

export async function scanAll(
  store: LogStore,
  log: LogKey,
  options?: ScanOptions,
): Promise<ScanItem[]> {
  const items: ScanItem[] = [];
  for await (const item of store.scan(log, options)) items.push(item);
  return items;
}

/** What a scan says, in short: `commit 3`, `torn 120`, `damage 0 the header is damaged`. */
export function brief(items: readonly ScanItem[]): string[] {
  return items.flatMap((item) => {
    if (item.kind === 'segment') return [];
    if (item.kind === 'commit') return [`commit ${item.seq}`];
    if (item.kind === 'torn') return [`torn ${item.offset}`];
    return [`damage ${item.offset} ${item.what}`];
  });
}
