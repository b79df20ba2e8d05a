/** Help for all commands or one, from the same descriptions as the manual. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { VERSION } from '../cli/commandTable.js';
import type { CommandDescription } from '../cli/describe.js';
import { commandHelp, overview, topicHelp } from '../cli/help.js';
import { readDescriptions } from '../cli/manifest.js';
import type { TextOutput } from '../cli/output.js';
import { nearest } from '../cli/suggest.js';
import { WnError } from '../core/errors.js';

interface HelpResult {
  readonly version: string;
  readonly commands: readonly CommandDescription[];
  readonly text: string;
}

export default class Help extends WnCommand<typeof Help, HelpResult> {
  static override readonly summary = 'Show help for a command';
  static override readonly args = {
    command: Args.string({ multiple: true, description: 'The command, in one word or two.' }),
  };
  static override readonly flags = {
    version: Flags.boolean({ description: 'Show the version instead.' }),
  };
  static override readonly examples = ['wn help', 'wn help commit', 'wn help remote add'];
  static override readonly result = '{version, commands: [{id, summary, args, flags, …}], text}';
  static override readonly paged = true;

  protected async execute(): Promise<HelpResult> {
    if (this.flags.version) return { version: VERSION, commands: [], text: `wn ${VERSION}\n` };
    const all = await readDescriptions();
    const words = this.args.command ?? [];
    if (words.length === 0) return { version: VERSION, commands: [], text: overview(all, VERSION) };
    const id = words.join(' ');
    const command = all.find((candidate) => candidate.id === id);
    const below = all.filter((candidate) => candidate.id.startsWith(`${id} `));
    if (command === undefined && below.length === 0) throw unknown(id, all);
    const texts = command === undefined ? [] : [commandHelp(command)];
    if (below.length > 0) texts.push(topicHelp(id, below));
    const commands = command === undefined ? below : [command, ...below];
    return { version: VERSION, commands, text: texts.join('\n') };
  }

  protected render({ text }: HelpResult, out: TextOutput): void {
    out.raw(text);
  }
}

function unknown(id: string, all: readonly CommandDescription[]): WnError {
  const guess = nearest(
    id,
    all.map((command) => command.id),
  );
  return new WnError('usage', `no command: ${id}`, {
    hint: guess === undefined ? 'wn help lists the commands' : `did you mean wn help ${guess}?`,
  });
}
