/** Measuring whole processes and functions: medians, CPU time, interleaving with a peer. */
import { spawnSync } from 'node:child_process';

export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs a command to its end; CPU time and memory as `/usr/bin/time` tells them. Throws if it fails. */
export function run(
  command: readonly string[],
  options: { cwd: string; input?: string; env?: Record<string, string> },
): Sample {
  const started = performance.now();
  const timed = ['/usr/bin/time', '-f', '%U %S %M', ...command];
  const [program = '', ...args] = timed;
  const { status, stderr } = spawnSync(program, args, {
    cwd: options.cwd,
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
    maxBuffer: 1 << 30,
  });
  const wallMs = performance.now() - started;
  const lines = stderr.trimEnd().split('\n');
  if (status !== 0)
    throw new Error(`${command.join(' ')} failed (${String(status)}): ${stderr.slice(0, 400)}`);
  const [user = 0, sys = 0, kib = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
  return { wallMs, cpuMs: (user + sys) * 1000, rssMiB: kib / 1024 };
}

/** A, B, A, B, …: the median of each figure, and the median of the pairs' ratios. */
export function paired(
  runs: number,
  a: () => number,
  b: () => number,
): { readonly a: number; readonly b: number; readonly ratio: number } {
  const pairs = Array.from({ length: runs }, () => ({ a: a(), b: b() }));
  return {
    a: median(pairs.map((pair) => pair.a)),
    b: median(pairs.map((pair) => pair.b)),
    ratio: median(pairs.map((pair) => pair.a / pair.b)),
  };
}

export interface Row {
  readonly measure: string;
  readonly ours: string;
  readonly peer: string;
  readonly ratio: string;
  readonly goal: string;
}

export function table(rows: readonly Row[]): string {
  const head = '| measure | ours | peer | ratio | goal |\n|---|---|---|---|---|\n';
  return (
    head +
    rows
      .map((row) => `| ${row.measure} | ${row.ours} | ${row.peer} | ${row.ratio} | ${row.goal} |\n`)
      .join('')
  );
}

export function row(measure: string, ours: string, peer: string, ratio: number, goal: string): Row {
  return { measure, ours, peer, ratio: `${ratio.toFixed(2)} ×`, goal: `${goal} ×` };
}
