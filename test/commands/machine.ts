/**
 * Devices with real repositories in folders of their own, whose commands run in this
 * process as a shell would start them: a fresh context and session each time.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';

import type { Ending } from '../../src/cli/outcome.js';
import type { WnError } from '../../src/core/errors.js';
import { nodeClock } from '../../src/node/clock.js';
import { memoryContext } from '../cli/memory.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';

const LOCK_TIMEOUT_MS = 10_000;

/** The table of commands loads them by `import()`, of which mocha has modules of its own. */
async function program() {
  return {
    ...(await import('../../src/cli/context.js')),
    ...(await import('../../src/cli/failure.js')),
    ...(await import('../../src/cli/outcome.js')),
    ...(await import('../../src/cli/output.js')),
    ...(await import('../../src/cli/run.js')),
  };
}

/** What a command came to: its `result` of `--json`, its text for people, its failure. */
export interface Answer<Result = Json> {
  readonly exit: number;
  readonly result: Result;
  readonly text: string;
  readonly failure: WnError | undefined;
}

/** Results are looked into by tests that know their shape. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as JSON.parse gives it
export type Json = any;

export class Machine {
  readonly home: string;

  constructor(
    readonly root: string,
    readonly name: string,
  ) {
    this.home = join(root, `home-${name}`);
    fs.mkdirSync(this.home, { mode: 0o700 });
    fs.writeFileSync(join(this.home, 'device.json'), JSON.stringify({ name }));
  }

  get folder(): string {
    return join(this.root, this.name);
  }

  /** Runs a command in the device's folder. Never throws what the command fails with. */
  async run(...argv: readonly string[]): Promise<Answer> {
    const cwd = fs.existsSync(this.folder) ? this.folder : this.root;
    const { closeSession, endingOfError, PLAIN_STYLE, prepare, toFailure } = await program();
    const context = memoryContext({
      style: PLAIN_STYLE,
      cwd,
      env: { WN_HOME: this.home, CI: 'true' },
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      clock: nodeClock,
    });
    let ending: Ending;
    let text = '';
    try {
      const { command } = await prepare(argv, context);
      ending = await command.run();
      text = String(command.text(ending).content());
    } catch (error) {
      ending = endingOfError(toFailure(error));
    }
    await closeSession(context);
    const result = JSON.parse(JSON.stringify(ending.result ?? null));
    return { exit: ending.exit, result, text, failure: ending.failure };
  }

  /** The result of a command that must succeed. */
  async ok(...argv: readonly string[]): Promise<Json> {
    const { exit, result, failure } = await this.run(...argv);
    assert.equal(exit, 0, `wn ${argv.join(' ')}: ${failure?.message ?? ''}`);
    return result;
  }

  /** The text of a command that must succeed. */
  async text(...argv: readonly string[]): Promise<string> {
    const { exit, text, failure } = await this.run(...argv);
    assert.equal(exit, 0, `wn ${argv.join(' ')}: ${failure?.message ?? ''}`);
    return text;
  }

  write(path: string, content: string | Uint8Array): void {
    const file = join(this.folder, path);
    fs.mkdirSync(join(file, '..'), { recursive: true });
    fs.writeFileSync(file, content);
  }

  read(path: string): string {
    return fs.readFileSync(join(this.folder, path), 'utf8');
  }

  has(path: string): boolean {
    return fs.existsSync(join(this.folder, path));
  }

  remove(path: string): void {
    fs.rmSync(join(this.folder, path), { recursive: true });
  }
}

/** Machines that share a workspace with some files in it; `dispose` removes all traces. */
export interface Workspace {
  readonly machines: readonly Machine[];
  readonly dispose: () => void;
}

type Files = Readonly<Record<string, string>>;

/** One device that has committed `files` as its first change. */
export async function workspaceOfOne(
  files: Files,
): Promise<Workspace & { readonly desk: Machine }> {
  const root = tempFolder();
  const desk = new Machine(root, 'desk');
  fs.mkdirSync(desk.folder);
  await desk.ok('init');
  for (const [path, content] of Object.entries(files)) desk.write(path, content);
  if (Object.keys(files).length > 0) await desk.ok('commit', '-m', 'import');
  return { desk, machines: [desk], dispose: () => removeFolder(root) };
}

/** Two devices in step; `lap` has `desk` as its remote. */
export async function workspaceOfTwo(
  files: Files,
): Promise<Workspace & { readonly desk: Machine; readonly lap: Machine }> {
  const { desk, dispose } = await workspaceOfOne(files);
  const ticket = join(desk.root, 'ticket');
  await desk.ok('invite', '--act', 'write', '--via', desk.folder, '--out', ticket);
  const lap = new Machine(desk.root, 'lap');
  await lap.ok('join', ticket, lap.folder);
  return { desk, lap, machines: [desk, lap], dispose };
}
