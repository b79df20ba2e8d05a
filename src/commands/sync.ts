/** Send to and fetch from remotes, once or for as long as it runs. */
import { Flags, WnCommand, type Outcome } from '../cli/command.js';
import { exchangeArgs, exchangeFlags, wishOf } from '../cli/exchangeCommand.js';
import type { Followed } from '../cli/follow.js';
import type { TextOutput } from '../cli/output.js';
import {
  renderFollowed,
  renderSync,
  stayInSync,
  synchronise,
  type SyncResult,
} from '../cli/synchronise.js';

export default class Sync extends WnCommand<typeof Sync, SyncResult | Followed> {
  static override readonly summary = 'Send to and fetch from remotes';
  static override readonly description =
    'Exchanges both ways in one connection with each remote, with several at a time; what one has ' +
    'brought is then sent to the others that lack it, and the files are written out. One remote ' +
    'that fails does not stop the others. A pull never stops on a ' +
    'merge; overlaps are shown by wn conflicts. With --follow it stays connected to anchors ' +
    'and to who serves, by --listen, a relay or ssh: what is committed here is sent at once, and what comes is written out ' +
    'as it comes; a lost connection is made again. A line is printed whenever something has moved.';
  static override readonly args = exchangeArgs;
  static override readonly flags = {
    ...exchangeFlags,
    follow: Flags.boolean({
      description: 'Stay connected, and exchange as things happen.',
      exclusive: ['fail-on-conflict', 'lan', 'retry', 'tolerate'],
    }),
  };
  static override readonly endless = 'follow';
  static override readonly examples = [
    'wn sync',
    'wn sync usb',
    'wn sync --lan',
    'wn sync --follow',
    'wn sync --retry 2m --tolerate 1d',
  ];
  static override readonly result =
    '{remotes: [{name, ok, sent, received, bytes, ms, error?, toleratedMs?}], applied, conflicts}; ' +
    'with --follow a line each time: {remote, error, sent, received, applied, conflicts}';

  protected async execute(): Promise<SyncResult | Outcome<SyncResult> | undefined> {
    const wish = wishOf('sync', this.args.remote, this.flags);
    if (!this.flags.follow) return synchronise(this.context, wish);
    await stayInSync(this.context, wish, (what) => this.print(what));
    return undefined;
  }

  protected render(result: SyncResult | Followed, out: TextOutput): void {
    if ('remote' in result) renderFollowed(result, out);
    else renderSync(result, out);
  }
}
