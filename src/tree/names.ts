/**
 * Names and paths: which names a worknode may have, and when two names are one on a file
 * system. A name that is refused here is dangerous on some machine that shares the
 * workspace, not only on this one. Leaves out escaping for terminals (the command line's
 * business) and every look at a disk.
 */
import { NAME_BYTES_MAX, TREE_DEPTH_MAX } from '../core/limits.js';

export type Checked = { readonly ok: true } | { readonly ok: false; readonly why: string };

const OK: Checked = { ok: true };

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Embeddings, overrides and isolates (UAX #9) make a name read as another one. */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Windows opens a device for these whatever the extension; also with superscript digits. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;
/** Names that stand for Git's and our own data, `git~1` being their short form on NTFS. */
const OWN_NAME = /^(?:\.git|\.wn|git~[0-9]+|wn~[0-9]+)$/;
// eslint-disable-next-line no-control-regex -- the range is all of ASCII
const MAYBE_OWN_NAME = /^[.gw]|[^\u0000-\u007f]/i;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
// eslint-disable-next-line no-control-regex -- the range is all of ASCII
const ASCII = /^[\u0000-\u007f]*$/;

/** Whether a worknode may have this name; `why` completes the sentence "the name …". */
export function checkName(name: string): Checked {
  if (name === '') return refused('is empty');
  if (name === '.' || name === '..') return refused(`is '${name}'`);
  if (name.includes('/') || name.includes('\\')) return refused('holds a slash or backslash');
  if (CONTROL.test(name)) return refused('holds a control character');
  if (BIDI.test(name)) return refused('holds a character that reverses text');
  if (LONE_SURROGATE.test(name)) return refused('is not valid Unicode');
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return refused(`is over ${NAME_BYTES_MAX} bytes`);
  if (name.endsWith('.') || name.endsWith(' ')) return refused('ends in a dot or space');
  if (isOwnName(name)) return refused('is reserved for Git or wn');
  if (name.includes(':')) return refused('holds a colon (a stream of a file on Windows)');
  const stem = name.split('.', 1)[0] ?? '';
  if (WINDOWS_DEVICE.test(stem.trimEnd())) return refused('is a device on Windows');
  return OK;
}

function refused(why: string): Checked {
  return { ok: false, why };
}

/**
 * Whether some file system takes this name for `.git` or `.wn`: case, full width and
 * other compatibility forms, code points that HFS+ ignores, trailing dots and spaces,
 * and streams (`.git::$INDEX_ALLOCATION`) of NTFS.
 */
export function isOwnName(name: string): boolean {
  if (!MAYBE_OWN_NAME.test(name)) return false;
  let folded = name;
  if (!ASCII.test(name)) {
    folded = name.replace(IGNORABLE, '').normalize('NFKC').replace(IGNORABLE, '').toUpperCase();
  }
  const stream = folded.indexOf(':');
  if (stream >= 0) folded = folded.slice(0, stream);
  return OWN_NAME.test(withoutTrailing(folded).toLowerCase());
}

/** Dots and spaces at the end count for nothing on Windows. A loop, so it stays linear. */
function withoutTrailing(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end--;
  return name.slice(0, end);
}

/** `~`, ten characters of an id or (all those being taken) more, and the extension. */
const SUFFIX = /~([0-9a-hjkmnp-tv-z]{10,26})(?:~[0-9]+)?(\.[A-Za-z0-9_-]{1,16})?$/;

/**
 * Takes apart the name under which the second of two worknodes of one name shows
 * (`crdt/names.ts` makes it); null if there is no suffix. It may be a name that a user
 * gave: the caller asks whether a worknode of this id is there.
 */
export function parseDisplayName(shown: string): { name: string; idPrefix: string } | null {
  const match = SUFFIX.exec(shown);
  if (match === null || match.index === 0) return null;
  return { name: shown.slice(0, match.index) + (match[2] ?? ''), idPrefix: match[1] ?? '' };
}

/** How a file system treats names (`WorkDir.traits`). */
export interface NameTraits {
  readonly caseInsensitive: boolean;
  readonly normalises: boolean;
}

/**
 * Two names with one key may be one entry on such a file system. Errs towards sharing
 * a key (`ß` and `SS`): a needless `~` suffix harms less than one file over another.
 */
export function foldName(name: string, traits: NameTraits): string {
  const normal = traits.normalises ? name.normalize('NFC') : name;
  if (!traits.caseInsensitive) return normal;
  const folded = normal.toUpperCase().toLowerCase();
  return traits.normalises ? folded.normalize('NFC') : folded;
}

/** `name` in the folder `parent`; '' is the root. */
export function joinPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

export function splitPath(path: string): readonly string[] {
  return path === '' ? [] : path.split('/');
}

/** The folder that holds `path`; '' for what lies in the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Whether a symlink at `path` with this target leads to a place in the tree, there or not. */
export function leadsInside(path: string, target: string): boolean {
  if (/^(?:[/\\]|[A-Za-z]:)/.test(target)) return false;
  const at = [...splitPath(parentPath(path))];
  for (const part of target.split(/[/\\]/)) {
    if (part === '' || part === '.') continue;
    if (part !== '..') at.push(part);
    else if (at.pop() === undefined) return false;
  }
  return !at.some(isOwnName);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether every part is a name that a worknode may have, and the depth is in bounds. */
export function checkPath(path: string): Checked {
  const parts = splitPath(path);
  if (parts.length > TREE_DEPTH_MAX) return refused(`lies over ${TREE_DEPTH_MAX} folders deep`);
  for (const part of parts) {
    const checked = checkName(part);
    if (!checked.ok) return checked;
  }
  return OK;
}
