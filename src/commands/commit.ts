/** Records what changed in the working directory. */
import { Args, Flags, type Outcome, WnCommand } from '../cli/command.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import type { TextOutput } from '../cli/output.js';
import { startProgress } from '../cli/progress.js';
import { openRepository } from '../cli/repository.js';

export default class Commit extends WnCommand<typeof Commit, CommittedResult> {
  static override readonly summary = 'Record what changed';
  static override readonly description =
    'Takes all changes, or those of the paths given; there is no staging area. A new file over ' +
    '1 MiB, or one that looks like a key, is named and left out unless --force is given. ' +
    'Nothing to do is no failure: exit 0, and `commit` is null.';
  static override readonly args = {
    path: Args.string({ multiple: true, description: 'Only this path and what is below it.' }),
  };
  static override readonly flags = {
    message: Flags.string({ char: 'm', helpValue: 'TEXT', description: 'Say why.' }),
    force: Flags.boolean({ description: 'Take refused new files, and a change of most files.' }),
  };
  static override readonly examples = ['wn commit -m "rotate the keys"', 'wn commit docs/'];
  static override readonly result = '{commit, hlc, ops, level, refused}';

  protected async execute(): Promise<CommittedResult | Outcome<CommittedResult>> {
    const repository = await openRepository(this.context);
    const under = repository.existing(this.args.path ?? []);
    const progress = startProgress(this.context, 'looking');
    const committed = await repository.work.commit({
      message: this.flags.message ?? null,
      ...(under && { under }),
      force: this.flags.force,
      unattended: !this.context.interactive,
      progress: (files) => {
        progress.update(files);
      },
    });
    await progress.end();
    return committedResult(committed);
  }

  protected render(result: CommittedResult, out: TextOutput): void {
    renderCommitted(result, out);
  }
}
