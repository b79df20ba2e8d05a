/** Runs the built `wn` as a process, the way a script would. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildSync } from 'esbuild';

export const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/wn.js');
const TIMEOUT_MS = 30_000;

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After which it is killed; a daemon is meant to stay longer. */
  readonly timeoutMs?: number;
  /** Words before the command: what starts it elsewhere, as in a network namespace. */
  readonly launcher?: readonly string[];
}

/** Without what the person who runs the tests has set. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, ...extra };
}

export function startWn(args: readonly string[], options: RunOptions = {}) {
  if (!existsSync(join(ROOT, 'dist/wn.cjs'))) throw new Error('nothing is built: npm run build');
  return start([BIN, ...args], options);
}

/** The commands of `probe.ts`, run by the same `main`. */
export function startProbe(args: readonly string[], options: RunOptions = {}) {
  probeBundle ??= bundleProbe();
  return start([probeBundle, ...args], options);
}

let probeBundle: string | undefined;

/** Bundled, because a process that compiles TypeScript takes two seconds to start. */
function bundleProbe(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wn-probe-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'probe.cjs');
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['test/cli/probe.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    // The probe has its own commands, and doesn't load those of the table.
    external: ['typescript', '../commands/*'],
    logLevel: 'error',
    define: { 'import.meta.dirname': '__dirname' },
  });
  return outfile;
}

function start(args: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
  const [command = process.execPath, ...words] = [
    ...(options.launcher ?? []),
    process.execPath,
    ...args,
  ];
  const child = spawn(command, words, {
    env: environment(options.env),
    cwd: options.cwd,
    timeout: options.timeoutMs ?? TIMEOUT_MS,
  });
  // A program that ends before it has read its input is no fault of the test's.
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  return child;
}

export async function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve({
        status,
        signal,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}

export async function wn(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finished(startWn(args, { input: '', ...options }));
}

export async function probe(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finished(startProbe(args, { input: '', ...options }));
}

export interface Document {
  readonly ok: boolean;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** The one document on stdout. Throws if there is anything else, or none. */
export function onlyDocument(stdout: string): Document {
  if (!stdout.endsWith('\n') || stdout.indexOf('\n') !== stdout.length - 1) {
    throw new Error(`not one line: ${JSON.stringify(stdout.slice(0, 500))}`);
  }
  return JSON.parse(stdout) as Document;
}
