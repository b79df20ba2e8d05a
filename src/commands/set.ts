/** Changes fields of one worknode. */
import { Args, Flags, WnCommand, type Outcome } from '../cli/command.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { setFields } from '../tree/edit.js';

export default class Set extends WnCommand<typeof Set, CommittedResult> {
  static override readonly summary = 'Change fields of a file';
  static override readonly description =
    'K=V sets a value, K= takes it away, K+=V and K-=V add to and remove from a set, K++ and ' +
    "K-- count. Commits that change alone. A folder's fields are those of its README.md.";
  static override readonly args = {
    path: Args.string({ required: true, description: 'The file, or a folder.' }),
    assignment: Args.string({
      required: true,
      multiple: true,
      description: 'K=V, K+=V, K-=V, K++ or K--.',
    }),
  };
  static override readonly flags = {
    message: Flags.string({ char: 'm', helpValue: 'TEXT', description: 'Say why.' }),
  };
  static override readonly examples = [
    'wn set tasks/7.md status=doing',
    'wn set tasks/7.md labels+=ci votes++',
  ];
  static override readonly result = '{commit, hlc, ops, level}';

  protected async execute(): Promise<CommittedResult | Outcome<CommittedResult>> {
    const repository = await openRepository(this.context);
    const path = repository.path(this.args.path);
    const assignments = this.args.assignment;
    return committedResult(
      await setFields(repository.work, { path, assignments, message: this.flags.message ?? null }),
    );
  }

  protected render(result: CommittedResult, out: TextOutput): void {
    renderCommitted(result, out);
  }
}
