/**
 * Bundles: an exchange in one file, for where there is no connection. The frames are
 * those of a session; nobody shows a right, since every commit is verified on the way in
 * and judged like any other. Leaves out files: bytes come and go in pieces.
 *
 *   bundle  = "wn-bundle/1\n" record…            records as in segments (`core/frame.ts`)
 *   records = BUNDLE HAVE… (RUNS | PART)… BLOB… DONE
 *
 * HAVE tells what the reader must hold already; DONE counts, and carries the digest of
 * everything before it.
 */
import { concat, equalBytes, utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { encodeRecord, RECORD_HEAD_BYTES, readRecord } from '../core/frame.js';
import {
  PENDING_COMMITS_MAX,
  SYNC_CREDIT_BYTES,
  SYNC_FRAME_BYTES_MAX,
  SYNC_REJECTED_MAX,
} from '../core/limits.js';
import { decodeMessage } from './decode.js';
import { bound, chained, NO_FRAMES } from './digest.js';
import { encodeMessage, type Done, type Have, type Message } from './frames.js';
import { compare, vectorOf } from './have.js';
import { HaveReader, havePages } from './havepages.js';
import { Assembly, packBlobs, packRuns, type Packed } from './pack.js';
import type { BundleSource, Chunk, HaveEntry, Rejection, Run, SyncStore } from './store.js';

const FAMILY = 'wn-bundle/';
const MAGIC = utf8(`${FAMILY}1\n`);

/** Everything that `source` holds beyond `since` (empty: all of it), piece by piece. */
export async function* writeBundle(
  source: BundleSource,
  since: readonly HaveEntry[],
): AsyncGenerator<Uint8Array, void, undefined> {
  yield MAGIC;
  let digest = NO_FRAMES;
  let [commits, blobs] = [0, 0];
  for (const packed of bundleFrames(source, since)) {
    digest = chained(digest, packed.frame);
    commits += packed.commits;
    blobs += packed.blobs;
    yield encodeRecord(packed.frame);
  }
  const seal = bound([MAGIC], digest);
  yield encodeRecord(encodeMessage({ type: 'done', commits, blobs, heldBack: 0, digest: seal }));
}

function* bundleFrames(source: BundleSource, since: readonly HaveEntry[]): Generator<Packed> {
  const opening = encodeMessage({ type: 'bundle', workspace: source.workspace });
  for (const frame of [opening, ...havePages(vectorOf(since), null)]) {
    yield { frame, commits: 0, blobs: 0 };
  }
  yield* packRuns(source.since(since));
  yield* packBlobs(source, source.blobsSince(since));
}

export interface Unbundled {
  /** Commits in the bundle, and those of them that were new. */
  readonly commits: number;
  readonly added: number;
  readonly pending: number;
  readonly rejected: readonly Rejection[];
  readonly forks: number;
  readonly blobs: number;
}

export type BundleTarget = Pick<SyncStore, 'workspace' | 'headsAt' | 'ingest' | 'writeBlobs'>;

/**
 * Takes a bundle in, `SYNC_CREDIT_BYTES` at a time. Throws `invalid` for what is no bundle
 * or another workspace's, `unknown_format` for a newer one, `condition_not_met` where
 * commits before it are missing, all before anything is stored; `damage` for one that is
 * cut or altered: what came whole before that is stored, and counted in `details`.
 */
export async function readBundle(
  chunks: AsyncIterable<Uint8Array>,
  target: BundleTarget,
): Promise<Unbundled> {
  const intake = new Intake(target);
  try {
    for await (const frame of records(chunks)) await intake.take(frame);
    if (!intake.finished) throw damaged('it is cut short');
  } catch (error) {
    if (!(error instanceof WnError) || error.code !== 'damage') throw error;
    await intake.flush();
    const { added, blobs } = intake.result;
    throw new WnError('damage', `${error.message}; ${added} commits before that are taken in`, {
      hint: 'get the file anew and unbundle it again: nothing is taken in twice',
      details: { added, blobs },
      cause: error,
    });
  }
  return intake.result;
}

/** Frames of a bundle's records, one at a time, whatever pieces the bytes come in. */
async function* records(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  let offset = 0;
  let buffer = await atLeast(source, new Uint8Array(), MAGIC.byteLength);
  checkMagic(buffer.subarray(0, MAGIC.byteLength));
  let at = MAGIC.byteLength;
  for (;;) {
    const read = readRecord(buffer, at, SYNC_FRAME_BYTES_MAX);
    if (read.ok) {
      yield read.payload;
      at = read.next;
      continue;
    }
    if (read.why === 'damaged') throw damaged(`it is damaged at byte ${offset + at}`);
    offset += at;
    const rest = buffer.subarray(at);
    at = 0;
    buffer = await atLeast(source, rest, RECORD_HEAD_BYTES + SYNC_FRAME_BYTES_MAX);
    if (buffer.byteLength > rest.byteLength) continue;
    if (rest.byteLength === 0) return;
    throw damaged(`it is cut short at byte ${offset + rest.byteLength}`);
  }
}

/** `buffer` and what follows it, up to `bytes` or the end. */
export async function atLeast(
  source: AsyncIterator<Uint8Array>,
  buffer: Uint8Array,
  bytes: number,
): Promise<Uint8Array> {
  const parts = [buffer];
  for (let held = buffer.byteLength; held < bytes;) {
    const next = await source.next();
    if (next.done === true) break;
    parts.push(next.value);
    held += next.value.byteLength;
  }
  return concat(parts);
}

function checkMagic(bytes: Uint8Array): void {
  if (equalBytes(bytes, MAGIC)) return;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.startsWith(FAMILY)) {
    throw new WnError('unknown_format', 'a bundle of another version of the format', {
      hint: 'unbundle it with the version of wn that made it, or a newer one',
    });
  }
  throw new WnError('invalid', 'this is no bundle', {
    hint: 'bundles are made by: wn bundle FILE',
  });
}

function damaged(why: string): WnError {
  return new WnError('damage', `the bundle can't be read to its end: ${why}`);
}

/** The reading side: one frame after the other, stored whenever enough has come together. */
class Intake {
  private readonly assembly = new Assembly();
  private readonly haveReader = new HaveReader();
  private stage: 'opening' | 'have' | 'content' | 'done' = 'opening';
  private digest = NO_FRAMES;
  private runs: Run[] = [];
  private chunks: Chunk[] = [];
  private waiting = 0;
  private counts = { commits: 0, added: 0, pending: 0, forks: 0, blobs: 0 };
  private readonly rejected: Rejection[] = [];

  constructor(private readonly target: BundleTarget) {}

  get finished(): boolean {
    return this.stage === 'done';
  }

  get result(): Unbundled {
    return { ...this.counts, rejected: this.rejected };
  }

  async take(frame: Uint8Array): Promise<void> {
    const message = sound(() => decodeMessage(frame));
    if (message?.type === 'done' && this.stage === 'content') {
      await this.finish(message);
      return;
    }
    this.digest = chained(this.digest, frame);
    if (message === null) return;
    if (this.stage === 'opening' && message.type === 'bundle') this.open(message.workspace);
    else if (this.stage === 'have' && message.type === 'have') this.checkBasis(message);
    else if (this.stage === 'content') this.gather(message, frame.byteLength);
    else throw damaged(`a record out of place: ${message.type}`);
    if (this.waiting >= SYNC_CREDIT_BYTES) await this.flush();
  }

  private open(workspace: string): void {
    if (workspace !== this.target.workspace) {
      throw new WnError('invalid', 'this bundle is of another workspace; nothing was taken in');
    }
    this.stage = 'have';
  }

  private checkBasis(page: Have): void {
    const told = sound(() => this.haveReader.add(page));
    if (told === null) return;
    if (!compare(this.target, told.delta).allHeld) {
      throw new WnError(
        'condition_not_met',
        'this bundle builds on commits that are missing here',
        {
          hint: 'unbundle the one before it first, or have it made from the beginning',
        },
      );
    }
    this.stage = 'content';
  }

  private gather(message: Message, bytes: number): void {
    if (message.type === 'blob') {
      if (message.bytes === null) return;
      this.chunks.push({ hash: message.hash, bytes: message.bytes });
    } else if (message.type === 'runs' || message.type === 'part') {
      const runs =
        message.type === 'runs' ? message.runs : (sound(() => this.assembly.add(message)) ?? []);
      this.runs.push(...runs);
      this.counts.commits += runs.reduce((sum, run) => sum + run.payloads.length, 0);
    } else {
      throw damaged(`a record out of place: ${message.type}`);
    }
    this.waiting += bytes;
  }

  /** Stores what waits: commits before the chunks that they refer to. */
  async flush(): Promise<void> {
    this.waiting = 0;
    if (this.runs.length > 0) {
      const { added, pending, rejected, forks } = await this.target.ingest(this.runs.splice(0));
      this.counts.added += added;
      this.counts.pending += pending;
      this.counts.forks += forks;
      this.rejected.push(...rejected);
      this.checkFlood();
    }
    const chunks = this.chunks.splice(0);
    if (chunks.length === 0) return;
    const refused = await this.target.writeBlobs(chunks);
    this.counts.blobs += chunks.length - refused;
    if (refused > 0) throw damaged('a chunk in it is not what its hash says');
  }

  private checkFlood(): void {
    if (this.rejected.length <= SYNC_REJECTED_MAX && this.counts.pending <= PENDING_COMMITS_MAX) {
      return;
    }
    const { added, pending } = this.counts;
    throw new WnError('invalid', 'too much in this bundle is no good here, or waits for more', {
      details: { added, pending, rejected: this.rejected.length },
    });
  }

  private async finish(done: Done): Promise<void> {
    await this.flush();
    const same =
      !this.assembly.open &&
      done.commits === this.counts.commits &&
      done.blobs === this.counts.blobs &&
      equalBytes(done.digest, bound([MAGIC], this.digest));
    if (!same) throw damaged('its digest does not match');
    this.stage = 'done';
  }
}

/** What the file says wrongly is damage to the file. */
function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WnError && error.code === 'invalid') throw damaged(error.message);
    throw error;
  }
}
