/** Names an address to exchange with. */
import { Args, WnCommand } from '../../cli/command.js';
import { pathOfAddress } from '../../cli/exchange.js';
import type { TextOutput } from '../../cli/output.js';
import { checkRemoteName, putRemote } from '../../cli/remotes.js';
import { openRepository } from '../../cli/repository.js';

interface RemoteAddResult {
  readonly name: string;
  readonly url: string;
}

export default class RemoteAdd extends WnCommand<typeof RemoteAdd, RemoteAddResult> {
  static override readonly summary = 'Name an address to exchange with';
  static override readonly description =
    'A folder on this machine, a shared disk or a stick, as a path or file:// address. A name ' +
    'that is there already gets the new address.';
  static override readonly args = {
    name: Args.string({ required: true, description: 'A short name.' }),
    url: Args.string({ required: true, description: 'The address.' }),
  };
  static override readonly examples = ['wn remote add usb /media/stick/notes'];
  static override readonly result = '{name, url}';

  protected async execute(): Promise<RemoteAddResult> {
    const repository = await openRepository(this.context);
    const { name } = this.args;
    checkRemoteName(name);
    const url = pathOfAddress(this.args.url, this.context.cwd);
    await putRemote(repository.replica, { name, url });
    return { name, url };
  }

  protected render({ name, url }: RemoteAddResult, out: TextOutput): void {
    out.line`${out.style.bold(name)} is ${url}`;
  }
}
