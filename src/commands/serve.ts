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
    'the key of this device, which is the only one that can answer there. With --relay it answers ' +
    'through a relay, for a machine that nobody can connect to; what passes there only the two ' +
    'devices can read. With --lan it tells the local network, by multicast DNS, that somebody is ' +
    'here; only members of this workspace can tell who, and only they get an answer. --listen ' +
    'then says where, for a firewall that lets one port through.';
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
    relay: Flags.string({
      helpValue: 'ADDRESS',
      description: 'Answer through this relay, as wn relay prints its address.',
      exclusive: ['stdio', 'listen'],
    }),
    lan: Flags.boolean({
      description: 'Answer members in the local network, who need no address: wn sync --lan.',
      exclusive: ['stdio', 'relay'],
    }),
  };
  static override readonly endless = true;
  static override readonly examples = [
    'wn serve --listen :5000',
    'wn serve --stdio ~/notes',
    'wn serve --relay wn+relays://relay.example',
    'wn serve --lan',
  ];
  static override readonly result = '{ready, address}, once it listens';

  protected async execute(): Promise<undefined> {
    const { stdio, listen, relay, lan } = this.flags;
    if (stdio) {
      await serveStdio(this.context, this.args.path);
    } else if (lan) {
      const { serveLan } = await import('../cli/servelan.js');
      await serveLan(this.context, this.args.path, listen ?? ':0', (address) =>
        this.announce({ ready: true, address }, `reachable in the local network: ${address}`),
      );
    } else if (listen !== undefined) {
      await serveListen(this.context, this.args.path, listen, (address) =>
        this.announce({ ready: true, address }, `listening: ${address}`),
      );
    } else if (relay !== undefined) {
      const { serveRelayed } = await import('../cli/serverelay.js');
      await serveRelayed(this.context, this.args.path, relay, (address) =>
        this.announce({ ready: true, address }, `reachable: ${address}`),
      );
    } else {
      throw new WnError('usage', 'how to serve is missing', {
        hint: 'give --listen HOST:PORT, --lan, --relay ADDRESS, or --stdio',
      });
    }
    return undefined;
  }

  protected render(_result: Record<string, never>, _out: TextOutput): void {
    // Everything is said over the line.
  }
}
