/** Has a workspace synced by cron or by a timer. */
import { Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import {
  listSchedules,
  removeSchedules,
  scheduleSync,
  type Scheduler,
  type Schedules,
} from '../cli/schedule/schedule.js';
import { SCHEDULE_EVERY_MS, SCHEDULE_TOLERATE_MS } from '../core/limits.js';

const ONLY = ['every', 'jitter', 'tolerate', 'using', 'commit'];

export default class Schedule extends WnCommand<typeof Schedule, Schedules> {
  static override readonly summary = 'Sync by itself, every few minutes';
  static override readonly description =
    'Writes a line into your crontab, or a timer of your own systemd, that runs wn schedule run: ' +
    'quiet unless something fails, never beside a run that still works. There is one schedule ' +
    'for a workspace; a new one replaces it. Other lines of the crontab stay as they are.';
  static override readonly flags = {
    every: Flags.duration({
      default: SCHEDULE_EVERY_MS,
      description: 'How often (15m). With cron an even part of an hour or a day.',
    }),
    jitter: Flags.duration({
      description: 'Wait up to this long at random before each run. Default: a tenth of --every.',
    }),
    tolerate: Flags.duration({
      default: SCHEDULE_TOLERATE_MS,
      description: 'A remote that is out of reach fails a run only after this long (1d).',
    }),
    commit: Flags.boolean({ description: 'Commit first what changed, each time.' }),
    using: Flags.option({
      options: ['cron', 'systemd'] as const,
      description: 'Which scheduler. Default: cron where there is a crontab, else systemd.',
    })(),
    list: Flags.boolean({
      description: 'Show what is scheduled for this workspace.',
      exclusive: ['remove', ...ONLY],
    }),
    remove: Flags.boolean({
      description: 'Remove what was scheduled for this workspace.',
      exclusive: ONLY,
    }),
  };
  static override readonly examples = [
    'wn schedule --every 15m --commit',
    'wn schedule --list',
    'wn schedule --remove',
  ];
  static override readonly result =
    '{items: [{using, every, jitter, at, active}], total, next, removed}';

  protected async execute(): Promise<Schedules> {
    const {
      every: everyMs,
      jitter,
      tolerate: tolerateMs,
      commit,
      using,
      list,
      remove,
    } = this.flags;
    if (list) return listSchedules(this.context);
    if (remove) return removeSchedules(this.context);
    const scheduler: Scheduler | null = using ?? null;
    return scheduleSync(this.context, scheduler, {
      everyMs,
      jitterMs: jitter ?? null,
      tolerateMs,
      commit,
    });
  }

  protected render({ items, removed }: Schedules, out: TextOutput): void {
    const { style } = out;
    for (const { using, every, jitter, at, active } of items) {
      out.line`every ${style.bold(every)}, up to ${jitter} later, by ${using}: ${at}`;
      if (active) continue;
      out.line`${style.yellow('!')} no systemd of yours runs it now: systemctl --user enable --now FILE`;
    }
    if (items.length > 0) return;
    out.line(removed > 0 ? 'not scheduled any more' : 'nothing is scheduled for this workspace');
  }
}
