/** What a schedule runs. */
import { Flags, WnCommand, type Outcome } from '../../cli/command.js';
import type { TextOutput } from '../../cli/output.js';
import { isUneventful, runUnattended, type Skipped } from '../../cli/schedule/unattended.js';
import { renderSync, type SyncResult } from '../../cli/synchronise.js';

export default class ScheduleRun extends WnCommand<typeof ScheduleRun, SyncResult | Skipped> {
  static override readonly summary = 'Sync once with nobody watching';
  static override readonly description =
    'What the crontab line or the timer of wn schedule starts. Syncs with all remotes; while ' +
    'the run before is still at work it does nothing. With --quiet it says nothing unless ' +
    'something fails.';
  static override readonly flags = {
    jitter: Flags.duration({
      default: 0,
      description: 'Wait up to this long at random first.',
    }),
    commit: Flags.boolean({ description: 'Commit first what changed.' }),
    tolerate: Flags.duration({
      default: 0,
      description: 'A remote that is out of reach is no failure if it was in step so recently.',
    }),
  };
  static override readonly examples = ['wn -C ~/notes schedule run --quiet'];
  static override readonly result =
    '{remotes: [{name, ok, sent, received, bytes, ms, error?}], applied, conflicts} or {skipped}';

  protected async execute(): Promise<
    SyncResult | Skipped | Outcome<SyncResult | Skipped> | undefined
  > {
    const { jitter: jitterMs, commit, tolerate: tolerateMs } = this.flags;
    const result = await runUnattended(this.context, { jitterMs, commit, tolerateMs });
    const { quiet, json } = this.context;
    return quiet && !json && isUneventful(result) ? undefined : result;
  }

  protected render(result: SyncResult | Skipped, out: TextOutput): void {
    if ('skipped' in result) out.line('the run before is still at work; nothing was done');
    else renderSync(result, out);
  }
}
