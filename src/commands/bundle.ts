/** Writes one file that another copy can take in. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { bundleTo, type Bundled } from '../cli/bundles.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';

export default class Bundle extends WnCommand<typeof Bundle, Bundled> {
  static override readonly summary = 'Write commits to one file';
  static override readonly description =
    'For a stick or a mail: wn unbundle takes it in on the other side. With --for only what that ' +
    'remote did not hold when it was last reached.';
  static override readonly args = {
    file: Args.string({ required: true, description: 'The file to write.' }),
  };
  static override readonly flags = {
    for: Flags.string({ helpValue: 'REMOTE', description: 'Only what this remote lacks.' }),
  };
  static override readonly examples = ['wn bundle /media/stick/notes.bundle'];
  static override readonly result = '{file, bytes}';

  protected async execute(): Promise<Bundled> {
    return bundleTo(this.context, this.args.file, this.flags.for ?? null);
  }

  protected render({ file, bytes }: Bundled, out: TextOutput): void {
    out.line`${file}: ${counted(bytes, 'byte')}`;
  }
}
