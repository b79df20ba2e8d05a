/** A real anchor in a process of its own, and how tests wait for what it will do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { startWn } from '../cli/program.js';
import type { Device } from '../product/device.js';

export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

export class AnchorProcess {
  private constructor(
    private readonly child: ReturnType<typeof startWn>,
    readonly address: string,
    readonly http: string,
    private readonly written: Buffer[],
  ) {}

  static async start(
    root: string,
    options: { readonly listen?: string; readonly timeoutMs?: number } = {},
  ): Promise<AnchorProcess> {
    const { listen = '127.0.0.1:0', timeoutMs = 120_000 } = options;
    const line = ['--json', 'anchor', '--root', root, '--listen', listen];
    const child = startWn(line, { timeoutMs });
    const written: Buffer[] = [];
    child.stderr.on('data', (bytes: Buffer) => written.push(bytes));
    const first = once(createInterface({ input: child.stdout }), 'line');
    const said = await Promise.race([first, once(child, 'exit').then(() => null)]);
    assert.ok(said !== null, `the anchor ended: ${Buffer.concat(written).toString()}`);
    const ready = JSON.parse(String(said[0])) as { ready: boolean; address: string; http: string };
    assert.equal(ready.ready, true);
    return new AnchorProcess(child, ready.address, ready.http, written);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get port(): number {
    return Number(/:(\d+)$/.exec(this.address)?.[1]);
  }

  log(event?: string): readonly LogLine[] {
    const text = Buffer.concat(this.written).toString();
    const lines = text.split('\n').filter((line) => line !== '');
    const all = lines.map((line) => JSON.parse(line) as LogLine);
    return event === undefined ? all : all.filter((line) => line.event === event);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Gives the exit status, null if a signal ended it. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const [status] = (await ended) as [number | null];
    return status;
  }

  /** Bytes, as the kernel counts them. */
  get rss(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
}

/** Hosts a device's workspace at an anchor's root; gives the workspace's part of the address. */
export async function allow(root: string, device: Device, ticket: string): Promise<string> {
  await device.json(['invite', '--act', 'read', '--via', '/nowhere', '--out', ticket]);
  const { result } = await device.json(['anchor', 'allow', ticket, '--root', root]);
  return String(result?.['workspace']);
}

/** Looks again and again until `check` gives something; fails with `what` after `limitMs`. */
export async function eventually<T>(
  what: string,
  check: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  limitMs = 30_000,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const found = await check();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() - startedMs > limitMs) assert.fail(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
