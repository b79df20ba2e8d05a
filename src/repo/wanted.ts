/**
 * Chunks that live content refers to and that aren't held: what a sync asks for.
 */
import type { Canonical } from '../core/canonical.js';
import type { Group } from '../core/commit.js';
import { WnError } from '../core/errors.js';
import { ATTRIBUTE } from '../core/op.js';
import { decodeBlobRef, type BlobRef, type Blobs } from './blobs.js';
import { key, type Tables } from './index/tables.js';

const CHUNK = Uint8Array.of(0);
/** A chunk that holds the list of a file's chunks. */
const LIST = Uint8Array.of(1);

export class WantedBlobs {
  constructor(
    private readonly tables: Tables,
    private readonly blobs: Blobs,
  ) {}

  /** Notes what the contents in a commit's groups need. */
  note(groups: readonly (Group | null)[]): void {
    for (const group of groups) {
      for (const op of group?.ops ?? []) {
        if (op.op !== 'field' || op.path[0] !== ATTRIBUTE.body) continue;
        const ref = refOf(op.arg);
        if (ref !== null) this.want(ref);
      }
    }
  }

  private want(ref: BlobRef): void {
    if (!('list' in ref.chunks)) this.wantChunks(ref.chunks);
    else if (!this.blobs.holds(ref.chunks.list)) this.tables.put(key.blob(ref.chunks.list), LIST);
    else this.wantChunks(this.blobs.chunksOf(ref) ?? []);
  }

  private wantChunks(chunks: readonly string[]): void {
    for (const chunk of chunks) {
      if (!this.blobs.holds(chunk)) this.tables.put(key.blob(chunk), CHUNK);
    }
  }

  list(limit: number): readonly string[] {
    const wanted: string[] = [];
    for (const [at] of this.tables.prefix(key.table('blob'))) {
      if (wanted.length >= limit) break;
      wanted.push(at.slice(2));
    }
    return wanted;
  }

  /** A wanted chunk has been stored. */
  arrived(hash: string): void {
    const kind = this.tables.get(key.blob(hash));
    if (kind === undefined) return;
    this.tables.remove(key.blob(hash));
    if (kind[0] !== LIST[0]) return;
    this.wantChunks(this.blobs.chunksOf({ size: 0, hash: '', chunks: { list: hash } }) ?? []);
  }
}

/** Every chunk that contents in a commit's groups are made of, lists of chunks included. */
export function* chunksIn(blobs: Blobs, groups: readonly (Group | null)[]): Iterable<string> {
  for (const group of groups) {
    for (const op of group?.ops ?? []) {
      if (op.op !== 'field' || op.path[0] !== ATTRIBUTE.body) continue;
      const ref = refOf(op.arg);
      if (ref === null) continue;
      if ('list' in ref.chunks) yield ref.chunks.list;
      yield* blobs.chunksOf(ref) ?? [];
    }
  }
}

/** The blob that a register's argument refers to; null if it is none. */
function refOf(arg: Canonical): BlobRef | null {
  const value = Array.isArray(arg) ? ((arg as readonly Canonical[])[1] ?? null) : null;
  try {
    return decodeBlobRef(value);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}
