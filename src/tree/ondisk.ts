/**
 * What stands on disk where a file was when it was last in step, or where one is to be.
 * Only looks.
 */
import { utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import type { NodeType } from '../core/op.js';
import type { FileStat, WorkDir } from '../core/ports.js';
import { isUntouched, type TreeEntry } from './entry.js';
import { fileHash } from './project.js';

/** A file compared with how it was last in step. */
export type Look =
  | { readonly is: 'same' }
  | { readonly is: 'edited'; readonly bytes: Uint8Array; readonly executable: boolean }
  /** Gone, or something of another kind, or a link to elsewhere: nothing to merge. */
  | { readonly is: 'replaced' };

const SAME: Look = { is: 'same' };
const REPLACED: Look = { is: 'replaced' };

export function look(dir: WorkDir, known: TreeEntry): Look {
  const stat = statOf(dir, known.path);
  if (stat === null || stat.kind !== known.type) return REPLACED;
  if (known.type === 'folder') return SAME;
  if (known.type === 'symlink') {
    const target = dir.readLink(known.path);
    return target !== null && fileHash(utf8(target)) === known.hash ? SAME : REPLACED;
  }
  if (isUntouched(known, stat)) return SAME;
  const bytes = dir.read(known.path);
  if (bytes === null) return REPLACED;
  const { executable } = stat;
  const sameMode = known.stamp === null || known.stamp.executable === executable;
  return sameMode && fileHash(bytes) === known.hash ? SAME : { is: 'edited', bytes, executable };
}

/** The path of what keeps something of `type` from having its place at `path`; null if nothing does. */
export function obstacle(dir: WorkDir, path: string, type: NodeType): string | null {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const folder = path.slice(0, slash);
    const stat = dir.stat(folder);
    if (stat === null) return null;
    if (stat.kind !== 'folder') return folder;
  }
  const stat = dir.stat(path);
  return stat === null || (stat.kind === 'folder' && type === 'folder') ? null : path;
}

/** Null also where a folder above has become a symlink: what is behind it is not looked at. */
function statOf(dir: WorkDir, path: string): FileStat | null {
  try {
    return dir.stat(path);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}
