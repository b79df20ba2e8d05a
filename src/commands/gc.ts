/** Packs the repository. */
import { WnCommand } from '../cli/command.js';
import { packRepository } from '../cli/care.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import type { Packed } from '../repo/care.js';

export default class Gc extends WnCommand<typeof Gc, Packed> {
  static override readonly summary = 'Pack the repository';
  static override readonly description =
    'Compresses the logs, and drops replaced files that were kept for 7 days. History stays whole.';
  static override readonly examples = ['wn gc'];
  static override readonly result = '{sealed, bytesBefore, bytesAfter}';

  protected async execute(): Promise<Packed> {
    return packRepository(this.context);
  }

  protected render({ sealed, bytesBefore, bytesAfter }: Packed, out: TextOutput): void {
    out.line`${counted(sealed, 'segment')} sealed: ${bytesBefore} bytes are ${bytesAfter} now`;
  }
}
