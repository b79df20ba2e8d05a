/**
 * What is scheduled for a workspace: which command, how often, in what environment. A
 * scheduler starts it without a shell's settings, perhaps without HOME, so that every path
 * is absolute and what the environment told here is written down. Leaves out who runs it.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { WnError } from '../../core/errors.js';
import { SCHEDULE_EVERY_MS_MAX, SCHEDULE_EVERY_MS_MIN } from '../../core/limits.js';
import { homeFolder } from '../../node/home.js';
import type { Context } from '../context.js';
import type { Location } from '../location.js';

export interface Plan {
  /** Names the workspace's folder: 16 hex digits. */
  readonly id: string;
  readonly folder: string;
  readonly everyMs: number;
  /** Each run waits for a random part of this, so that not all machines call at once. */
  readonly jitterMs: number;
  /** Program and arguments; a scheduler that knows no jitter adds `--jitter`. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface PlanWish {
  readonly everyMs: number;
  /** Null: a tenth of the interval. */
  readonly jitterMs: number | null;
  readonly tolerateMs: number;
  readonly commit: boolean;
}

const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
/** What changes how a sync works, where somebody has set it. */
const KEPT = ['WN_PASSPHRASE_FILE', 'WN_SSH_COMMAND'];

/** Throws `usage`. */
export function planFor(context: Context, location: Location, wish: PlanWish): Plan {
  const { everyMs, jitterMs } = checked(wish);
  const { execPath, argv } = process;
  const program = [execPath, resolve(argv[1] ?? '')];
  const line = ['-C', location.root, 'schedule', 'run', '--quiet'];
  const { commit, tolerateMs } = wish;
  const tolerate = tolerateMs === 0 ? [] : ['--tolerate', spanOf(tolerateMs)];
  const words = [...program, ...line, ...tolerate, ...(commit ? ['--commit'] : [])];
  const env = environment(context, location);
  for (const text of [...words, ...Object.values(env)]) {
    // eslint-disable-next-line no-control-regex -- that is what is looked for
    if (!/[\u0000-\u001f\u007f]/.test(text)) continue;
    throw new WnError('usage', `a control character is in ${JSON.stringify(text)}`, {
      hint: 'nothing was scheduled; no scheduler takes such a path',
    });
  }
  return { id: scheduleId(location), folder: location.root, everyMs, jitterMs, words, env };
}

export function scheduleId({ data }: Location): string {
  return createHash('sha256').update(`wn/schedule/1\0${data}`).digest('hex').slice(0, 16);
}

function checked({ everyMs, jitterMs }: PlanWish): { everyMs: number; jitterMs: number } {
  const wholeSeconds = everyMs % 1_000 === 0;
  if (everyMs < SCHEDULE_EVERY_MS_MIN || everyMs > SCHEDULE_EVERY_MS_MAX || !wholeSeconds) {
    throw new WnError('usage', 'that is no interval for a schedule', {
      hint: 'nothing was changed; from 1m to 7d, as in --every 15m',
    });
  }
  const jitter = jitterMs ?? everyMs / 10;
  if (jitter >= everyMs) {
    throw new WnError('usage', 'the jitter is not shorter than the interval', {
      hint: 'nothing was changed; without --jitter it is a tenth of it',
    });
  }
  return { everyMs, jitterMs: Math.floor(jitter / 1_000) * 1_000 };
}

function environment({ cwd, env }: Context, { data }: Location): Record<string, string> {
  const ssh = programAt('ssh', env);
  const folders = [dirname(process.execPath), ...(ssh === null ? [] : [dirname(ssh)])];
  const kept = KEPT.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return {
    WN_HOME: resolve(cwd, homeFolder(env)),
    ...(env['WN_DIR'] && { WN_DIR: data }),
    ...Object.fromEntries(kept),
    PATH: [...new Set([...folders, ...SYSTEM_PATH])].join(delimiter),
  };
}

/** Where the shell would find a program; null where it wouldn't. */
export function programAt(name: string, env: Context['env']): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const found = folders.find((folder) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
  });
  return found === undefined ? null : join(found, name);
}

/** `90s`, `15m`, `6h`, `1d`: the largest unit that it is a whole number of. */
export function spanOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const;
  const [unit, unitMs] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['s', 1_000];
  return `${ms / unitMs}${unit}`;
}
