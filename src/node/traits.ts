/**
 * How a file system treats names, found out with one file made and removed: what is
 * mounted can't be asked, and a folder's answer may differ from its neighbour's.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { WorkDir } from '../core/ports.js';
import { TEMP_PREFIX } from './durable.js';

export type Traits = WorkDir['traits'];

/** The traits of `folder`; where nothing can be written, those of a plain Linux disk. */
export function probeTraits(folder: string): Traits {
  const rest = `${randomBytes(8).toString('hex')}-é`.normalize('NFC');
  const probe = `${folder}/${TEMP_PREFIX}${rest}`;
  try {
    fs.closeSync(fs.openSync(probe, 'wx', 0o600));
  } catch {
    return { caseInsensitive: false, normalises: false };
  }
  try {
    return {
      caseInsensitive: exists(`${folder}/${TEMP_PREFIX.toUpperCase()}${rest}`),
      normalises: exists(`${folder}/${TEMP_PREFIX}${rest.normalize('NFD')}`),
    };
  } finally {
    fs.unlinkSync(probe);
  }
}

function exists(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
