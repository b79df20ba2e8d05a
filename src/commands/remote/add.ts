/** Names an address to exchange with. */
import { showAddress } from '../../cli/address.js';
import { Args, Flags, WnCommand } from '../../cli/command.js';
import { checkServeCommand } from '../../cli/dial.js';
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
    'A folder on this machine, a shared disk or a stick, as a path or file:// address; or a ' +
    'host that ssh reaches, as ssh://user@host:port/path or user@host:path. A name that is ' +
    'there already gets the new address.';
  static override readonly args = {
    name: Args.string({ required: true, description: 'A short name.' }),
    url: Args.string({ required: true, description: 'The address.' }),
  };
  static override readonly flags = {
    'serve-command': Flags.string({
      helpValue: 'PATH',
      description: 'What runs wn over there, where it is not on the PATH of a login by ssh.',
    }),
  };
  static override readonly examples = [
    'wn remote add usb /media/stick/notes',
    'wn remote add desk ssh://me@desk/~/notes --serve-command ~/.local/bin/wn',
  ];
  static override readonly result = '{name, url}';

  protected async execute(): Promise<RemoteAddResult> {
    const repository = await openRepository(this.context);
    const { name } = this.args;
    checkRemoteName(name);
    const url = showAddress(this.args.url, this.context.cwd);
    const servePath = checkServeCommand(this.flags['serve-command'], url);
    await putRemote(repository.replica, { name, url, ...servePath });
    return { name, url };
  }

  protected render({ name, url }: RemoteAddResult, out: TextOutput): void {
    out.line`${out.style.bold(name)} is ${url}`;
  }
}
