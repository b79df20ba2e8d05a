/** Reading part of an open file into memory of its own. */
import * as fs from 'node:fs';

/** Bytes `[from, to)` of a regular file, cut at its end; null for anything else. */
export function readRange(fd: number, from: number, to: number): Uint8Array | null {
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) return null;
  const bytes = new Uint8Array(Math.max(0, Math.min(to, stat.size) - from));
  let done = 0;
  while (done < bytes.byteLength) {
    const got = fs.readSync(fd, bytes, done, bytes.byteLength - done, from + done);
    if (got === 0) break; // cut by somebody meanwhile
    done += got;
  }
  return bytes.subarray(0, done);
}
