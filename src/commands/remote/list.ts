/** Lists remotes and how far each is. */
import { WnCommand } from '../../cli/command.js';
import type { TextOutput } from '../../cli/output.js';
import { remoteStatuses, type RemoteStatus } from '../../cli/remotes.js';
import { openRepository } from '../../cli/repository.js';

interface RemoteListResult {
  readonly items: readonly RemoteStatus[];
}

export default class RemoteList extends WnCommand<typeof RemoteList, RemoteListResult> {
  static override readonly summary = 'List remotes';
  static override readonly description =
    'Ahead and behind are counted from what each held when it was last reached.';
  static override readonly examples = ['wn remote list'];
  static override readonly result = '{items: [{name, url, ahead, behind, lastOkAt}]}';

  protected async execute(): Promise<RemoteListResult> {
    const { replica } = await openRepository(this.context);
    return { items: await remoteStatuses(replica) };
  }

  protected render({ items }: RemoteListResult, out: TextOutput): void {
    out.table(
      items.map(({ name, url, ahead, lastOkAt }) => [
        out.style.bold(name),
        url,
        `${ahead} to send`,
        lastOkAt === null ? 'never reached' : `last ${lastOkAt}`,
      ]),
    );
  }
}
