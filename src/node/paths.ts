/**
 * Which relative paths the ports take at all: the last line against a name that would
 * lead out of the root. Leaves out which names the tree may show; see `tree`.
 */
import { WnError } from '../core/errors.js';

/** An empty part (so also an absolute path and a trailing `/`), `.` or `..`; NUL. */
const NOT_INSIDE = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;
/** Another separator, a drive or an alternate stream where the system knows them. */
const NOT_ON_WINDOWS = /[\\:]/;
/** What most names are, and what is quick to tell. */
const PLAIN_NAME = /^[\w.~ -]+$/;

/** Throws `invalid` unless `path` is relative, normal and stays inside its root. */
export function checkPath(path: string): void {
  const bad =
    NOT_INSIDE.test(path) ||
    !isWellFormed(path) ||
    (process.platform === 'win32' && NOT_ON_WINDOWS.test(path));
  if (bad) throw new WnError('invalid', `not a path inside the folder: ${JSON.stringify(path)}`);
}

/** The same of the last part of `path`, where what is before it, `parent`, has passed. */
export function checkName(path: string, parent: string): void {
  const name = parent === '' ? path : path.slice(parent.length + 1);
  if (name.startsWith('.') || !PLAIN_NAME.test(name)) checkPath(path);
}

/** False for a lone surrogate, which would be written as U+FFFD and so name another file. */
function isWellFormed(path: string): boolean {
  return (path as string & { isWellFormed(): boolean }).isWellFormed(); // ES2024, in Node 20
}

/** The folder that holds `path`; '' for the root itself. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '' : path.slice(0, cut);
}

/** Every folder above `path`, from the outermost inwards; without the root. */
export function* foldersAbove(path: string): Generator<string> {
  for (let cut = path.indexOf('/'); cut >= 0; cut = path.indexOf('/', cut + 1)) {
    yield path.slice(0, cut);
  }
}
