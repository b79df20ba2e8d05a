/** A device as its user sees it: a home with keys, a folder, and the built `wn` in it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onlyDocument, wn, type Document, type Finished } from '../cli/program.js';

export const PRODUCT_TEST_MS = 120_000;

export function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'wn-product-'));
}

export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export class Device {
  readonly home: string;

  constructor(
    readonly root: string,
    readonly name: string,
    private readonly homes = dirname(root),
    readonly env: Readonly<Record<string, string>> = {},
    readonly launcher: readonly string[] = [],
  ) {
    this.home = join(homes, `home-${name}`);
  }

  /** The same device with more in its environment. */
  with(env: Readonly<Record<string, string>>): Device {
    return new Device(this.root, this.name, this.homes, { ...this.env, ...env }, this.launcher);
  }

  /** The same device, standing elsewhere. */
  in(folder: string): Device {
    return new Device(folder, this.name, this.homes, this.env, this.launcher);
  }

  /** The same device, its commands started by these words. */
  startedBy(launcher: readonly string[]): Device {
    return new Device(this.root, this.name, this.homes, this.env, launcher);
  }

  /** As a person runs it. */
  run(line: readonly string[], input = ''): Promise<Finished> {
    const env = { WN_HOME: this.home, ...this.env };
    return wn(['-C', this.root, ...line], { input, env, launcher: this.launcher });
  }

  /** With `--json`; fails the test unless it ends with `exit` and prints one document. */
  async json(line: readonly string[], exit = 0): Promise<Document> {
    const { status, stdout, stderr } = await this.run(['--json', ...line]);
    assert.equal(status, exit, `wn ${line.join(' ')}: ${stdout}${stderr}`);
    return onlyDocument(stdout);
  }

  /** Fails the test unless it is refused with this exit and code; gives message and hint. */
  async refuses(line: readonly string[], exit: number, code: string): Promise<string> {
    const { error } = await this.json(line, exit);
    assert.equal(error?.code, code, `wn ${line.join(' ')}`);
    return `${error.message}\n${error.hint ?? ''}`;
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }
}

/** A workspace with one committed file on the first device, joined by the second. */
export async function twoDevices(folder: string): Promise<readonly [Device, Device]> {
  const a = new Device(join(folder, 'a'), 'a');
  mkdirSync(a.root);
  a.write('a.md', '---\nstatus: todo\n---\none\n\ntwo\n\nthree\n');
  await a.json(['init']);
  await a.json(['commit', '-m', 'import']);
  const ticket = join(folder, 'ticket');
  await a.json(['invite', '--act', 'write', '--via', a.root, '--out', ticket]);
  const joiner = new Device(folder, 'b', folder);
  const b = new Device(join(folder, 'b'), 'b');
  await joiner.json(['join', ticket, b.root]);
  return [a, b];
}
