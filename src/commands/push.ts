/** Send commits to remotes. */
import { ExchangeCommand } from '../cli/exchangeCommand.js';

export default class Push extends ExchangeCommand {
  static override readonly summary = 'Send commits to remotes';
  static override readonly description =
    'Sends what each remote lacks; it takes the commits in and writes out its files.';
  static override readonly examples = ['wn push', 'wn push usb'];

  protected readonly mode = 'push';
}
