/** Who this device is. */
import { WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { deviceKey } from '../cli/repository.js';
import { toHex } from '../core/bytes.js';
import { showDevice } from '../core/ids.js';

interface IdResult {
  readonly device: string;
  readonly name: string;
}

export default class Id extends WnCommand<typeof Id, IdResult> {
  static override readonly summary = 'Show this device';
  static override readonly description =
    'The key is made at first use and stands in WN_HOME; two homes are two devices.';
  static override readonly examples = ['wn id --json'];
  static override readonly result = '{device, name}';

  protected async execute(): Promise<IdResult> {
    const { publicKey, name } = await deviceKey(this.context);
    return { device: showDevice(toHex(publicKey)), name };
  }

  protected render({ device, name }: IdResult, out: TextOutput): void {
    out.line`${out.style.bold(device)} ${name}`;
  }
}
