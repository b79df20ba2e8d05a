/**
 * The main job, for real: two devices edit one folder apart from each other, sync over
 * a path, and end with equal trees and every edit. Prints what it runs.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const WN = join(import.meta.dirname, '../bin/wn.js');
const top = mkdtempSync(join(tmpdir(), 'wn-demo-'));
const started = Date.now();

/** Runs a command as one of the devices and shows both. */
function wn(device, folder, ...args) {
  console.log(
    `\n${device}$ wn ${args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}`,
  );
  const env = { ...process.env, WN_HOME: join(top, `home-${device}`), NO_COLOR: '1' };
  const out = execFileSync(process.execPath, [WN, ...args], { cwd: folder, env, encoding: 'utf8' });
  process.stdout.write(out.replaceAll(top, '~').replace(/^/gm, '      '));
  return out;
}

function edit(device, file, from, to) {
  console.log(`\n${device}  edits ${relative(top, file)}: "${from}" becomes "${to}"`);
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold "${from}"`);
  writeFileSync(file, text.replace(from, to));
}

function tree(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true })) {
    const path = join(folder, entry);
    if (entry === '.wn' || entry.startsWith('.wn/') || !statSync(path).isFile()) continue;
    files.set(entry, readFileSync(path).toString('hex'));
  }
  return files;
}

function expect(condition, what) {
  if (!condition) throw new Error(`the demo failed: ${what}`);
  console.log(`  ✓ ${what}`);
}

try {
  const desk = join(top, 'runbooks');
  const lap = join(top, 'laptop');
  mkdirSync(join(desk, 'oncall'), { recursive: true });
  writeFileSync(
    join(desk, 'backup.md'),
    '# Backup\n\n1. Stop the writer.\n2. Copy the data.\n3. Start the writer.\n',
  );
  writeFileSync(
    join(desk, 'oncall/pager.md'),
    '---\nstatus: todo\nowner: mia\n---\n# Pager\n\nWho is called first.\n',
  );
  writeFileSync(join(desk, 'oncall/tree.txt'), 'a phone tree\n');

  console.log('Two devices, one folder, no server.');
  wn('desk', desk, 'init');
  wn('desk', desk, 'commit', '-m', 'import');
  wn('desk', desk, 'invite', '--act', 'write', '--via', desk, '--out', join(top, 'ticket'));
  wn('lap', top, 'join', join(top, 'ticket'), 'laptop');

  console.log('\nNow both edit the same files, apart from each other.');
  edit('desk', join(desk, 'backup.md'), 'Copy the data.', 'Copy the data to the vault. 🗄');
  edit('desk', join(desk, 'oncall/pager.md'), 'owner: mia', 'owner: jo');
  wn('desk', desk, 'mv', 'oncall/tree.txt', 'phones.txt');
  wn('desk', desk, 'commit', '-m', 'desk');
  edit('lap', join(lap, 'backup.md'), 'Stop the writer.', 'Stop the writer and wait. 待つ');
  edit('lap', join(lap, 'oncall/tree.txt'), 'a phone tree', 'a phone tree, with numbers');
  wn('lap', lap, 'set', 'oncall/pager.md', 'status=doing');
  wn('lap', lap, 'status');

  wn('lap', lap, 'sync', '-m', 'laptop');
  console.log('\nWhat both hold:');
  console.log(readFileSync(join(desk, 'backup.md'), 'utf8').replace(/^/gm, '      '));
  const backup = readFileSync(join(desk, 'backup.md'), 'utf8');
  const pager = readFileSync(join(lap, 'oncall/pager.md'), 'utf8');
  expect(
    backup.includes('vault. 🗄') && backup.includes('wait. 待つ'),
    'both edits of one file are there',
  );
  expect(
    pager.includes('owner: jo') && pager.includes('status: doing'),
    'both fields of one file are there',
  );
  expect(
    readFileSync(join(desk, 'phones.txt'), 'utf8').includes('with numbers'),
    'moved on one side, edited on the other: both',
  );
  const [a, b] = [tree(desk), tree(lap)];
  expect(
    a.size === b.size && [...a].every(([path, bytes]) => b.get(path) === bytes),
    `equal trees: ${[...a.keys()].sort().join(', ')}`,
  );

  wn('lap', lap, 'undo');
  expect(
    readFileSync(join(lap, 'backup.md'), 'utf8').includes('wait.') === false,
    "undo took back the laptop's own last commit and nothing of the desk's",
  );
  expect(
    readFileSync(join(lap, 'backup.md'), 'utf8').includes('vault'),
    "the desk's edit is still there",
  );
  const check = JSON.parse(wn('desk', desk, 'fsck', '--full', '--json'));
  expect(
    check.ok && check.result.ok,
    `fsck: ${check.result.commits} commits in ${check.result.logs} logs are whole`,
  );
  console.log(`\nDone in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
} finally {
  rmSync(top, { recursive: true, force: true });
}
