/**
 * A timer of the user's own systemd: a unit that syncs once and one that starts it. See
 * systemd.service(5), systemd.timer(5), and systemd.syntax(7) for the quoting.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { utf8 } from '../../core/bytes.js';
import { ensureFolder, replaceFile } from '../../node/durable.js';
import { worldFault } from '../../node/faults.js';
import type { Context } from '../context.js';
import { programAt, spanOf, type Plan } from './plan.js';

const COMMAND_TIMEOUT_MS = 10_000;
const SPAN = /^# wn-schedule every=(\S+) jitter=(\S+)$/m;

type Env = Context['env'];

export interface TimerEntry {
  readonly file: string;
  readonly every: string;
  readonly jitter: string;
  /** Whether systemd will start it; false also where there is none to ask. */
  readonly active: boolean;
}

export function hasSystemctl(env: Env): boolean {
  return programAt('systemctl', env) !== null;
}

export function timerEntry(env: Env, id: string): TimerEntry | null {
  const file = filesOf(env, id).timer;
  if (!existsSync(file)) return null;
  const [, every = '?', jitter = '?'] = SPAN.exec(readFileSync(file, 'utf8')) ?? [];
  return { file, every, jitter, active: systemctl(env, 'is-active', `wn-sync-${id}.timer`) };
}

/** Writes the units, and has systemd start the timer if there is one to ask. */
export async function installTimer(env: Env, plan: Plan): Promise<void> {
  const { folder, service, timer } = filesOf(env, plan.id);
  try {
    ensureFolder(folder);
    await replaceFile(service, utf8(serviceUnit(plan)));
    await replaceFile(timer, utf8(timerUnit(plan)));
  } catch (error) {
    throw worldFault(error, folder);
  }
  if (!systemctl(env, 'daemon-reload')) return;
  systemctl(env, 'enable', `wn-sync-${plan.id}.timer`);
  systemctl(env, 'restart', `wn-sync-${plan.id}.timer`);
}

/** False where there was none. */
export function removeTimer(env: Env, id: string): boolean {
  const { service, timer } = filesOf(env, id);
  if (!existsSync(timer) && !existsSync(service)) return false;
  systemctl(env, 'disable', '--now', `wn-sync-${id}.timer`);
  rmSync(timer, { force: true });
  rmSync(service, { force: true });
  systemctl(env, 'daemon-reload');
  return true;
}

export function serviceUnit({ folder, words, env }: Plan): string {
  const environment = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
  return [
    '[Unit]',
    `Description=wn sync of ${escaped(folder)}`,
    'Documentation=man:wn-schedule(1)',
    '',
    '[Service]',
    'Type=oneshot',
    `Environment=${environment.join(' ')}`,
    `ExecStart=${words.map((word) => quoted(word.replaceAll('$', '$$$$'))).join(' ')}`,
    '',
  ].join('\n');
}

export function timerUnit({ folder, everyMs, jitterMs }: Plan): string {
  return [
    `# wn-schedule every=${spanOf(everyMs)} jitter=${spanOf(jitterMs)}`,
    '[Unit]',
    `Description=wn sync of ${escaped(folder)}, every ${spanOf(everyMs)}`,
    'Documentation=man:wn-schedule(1)',
    '',
    '[Timer]',
    'OnActiveSec=1min',
    `OnUnitActiveSec=${everyMs / 1_000}s`,
    `RandomizedDelaySec=${jitterMs / 1_000}s`,
    'AccuracySec=10s',
    '',
    '[Install]',
    'WantedBy=timers.target',
    '',
  ].join('\n');
}

function filesOf({ XDG_CONFIG_HOME: xdg, HOME: home }: Env, id: string) {
  const user = home !== undefined && isAbsolute(home) ? home : homedir();
  const config = xdg !== undefined && isAbsolute(xdg) ? xdg : join(user, '.config');
  const folder = join(config, 'systemd/user');
  const file = (kind: string): string => join(folder, `wn-sync-${id}.${kind}`);
  return { folder, service: file('service'), timer: file('timer') };
}

/** `%` begins a specifier. */
const escaped = (text: string): string => text.replaceAll('%', '%%').replaceAll('\\', '\\\\');

const quoted = (word: string): string => `"${escaped(word).replaceAll('"', '\\"')}"`;

/** False where it failed, or there is no systemd of the user's to ask. */
function systemctl(env: Env, ...args: readonly string[]): boolean {
  const { status } = spawnSync('systemctl', ['--user', '--quiet', ...args], {
    env: { ...env },
    stdio: 'ignore',
    timeout: COMMAND_TIMEOUT_MS,
  });
  return status === 0;
}
