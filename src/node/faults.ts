/**
 * The operating system's error codes as the program's own errors. One table, so that
 * a full disk reads the same wherever it is met. Leaves out what a caller expects
 * (a missing file that is `null`): it looks at `errnoOf` first.
 */
import { WnError } from '../core/errors.js';
import type { ErrorCode } from '../core/errors.js';

/** `ENOENT`, …; undefined for an error that isn't the operating system's. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** True if the file, or a folder on the way to it, isn't there. */
export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

interface Fault {
  readonly code: ErrorCode;
  readonly message: (path: string) => string;
  readonly hint?: string;
}

/** What to do about a disk that takes no writes. */
export const READ_ONLY_HINT =
  'mount it for writing, or copy the whole folder to a disk that takes writes and work there';

const diskFull: Fault = {
  code: 'disk_full',
  message: () => 'the disk is full; nothing that was acknowledged is lost',
  hint: 'free space and run the command again',
};
const noPermission: Fault = {
  code: 'unreadable',
  message: (path) => `no permission for '${path}'; nothing was changed`,
  hint: 'see its owner and mode with `ls -ld`',
};
const tooManyFiles: Fault = {
  code: 'failed',
  message: (path) => `too many files are open to reach '${path}'; nothing was changed`,
  hint: 'raise the limit (`ulimit -n`) and run the command again',
};

const FAULTS: Readonly<Record<string, Fault>> = {
  ENOSPC: diskFull,
  EDQUOT: diskFull,
  EACCES: noPermission,
  EPERM: noPermission,
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  EROFS: {
    code: 'read_only',
    message: (path) => `can't write '${path}': the file system is read-only; nothing was changed`,
    hint: READ_ONLY_HINT,
  },
  EIO: {
    code: 'unreadable',
    message: (path) => `the disk failed at '${path}'`,
    hint: 'check the disk; `wn fsck` shows what is damaged',
  },
  ELOOP: { code: 'unreadable', message: (path) => `'${path}' is a symlink, which isn't followed` },
  ENAMETOOLONG: { code: 'invalid', message: (path) => `the name of '${path}' is too long` },
};

/**
 * What to throw for `error` at `path` (shown as given). Anything that isn't the
 * operating system's word is returned as it is: ours already, or a bug.
 */
export function worldFault(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof WnError) return error;
  const fault = FAULTS[errno];
  if (fault === undefined) {
    return new WnError('unreadable', `can't use '${path}' (${errno})`, { cause: error });
  }
  const hint = fault.hint === undefined ? {} : { hint: fault.hint };
  return new WnError(fault.code, fault.message(path), { ...hint, cause: error });
}
