/**
 * The system's own `ssh` as a transport: it runs `wn serve --stdio` on the other side, so
 * that the user's configuration, agent, jump hosts, hardware keys and `known_hosts` all
 * count. No shell is run here; the shell over there gets words in single quotes. Leaves
 * out which host is meant and what may be in its name: see `cli/address.ts`.
 */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { WnError } from '../core/errors.js';
import { REMOTE_EXIT_MS } from '../core/limits.js';
import { FramedChannel } from './framing.js';
import type { Line } from './line.js';
import { because, commandLine, LastWords, noAnswer, type RemoteCommand } from './remotecommand.js';

export interface SshTarget {
  readonly user: string | null;
  readonly host: string;
  readonly port: number | null;
}

export interface SshCommand {
  /** The program and what the user has put behind it. */
  readonly words: readonly string[];
  /** Nobody can be asked for a passphrase or about a host. */
  readonly unattended: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Null where there is no such program. */
export function openSystemSsh(
  command: SshCommand,
  target: SshTarget,
  remote: RemoteCommand,
): Promise<Line | null> {
  const [program = 'ssh', ...given] = command.words;
  const options = [...given, '-T'];
  const openSsh = /(^|[/\\])ssh(\.exe)?$/.test(program);
  // An askpass program of the user's can still answer.
  if (openSsh && command.unattended && !command.env['SSH_ASKPASS']) {
    options.push('-o', 'BatchMode=yes');
  }
  if (target.port !== null) options.push('-p', String(target.port));
  const host = target.user === null ? target.host : `${target.user}@${target.host}`;
  const child = spawn(program, [...options, host, commandLine(remote)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: command.env,
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(null);
      else reject(cannotRun(program, error));
    });
    child.once('spawn', () => resolve(new SshLine(child, target.host, remote)));
  });
}

function cannotRun(program: string, cause: NodeJS.ErrnoException): WnError {
  return new WnError('unreachable', `${program} can't be run (${cause.code ?? 'failed'})`, {
    hint: 'correct WN_SSH_COMMAND or core.sshCommand',
    cause,
  });
}

class SshLine implements Line {
  readonly channel: FramedChannel;
  private readonly exited: Promise<void>;
  private readonly stderr = new LastWords();

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly host: string,
    private readonly remote: RemoteCommand,
  ) {
    this.exited = new Promise((resolve) => child.once('close', () => resolve()));
    child.stderr.on('data', (bytes: Buffer) => this.stderr.hear(bytes));
    this.channel = new FramedChannel(
      { readable: child.stdout, writable: child.stdin },
      { peer: null, dispose: (broken) => this.dispose(broken) },
    );
  }

  /** What `ssh` still does is nobody's business here, unless `gone` or `fault` is asked. */
  private dispose(broken: boolean): Promise<void> {
    if (broken) this.child.stdin.destroy();
    this.hold(false);
    return Promise.resolve();
  }

  /** The other side may be writing out files: it is waited for, but not for ever. */
  async gone(): Promise<void> {
    this.hold(true);
    const timer = setTimeout(() => this.child.kill(), REMOTE_EXIT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  /** Whether this process stays for as long as `ssh` does. */
  private hold(held: boolean): void {
    const { child } = this;
    for (const each of [child, child.stdout, child.stderr] as readonly (ChildProcess | Socket)[]) {
      if (held) each.ref();
      else each.unref();
    }
  }

  async fault(): Promise<WnError | null> {
    await this.gone();
    if (this.channel.opened) return null;
    const { host } = this;
    const said = this.stderr.text;
    if (this.child.exitCode !== SSH_FAILED) return noAnswer(host, this.remote, said);
    const changed = /host (key|identification)/i.test(said);
    const reason = changed ? 'host_key' : NETWORK_FAILED.test(said) ? 'no_connection' : null;
    const details = { host, stderr: said, ...(reason !== null && { reason }) };
    return new WnError('unreachable', `ssh can't reach ${host}${because(said)}`, {
      hint: changed ? HOST_KEY_HINT : `nothing was exchanged; try by hand: ssh ${host}`,
      details,
    });
  }
}

/** Of ssh(1): its own failure, whatever the program there exits with. */
const SSH_FAILED = 255;
/** What `ssh` says (of `strerror`, in English in every locale) when it got no answer that counts. */
const NETWORK_FAILED =
  /connection (refused|reset|closed|timed out)|operation timed out|no route to host|network is unreachable|temporary failure/i;
const HOST_KEY_HINT =
  "nothing was exchanged; if the host's key was changed by its owner, remove the old one: ssh-keygen -R HOST";
