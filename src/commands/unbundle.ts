/** Takes in a file that another copy wrote. */
import { Args, WnCommand } from '../cli/command.js';
import { unbundleFrom, type UnbundleResult } from '../cli/bundles.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';

export default class Unbundle extends WnCommand<typeof Unbundle, UnbundleResult> {
  static override readonly summary = 'Take in a bundle';
  static override readonly description =
    'Verifies every commit; what is there already is not taken twice. Then writes the files out.';
  static override readonly args = {
    file: Args.string({ required: true, description: 'The file that wn bundle wrote.' }),
  };
  static override readonly examples = ['wn unbundle /media/stick/notes.bundle'];
  static override readonly result = '{commits, added, pending, blobs, applied, conflicts}';

  protected async execute(): Promise<UnbundleResult> {
    return unbundleFrom(this.context, this.args.file);
  }

  protected render(result: UnbundleResult, out: TextOutput): void {
    out.line`${result.added} of ${counted(result.commits, 'commit')} new; ${counted(result.applied, 'file')} written, ${counted(result.conflicts, 'conflict')}`;
  }
}
