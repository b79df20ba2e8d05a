/** Deletes a worknode; its history stays. */
import { Args, Flags, WnCommand, type Outcome } from '../cli/command.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { removeWorknode } from '../tree/edit.js';

export default class Rm extends WnCommand<typeof Rm, CommittedResult> {
  static override readonly summary = 'Delete a file or folder';
  static override readonly description =
    'Removes it from disk and commits that. A file with changes that are not committed yet is ' +
    'refused unless --force is given. What somebody edits elsewhere meanwhile comes back, and ' +
    'wn conflicts tells.';
  static override readonly args = {
    path: Args.string({ required: true, description: 'What to delete.' }),
  };
  static override readonly flags = {
    force: Flags.boolean({ description: 'Also with changes that are not committed.' }),
    message: Flags.string({ char: 'm', helpValue: 'TEXT', description: 'Say why.' }),
  };
  static override readonly examples = ['wn rm old.md', 'wn rm drafts/'];
  static override readonly result = '{commit, hlc, ops, level}';

  protected async execute(): Promise<CommittedResult | Outcome<CommittedResult>> {
    const repository = await openRepository(this.context);
    const path = repository.path(this.args.path);
    const { force, message } = this.flags;
    return committedResult(
      await removeWorknode(repository.work, { path, force, message: message ?? null }),
    );
  }

  protected render(result: CommittedResult, out: TextOutput): void {
    renderCommitted(result, out);
  }
}
