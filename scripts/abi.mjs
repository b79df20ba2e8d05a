/**
 * Makes `test/abi/VERSION`: a repository as this version writes it, which every later one
 * must open. Run once for each release: `node scripts/abi.mjs`.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const target = join(ROOT, 'test/abi', version);
if (existsSync(target)) throw new Error(`test/abi/${version} is there already, and never changes`);

const top = mkdtempSync(join(tmpdir(), 'wn-abi-'));
const desk = { home: join(top, 'home-desk'), root: join(top, 'desk') };
const lap = { home: join(top, 'home-lap'), root: join(top, 'lap') };

function wn(device, ...args) {
  mkdirSync(device.root, { recursive: true });
  const env = { ...process.env, WN_HOME: device.home, WN_NO_RECOVERY: '1' };
  const words = [join(ROOT, 'bin/wn.js'), '-C', device.root, '--json', ...args];
  const stdout = execFileSync(process.execPath, words, { env, encoding: 'utf8' });
  return JSON.parse(stdout).result;
}

function write(device, path, content) {
  const file = join(device.root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

wn(desk, 'init', '--no-recovery-key');
write(
  desk,
  'wn.yaml',
  'types:\n  task:\n    match: tasks/*.md\n    fields:\n      status: {type: register, values: [todo, doing, done]}\n',
);
write(
  desk,
  'tasks/1.md',
  '---\nstatus: todo\nlabels: [ci, ops]\n---\n# Grüße, 世界 🎉\n\none\ntwo\nthree\n',
);
write(desk, 'notes/crlf.txt', 'a\r\nb\r\n');
write(desk, 'notes/old.txt', 'moved later\n');
write(desk, 'big.bin', Buffer.alloc(200_000, 'blob'));
wn(desk, 'commit', '-m', 'begin');
wn(desk, 'set', 'tasks/1.md', 'votes++', 'labels+=v1');
const ticketFile = join(top, 'ticket');
writeFileSync(ticketFile, wn(desk, 'invite', '--via', desk.root, '--expires', '0').ticket);
wn({ ...lap, root: top }, 'join', ticketFile, lap.root);
write(
  lap,
  'tasks/1.md',
  readFileSync(join(lap.root, 'tasks/1.md'), 'utf8').replace('two', 'two from the laptop'),
);
wn(lap, 'commit', '-m', 'laptop');
wn(lap, 'set', 'tasks/1.md', 'status=doing');
wn(desk, 'set', 'tasks/1.md', 'status=done');
write(
  desk,
  'tasks/1.md',
  readFileSync(join(desk.root, 'tasks/1.md'), 'utf8').replace('three', 'three from the desk'),
);
wn(desk, 'commit', '-m', 'desk');
wn(desk, 'mv', 'notes/old.txt', 'notes/new.txt');
wn(desk, 'rm', 'notes/crlf.txt');
wn(desk, 'remote', 'add', 'lap', lap.root);
wn(desk, 'sync', 'lap');
wn(desk, 'gc');
wn(desk, 'remote', 'remove', 'lap');

const { viewHash, commits } = wn(desk, 'fsck', '--full');
const expected = {
  viewHash,
  commits,
  task: readFileSync(join(desk.root, 'tasks/1.md'), 'utf8'),
  conflicts: wn(desk, 'conflicts').total,
};
rmSync(join(desk.root, '.wn/index'), { recursive: true, force: true });
mkdirSync(target, { recursive: true });
cpSync(desk.root, join(target, 'workspace'), { recursive: true, preserveTimestamps: true });
renameSync(join(target, 'workspace/.wn'), join(target, 'repository'));
cpSync(desk.home, join(target, 'home'), { recursive: true });
writeFileSync(join(target, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
rmSync(top, { recursive: true, force: true });
console.log(`test/abi/${version}: ${commits} commits, view ${viewHash}`);
