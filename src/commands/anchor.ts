/** An always-on peer for many workspaces. */
import { Flags, WnCommand } from '../cli/command.js';
import { runAnchor } from '../cli/anchor/anchor.js';
import type { TextOutput } from '../cli/output.js';

export default class Anchor extends WnCommand<typeof Anchor, Record<string, never>> {
  static override readonly summary = 'Keep workspaces in reach while devices are off';
  static override readonly description =
    'Answers members of every workspace that was allowed here (wn anchor allow), stores what ' +
    'they bring, and passes it on. It has a device key of its own, kept in DIR with all else; ' +
    'only members of a workspace learn that it is here. It never writes files out. ' +
    'DIR/anchor.json may hold, as JSON: address (HOST:PORT that others reach it by), connections, ' +
    'connectionsPerAddress, connectionsUnproven, bytesPerSecond and signaturesPerSecond (for ' +
    'each device), refuse (a list of devices). SIGHUP reads it again. SIGTERM takes no more ' +
    'callers, lets exchanges end within 10 s, and exits 0. HTTP has /healthz, /readyz and ' +
    '/metrics. The log is on standard error, a line of JSON for each event.';
  static override readonly flags = {
    root: Flags.string({
      required: true,
      helpValue: 'DIR',
      description: 'Where its key and its workspaces are.',
    }),
    listen: Flags.string({
      required: true,
      helpValue: 'HOST:PORT',
      description: 'Listen there; :PORT is every address of this machine.',
    }),
    http: Flags.string({
      helpValue: 'HOST:PORT',
      description: 'Serve HTTP there. Default: the next port, for this machine only.',
    }),
  };
  static override readonly endless = true;
  static override readonly graceMs = 10_000;
  static override readonly examples = [
    'wn anchor --root /var/lib/wn --listen :5000',
    'wn anchor allow ticket --root /var/lib/wn',
  ];
  static override readonly result = '{ready, address, http}, once it listens';

  protected async execute(): Promise<undefined> {
    const { root, listen, http } = this.flags;
    await runAnchor(this.context, { root, listen, http: http ?? null }, (said) =>
      this.announce({ ...said }, `listening: ${said.address}, ${said.http}`),
    );
    return undefined;
  }

  protected render(_result: Record<string, never>, _out: TextOutput): void {
    // All that it says is said when it is ready, and in the log.
  }
}
