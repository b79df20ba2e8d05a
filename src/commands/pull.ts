/** Fetch commits from remotes. */
import { ExchangeCommand } from '../cli/exchangeCommand.js';

export default class Pull extends ExchangeCommand {
  static override readonly summary = 'Fetch commits from remotes';
  static override readonly description =
    'Fetches what this copy lacks, then writes the files out. Edits that are not committed are merged, never overwritten.';
  static override readonly examples = ['wn pull', 'wn pull usb'];

  protected readonly mode = 'pull';
}
