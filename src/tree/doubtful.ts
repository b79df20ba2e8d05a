/**
 * New files that nobody may have meant to commit: large ones, and those that look like keys
 * or tokens. They wait for `--force`; what is tracked already doesn't.
 */
import { NEW_FILE_BYTES_MAX } from '../core/limits.js';
import type { WorkDir } from '../core/ports.js';
import type { Moves } from './moves.js';
import type { Found, Refused, Scan } from './scan.js';
import { looksSecret } from './secrets.js';

/** The scan with doubtful new files among the refused. */
export function withoutDoubtful(dir: WorkDir, found: Scan, { moved }: Moves): Scan {
  const refused: Refused[] = [...found.refused];
  const added = found.added.filter((item) => {
    const why = moved.has(item.path) ? null : whyDoubtful(dir, item);
    if (why !== null) refused.push({ path: item.path, why });
    return why === null;
  });
  return { ...found, added, refused };
}

function whyDoubtful(dir: WorkDir, { path, type, stat }: Found): string | null {
  if (type !== 'file') return null;
  if (stat.size > NEW_FILE_BYTES_MAX) {
    return `a new file of ${stat.size} bytes, over ${NEW_FILE_BYTES_MAX}; --force takes it`;
  }
  const bytes = dir.read(path);
  const secret = bytes === null ? null : looksSecret(path, bytes);
  return secret === null ? null : `looks like ${secret}; --force takes it`;
}
