/**
 * Real processes of the built `wn`, killed with SIGKILL at a random moment of a commit,
 * of a sync that writes both repositories, or of bringing files in step. When is up to
 * the machine, so a seed brings back what is done, and not the very moment.
 */
import assert from 'node:assert/strict';
import { parseId } from '../../src/core/ids.js';
import { finished, onlyDocument, startWn, type Finished } from '../cli/program.js';
import type { Device } from '../product/device.js';
import { Seeded } from '../sim/random.js';
import { commitsOf, Field, heldBy, treeOf, type Held, type Tree } from './field.js';

/** Then two new repositories are made: histories that grow make rounds slow. */
const ROUNDS_PER_FIELD = 10;
/** Most of what a process does before is starting up. */
const KILL_FROM_MS = 60;
const COMMANDS = ['commit', 'sync', 'pull'] as const;

type Command = (typeof COMMANDS)[number];

interface Figures {
  rounds: number;
  killed: number;
  /** Of the commands that came right after a kill, and of those that came before one. */
  slowestNextMs: number;
  slowestNext: string;
  slowestBeforeMs: number;
}

/** One round per call, on repositories that last for some; the answer tells how it went so far. */
export function runKills(): ((seed: number) => Promise<string>) & { readonly end: () => void } {
  const figures: Figures = {
    rounds: 0,
    killed: 0,
    slowestNextMs: 0,
    slowestNext: 'nothing',
    slowestBeforeMs: 0,
  };
  /** How long each command took when it came to its end. */
  const tookMs = new Map<Command, number>();
  let field: Field | null = null;
  const end = (): void => {
    field?.clear();
    field = null;
  };
  const run = async (seed: number): Promise<string> => {
    if (figures.rounds % ROUNDS_PER_FIELD === 0) end();
    field ??= await Field.lay();
    figures.rounds += 1;
    try {
      await killOnce(field, new Seeded(seed), figures, tookMs);
    } catch (error) {
      end();
      throw error;
    }
    return told(figures);
  };
  return Object.assign(run, { end });
}

function told(figures: Figures): string {
  const { rounds, killed, slowestNextMs, slowestNext, slowestBeforeMs } = figures;
  return [
    `${killed} of ${rounds} killed`,
    `slowest command after one: ${slowestNextMs.toFixed(0)} ms (${slowestNext})`,
    `before one: ${slowestBeforeMs.toFixed(0)} ms`,
  ].join('; ');
}

async function killOnce(
  field: Field,
  random: Seeded,
  figures: Figures,
  tookMs: Map<Command, number>,
): Promise<void> {
  const { near, far } = field;
  const command = random.pick(COMMANDS);
  const done: string[] = [];
  if (command !== 'pull') done.push(`near: ${field.work(near, random)}`);
  if (command !== 'commit') done.push(`far: ${field.work(far, random)}`);
  for (const device of command === 'commit' ? [] : command === 'sync' ? [near, far] : [far]) {
    const ms = await timed(device, ['commit', '--force', '-m', 'before'], 'preparing');
    figures.slowestBeforeMs = Math.max(figures.slowestBeforeMs, ms);
  }
  const before = { near: treeOf(near), far: treeOf(far) };
  /** Whom the command may have left half-way. */
  const touched = command === 'commit' ? [near] : [near, far];
  const acknowledged = await Promise.all(touched.map(commitsOf));

  const line = command === 'commit' ? ['commit', '--force', '-m', 'killed'] : [command];
  const usualMs = tookMs.get(command) ?? 800;
  const afterMs = KILL_FROM_MS + random.float() * usualMs;
  const startedMs = performance.now();
  const victim = await killed(near, line, afterMs);
  const isKilled = victim.signal === 'SIGKILL';
  if (isKilled) figures.killed += 1;
  else tookMs.set(command, performance.now() - startedMs);
  const what = `${command} (${done.join('; ')}) ${isKilled ? `killed after ${afterMs.toFixed(0)} ms` : 'not killed'}`;

  const after = { near: treeOf(near), far: treeOf(far) };
  // A name that became free may go to a file that had to have another one.
  if (command === 'commit')
    assert.deepEqual(contentsOf(after.near), contentsOf(before.near), `${what}: contents changed`);
  for (const [index, device] of touched.entries()) {
    for (const next of [['status'], ['commit', '--force', '-m', 'next']]) {
      const ms = await timed(device, next, what);
      if (ms <= figures.slowestNextMs) continue;
      Object.assign(figures, { slowestNextMs: ms, slowestNext: `${next.join(' ')} after ${what}` });
    }
    const known = [...(acknowledged[index] ?? []), ...(index === 0 ? printed(victim) : [])];
    checkHeld(await heldBy(device), known, `${what}, ${device === near ? 'near' : 'far'}`);
  }

  await timed(near, ['sync'], what);
  const end = { near: treeOf(near), far: treeOf(far) };
  checkWhole(before.near, after.near, end.near, `${what}, near`);
  checkWhole(before.far, after.far, end.far, `${what}, far`);
  assert.deepEqual(end.near, end.far, `${what}: the files differ in the end`);
  checkTokens([before.near, before.far], end.near, what);
}

async function killed(device: Device, line: readonly string[], afterMs: number): Promise<Finished> {
  const env = { WN_HOME: device.home };
  const child = startWn(['-C', device.root, '--json', ...line], { input: '', env });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const end = await finished(child);
  clearTimeout(timer);
  if (end.signal === null) assert.equal(end.status, 0, `${line.join(' ')}: ${end.stdout}`);
  return end;
}

/** Runs a command that must work; returns how long it took, its process's start included. */
async function timed(device: Device, line: readonly string[], after: string): Promise<number> {
  const startedMs = performance.now();
  const { status, stdout, stderr } = await device.run(['--json', ...line]);
  assert.equal(status, 0, `wn ${line.join(' ')} after ${after}: ${stdout}${stderr}`);
  return performance.now() - startedMs;
}

/** The commit that a process told of before it was killed. */
function printed({ stdout }: Finished): readonly string[] {
  if (!stdout.endsWith('\n')) return [];
  const commit = onlyDocument(stdout).result?.['commit'];
  return typeof commit === 'string' ? [parseId(commit)] : [];
}

function checkHeld(held: Held, acknowledged: Iterable<string>, what: string): void {
  assert.deepEqual(held.problems, [], `${what}: fsck`);
  const lost = [...acknowledged].filter((id) => !held.commits.has(id));
  assert.deepEqual(lost, [], `${what}: acknowledged commits are lost`);
}

/** Every file is what it was or what it is in the end, and is there if it was and will be. */
function checkWhole(before: Tree, after: Tree, end: Tree, what: string): void {
  for (const [path, { hash }] of after) {
    const known = [before.get(path)?.hash, end.get(path)?.hash];
    assert(known.includes(hash), `${what}: ${path} is neither its old nor its new content`);
  }
  const gone = [...before.keys()].filter((path) => !after.has(path) && end.has(path));
  assert.deepEqual(gone, [], `${what}: files that were missing meanwhile`);
}

function contentsOf(tree: Tree): readonly string[] {
  return [...tree.values()].map(({ hash }) => hash).sort();
}

/** What anyone had typed is there, once. */
function checkTokens(before: readonly Tree[], end: Tree, what: string): void {
  const typed = new Set(
    before.flatMap((tree) => [...tree.values()].flatMap(({ tokens }) => tokens)),
  );
  const found = [...end.values()].flatMap(({ tokens }) => tokens);
  assert.deepEqual(found.sort(), [...typed].sort(), `${what}: lines are lost or doubled`);
}
