/**
 * What the lines of push, pull and sync have in common: which remotes, whether to commit
 * first. What they do is `synchronise`.
 */
import type { SyncMode } from '../sync/frames.js';
import { Args, Flags, WnCommand, type Outcome } from './command.js';
import type { TextOutput } from './output.js';
import { renderSync, synchronise, type SyncResult } from './synchronise.js';

const args = {
  remote: Args.string({ multiple: true, description: 'Which remotes. Default: all.' }),
};
const flags = {
  message: Flags.string({
    char: 'm',
    helpValue: 'TEXT',
    description: 'Commit first, with this message.',
  }),
  commit: Flags.boolean({ description: 'Commit first.' }),
  all: Flags.boolean({ description: 'All remotes, as without names.' }),
  'fail-on-conflict': Flags.boolean({ description: 'Exit 4 if overlaps are open afterwards.' }),
};

export abstract class ExchangeCommand extends WnCommand<
  { args: typeof args; flags: typeof flags },
  SyncResult
> {
  static override readonly args = args;
  static override readonly flags = flags;
  static override readonly result =
    '{remotes: [{name, ok, sent, received, bytes, ms, error?}], applied, conflicts}';

  protected abstract readonly mode: SyncMode;

  protected async execute(): Promise<SyncResult | Outcome<SyncResult>> {
    const { message, commit, all } = this.flags;
    return synchronise(this.context, {
      mode: this.mode,
      remotes: all ? [] : (this.args.remote ?? []),
      commit: commit || message !== undefined ? { message: message ?? null } : null,
      failOnConflict: this.flags['fail-on-conflict'],
    });
  }

  protected render(result: SyncResult, out: TextOutput): void {
    renderSync(result, out);
  }
}
