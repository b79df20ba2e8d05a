/** Writes all that this copy holds to one file. */
import { backUp, type BackedUp } from '../cli/backups.js';
import { Args, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';

export default class Backup extends WnCommand<typeof Backup, BackedUp> {
  static override readonly summary = 'Write everything to one file, while others work';
  static override readonly description =
    'Commits, content and configuration as they are at that moment; a file of that name is ' +
    'replaced once the new one is whole. Not in it: what is not committed, and the key of this ' +
    'device, which wants a safe place of its own (the folder that WN_HOME names, else ' +
    '~/.config/wn). wn restore-backup makes a workspace of it.';
  static override readonly args = {
    file: Args.string({
      required: true,
      description: 'The file to write, outside of the workspace.',
    }),
  };
  static override readonly examples = ['wn backup /mnt/backup/notes.backup'];
  static override readonly result = '{file, bytes, commits, missing}';

  protected async execute(): Promise<BackedUp> {
    return backUp(this.context, this.args.file);
  }

  protected render({ file, bytes, commits, missing }: BackedUp, out: TextOutput): void {
    out.line`${file}: ${counted(commits, 'commit')}, ${counted(bytes, 'byte')}`;
    if (missing === 0) return;
    out.line`${out.style.yellow('!')} ${counted(missing, 'chunk')} of files not held here: wn pull, then again`;
  }
}
