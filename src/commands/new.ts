/** Makes a worknode: a file with fields and a body, or a folder. */
import { Args, Flags, WnCommand, type Outcome } from '../cli/command.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { readStdin } from '../cli/stdin.js';
import { createWorknode } from '../tree/edit.js';

export default class New extends WnCommand<typeof New, CommittedResult> {
  static override readonly summary = 'Make a file with fields';
  static override readonly description =
    'Makes the file, and the folders above it, and commits that. A path that ends in / makes a ' +
    'folder. Fields stand in the front matter of a Markdown file.';
  static override readonly args = {
    path: Args.string({ required: true, description: 'Where; it must not exist.' }),
  };
  static override readonly flags = {
    type: Flags.string({
      helpValue: 'TYPE',
      description: 'A type of wn.yaml: its defaults are set.',
    }),
    set: Flags.string({ multiple: true, helpValue: 'K=V', description: 'A field; repeatable.' }),
    body: Flags.string({ helpValue: 'TEXT|-', description: 'The text; - reads standard input.' }),
    message: Flags.string({ char: 'm', helpValue: 'TEXT', description: 'Say why.' }),
  };
  static override readonly examples = [
    'wn new tasks/7.md --set status=todo --set due=2026-12-01 --body "Rotate the keys"',
  ];
  static override readonly result = '{commit, hlc, ops, level}';

  protected async execute(): Promise<CommittedResult | Outcome<CommittedResult>> {
    const repository = await openRepository(this.context);
    const { path } = this.args;
    const { type, set, message } = this.flags;
    const body = this.flags.body === '-' ? await this.standardInput() : (this.flags.body ?? '');
    const committed = await createWorknode(repository.work, {
      path: repository.path(path),
      folder: path.endsWith('/'),
      type: type ?? null,
      assignments: set ?? [],
      body,
      message: message ?? null,
    });
    return committedResult(committed);
  }

  private async standardInput(): Promise<string> {
    return Buffer.from(await readStdin(this.context)).toString('utf8');
  }

  protected render(result: CommittedResult, out: TextOutput): void {
    renderCommitted(result, out);
  }
}
