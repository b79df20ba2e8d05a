/** Checks the repository, and mends it from a peer. */
import { Flags, Outcome, WnCommand } from '../cli/command.js';
import { checkRepository, type Checked } from '../cli/care.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import { EXIT } from '../core/errors.js';

export default class Fsck extends WnCommand<typeof Fsck, Checked> {
  static override readonly summary = 'Check the repository';
  static override readonly description =
    'Reads every record and checks the chain of every log; --full also every signature, all ' +
    'authority and every chunk. --repair fetches what is damaged from the remotes. Damage is ' +
    'exit 16 and names file, offset and remedy.';
  static override readonly flags = {
    full: Flags.boolean({ description: 'Signatures, authority and chunks, too.' }),
    repair: Flags.boolean({ description: 'Fetch what is damaged from the remotes.' }),
  };
  static override readonly examples = ['wn fsck', 'wn fsck --full', 'wn fsck --repair'];
  static override readonly result =
    '{ok, logs, commits, viewHash, frontier, problems: [{file, offset, what, remedy}], mended}';

  protected async execute(): Promise<Checked | Outcome<Checked>> {
    const checked = await checkRepository(this.context, this.flags);
    return checked.ok ? checked : new Outcome(checked, EXIT.damage);
  }

  protected render(result: Checked, out: TextOutput): void {
    const { style } = out;
    for (const { file, offset, what, remedy } of result.problems) {
      out.line`${style.red('damage')} ${file}, offset ${offset}: ${what}; ${remedy}`;
    }
    for (const file of result.mended) out.line`${style.green('mended')} ${file}`;
    if (result.ok)
      out.line`whole: ${counted(result.commits, 'commit')} in ${counted(result.logs, 'log')}`;
    out.line`view ${result.viewHash}`;
  }
}
