/**
 * Single records by position, at once: the fold reads history without yielding. Blocks
 * of the streams read last are kept, bounded, and every record's checksum is checked
 * each time. What a tail holds may change under the cache by an append or a cut of
 * another process; so what looks damaged is read once more from the disk.
 */
import { WnError } from '../../core/errors.js';
import { readRecord } from '../../core/frame.js';
import {
  BLOCK_CACHE_BYTES,
  SEALED_BLOCK_BYTES,
  SEALED_HEAD_BYTES_MAX,
  SEALED_HEADS_CACHED_MAX,
} from '../../core/limits.js';
import type { Deflate, Path, Storage } from '../../core/ports.js';
import { inflateBlock, readSealedHead, type SealedHead } from './sealed.js';
import { segmentPath, STREAM_BYTES_MAX, type LogKey, type Position } from './segment.js';

const NONE = new Uint8Array(0);

export class RecordReader {
  /** By the sealed file's path and the block's number; oldest use first. */
  private readonly blocks = new Map<string, Uint8Array>();
  private blockBytes = 0;
  private readonly heads = new Map<Path, SealedHead>();

  constructor(
    private readonly storage: Storage,
    private readonly deflate: Deflate,
  ) {}

  /** A copy of the payload at `position`; throws `damage`. */
  payload(log: LogKey, position: Position): Uint8Array {
    try {
      return this.read(log, position);
    } catch (error) {
      const sealed = segmentPath(log, position.segment, 'sealed');
      const isSealed = this.storage.readSync(sealed, 0, 1) !== null;
      if (!this.forget(log, position.segment) && !isSealed) throw error;
      if (isSealed) this.head(sealed); // from now on it is read, not a tail left beside it
      return this.read(log, position);
    }
  }

  /** Forgets what is kept of a segment; false if that was nothing. */
  forget(log: LogKey, segment: number): boolean {
    const file = segmentPath(log, segment, 'sealed');
    let found = this.heads.delete(file);
    for (const [name, block] of this.blocks) {
      if (!name.startsWith(file)) continue;
      this.blocks.delete(name);
      this.blockBytes -= block.byteLength;
      found = true;
    }
    return found;
  }

  private read(log: LogKey, position: Position): Uint8Array {
    const inBounds = position.offset + position.length <= STREAM_BYTES_MAX;
    const record = readRecord(inBounds ? this.range(log, position) : NONE, 0);
    if (!record.ok || record.next !== position.length) {
      const form = this.heads.has(segmentPath(log, position.segment, 'sealed')) ? 'sealed' : 'tail';
      const file = segmentPath(log, position.segment, form);
      throw damage(file, form === 'tail' ? position.offset : 0, 'a commit is damaged');
    }
    return Buffer.from(record.payload);
  }

  /** The stream's bytes at `position`, as many of them as there are. */
  private range(log: LogKey, { segment, offset, length }: Position): Uint8Array {
    const file = segmentPath(log, segment, 'sealed');
    const end = offset + length;
    const parts: Uint8Array[] = [];
    for (let at = offset; at < end;) {
      const index = Math.floor(at / SEALED_BLOCK_BYTES);
      const start = index * SEALED_BLOCK_BYTES;
      const wanted = Math.min(end - start, SEALED_BLOCK_BYTES);
      const block = this.block(log, segment, file, index, wanted);
      parts.push(block.subarray(at - start, wanted));
      at = start + wanted;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  /** A block of the stream, at least its first `wanted` bytes if it has them. */
  private block(
    log: LogKey,
    segment: number,
    sealedFile: Path,
    index: number,
    wanted: number,
  ): Uint8Array {
    const name = `${sealedFile}/${index}`;
    const kept = this.blocks.get(name);
    if (kept !== undefined) {
      this.blocks.delete(name);
      if (kept.byteLength >= wanted) {
        this.blocks.set(name, kept);
        return kept;
      }
      this.blockBytes -= kept.byteLength;
    }
    const block = this.load(log, segment, sealedFile, index);
    if (block.byteLength === 0) return block;
    this.blocks.set(name, block);
    this.blockBytes += block.byteLength;
    for (const [oldest, bytes] of this.blocks) {
      if (this.blockBytes <= BLOCK_CACHE_BYTES) break;
      this.blocks.delete(oldest);
      this.blockBytes -= bytes.byteLength;
    }
    return block;
  }

  private load(log: LogKey, segment: number, sealedFile: Path, index: number): Uint8Array {
    const start = index * SEALED_BLOCK_BYTES;
    if (!this.heads.has(sealedFile)) {
      const tail = segmentPath(log, segment, 'tail');
      const bytes = this.storage.readSync(tail, start, start + SEALED_BLOCK_BYTES);
      if (bytes !== null) return bytes;
    }
    const block = this.head(sealedFile).blocks[index];
    if (block === undefined) throw damage(sealedFile, 0, 'the segment lost commits');
    const end = block.offset + block.bytes;
    const deflated = this.storage.readSync(sealedFile, block.offset, end);
    const bytes = deflated === null ? null : inflateBlock(block, deflated, this.deflate);
    if (bytes === null) throw damage(sealedFile, block.offset, 'a block is damaged');
    return bytes;
  }

  private head(file: Path): SealedHead {
    const kept = this.heads.get(file);
    if (kept !== undefined) return kept;
    const start = this.storage.readSync(file, 0, SEALED_HEAD_BYTES_MAX);
    if (start === null) throw damage(file, 0, 'the segment is missing');
    const head = readSealedHead(start);
    if (head === null) throw damage(file, 0, 'the head of the sealed segment is damaged');
    if (this.heads.size >= SEALED_HEADS_CACHED_MAX) {
      this.heads.delete(this.heads.keys().next().value ?? '');
    }
    this.heads.set(file, head);
    return head;
  }
}

/** What to do about damage, wherever it is met. */
export const REMEDY = 'run: wn fsck --repair (it fetches what is damaged again from a remote)';

export function damage(file: Path, offset: number, what: string): WnError {
  const message = `${file} at byte ${offset}: ${what}; nothing else was touched`;
  return new WnError('damage', message, { hint: REMEDY, details: { file, offset } });
}
