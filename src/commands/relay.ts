/** A meeting point for devices that can't reach each other. */
import { Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { runRelay } from '../cli/relay.js';
import { RELAY_DRAIN_MS } from '../core/limits.js';

/** For its sockets to close, once what was under way has had its time. */
const SETTLING_MS = 1_000;

export default class Relay extends WnCommand<typeof Relay, Record<string, never>> {
  static override readonly summary = 'Pass on what devices say that cannot reach each other';
  static override readonly description =
    'Devices come to it with wn serve --relay and are reached at wn+relay://RELAY/DEVICE. It ' +
    'needs no repository and no key, and can read nothing: it sees addresses, sizes and times. ' +
    'On the same port it takes WebSockets, at /wn, from networks that let only HTTP through. ' +
    'The log goes to standard error, a line of JSON for each event.';
  static override readonly flags = {
    listen: Flags.string({
      helpValue: 'HOST:PORT',
      required: true,
      description: 'Listen there; :PORT is every address of this machine.',
    }),
    root: Flags.string({
      helpValue: 'DIR',
      description: 'Keep mailboxes there. Default: relay, in the home of the device.',
    }),
    'tls-cert': Flags.string({
      helpValue: 'FILE',
      description: 'Speak TLS with this certificate (PEM). Default: plain TCP.',
      dependsOn: ['tls-key'],
    }),
    'tls-key': Flags.string({
      helpValue: 'FILE',
      description: 'The key of the certificate (PEM).',
      dependsOn: ['tls-cert'],
    }),
  };
  static override readonly endless = true;
  static override readonly graceMs = RELAY_DRAIN_MS + SETTLING_MS;
  static override readonly examples = ['wn relay --listen :5100'];
  static override readonly result = '{ready, address}, once it listens';

  protected async execute(): Promise<undefined> {
    const { listen, root, 'tls-cert': cert, 'tls-key': key } = this.flags;
    const tls = cert !== undefined && key !== undefined ? { cert, key } : null;
    await runRelay(this.context, { listen, root, tls }, (address) =>
      this.announce({ ready: true, address }, `listening: ${address}`),
    );
    return undefined;
  }

  protected render(_result: Record<string, never>, _out: TextOutput): void {
    // A daemon says what it has to say when it is ready, and in its log.
  }
}
