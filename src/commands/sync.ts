/** Send to and fetch from remotes. */
import { ExchangeCommand } from '../cli/exchangeCommand.js';

export default class Sync extends ExchangeCommand {
  static override readonly summary = 'Send to and fetch from remotes';
  static override readonly description =
    'Exchanges both ways in one connection, then writes the files out. A pull never stops on a merge; overlaps are shown by wn conflicts.';
  static override readonly examples = ['wn sync', 'wn sync usb'];

  protected readonly mode = 'sync';
}
