/** The other end of a sync. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { serveStdio } from '../cli/serve.js';
import { WnError } from '../core/errors.js';

export default class Serve extends WnCommand<typeof Serve, Record<string, never>> {
  static override readonly summary = 'Answer one who syncs with this copy';
  static override readonly description =
    'With --stdio it speaks over its standard input and output: wn on the other side starts it ' +
    'through ssh, and nobody needs to type it. Takes commits in and writes out files that have ' +
    'no edits here, unless receive.materialise is false.';
  static override readonly args = {
    path: Args.string({ description: 'The workspace. Default: where you stand.' }),
  };
  static override readonly flags = {
    stdio: Flags.boolean({ description: 'Speak over standard input and output, once.' }),
  };
  static override readonly endless = true;
  static override readonly examples = ['wn serve --stdio ~/notes'];

  protected async execute(): Promise<undefined> {
    if (!this.flags.stdio) {
      throw new WnError('usage', 'how to serve is missing', { hint: 'give --stdio' });
    }
    await serveStdio(this.context, this.args.path);
    return undefined;
  }

  protected render(_result: Record<string, never>, _out: TextOutput): void {
    // Everything is said over the line.
  }
}
