/**
 * Makes a fresh clone ready to run: installs from the lock file where what is installed
 * differs from it, and builds. Needs only Node and npm, hence plain JavaScript.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MIN = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  console.error(`wn needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}`);
  process.exit(1);
}

/** Whether every package of the lock file that must be there is there, in its version. */
function isInstalled() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const locked = readJson(join(ROOT, 'package-lock.json')).packages;
  const installed = readJson(installedFile).packages;
  return Object.entries(locked).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' ||
      // An optional one may be for another platform.
      ((optional || devOptional) && installed[path] === undefined) ||
      installed[path]?.version === version,
  );
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function run(title, command, args) {
  console.log(`> ${title}`);
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

export function setUp() {
  checkNode();
  if (!isInstalled()) run('npm ci', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
  run('build', process.execPath, [tsx, join(ROOT, 'scripts/build.ts')]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
