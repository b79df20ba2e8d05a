/** Takes part in a workspace that somebody invited to. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import { joinWorkspace, type Joined } from '../cli/adopt.js';
import { readTicketArgument } from '../cli/membership.js';

export default class Join extends WnCommand<typeof Join, Joined> {
  static override readonly summary = 'Take part in a workspace, with a ticket';
  static override readonly description =
    'Makes a new folder, fetches the workspace from the ticket’s first address, which becomes ' +
    'the remote origin, and writes its files out. Sends nothing. The ticket is a file, or - for ' +
    'standard input; the line itself works too, but stays in your shell’s history.';
  static override readonly args = {
    ticket: Args.string({ required: true, description: 'A file, -, or the line itself.' }),
    dir: Args.string({ description: "The new folder. Default: the workspace's name." }),
  };
  static override readonly flags = {
    'serve-command': Flags.string({
      helpValue: 'PATH',
      description: 'What runs wn over there, where it is not on the PATH of a login by ssh.',
    }),
  };
  static override readonly examples = ['wn join ticket notes && cd notes'];
  static override readonly result = '{workspace, path, commits}';

  protected async execute(): Promise<Joined> {
    const { text, literal } = await readTicketArgument(this.context, this.args.ticket);
    if (literal)
      await this.notice(
        'the ticket is a secret, and now stands in your shell’s history; use a file',
      );
    return joinWorkspace(this.context, text, {
      dir: this.args.dir ?? null,
      serveCommand: this.flags['serve-command'],
    });
  }

  protected render({ path, commits, name }: Joined, out: TextOutput): void {
    out.line`joined ${out.style.bold(name)}: ${counted(commits, 'commit')}, in ${path}`;
  }
}
