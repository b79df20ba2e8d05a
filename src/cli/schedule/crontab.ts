/**
 * A line in the user's crontab, marked so that it is found again. All other lines stay as
 * they are, byte for byte: the table is taken for Latin-1, in which every byte is one
 * character. See crontab(1), crontab(5).
 */
import { spawnSync } from 'node:child_process';
import { WnError } from '../../core/errors.js';
import { CRON_LINE_BYTES_MAX, CRONTAB_BYTES_MAX } from '../../core/limits.js';
import type { Context } from '../context.js';
import { programAt, spanOf, type Plan } from './plan.js';

const COMMAND_TIMEOUT_MS = 10_000;
const MARK = /# wn-schedule:([0-9a-f]{16}) every=(\S+) jitter=(\S+)$/;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

type Env = Context['env'];

export interface CronEntry {
  readonly line: string;
  readonly every: string;
  readonly jitter: string;
}

export function hasCrontab(env: Env): boolean {
  return programAt('crontab', env) !== null;
}

/** The workspace's line; null where there is none, or no cron. */
export function cronEntry(env: Env, id: string): CronEntry | null {
  if (!hasCrontab(env)) return null;
  for (const line of linesOf(readTable(env))) {
    const match = MARK.exec(line);
    const [, of, every, jitter] = match ?? [];
    if (of !== id || every === undefined || jitter === undefined) continue;
    return { line: Buffer.from(line, 'latin1').toString('utf8'), every, jitter };
  }
  return null;
}

/** Throws `usage` for an interval that cron can't express, or a path that it can't take. */
export function installCron(env: Env, plan: Plan): void {
  const line = cronLine(plan);
  const before = readTable(env);
  const others = withoutLine(before, plan.id);
  const ended = others === '' || others.endsWith('\n') ? others : `${others}\n`;
  writeTable(env, `${ended}${Buffer.from(line, 'utf8').toString('latin1')}\n`);
}

/** False where there was none. */
export function removeCron(env: Env, id: string): boolean {
  if (!hasCrontab(env)) return false;
  const before = readTable(env);
  const after = withoutLine(before, id);
  if (after === before) return false;
  writeTable(env, after);
  return true;
}

/** For /bin/sh, as cron runs it. */
export function cronLine(plan: Plan): string {
  const env = Object.entries(plan.env).map(([name, value]) => `${name}=${quoted(value)}`);
  const jitter = plan.jitterMs === 0 ? [] : ['--jitter', spanOf(plan.jitterMs)];
  const command = [...env, ...[...plan.words, ...jitter].map(quoted)].join(' ');
  const span = `every=${spanOf(plan.everyMs)} jitter=${spanOf(plan.jitterMs)}`;
  const line = `${fieldsOf(plan)} ${command} # wn-schedule:${plan.id} ${span}`;
  if (command.includes('%')) {
    throw new WnError('usage', 'cron takes % for the end of the line, and one is in a path', {
      hint: 'nothing was scheduled; rename the folder, or take a timer: --using systemd',
    });
  }
  if (Buffer.byteLength(line) > CRON_LINE_BYTES_MAX) {
    throw new WnError('usage', 'the line is too long for cron', {
      hint: 'nothing was scheduled; take a timer: --using systemd',
    });
  }
  return line;
}

/**
 * Minute, hour and day. Each workspace has an offset of its own, so that not all start on
 * the full hour.
 */
function fieldsOf({ id, everyMs }: Plan): string {
  const offset = parseInt(id.slice(0, 8), 16);
  const minute = offset % 60;
  if (everyMs === MINUTE_MS) return '* * * * *';
  if (everyMs < HOUR_MS && HOUR_MS % everyMs === 0 && everyMs % MINUTE_MS === 0) {
    const step = everyMs / MINUTE_MS;
    return `${offset % step}-59/${step} * * * *`;
  }
  if (everyMs === HOUR_MS) return `${minute} * * * *`;
  if (everyMs < DAY_MS && DAY_MS % everyMs === 0 && everyMs % HOUR_MS === 0) {
    const step = everyMs / HOUR_MS;
    return `${minute} ${offset % step}-23/${step} * * *`;
  }
  if (everyMs === DAY_MS) return `${minute} ${offset % 24} * * *`;
  throw new WnError('usage', `cron can't start something every ${spanOf(everyMs)}`, {
    hint: 'nothing was changed; a part of an hour or a day that is even (15m, 6h), or: --using systemd',
  });
}

const quoted = (word: string): string =>
  /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

function linesOf(table: string): readonly string[] {
  return table.split('\n');
}

function withoutLine(table: string, id: string): string {
  return linesOf(table)
    .filter((line) => MARK.exec(line)?.[1] !== id)
    .join('\n');
}

function readTable(env: Env): string {
  const { status, stdout, stderr } = crontab(env, ['-l'], '');
  if (status === 0) return stdout;
  // Nobody has one at first: Vixie's cron, cronie and BusyBox, each in its words.
  if (/no crontab for|no such file|can't open/i.test(stderr)) return '';
  throw refused(stderr);
}

/** What was written is read again: a cron that dropped a line would run nothing, silently. */
function writeTable(env: Env, table: string): void {
  const { status, stderr } = crontab(env, ['-'], table);
  if (status !== 0) throw refused(stderr);
  if (readTable(env) === table) return;
  throw new WnError('failed', 'crontab did not keep what was written', {
    hint: 'see what is there: crontab -l',
  });
}

function refused(stderr: string): WnError {
  const why = stderr.trim().split('\n', 1)[0] ?? '';
  return new WnError('failed', `crontab refused: ${why === '' ? 'it said nothing' : why}`, {
    hint: 'nothing was changed; ask who looks after this machine, or: --using systemd',
  });
}

function crontab(env: Env, args: readonly string[], input: string) {
  const { status, stdout, stderr, error } = spawnSync('crontab', args, {
    env: { ...env, LC_ALL: 'C' },
    encoding: 'latin1',
    input,
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: CRONTAB_BYTES_MAX,
  });
  if (error === undefined) return { status, stdout, stderr };
  throw new WnError('failed', `crontab can't be run (${error.message})`, {
    hint: 'nothing was changed; install cron, or: --using systemd',
    cause: error,
  });
}
