/**
 * After a killed materialise: tells the files that it came to write from those it didn't.
 * The user may have edited, moved or replaced them before anybody looks; then what they
 * are an edit of is told by likeness, as in `moves`: taken for an edit of the wrong
 * version, text would be there twice, or what had arrived be lost.
 */
import { similarity } from '../crdt/text/diff.js';
import { unpackBase, type TreeEntry } from './entry.js';
import { decodeText } from './eol.js';
import { look } from './ondisk.js';
import type { MaterialiseInput } from './materialise.js';
import { LIKENESS_MIN } from './moves.js';
import { fileHash, project, textAt } from './project.js';
import { scan, stampOf, type Found } from './scan.js';
import type { Intent } from './state.js';

/** Records what a killed process had done of what it had begun. */
export async function recoverIntents(input: MaterialiseInput): Promise<void> {
  const { replica, dir, state } = input;
  if (state.intents.size + state.removals.size === 0) return;
  const put = [...state.intents.values()].flatMap((intent) => written(input, intent));
  const paths = new Set(put.map(({ path }) => path));
  const removed = [...state.removals].filter((path) => !paths.has(path) && dir.stat(path) === null);
  await replica.flush(null, [state.record({ put, removed }, null)]);
}

/** The entries that hold if the file was written; none if it wasn't. */
function written(input: MaterialiseInput, intent: Intent): readonly TreeEntry[] {
  const { dir, state, nowMs } = input;
  const { entry, hash } = intent;
  const seen = look(dir, { ...entry, hash, stamp: null });
  if (seen.is === 'replaced') return movedAway(input, intent);
  if (seen.is === 'edited' && !isEditOf(input, intent, seen.bytes)) return [];
  const stat = dir.stat(entry.path);
  if (stat === null) return [];
  const isMine = hash !== entry.hash || seen.is === 'edited';
  const stamp = entry.type === 'folder' ? null : stampOf(stat, nowMs());
  const now = { ...entry, stamp: stamp !== null && isMine ? { ...stamp, mtimeMs: -1 } : stamp };
  const before = state.entries.get(state.pathOf(entry.node) ?? entry.path);
  const isLeft = hash !== entry.hash && before !== undefined && before.path !== entry.path;
  return isLeft ? [leftFrom(dir, before), now] : [now];
}

/** What stays of an edited file in its old place is what was merged, and no new file. */
export function leftFrom(dir: MaterialiseInput['dir'], from: TreeEntry): TreeEntry {
  const seen = look(dir, from);
  return seen.is === 'edited' ? { ...from, hash: fileHash(seen.bytes), stamp: null } : from;
}

/** The file was written, and the user has moved it since: the next scan will find it by its inode. */
function movedAway(input: MaterialiseInput, intent: Intent): readonly TreeEntry[] {
  const { dir, state, nowMs } = input;
  const { entry } = intent;
  if (entry.type !== 'file' || dir.stat(entry.path) !== null) return [];
  const isIt = ({ path, type, hash }: Found): boolean => {
    if (type !== 'file') return false;
    if (hash === intent.hash) return true;
    const bytes = dir.read(path);
    return bytes !== null && isEditOf(input, intent, bytes);
  };
  const found = scan(dir, state, { nowMs: nowMs() }).added.filter(isIt);
  const [only] = found;
  if (only === undefined || found.length > 1) return [];
  return [{ ...entry, stamp: { ...stampOf(only.stat, nowMs()), mtimeMs: -1 } }];
}

/** Is this rather an edit of what was to be written than of what stood there before? */
function isEditOf(input: MaterialiseInput, { entry }: Intent, bytes: Uint8Array): boolean {
  const { state } = input;
  const decoded = decodeText(bytes);
  const text = textOf(input, entry);
  if (!decoded.ok || text === null) return false;
  const known = state.entries.get(entry.path) ?? state.entries.get(state.pathOf(entry.node) ?? '');
  const before = known === undefined ? null : textOf(input, known);
  const likeness = similarity(text, decoded.text);
  if (before === null) return likeness >= LIKENESS_MIN;
  return likeness > similarity(before, decoded.text);
}

/** What a file holds that is in step with its base; null for what is no text. */
function textOf({ replica }: MaterialiseInput, { node, path, base }: TreeEntry): string | null {
  if (base === null) return null;
  const { heads, fields } = unpackBase(base);
  return project(textAt(replica, node, heads), path, fields).text;
}
