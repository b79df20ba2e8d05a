/** Makes a workspace of a backup. */
import { restoreBackup, type Restored } from '../cli/backups.js';
import { Args, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';

export default class RestoreBackup extends WnCommand<typeof RestoreBackup, Restored> {
  static override readonly summary = 'Make a workspace of a backup';
  static override readonly description =
    'Reads the whole file before anything is written, verifies every commit, and writes the ' +
    'files out. The new copy begins a log of its own, so the old one may still be there or ' +
    'have gone on; wn sync then brings what was committed since. With the key of the device ' +
    'that made the backup it may write as before; another device has to be let in first.';
  static override readonly args = {
    file: Args.string({ required: true, description: 'The file that wn backup wrote.' }),
    dir: Args.string({ description: 'The new folder. Default: named after the workspace.' }),
  };
  static override readonly examples = ['wn restore-backup /mnt/backup/notes.backup notes'];
  static override readonly result = '{workspace, name, path, commits, device, sameDevice}';

  protected async execute(): Promise<Restored> {
    return restoreBackup(this.context, this.args.file, this.args.dir ?? null);
  }

  protected render({ path, commits, sameDevice }: Restored, out: TextOutput): void {
    out.line`${path}: ${counted(commits, 'commit')} restored`;
    if (sameDevice) return;
    out.line`${out.style.yellow('!')} this is not the device that made the backup: it may read, and write once a member lets it in`;
  }
}
