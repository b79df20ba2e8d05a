/**
 * Blobs: content that no text document holds, cut into chunks by content, each stored
 * once under its hash. What a worknode's body register carries is a reference.
 *
 *   reference = [size, hash of the whole, [chunk hash…]]      up to INLINE_CHUNKS_MAX chunks
 *             | [size, hash of the whole, hash of a chunk that holds the list]
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import { fromHex, toHex } from '../core/bytes.js';
import { hasher, hashHex } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import type { Storage } from '../core/ports.js';
import type { Chunk } from './travel.js';

export interface BlobRef {
  readonly size: number;
  readonly hash: string;
  readonly chunks: readonly string[] | { readonly list: string };
}

const INLINE_CHUNKS_MAX = 64;
const CHUNKS_AT_ONCE = 16;
const MISSING_HINT = 'run: wn sync, with a peer that has it';

export function encodeBlobRef(ref: BlobRef): Canonical {
  const chunks = 'list' in ref.chunks ? fromHex(ref.chunks.list) : ref.chunks.map(fromHex);
  return [ref.size, fromHex(ref.hash), chunks];
}

/** Null for a value that is no blob reference. */
export function decodeBlobRef(value: Canonical): BlobRef | null {
  if (!Array.isArray(value)) return null;
  const [size, hash, chunks] = asArray(value as Canonical, 'blob', 3);
  return {
    size: asUint(size, 'size'),
    hash: toHex(asBytes(hash, 'hash', 32)),
    chunks:
      chunks instanceof Uint8Array
        ? { list: toHex(chunks) }
        : asArray(chunks, 'chunks').map((chunk) => toHex(asBytes(chunk, 'chunk', 32))),
  };
}

export class Blobs {
  constructor(
    private readonly storage: Storage,
    private readonly boundaries: (bytes: Uint8Array) => Iterable<readonly [number, number]>,
  ) {}

  private path(hash: string): string {
    return `blobs/${hash.slice(0, 2)}/${hash}`;
  }

  holds(hash: string): boolean {
    return this.storage.readSync(this.path(hash), 0, 0) !== null;
  }

  read(hash: string): Uint8Array | null {
    return this.storage.readSync(this.path(hash));
  }

  /**
   * Stores those chunks that are what their hash says, side by side: most of the time goes
   * into waiting for the disk. Durable once resolved; gives the hashes of what it stored.
   */
  async write(chunks: readonly Chunk[]): Promise<readonly string[]> {
    const good = chunks.filter(({ hash, bytes }) => hashHex('wn/blob/1', bytes) === hash);
    const missing = new Map(good.filter(({ hash }) => !this.holds(hash)).map((c) => [c.hash, c]));
    const written = await Promise.allSettled(
      // Whoever else makes it at the same time writes the same bytes.
      [...missing.values()].map(({ hash, bytes }) => this.storage.replace(this.path(hash), bytes)),
    );
    // None is left at work behind an error: its file may be what the next try makes.
    for (const each of written) if (each.status === 'rejected') throw each.reason;
    return good.map(({ hash }) => hash);
  }

  /** Cuts and stores a whole file; durable once resolved. */
  async store(bytes: Uint8Array): Promise<BlobRef> {
    const chunks: string[] = [];
    let batch: Chunk[] = [];
    for (const [start, end] of this.boundaries(bytes)) {
      const chunk = bytes.subarray(start, end);
      const hash = hashHex('wn/blob/1', chunk);
      batch.push({ hash, bytes: chunk });
      chunks.push(hash);
      if (batch.length < CHUNKS_AT_ONCE) continue;
      await this.write(batch);
      batch = [];
    }
    const whole = { size: bytes.byteLength, hash: hashHex('wn/file/1', bytes) };
    if (chunks.length <= INLINE_CHUNKS_MAX) {
      await this.write(batch);
      return { ...whole, chunks };
    }
    const list = encodeCanonical(chunks.map(fromHex));
    const listHash = hashHex('wn/blob/1', list);
    await this.write([...batch, { hash: listHash, bytes: list }]);
    return { ...whole, chunks: { list: listHash } };
  }

  /** Chunk hashes of a reference; null while the list itself is missing. */
  chunksOf(ref: BlobRef): readonly string[] | null {
    if (!('list' in ref.chunks)) return ref.chunks;
    const bytes = this.read(ref.chunks.list);
    if (bytes === null) return null;
    return asArray(decodeCanonical(bytes), 'chunk list').map((chunk) =>
      toHex(asBytes(chunk, 'chunk', 32)),
    );
  }

  /** The whole content; null while a chunk is missing. Throws `damage` if it isn't its hash. */
  load(ref: BlobRef): Uint8Array | null {
    const complete = this.chunksOf(ref)?.every((chunk) => this.holds(chunk)) ?? false;
    return complete ? Buffer.concat([...this.pieces(ref)]) : null;
  }

  /**
   * The content chunk by chunk: of a large file no more is in memory. Throws `damage` where
   * a chunk is missing and, behind the last, if the whole isn't its hash.
   */
  *pieces(ref: BlobRef): Generator<Uint8Array> {
    const state = hasher('wn/file/1');
    for (const chunk of this.chunksOf(ref) ?? [null]) {
      const bytes = chunk === null ? null : this.read(chunk);
      if (bytes === null) throw damaged('a part of a stored file is missing');
      state.update(bytes);
      yield bytes;
    }
    if (state.hex() !== ref.hash) throw damaged('a stored file does not match its hash');
  }
}

function damaged(message: string): WnError {
  return new WnError('damage', message, { hint: MISSING_HINT });
}
