/** Has an anchor host a workspace. */
import { Args, Flags, WnCommand } from '../../cli/command.js';
import { allowWorkspace, type Allowed } from '../../cli/anchor/allow.js';
import { readTicketArgument } from '../../cli/membership.js';
import type { TextOutput } from '../../cli/output.js';

export default class AnchorAllow extends WnCommand<typeof AnchorAllow, Allowed> {
  static override readonly summary = 'Have an anchor host a workspace';
  static override readonly description =
    'The anchor joins with the ticket, as a member that stores and forwards; --act read is ' +
    'enough for that. Nothing is fetched: the first member that syncs brings everything. A ' +
    'running anchor needs no word of it. With a new ticket for a workspace that is hosted ' +
    'already the right is renewed, from SIGHUP on or once nobody is connected.';
  static override readonly args = {
    ticket: Args.string({ required: true, description: 'A file, -, or the line itself.' }),
  };
  static override readonly flags = {
    root: Flags.string({
      required: true,
      helpValue: 'DIR',
      description: 'Where the anchor keeps its key and its workspaces.',
    }),
  };
  static override readonly examples = [
    'wn invite --act read --expires 52w --out ticket && wn anchor allow ticket --root /var/lib/wn',
  ];
  static override readonly result = '{workspace, name, path, address, expires, renewed}';

  protected async execute(): Promise<Allowed> {
    const { text, literal } = await readTicketArgument(this.context, this.args.ticket);
    if (literal)
      await this.notice(
        'the ticket is a secret, and now stands in your shell’s history; use a file',
      );
    return allowWorkspace(this.context, this.flags.root, text);
  }

  protected render({ name, address, renewed, expires }: Allowed, out: TextOutput): void {
    const until = expires === null ? '' : `, until ${expires}`;
    out.line`${renewed ? 'renewed' : 'hosted'}: ${out.style.bold(name)}${until}`;
    if (address === null) out.line`its address is known once the anchor has listened`;
    else out.line`members add it: wn remote add anchor ${address}`;
  }
}
