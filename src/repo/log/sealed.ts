/**
 * Sealed segments: the stream of a full segment in independent deflate blocks. What
 * stands where in the stream stays the same, so sealing changes no position.
 *
 *   sealed = "wnsegz1\n" record(head) block*
 *   head   = CBOR [stream-bytes, commits, [[block-bytes, crc32c]…]]
 *
 * A block is the raw deflate (RFC 1951) of the next 64 KiB of the stream, the last of
 * what is left; its CRC-32C is over the deflated bytes, so that damage is known before
 * anything is inflated, also in bits that inflating ignores. The table stands in front:
 * one read finds a block without knowing the file's length, and a receiver can check
 * blocks while they arrive.
 */
import { asArray, asUint, decodeCanonical, encodeCanonical } from '../../core/canonical.js';
import { concat, equalBytes, utf8 } from '../../core/bytes.js';
import { assert, WnError } from '../../core/errors.js';
import { crc32c, encodeRecord, readRecord } from '../../core/frame.js';
import { SEALED_BLOCK_BYTES, SEALED_HEAD_BYTES_MAX } from '../../core/limits.js';
import type { Deflate } from '../../core/ports.js';
import { STREAM_BYTES_MAX } from './segment.js';

const SEALED_MAGIC = utf8('wnsegz1\n');

/** Deflate makes incompressible bytes a little longer, never this much. */
const DEFLATED_BYTES_MAX = SEALED_BLOCK_BYTES + 1024;

export interface SealedBlock {
  /** In the file. */
  readonly offset: number;
  /** As it stands in the file, deflated. */
  readonly bytes: number;
  readonly crc: number;
  /** Inflated. */
  readonly streamBytes: number;
}

export interface SealedHead {
  readonly streamBytes: number;
  readonly commits: number;
  readonly blocks: readonly SealedBlock[];
  readonly fileBytes: number;
}

export async function encodeSealed(
  stream: Uint8Array,
  commits: number,
  deflate: Deflate,
): Promise<Uint8Array> {
  assert(stream.byteLength > 0 && stream.byteLength <= STREAM_BYTES_MAX, 'a stream out of bounds');
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < stream.byteLength; at += SEALED_BLOCK_BYTES) {
    blocks.push(await deflate.deflateRaw(stream.subarray(at, at + SEALED_BLOCK_BYTES)));
  }
  const table = blocks.map((block) => [block.byteLength, crc32c(block)]);
  const head = encodeRecord(encodeCanonical([stream.byteLength, commits, table]));
  assert(SEALED_MAGIC.byteLength + head.byteLength <= SEALED_HEAD_BYTES_MAX, 'a table too long');
  return concat([SEALED_MAGIC, head, ...blocks]);
}

/** From the first `SEALED_HEAD_BYTES_MAX` bytes of a file; null if they are no such head. */
export function readSealedHead(start: Uint8Array): SealedHead | null {
  if (!equalBytes(start.subarray(0, SEALED_MAGIC.byteLength), SEALED_MAGIC)) return null;
  const record = readRecord(start, SEALED_MAGIC.byteLength, SEALED_HEAD_BYTES_MAX);
  if (!record.ok) return null;
  try {
    return decodeHead(record.payload, record.next);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

function decodeHead(payload: Uint8Array, firstBlock: number): SealedHead {
  const [length, count, table] = asArray(decodeCanonical(payload), 'head', 3);
  const streamBytes = asUint(length, 'length of the stream');
  const commits = asUint(count, 'count of commits');
  const entries = asArray(table, 'blocks', Math.ceil(streamBytes / SEALED_BLOCK_BYTES));
  if (streamBytes === 0 || streamBytes > STREAM_BYTES_MAX) {
    throw new WnError('invalid', `a sealed stream of ${streamBytes} bytes`);
  }
  let offset = firstBlock;
  const blocks = entries.map((entry, index) => {
    const [bytes, crc] = asArray(entry, 'block', 2);
    const block = {
      offset,
      bytes: asUint(bytes, 'length of a block'),
      crc: asUint(crc, 'checksum of a block'),
      streamBytes: Math.min(SEALED_BLOCK_BYTES, streamBytes - index * SEALED_BLOCK_BYTES),
    };
    if (block.bytes > DEFLATED_BYTES_MAX) throw new WnError('invalid', 'a block over its bound');
    offset += block.bytes;
    return block;
  });
  return { streamBytes, commits, blocks, fileBytes: offset };
}

/** A block's part of the stream; null if the bytes aren't the block's. */
export function inflateBlock(
  block: SealedBlock,
  deflated: Uint8Array,
  deflate: Deflate,
): Uint8Array | null {
  if (deflated.byteLength !== block.bytes || crc32c(deflated) !== block.crc) return null;
  const stream = deflate.inflateRaw(deflated, block.streamBytes);
  return stream?.byteLength === block.streamBytes ? stream : null;
}

/** What can be read of a sealed file. */
export interface Unsealed {
  /** The stream, up to the first damage. */
  readonly stream: Uint8Array;
  /** Null where the head itself is damaged. */
  readonly commits: number | null;
  /** In the file. */
  readonly damage: { readonly offset: number; readonly what: string } | null;
}

/** Reads a sealed file whole. Never throws. */
export function unseal(file: Uint8Array, deflate: Deflate): Unsealed {
  const head = readSealedHead(file.subarray(0, SEALED_HEAD_BYTES_MAX));
  if (head === null) {
    const damage = { offset: 0, what: 'the head of the sealed segment is damaged' };
    return { stream: new Uint8Array(0), commits: null, damage };
  }
  const parts: Uint8Array[] = [];
  let damage: Unsealed['damage'] = null;
  for (const block of head.blocks) {
    const deflated = file.subarray(block.offset, block.offset + block.bytes);
    const part = inflateBlock(block, deflated, deflate);
    if (part === null) {
      const cut = deflated.byteLength < block.bytes;
      damage = { offset: block.offset, what: cut ? 'the file is cut short' : 'a block is damaged' };
      break;
    }
    parts.push(part);
  }
  if (damage === null && file.byteLength > head.fileBytes) {
    damage = { offset: head.fileBytes, what: 'foreign bytes follow the last block' };
  }
  return { stream: concat(parts), commits: head.commits, damage };
}
