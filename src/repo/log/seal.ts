/**
 * Sealing: a tail is written anew in deflated blocks, read back, compared, and only then
 * removed. A crash at any step leaves the tail, or both forms with the sealed one whole
 * (`Storage.replace`), or the sealed one; all three read the same, and sealing again
 * goes on from there. Run by who holds the writer lock.
 */
import { equalBytes } from '../../core/bytes.js';
import { readRecord } from '../../core/frame.js';
import type { Deflate, Path, Storage } from '../../core/ports.js';
import { encodeSealed, unseal, type Unsealed } from './sealed.js';
import { readSegmentHeader, segmentPath, STREAM_BYTES_MAX, type LogKey } from './segment.js';

export type Sealed =
  | {
      readonly kind: 'sealed';
      readonly file: Path;
      readonly before: number;
      readonly after: number;
    }
  /** The tail stays as it is: it has to be cut or repaired first, or the disk failed. */
  | { readonly kind: 'kept'; readonly file: Path; readonly offset: number; readonly what: string };

/** `first`: of a tail of the log. Null if it holds no commits. */
export async function sealTail(
  storage: Storage,
  deflate: Deflate,
  log: LogKey,
  first: number,
): Promise<Sealed | null> {
  const tail = segmentPath(log, first, 'tail');
  const file = segmentPath(log, first, 'sealed');
  const stream = await storage.read(tail, 0, STREAM_BYTES_MAX + 1);
  if (stream === null) return null;
  const { commits, end } = measure(stream);
  const found = await readSealed(storage, deflate, file);
  let bytes: Uint8Array;
  if (found !== null && holds(found, stream, end)) {
    bytes = found.file; // of a killed run, which may not have come to sync it
  } else {
    if (end < stream.byteLength) return kept(tail, end, 'it ends in bytes that are no commit');
    if (commits === 0) return null;
    if (found !== null && !startsWith(stream, found.stream)) {
      return kept(tail, 0, 'it differs from its sealed form');
    }
    bytes = await encodeSealed(stream, commits, deflate);
  }
  await storage.replace(file, bytes);
  const back = await readSealed(storage, deflate, file);
  if (back === null || !holds(back, stream, end)) {
    await storage.remove(file);
    return kept(tail, 0, 'its sealed form did not read back');
  }
  await storage.remove(tail);
  return { kind: 'sealed', file, before: stream.byteLength, after: bytes.byteLength };
}

function kept(file: Path, offset: number, what: string): Sealed {
  return { kind: 'kept', file, offset, what };
}

/** Is a sealed form whole, and does it hold all that a tail holds, whose commits end at `end`? */
function holds(sealed: Unsealed, tail: Uint8Array, end: number): boolean {
  if (sealed.damage !== null || sealed.stream.byteLength < tail.byteLength) return false;
  return startsWith(sealed.stream, tail.subarray(0, end));
}

export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, start.byteLength), start);
}

/** Whole records from the stream's start, and where they end. */
export function measure(stream: Uint8Array): { commits: number; end: number } {
  const header = readSegmentHeader(stream);
  if (header === null) return { commits: 0, end: 0 };
  let commits = 0;
  let end = header.next;
  for (;;) {
    const record = readRecord(stream, end);
    if (!record.ok) return { commits, end };
    commits += 1;
    end = record.next;
  }
}

async function readSealed(
  storage: Storage,
  deflate: Deflate,
  file: Path,
): Promise<(Unsealed & { readonly file: Uint8Array }) | null> {
  const bytes = await storage.read(file, 0, 2 * STREAM_BYTES_MAX);
  return bytes === null ? null : { ...unseal(bytes, deflate), file: bytes };
}
