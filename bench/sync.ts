/**
 * Exchanges with a remote beside Git over the same OpenSSH server, in one run, interleaved;
 * medians of at least five. Writes its section of `bench/RESULTS.md` when all rows ran.
 * Names as arguments choose rows: `npm run bench:sync -- small clone blobs`.
 */
import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoSshd } from '../test/support/sshd.js';
import { median, paired, row, run, type Row, type Sample } from './measure.js';
import { missing, Remotes } from './remotes.js';
import { writeSection } from './results.js';

const SMALL_RUNS = 9;
const LARGE_RUNS = 5;
const CLONE_COMMITS = 100_000;
const MB = 1_000_000;
/** Of incompressible bytes; 400 MB. */
const BLOB_SIZES_MB = [8, 8, 16, 16, 32, 32, 32, 48, 64, 64, 64, 16];
const BLOBS_MB = BLOB_SIZES_MB.reduce((sum, size) => sum + size, 0);

/** Nothing to exchange, and one commit: by SSH, and with an anchor. */
async function smallRows(remotes: Remotes): Promise<Row[]> {
  remotes.newWorkspace('desk');
  remotes.wn('.', remotes.cloneWords(remotes.url('desk'), 'lap'));
  const address = await remotes.anchorFor('desk', 'anchor');
  remotes.wn('lap', ['remote', 'add', 'anchor', address]);
  remotes.wn('lap', ['sync', 'anchor']);
  gitPair(remotes);
  let n = 0;
  const edit = (): Sample => remotes.wn('lap', ['set', 'a.md', `n=${++n}`]);
  const editGit = (): void => {
    writeFileSync(join(remotes.path('git-lap'), 'a.md'), `---\nn: ${++n}\n---\n# A\n`);
    remotes.git('git-lap', ['commit', '-qam', 'n']);
  };
  const fetch = (): number => remotes.git('git-lap', ['fetch', '-q']).wallMs;
  const push = (): number => {
    editGit();
    return remotes.git('git-lap', ['push', '-q']).wallMs;
  };
  const sync = (remote: string) => (): number => remotes.wn('lap', ['sync', remote]).wallMs;
  const syncOne = (remote: string) => (): number => {
    edit();
    return sync(remote)();
  };
  return [
    beyondStart('`wn sync` with nothing to do, by SSH', sync('origin'), 'git fetch', fetch),
    beyondStart('`wn sync` of one commit, by SSH', syncOne('origin'), 'git push', push),
    overall('`wn sync` with nothing to do, an anchor', sync('anchor'), 'git fetch', fetch),
    overall('`wn sync` of one commit, an anchor', syncOne('anchor'), 'git push', push),
  ];
}

function gitPair(remotes: Remotes): void {
  remotes.git('.', ['init', '-q', '--bare', 'git-desk']);
  remotes.git('.', ['clone', '-q', remotes.url('git-desk'), 'git-lap']);
  writeFileSync(join(remotes.path('git-lap'), 'a.md'), '# A\n');
  remotes.git('git-lap', ['add', 'a.md']);
  remotes.git('git-lap', ['commit', '-qm', 'a']);
  remotes.git('git-lap', ['push', '-qu', 'origin', 'main']);
}

/**
 * Each side starts a program at either end, one after the other, so twice the time of the
 * bare program (`node -e 0`, `git --version`), taken in the same round, is left out. What
 * `wn` itself loads stays in, and so do `ssh` and the programs that `git` starts.
 */
function beyondStart(what: string, ours: () => number, peer: string, theirs: () => number): Row {
  const start = (...command: string[]): number => run(command, { cwd: '.' }).wallMs;
  const { a, b, ratio } = paired(
    SMALL_RUNS,
    () => ours() - 2 * start(process.execPath, '-e', '0'),
    () => theirs() - 2 * start('git', '--version'),
  );
  const measure = `${what}, beyond the start of two \`node\``;
  return row(measure, ms(a), `${peer}, beyond two \`git\`, ${ms(b)}`, ratio, '1.0');
}

function overall(what: string, ours: () => number, peer: string, theirs: () => number): Row {
  const { a, b, ratio } = paired(SMALL_RUNS, ours, theirs);
  return row(`${what}, overall`, ms(a), `${peer} by SSH ${ms(b)}`, ratio, '1.0');
}

/** The same 100,000 one-field commits, packed as each packs them. */
async function cloneRows(remotes: Remotes): Promise<Row[]> {
  remotes.newWorkspace('long');
  const input = Array.from({ length: CLONE_COMMITS }, (_, n) => `set a.md n=${n}\n`).join('');
  remotes.wn('long', ['batch'], input);
  remotes.wn('long', ['gc']);
  remotes.git('.', ['init', '-q', '--bare', 'git-long']);
  remotes.git('git-long', ['fast-import', '--quiet'], gitStream());
  remotes.git('git-long', ['repack', '-qad']);
  const words = (port?: number): readonly string[] =>
    remotes.cloneWords(remotes.url('long', port), 'copy');
  const gitWords = (port?: number): readonly string[] => [
    'clone',
    '-q',
    remotes.url('git-long', port),
    remotes.path('git-copy'),
  ];
  const { a, b, ratio } = paired(
    LARGE_RUNS,
    () => cleanly(remotes, 'copy', () => remotes.wn('.', words()).wallMs),
    () => cleanly(remotes, 'git-copy', () => remotes.git('.', gitWords()).wallMs),
  );
  const ours = await remotes.counted((port) => remotes.wnCommand(words(port)));
  const theirs = await remotes.counted((port) => ['git', ...gitWords(port)]);
  const what = 'clone of 100,000 one-field commits, by SSH';
  const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
  return [
    row(what, seconds(a), `git clone ${seconds(b)}`, ratio, '1.5'),
    row(`${what}: bytes`, mb(ours), `git clone ${mb(theirs)}`, ours / theirs, '1.2'),
  ];
}

function gitStream(): string {
  return Array.from({ length: CLONE_COMMITS }, (_, n) => {
    const content = `---\nn: ${n}\n---\n# A\n`;
    return `commit refs/heads/main\ncommitter b <b@b> ${1_700_000_000 + n} +0000\ndata 0\nM 644 inline a.md\ndata ${content.length}\n${content}\n`;
  }).join('');
}

function cleanly<T>(remotes: Remotes, name: string, work: () => T): T {
  remotes.remove(name);
  try {
    return work();
  } finally {
    remotes.remove(name);
  }
}

/** Megabytes a second of a whole command, files written out at the end where it does that. */
async function blobRows(remotes: Remotes): Promise<Row[]> {
  remotes.newWorkspace('films');
  BLOB_SIZES_MB.forEach((size, at) => {
    const bytes = randomFillSync(Buffer.allocUnsafe(size * MB));
    writeFileSync(join(remotes.path('films'), `${at}.bin`), bytes);
    writeFileSync(remotes.path('cat-from'), bytes, { flag: 'a' });
  });
  remotes.wn('films', ['commit', '--force', '-qm', 'films']);
  const speed = ({ wallMs }: Sample): number => (BLOBS_MB * 1000) / wallMs;
  const clone = (address: string): number =>
    cleanly(remotes, 'copy', () => speed(remotes.wn('.', remotes.cloneWords(address, 'copy'))));
  const taken = { push: [] as number[], ssh: [] as number[], path: [] as number[] };
  const cat: number[] = [];
  for (let round = 0; round < LARGE_RUNS; round++) {
    taken.push.push(await pushed(remotes, speed));
    cat.push(speed(remotes.cat(remotes.path('cat-from'), remotes.path('cat-to'))));
    taken.ssh.push(clone(remotes.url('films')));
    taken.path.push(clone(remotes.path('films')));
  }
  const peer = `\`cat\` by the same SSH ${mbs(median(cat))}`;
  return Object.entries({
    [`${BLOBS_MB} MB of incompressible files: \`wn push\` to an anchor`]: taken.push,
    [`${BLOBS_MB} MB of incompressible files: \`wn clone\` by SSH, written out`]: taken.ssh,
    [`${BLOBS_MB} MB of incompressible files: \`wn clone\` of a path, written out`]: taken.path,
  }).map(([what, speeds]) => ({
    measure: what,
    ours: mbs(median(speeds)),
    peer,
    ratio: `${(median(speeds) / 100).toFixed(2)} × the goal`,
    goal: 'at least 100 MB/s',
  }));
}

async function pushed(remotes: Remotes, speed: (sample: Sample) => number): Promise<number> {
  const address = await remotes.anchorFor('films', 'films-anchor');
  remotes.wn('films', ['remote', 'add', 'anchor', address]);
  try {
    return speed(remotes.wn('films', ['push', 'anchor']));
  } finally {
    remotes.wn('films', ['remote', 'remove', 'anchor']);
    await remotes.stopAnchor();
    remotes.remove('films-anchor');
    remotes.remove('films-anchor.ticket');
  }
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const seconds = (value: number): string => `${(value / 1000).toFixed(2)} s`;
const mbs = (value: number): string => `${value.toFixed(0)} MB/s`;

const ROWS: Record<string, (remotes: Remotes) => Promise<Row[]>> = {
  small: smallRows,
  clone: cloneRows,
  blobs: blobRows,
};

const why = missing() ?? whyNoSshd();
if (why !== null) {
  console.error(`nothing is measured: ${why}`);
  process.exitCode = 1;
} else {
  const chosen = process.argv.slice(2).filter((name) => name in ROWS);
  const rows: Row[] = [];
  const remotes = await Remotes.start();
  try {
    for (const [name, measure] of Object.entries(ROWS)) {
      if (chosen.length > 0 && !chosen.includes(name)) continue;
      for (const each of await measure(remotes)) {
        rows.push(each);
        console.log(
          `${each.measure}: ${each.ours}; ${each.peer}; ${each.ratio} (goal ${each.goal})`,
        );
      }
    }
  } finally {
    await remotes.stop();
  }
  if (chosen.length === 0) {
    writeSection(
      'bench:sync',
      `Medians of ${LARGE_RUNS} or more, interleaved with the peer in\none run, over loopback and one OpenSSH server; whole processes at both ends.`,
      rows,
    );
  }
}
