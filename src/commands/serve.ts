/** The other end of a sync. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { serveListen, serveStdio } from '../cli/serve.js';
import { WnError } from '../core/errors.js';

export default class Serve extends WnCommand<typeof Serve, Record<string, never>> {
  static override readonly summary = 'Answer those who sync with this copy';
  static override readonly description =
    'Takes commits in from members and writes out files that have no edits here, unless ' +
    'receive.materialise is false. With --stdio it speaks over its standard input and output, ' +
    'once: wn on the other side starts it through ssh, and nobody needs to type it. With ' +
    '--listen it answers whoever calls, until it is stopped; the address that it prints names ' +
    'the key of this device, which is the only one that can answer there.';
  static override readonly args = {
    path: Args.string({ description: 'The workspace. Default: where you stand.' }),
  };
  static override readonly flags = {
    stdio: Flags.boolean({ description: 'Speak over standard input and output, once.' }),
    listen: Flags.string({
      helpValue: 'HOST:PORT',
      description: 'Listen there; :PORT is every address of this machine.',
      exclusive: ['stdio'],
    }),
  };
  static override readonly endless = true;
  static override readonly examples = ['wn serve --listen :5000', 'wn serve --stdio ~/notes'];
  static override readonly result = '{ready, address}, once it listens';

  protected async execute(): Promise<undefined> {
    const { stdio, listen } = this.flags;
    if (stdio) {
      await serveStdio(this.context, this.args.path);
    } else if (listen !== undefined) {
      await serveListen(this.context, this.args.path, listen, (address) =>
        this.announce({ ready: true, address }, `listening: ${address}`),
      );
    } else {
      throw new WnError('usage', 'how to serve is missing', {
        hint: 'give --listen HOST:PORT, or --stdio',
      });
    }
    return undefined;
  }

  protected render(_result: Record<string, never>, _out: TextOutput): void {
    // Everything is said over the line.
  }
}
