/**
 * The memory that threads looking ahead share with their caller. Apart from both, so that
 * a thread loads nothing else of the program.
 */
import type { PackedPaths } from '../core/ports.js';

/** Of one path. `taken`: the caller looks himself. What else is in memory holds once it is `seen`. */
export const STATE = { open: 0, taken: 1, seen: 2 } as const;

/** How many doubles are kept of each `lstat`: mode, size, three times, inode. */
export const STAT_DOUBLES = 6;

/** All of it on SharedArrayBuffers. */
export interface Shared {
  readonly root: string;
  readonly paths: PackedPaths;
  /** By number of the path. */
  readonly states: Uint8Array;
  /** By number of the path, `STAT_DOUBLES` each. */
  readonly stats: Float64Array;
  /** One number: the paths from here on are taken care of by a thread. */
  readonly rest: Int32Array;
}
