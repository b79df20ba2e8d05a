/**
 * Runs etcd's scripted Raft cases: which files there are, what each prints, what it should.
 * INFO and DEBUG lines are left out of the comparison: this Raft writes no log.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { confChangeRunner } from './confchange.js';
import { parseDirectives, type Directive } from './datadriven.js';
import { Unsupported } from './group.js';
import { interactionRunner } from './interaction.js';
import { runQuorum } from './quorum.js';

/** Files that test what this Raft does without, and why. */
export const DECLARED_OUT: Readonly<Record<string, string>> = {
  'forget_leader_read_only_lease_based.txt': 'reads never rely on leases, so on clocks',
};

/** All `.txt` files at or below a folder (or the file itself), sorted. */
export function caseFiles(path: string): readonly string[] {
  if (path.endsWith('.txt')) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.txt'))
    .map((name) => join(path, name))
    .sort();
}

/** Why the file isn't run; null if it is. */
export function declaredOut(path: string): string | null {
  return DECLARED_OUT[basename(path)] ?? null;
}

/** What the first command that printed something else printed; null if none did. */
export function runCase(path: string): string | null {
  const directives = parseDirectives(readFileSync(path, 'utf8'));
  const run = runnerFor(directives);
  for (const directive of directives) {
    const expected = comparable(directive.expected);
    const actual = comparable(outcome(run, directive));
    if (actual !== expected) {
      return `${path}:${directive.line}: ${directive.command}\n${difference(expected, actual)}`;
    }
  }
  return null;
}

/** By what the commands are, whatever the folder is called. */
function runnerFor(directives: readonly Directive[]): (directive: Directive) => string {
  switch (directives[0]?.command) {
    case 'committed':
    case 'vote':
      return runQuorum;
    case 'simple':
    case 'enter-joint':
    case 'leave-joint':
      return confChangeRunner();
    default:
      return interactionRunner();
  }
}

function outcome(run: (directive: Directive) => string, directive: Directive): string {
  try {
    return run(directive);
  } catch (error) {
    if (error instanceof Unsupported) return `not supported: ${error.message}`;
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function comparable(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && !/^\s*(INFO|DEBUG) /.test(line));
  return lines.length === 0 ? 'ok\n' : lines.map((line) => `${line}\n`).join('');
}

const CONTEXT_LINES = 3;

function difference(expected: string, actual: string): string {
  const [a, b] = [expected.split('\n'), actual.split('\n')];
  const start = a.findIndex((line, at) => line !== b[at]);
  const from = start < 0 ? a.length : start;
  let tail = 0;
  const most = Math.min(a.length, b.length) - from;
  while (tail < most && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const mark = (sign: string, lines: readonly string[]): string[] =>
    lines.map((line) => `${sign} ${line}`);
  return [
    ...mark(' ', a.slice(Math.max(0, from - CONTEXT_LINES), from)),
    ...mark('-', a.slice(from, a.length - tail)),
    ...mark('+', b.slice(from, b.length - tail)),
    ...mark(' ', a.slice(a.length - tail).slice(0, CONTEXT_LINES)),
  ].join('\n');
}
