/**
 * From lazily read runs and chunks to frames, and from PARTs back to a message. Used by
 * sessions and bundles alike. Leaves out credit and order: see `outgoing.ts`.
 */
import { concat } from '../core/bytes.js';
import { assert, WnError } from '../core/errors.js';
import {
  SYNC_FRAME_BYTES_MAX,
  SYNC_MESSAGE_BYTES_MAX,
  SYNC_RUN_BYTES_MAX,
  SYNC_RUN_COMMITS_MAX,
} from '../core/limits.js';
import { decodeMessage } from './decode.js';
import { blobMark } from './digest.js';
import { encodeMessage } from './frames.js';
import type { Run, SyncReads } from './store.js';

/** One frame that counts against credit, and what is complete once it has arrived. */
export interface Packed {
  readonly frame: Uint8Array;
  readonly commits: number;
  readonly blobs: number;
  /** What stands for the frame in a session's digest; absent: the frame itself. */
  readonly mark?: Uint8Array;
}

/** What the encoding of a run, of a payload's length, and of a PART's head adds at most. */
const RUN_OVERHEAD_BYTES = 160;
const PAYLOAD_OVERHEAD_BYTES = 5;
const PART_OVERHEAD_BYTES = 16;

/** RUNS frames as full as they get, in order; a run beyond one frame becomes PARTs. */
export function* packRuns(runs: Iterable<Run>): Generator<Packed> {
  let batch: Run[] = [];
  let room = SYNC_FRAME_BYTES_MAX - PART_OVERHEAD_BYTES;
  for (const run of runs) {
    const size = sizeOf(run);
    if (size > room && batch.length > 0) {
      yield* framesOf(batch);
      batch = [];
      room = SYNC_FRAME_BYTES_MAX - PART_OVERHEAD_BYTES;
    }
    batch.push(run);
    room -= size;
  }
  if (batch.length > 0) yield* framesOf(batch);
}

function sizeOf(run: Run): number {
  const bytes = run.payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  const count = run.payloads.length;
  assert(count > 0 && count <= SYNC_RUN_COMMITS_MAX, `a run of ${count} commits`);
  assert(bytes <= SYNC_RUN_BYTES_MAX, `a run of ${bytes} bytes`);
  return RUN_OVERHEAD_BYTES + bytes + count * PAYLOAD_OVERHEAD_BYTES;
}

function* framesOf(runs: readonly Run[]): Generator<Packed> {
  const commits = runs.reduce((sum, run) => sum + run.payloads.length, 0);
  const whole = encodeMessage({ type: 'runs', runs });
  if (whole.byteLength <= SYNC_FRAME_BYTES_MAX) {
    yield { frame: whole, commits, blobs: 0 };
    return;
  }
  const step = SYNC_FRAME_BYTES_MAX - PART_OVERHEAD_BYTES;
  for (let at = 0; at < whole.byteLength; at += step) {
    const last = at + step >= whole.byteLength;
    const frame = encodeMessage({ type: 'part', last, bytes: whole.subarray(at, at + step) });
    yield { frame, commits: last ? commits : 0, blobs: 0 };
  }
}

/** One BLOB frame for each hash, in order; those not held are said to be absent. */
export function* packBlobs(
  store: Pick<SyncReads, 'readBlob'>,
  hashes: Iterable<string>,
): Generator<Packed> {
  for (const hash of hashes) {
    const bytes = store.readBlob(hash);
    const frame = encodeMessage({ type: 'blob', hash, bytes });
    yield { frame, commits: 0, blobs: bytes === null ? 0 : 1, mark: blobMark(hash, bytes) };
  }
}

/** Puts one RUNS together from its PARTs; holds at most `SYNC_MESSAGE_BYTES_MAX`. */
export class Assembly {
  private parts: Uint8Array[] = [];
  private bytes = 0;

  /** Whether a message has begun and isn't whole. */
  get open(): boolean {
    return this.parts.length > 0;
  }

  /** The runs, with the last part; null before it. Throws `invalid`. */
  add(part: { readonly last: boolean; readonly bytes: Uint8Array }): readonly Run[] | null {
    this.bytes += part.bytes.byteLength;
    if (this.bytes > SYNC_MESSAGE_BYTES_MAX) {
      throw new WnError('invalid', `parts of over ${SYNC_MESSAGE_BYTES_MAX} bytes`);
    }
    this.parts.push(part.bytes);
    if (!part.last) return null;
    const message = decodeMessage(concat(this.parts));
    if (message?.type !== 'runs') throw new WnError('invalid', 'parts of something but RUNS');
    this.parts = [];
    this.bytes = 0;
    return message.runs;
  }
}
