/** Builds the index anew. */
import { WnCommand } from '../cli/command.js';
import { rebuildIndex, type Reindexed } from '../cli/care.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';

export default class Reindex extends WnCommand<typeof Reindex, Reindexed> {
  static override readonly summary = 'Build the index anew from the logs';
  static override readonly description =
    'The index is only a cache; it is built anew by itself when it is missing. For when it is damaged.';
  static override readonly examples = ['wn reindex'];
  static override readonly result = '{commits, viewHash}';

  protected async execute(): Promise<Reindexed> {
    return rebuildIndex(this.context);
  }

  protected render({ commits, viewHash }: Reindexed, out: TextOutput): void {
    out.line`${counted(commits, 'commit')} folded; view ${viewHash}`;
  }
}
