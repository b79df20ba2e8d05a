/** Send commits to remotes. */
import { Args, Flags, WnCommand, type Outcome } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { renderSync, synchronise, type SyncResult } from '../cli/synchronise.js';

export default class Push extends WnCommand<typeof Push, SyncResult> {
  static override readonly summary = 'Send commits to remotes';
  static override readonly description =
    'Sends what each remote lacks; it takes the commits in and writes out its files.';
  static override readonly args = {
    remote: Args.string({ multiple: true, description: 'Which remotes. Default: all.' }),
  };
  static override readonly flags = {
    message: Flags.string({
      char: 'm',
      helpValue: 'TEXT',
      description: 'Commit first, with this message.',
    }),
    commit: Flags.boolean({ description: 'Commit first.' }),
    all: Flags.boolean({ description: 'All remotes, as without names.' }),
    'fail-on-conflict': Flags.boolean({ description: 'Exit 4 if overlaps are open afterwards.' }),
  };
  static override readonly examples = ['wn push', 'wn push usb'];
  static override readonly result =
    '{remotes: [{name, ok, sent, received, bytes, ms, error?}], applied, conflicts}';

  protected async execute(): Promise<SyncResult | Outcome<SyncResult>> {
    const { message, commit, all } = this.flags;
    return synchronise(this.context, {
      mode: 'push',
      remotes: all ? [] : (this.args.remote ?? []),
      commit: commit || message !== undefined ? { message: message ?? null } : null,
      failOnConflict: this.flags['fail-on-conflict'],
    });
  }

  protected render(result: SyncResult, out: TextOutput): void {
    renderSync(result, out);
  }
}
