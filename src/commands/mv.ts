/** Moves or renames a worknode. */
import { Args, Flags, WnCommand, type Outcome } from '../cli/command.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { moveWorknode } from '../tree/edit.js';

export default class Mv extends WnCommand<typeof Mv, CommittedResult> {
  static override readonly summary = 'Move or rename a file or folder';
  static override readonly description =
    'Moves it on disk and commits the move. An existing folder as the target is moved into. ' +
    'Moving changes nobody’s rights: those follow where a thing was made.';
  static override readonly args = {
    from: Args.string({ required: true, description: 'What to move.' }),
    to: Args.string({ required: true, description: 'Where to; a folder is moved into.' }),
  };
  static override readonly flags = {
    message: Flags.string({ char: 'm', helpValue: 'TEXT', description: 'Say why.' }),
  };
  static override readonly examples = ['wn mv notes.md archive/'];
  static override readonly result = '{commit, hlc, ops, level}';

  protected async execute(): Promise<CommittedResult | Outcome<CommittedResult>> {
    const repository = await openRepository(this.context);
    const { from, to } = this.args;
    return committedResult(
      await moveWorknode(repository.work, {
        from: repository.path(from),
        to: repository.path(to),
        message: this.flags.message ?? null,
      }),
    );
  }

  protected render(result: CommittedResult, out: TextOutput): void {
    renderCommitted(result, out);
  }
}
