/** Forgets a remote. */
import { Args, WnCommand } from '../../cli/command.js';
import type { TextOutput } from '../../cli/output.js';
import { dropRemote } from '../../cli/remotes.js';
import { openRepository } from '../../cli/repository.js';

interface RemoteRemoveResult {
  readonly name: string;
}

export default class RemoteRemove extends WnCommand<typeof RemoteRemove, RemoteRemoveResult> {
  static override readonly summary = 'Forget a remote';
  static override readonly description = 'What was exchanged with it stays.';
  static override readonly args = {
    name: Args.string({ required: true, description: 'Its name.' }),
  };
  static override readonly examples = ['wn remote remove usb'];
  static override readonly result = '{name}';

  protected async execute(): Promise<RemoteRemoveResult> {
    const { replica } = await openRepository(this.context);
    await dropRemote(replica, this.args.name);
    return { name: this.args.name };
  }

  protected render({ name }: RemoteRemoveResult, out: TextOutput): void {
    out.line`forgot ${name}`;
  }
}
