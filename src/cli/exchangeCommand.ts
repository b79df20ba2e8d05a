/**
 * What the lines of push, pull and sync have in common: which remotes, whether to commit
 * first. What they do is `synchronise`.
 */
import type { SyncMode } from '../sync/frames.js';
import { Args, Flags, WnCommand, type Outcome } from './command.js';
import type { TextOutput } from './output.js';
import { renderSync, synchronise, type SyncResult, type SyncWish } from './synchronise.js';

export const exchangeArgs = {
  remote: Args.string({ multiple: true, description: 'Which remotes. Default: all.' }),
};
export const exchangeFlags = {
  message: Flags.string({
    char: 'm',
    helpValue: 'TEXT',
    description: 'Commit first, with this message.',
  }),
  commit: Flags.boolean({ description: 'Commit first.' }),
  all: Flags.boolean({ description: 'All remotes, as without names.' }),
  lan: Flags.boolean({
    description:
      'Look for members in the local network who run wn serve --lan, for 5 s at most; alone, with them only.',
  }),
  retry: Flags.duration({
    default: 0,
    description:
      'Try again for so long, less and less often, what fails because a remote is out of reach or busy.',
  }),
  tolerate: Flags.duration({
    default: 0,
    description:
      'A remote that is out of reach or busy is no failure if it was in step so recently.',
  }),
  'fail-on-conflict': Flags.boolean({ description: 'Exit 4 if overlaps are open afterwards.' }),
};

interface ExchangeFlagValues {
  readonly message?: string | undefined;
  readonly commit: boolean;
  readonly all: boolean;
  readonly lan: boolean;
  readonly retry: number;
  readonly tolerate: number;
  readonly 'fail-on-conflict': boolean;
}

export function wishOf(
  mode: SyncMode,
  remotes: readonly string[] | undefined,
  { message, commit, all, lan, retry, tolerate, ...flags }: ExchangeFlagValues,
): SyncWish {
  const named = remotes ?? [];
  return {
    mode,
    remotes: all || (named.length === 0 && !lan) ? null : named,
    lan,
    commit: commit || message !== undefined ? { message: message ?? null } : null,
    failOnConflict: flags['fail-on-conflict'],
    retryMs: retry,
    tolerateMs: tolerate,
  };
}

export abstract class ExchangeCommand extends WnCommand<
  { args: typeof exchangeArgs; flags: typeof exchangeFlags },
  SyncResult
> {
  static override readonly args = exchangeArgs;
  static override readonly flags = exchangeFlags;
  static override readonly result =
    '{remotes: [{name, ok, sent, received, bytes, ms, error?, toleratedMs?}], applied, conflicts}';

  protected abstract readonly mode: SyncMode;

  protected async execute(): Promise<SyncResult | Outcome<SyncResult>> {
    return synchronise(this.context, wishOf(this.mode, this.args.remote, this.flags));
  }

  protected render(result: SyncResult, out: TextOutput): void {
    renderSync(result, out);
  }
}
