/**
 * A real OpenSSH server on a free port of loopback, with its own keys and configuration in
 * a folder of its own, and what a client needs to reach it. Ended by its process id.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(existsSync);
/** `sshd` drops privileges into it, and it belongs to the system. */
const EMPTY_FOLDER = '/run/sshd';
const READY_MS = 10_000;

/** Why there is no server to test against here; null where there is. */
export function whyNoSshd(): string | null {
  if (SSHD === undefined) return 'no sshd here: install openssh-server';
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
  } catch {
    return 'no ssh here: install openssh-client';
  }
  if (process.getuid?.() === 0) mkdirSync(EMPTY_FOLDER, { recursive: true });
  return null;
}

export class Sshd {
  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(folder: string, extra: readonly string[] = []): Promise<Sshd> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(join(folder, 'host'))) {
      keygen(join(folder, 'host'), '');
      keygen(join(folder, 'user'), '');
      writeFileSync(join(folder, 'authorized'), readFileSync(join(folder, 'user.pub')));
      chmodSync(join(folder, 'authorized'), 0o600);
    }
    const port = await freePort();
    const config = join(folder, 'sshd_config');
    writeFileSync(config, configText(folder, port, extra));
    const child = spawn(SSHD ?? 'sshd', ['-D', '-e', '-f', config], { stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    for (const endMs = Date.now() + READY_MS; !(await answers(port));) {
      if (Date.now() > endMs || child.exitCode !== null) throw new Error(`no sshd: ${said}`);
    }
    return new Sshd(folder, port, child);
  }

  get hostKey(): string {
    return readFileSync(join(this.folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  }

  /** Its line for `known_hosts`. */
  get knownHost(): string {
    return `[127.0.0.1]:${this.port} ${this.hostKey}\n`;
  }

  /** The address of a folder over there. */
  url(path: string): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${path}`;
  }

  /** A command that knows this server and its user's key, and nothing of the tester's own. */
  command(knownHosts = this.knownHostsFile(), more: readonly string[] = this.identity()): string {
    const options = ['-F', 'none', '-o', `UserKnownHostsFile=${knownHosts}`];
    options.push('-o', 'GlobalKnownHostsFile=none', '-o', 'StrictHostKeyChecking=yes', ...more);
    return ['ssh', ...options].map((word) => `'${word}'`).join(' ');
  }

  identity(key = join(this.folder, 'user')): readonly string[] {
    return ['-i', key, '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none'];
  }

  private knownHostsFile(): string {
    const file = join(this.folder, 'known_hosts');
    writeFileSync(file, this.knownHost);
    return file;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill();
    await gone;
  }
}

export function keygen(file: string, passphrase: string, type = 'ed25519'): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
}

function configText(folder: string, port: number, extra: readonly string[]): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    `PidFile ${join(folder, 'pid')}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PrintMotd no',
    'AcceptEnv WN_HOME',
    'MaxStartups 100',
    'PermitRootLogin yes',
    ...extra,
    '',
  ].join('\n');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => setTimeout(() => resolve(false), 20));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
