/** Scheduling a workspace's sync: one schedule for each, with cron or a timer of systemd. */
import { WnError } from '../../core/errors.js';
import type { Context } from '../context.js';
import { findRepository } from '../location.js';
import { cronEntry, cronLine, hasCrontab, installCron, removeCron } from './crontab.js';
import { planFor, scheduleId, type PlanWish } from './plan.js';
import { hasSystemctl, installTimer, removeTimer, timerEntry } from './timer.js';

export type Scheduler = 'cron' | 'systemd';

export interface Scheduled {
  readonly using: Scheduler;
  readonly every: string;
  readonly jitter: string;
  /** The crontab's line, or the timer's file. */
  readonly at: string;
  readonly active: boolean;
}

export interface Schedules {
  readonly items: readonly Scheduled[];
  readonly total: number;
  readonly next: null;
  readonly removed: number;
}

/** Replaces what was scheduled before. Throws `usage`, `no_repository`, `failed`. */
export async function scheduleSync(
  context: Context,
  using: Scheduler | null,
  wish: PlanWish,
): Promise<Schedules> {
  const { env } = context;
  const location = findRepository(context.cwd, env);
  const chosen = using ?? schedulerHere(context);
  const plan = planFor(context, location, wish);
  let removed = 0;
  if (chosen === 'cron') {
    cronLine(plan); // nothing is removed for one that cron can't take
    removed += Number(removeTimer(env, plan.id));
    installCron(env, plan);
  } else {
    await installTimer(env, plan);
    removed += Number(removeCron(env, plan.id));
  }
  return { ...list(context, plan.id), removed };
}

export function listSchedules(context: Context): Schedules {
  return list(context, scheduleId(findRepository(context.cwd, context.env)));
}

export function removeSchedules(context: Context): Schedules {
  const { env } = context;
  const id = scheduleId(findRepository(context.cwd, env));
  const removed = Number(removeCron(env, id)) + Number(removeTimer(env, id));
  return { ...list(context, id), removed };
}

function list({ env }: Context, id: string): Schedules {
  const items: Scheduled[] = [];
  const cron = cronEntry(env, id);
  if (cron !== null) {
    const { line, every, jitter } = cron;
    items.push({ using: 'cron', every, jitter, at: line, active: true });
  }
  const timer = timerEntry(env, id);
  if (timer !== null) {
    const { file, every, jitter, active } = timer;
    items.push({ using: 'systemd', every, jitter, at: file, active });
  }
  return { items, total: items.length, next: null, removed: 0 };
}

function schedulerHere({ env }: Context): Scheduler {
  if (hasCrontab(env)) return 'cron';
  if (hasSystemctl(env)) return 'systemd';
  throw new WnError('failed', 'neither crontab nor systemctl is on this machine', {
    hint: 'nothing was changed; have another scheduler run: wn -C DIR schedule run --quiet',
  });
}
