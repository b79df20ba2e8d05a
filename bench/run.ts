/**
 * The figures beside the peers, in one run, interleaved; medians of at least five. Writes
 * its section of `bench/RESULTS.md`. Names as arguments choose rows: `npm run bench -- start batch`.
 * Peers that aren't there are named and left out.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durableRow, flatRows, textRows } from './inprocess.js';
import { paired, row, run, type Row } from './measure.js';
import { writeSection } from './results.js';

const ROOT = join(import.meta.dirname, '..');
const WN = join(ROOT, 'bin/wn.js');
const top = mkdtempSync(join(tmpdir(), 'wn-bench-'));
const env = { WN_HOME: join(top, 'home'), NO_COLOR: '1' };
const RUNS = 5;

function wn(cwd: string, ...args: readonly string[]): readonly string[] {
  mkdirSync(cwd, { recursive: true });
  return [process.execPath, WN, ...args];
}

function repository(name: string): string {
  const folder = join(top, name);
  mkdirSync(folder, { recursive: true });
  run(wn(folder, 'init', '--no-recovery-key'), { cwd: folder, env });
  return folder;
}

function git(cwd: string, ...args: readonly string[]): string {
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', '-c', 'gc.auto=0'];
  return execFileSync('git', [...who, ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 30 });
}

function startRow(): Row {
  const folder = repository('start');
  writeFileSync(join(folder, 'a.md'), '# A\n');
  run(wn(folder, 'commit', '-m', 'a'), { cwd: folder, env });
  const { a, b, ratio } = paired(
    9,
    () => run(wn(folder, 'status'), { cwd: folder, env }).cpuMs,
    () => run([process.execPath, '-e', '0'], { cwd: folder }).cpuMs,
  );
  return row(
    'start-up: `wn status`, CPU',
    `${a.toFixed(0)} ms`,
    `bare node ${b.toFixed(0)} ms`,
    ratio,
    '1.6',
  );
}

const GIT_AS_DURABLE = ['-c', 'core.fsync=all', '-c', 'core.fsyncMethod=fsync'];

/** Git as it comes, which syncs nothing of a commit, and Git that syncs as we do. */
function batchRows(): Row[] {
  const lines = 50_000;
  const folder = repository('batch');
  writeFileSync(join(folder, 'a.md'), '# A\n');
  run(wn(folder, 'commit', '-m', 'a'), { cwd: folder, env });
  const gitFolder = join(top, 'batch-git');
  mkdirSync(gitFolder);
  git(gitFolder, 'init', '-q', '.');
  writeFileSync(join(gitFolder, 'a'), 'a\n');
  git(gitFolder, 'add', 'a');
  git(gitFolder, 'commit', '-qm', 'a');
  let n = 0;
  const input = (): string => Array.from({ length: lines }, () => `set a.md n=${n++}\n`).join('');
  const batch = (): number =>
    (lines * 1000) / run(wn(folder, 'batch'), { cwd: folder, env, input: input() }).wallMs;
  return [
    ['loop of `git commit`', []] as const,
    ['loop of `git commit`, synced', GIT_AS_DURABLE] as const,
  ].map(([peer, settings]) => {
    const { a, b, ratio } = paired(RUNS, batch, () => gitLoop(gitFolder, settings, n++));
    const measure = '`wn batch`, durable commits a second';
    return row(measure, a.toFixed(0), `${peer} ${b.toFixed(0)}`, ratio, 'at least 100');
  });
}

/** Commits a second. */
function gitLoop(folder: string, settings: readonly string[], salt: number): number {
  const loop = 100;
  const line = ['git', ...settings, 'commit', '-qam', 'c'].join(' ');
  const script = `for i in $(seq ${loop}); do echo $i-${salt} > a; ${line}; done`;
  const who = {
    GIT_AUTHOR_NAME: 'b',
    GIT_AUTHOR_EMAIL: 'b',
    GIT_COMMITTER_NAME: 'b',
    GIT_COMMITTER_EMAIL: 'b',
  };
  return (loop * 1000) / run(['sh', '-c', script], { cwd: folder, env: who }).wallMs;
}

function sizeRow(): Row {
  const count = 10_000;
  const folder = repository('size');
  writeFileSync(join(folder, 'a.md'), '# A\n');
  run(wn(folder, 'commit', '-m', 'a'), { cwd: folder, env });
  const input = Array.from(
    { length: count },
    (_, at) => `set a.md n=${at} -m "change ${at}"\n`,
  ).join('');
  run(wn(folder, 'batch'), { cwd: folder, env, input });
  run(wn(folder, 'gc'), { cwd: folder, env });
  const ours = bytesBelow(join(folder, '.wn'));
  const gitFolder = join(top, 'size-git');
  mkdirSync(gitFolder);
  git(gitFolder, 'init', '-q', '.');
  const stream = Array.from({ length: count }, (_, at) => {
    const content = `---\nn: ${at}\n---\n# A\n`;
    const message = `change ${at}`;
    return `commit refs/heads/main\ncommitter b <b@b> ${1_700_000_000 + at} +0000\ndata ${message.length}\n${message}\nM 644 inline a.md\ndata ${content.length}\n${content}\n`;
  }).join('');
  execFileSync('git', ['fast-import', '--quiet'], { cwd: gitFolder, input: stream });
  git(gitFolder, 'repack', '-qad');
  const theirs = bytesBelow(join(gitFolder, '.git/objects'));
  const kb = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;
  return row(
    'store of 10,000 one-field commits, index and all, after gc',
    kb(ours),
    `packed Git ${kb(theirs)}`,
    ours / theirs,
    '1.5',
  );
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
}

function statusRow(): Row {
  const folder = repository('many');
  for (let at = 0; at < 100_000; at++) {
    const sub = join(folder, `d${Math.floor(at / 200)}`);
    if (at % 200 === 0) mkdirSync(sub);
    writeFileSync(join(sub, `f${at}.txt`), `file ${at}\n`);
  }
  run(wn(folder, 'commit', '-q', '-m', 'all'), { cwd: folder, env });
  git(folder, 'init', '-q', '.');
  writeFileSync(join(folder, '.git/info/exclude'), '.wn\n');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'all');
  run(['git', 'status'], { cwd: folder });
  const { a, b, ratio } = paired(
    RUNS,
    () => run(wn(folder, 'status'), { cwd: folder, env }).wallMs,
    () => run(['git', 'status'], { cwd: folder }).wallMs,
  );
  return row(
    '`status`, 100,000 clean files',
    `${a.toFixed(0)} ms`,
    `git status ${b.toFixed(0)} ms`,
    ratio,
    '4',
  );
}

const ROWS: Record<string, () => Row[] | Promise<Row[]>> = {
  durable: () => durableRow(join(top, 'durable')),
  start: () => [startRow()],
  batch: batchRows,
  size: () => [sizeRow()],
  text: () => textRows(join(top, 'text'), ROOT),
  status: () => [statusRow()],
  flat: () =>
    flatRows(
      join(top, 'flat'),
      (folder, args) => run(wn(folder, ...args), { cwd: folder, env }),
      env,
    ),
};

const chosen = process.argv.slice(2).filter((name) => name in ROWS);
const rows: Row[] = [];
try {
  for (const [name, measure] of Object.entries(ROWS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    for (const each of await measure()) {
      rows.push(each);
      console.log(`${each.measure}: ${each.ours}; ${each.peer}; ${each.ratio} (goal ${each.goal})`);
    }
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}
if (chosen.length === 0) {
  writeSection(
    'bench',
    `Medians of ${RUNS} or more, interleaved with the peer in one run; whole\nprocesses but where the measure says otherwise.`,
    rows,
  );
}
