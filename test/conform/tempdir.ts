/** Folders and small disks of this machine for tests, gone afterwards. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder of ours, mode 700. */
export function tempFolder(): string {
  return fs.mkdtempSync(join(fs.realpathSync(tmpdir()), 'wn-test-'));
}

export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
}

export interface SmallDisk {
  readonly folder: string;
  makeReadOnly(): void;
  unmount(): void;
}

/** A disk of `size` in memory; null where we may not mount one. */
export function smallDisk(size = '128k'): SmallDisk | null {
  const folder = tempFolder();
  const options = `size=${size},mode=700,uid=${process.getuid?.()}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  if (mounted.status !== 0) {
    fs.rmdirSync(folder);
    return null;
  }
  return {
    folder,
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', folder]),
    unmount: () => {
      execFileSync('umount', ['--lazy', folder]);
      fs.rmdirSync(folder);
    },
  };
}
