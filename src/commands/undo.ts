/** Takes a change back. */
import { Args, WnCommand, type Outcome } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { resolveRevision } from '../cli/revision.js';
import { renderUndone, undoneResult, type UndoneResult } from '../cli/undone.js';
import { WnError } from '../core/errors.js';
import type { CommitRef } from '../repo/history.js';
import { undo } from '../tree/undo.js';

export default class Undo extends WnCommand<typeof Undo, UndoneResult> {
  static override readonly summary = 'Take a change back';
  static override readonly description =
    'The newest commit of this device that is not undone, or the one named, whoever made it. A ' +
    'new commit compensates it; history stays. Text is merged with what was typed since; fields, ' +
    'moves and files change back only where nobody has changed them since: the rest is listed, ' +
    'and the exit is 3. Uncommitted edits stay.';
  static override readonly args = {
    commit: Args.string({
      description: 'A commit id, or @~N. Default: the newest change of this device.',
    }),
  };
  static override readonly examples = ['wn undo', 'wn undo 3f2a9c81qk'];
  static override readonly result =
    '{commit, hlc, ops, level, undone, notUndone: [{path, field?, why}]}';

  protected async execute(): Promise<UndoneResult | Outcome<UndoneResult>> {
    const repository = await openRepository(this.context);
    const { commit } = this.args;
    const wished = commit === undefined ? null : this.named(repository, commit);
    return undoneResult(await undo(repository.work, wished));
  }

  private named({ replica }: Repository, word: string): CommitRef {
    const { commit } = resolveRevision(replica, word, this.context.clock.wallMs());
    if (commit !== null) return commit;
    throw new WnError('usage', `${word} names no commit`, {
      hint: 'write a commit id, see wn log',
    });
  }

  protected render(result: UndoneResult, out: TextOutput): void {
    renderUndone(result, out);
  }
}
