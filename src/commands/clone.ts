/** Makes another copy of a workspace that this device belongs to. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import { cloneWorkspace, type Joined } from '../cli/adopt.js';

export default class Clone extends WnCommand<typeof Clone, Joined> {
  static override readonly summary = 'Make another copy of a workspace';
  static override readonly description =
    'For a device that belongs to the workspace already: another folder, or a disk. The address ' +
    'becomes the remote origin. Somebody new needs a ticket: wn invite, wn join.';
  static override readonly args = {
    address: Args.string({ required: true, description: 'Where the workspace is.' }),
    dir: Args.string({ description: "The new folder. Default: the workspace's name." }),
  };
  static override readonly flags = {
    'serve-command': Flags.string({
      helpValue: 'PATH',
      description: 'What runs wn over there, where it is not on the PATH of a login by ssh.',
    }),
  };
  static override readonly examples = [
    'wn clone ~/notes /media/stick/notes',
    'wn clone me@desk:notes',
  ];
  static override readonly result = '{workspace, path, commits}';

  protected async execute(): Promise<Joined> {
    return cloneWorkspace(this.context, this.args.address, {
      dir: this.args.dir ?? null,
      serveCommand: this.flags['serve-command'],
    });
  }

  protected render({ path, commits, name }: Joined, out: TextOutput): void {
    out.line`cloned ${out.style.bold(name)}: ${counted(commits, 'commit')}, in ${path}`;
  }
}
