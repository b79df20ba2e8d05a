/**
 * What the rows of `bench:sync` exchange with: an OpenSSH server on loopback, repositories
 * of wn and of Git behind it, and an anchor, all in one folder that goes with them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Device } from '../test/product/device.js';
import { allow, AnchorProcess } from '../test/support/anchor.js';
import { Sshd } from '../test/support/sshd.js';
import { wiretap } from '../test/support/wiretap.js';
import { run, type Sample } from './measure.js';

const BIN = join(import.meta.dirname, '../bin/wn.js');
const ANCHOR_MS = 600_000;

export class Remotes {
  private readonly anchors: AnchorProcess[] = [];
  private readonly env: Readonly<Record<string, string>>;

  private constructor(
    readonly top: string,
    private readonly sshd: Sshd,
  ) {
    const ssh = sshd.command();
    this.env = {
      WN_HOME: join(top, 'home-bench'),
      WN_SSH_COMMAND: ssh,
      GIT_SSH_COMMAND: ssh,
      GIT_CONFIG_GLOBAL: join(top, 'gitconfig'),
      NO_COLOR: '1',
    };
  }

  static async start(): Promise<Remotes> {
    const top = mkdtempSync(join(tmpdir(), 'wn-bench-'));
    writeFileSync(
      join(top, 'gitconfig'),
      '[user]\n\tname = bench\n\temail = bench@localhost\n[gc]\n\tauto = 0\n[init]\n\tdefaultBranch = main\n',
    );
    const script = `#!/bin/sh\nWN_HOME='${top}/home-bench' exec '${process.execPath}' '${BIN}' "$@"\n`;
    writeFileSync(join(top, 'wn'), script, { mode: 0o755 });
    return new Remotes(top, await Sshd.start(join(top, 'sshd')));
  }

  async stop(): Promise<void> {
    for (const anchor of this.anchors) await anchor.stop('SIGTERM');
    await this.sshd.stop();
    rmSync(this.top, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.top, name);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
  }

  /** The address of a folder here behind the server, or behind another port that leads to it. */
  url(name: string, port = this.sshd.port): string {
    return this.sshd.url(this.path(name)).replace(`:${this.sshd.port}/`, `:${port}/`);
  }

  /** Words that clone a repository of wn. */
  cloneWords(address: string, to: string): readonly string[] {
    const words = ['clone', address, this.path(to)];
    return address.startsWith('ssh:') ? [...words, '--serve-command', this.path('wn')] : words;
  }

  wn(folder: string, words: readonly string[], input?: string): Sample {
    return this.run([process.execPath, BIN, ...words], folder, input);
  }

  git(folder: string, words: readonly string[], input?: string): Sample {
    return this.run(['git', ...words], folder, input);
  }

  /** What SSH itself can do: a file through `cat` and into another one. */
  cat(from: string, to: string): Sample {
    const [, host = '', port = ''] = /^ssh:\/\/([^:]+):(\d+)/.exec(this.url('')) ?? [];
    const script = `${this.sshd.command()} -p ${port} ${host} cat '${from}' > '${to}' && sync '${to}'`;
    return this.run(['sh', '-c', script], '.');
  }

  /** A repository of wn with one committed file. */
  newWorkspace(name: string): void {
    mkdirSync(this.path(name));
    this.wn(name, ['init', '--no-recovery-key']);
    writeFileSync(join(this.path(name), 'a.md'), '# A\n');
    this.wn(name, ['commit', '-m', 'a']);
  }

  /** An anchor that holds nothing yet of the workspace; gives the workspace's address there. */
  async anchorFor(name: string, root: string): Promise<string> {
    mkdirSync(this.path(root));
    const device = new Device(this.path(name), 'bench', this.top);
    const workspace = await allow(this.path(root), device, this.path(`${root}.ticket`));
    writeFileSync(join(this.path(root), 'anchor.json'), '{"connectionsPerAddress":1024}\n');
    const anchor = await AnchorProcess.start(this.path(root), { timeoutMs: ANCHOR_MS });
    this.anchors.push(anchor);
    return `${anchor.address}/${workspace}`;
  }

  async stopAnchor(): Promise<void> {
    await this.anchors.pop()?.stop('SIGTERM');
  }

  /** Bytes of TCP payload, both ways, of what a command does through a port of its own. */
  async counted(command: (port: number) => readonly string[]): Promise<number> {
    const tap = await wiretap(this.sshd.port);
    const known = this.sshd.knownHost.replace(`:${this.sshd.port}`, `:${tap.port}`);
    writeFileSync(this.path('known_tap'), known);
    const ssh = this.sshd.command(this.path('known_tap'));
    const [program = '', ...args] = command(tap.port);
    const child = spawn(program, args, {
      env: { ...process.env, ...this.env, WN_SSH_COMMAND: ssh, GIT_SSH_COMMAND: ssh },
      stdio: 'ignore',
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    const bytes = tap.recorded().reduce((sum, each) => sum + each.byteLength, 0);
    tap.close();
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed (${String(status)})`);
    return bytes;
  }

  wnCommand(words: readonly string[]): readonly string[] {
    return [process.execPath, BIN, ...words];
  }

  private run(command: readonly string[], folder: string, input?: string): Sample {
    const cwd = this.path(folder);
    return run(command, { cwd, env: this.env, ...(input !== undefined && { input }) });
  }
}

/** What is missing here to measure at all; null where nothing is. */
export function missing(): string | null {
  for (const [program, how] of [
    ['git', 'install git'],
    ['ssh-keygen', 'install openssh-client'],
    ['/usr/bin/time', 'install the program time'],
  ] as const) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    } catch {
      return `no ${program} here: ${how}`;
    }
  }
  return null;
}
