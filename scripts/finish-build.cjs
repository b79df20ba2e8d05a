'use strict';
/**
 * The second half of the build, done by the finished bundle: oclif's manifest, and the code
 * cache after a warm-up, so that it holds the functions that quick commands call, and no
 * others: a larger cache takes longer to load.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { cacheName, compile, evaluate } = require('../bin/load.js');

const ROOT = path.join(__dirname, '..');

/** Makes a repository with a history of two commits; these aren't in the cache. */
const PREPARATION = [
  ['init', '--name', 'warm-up', '--no-recovery-key'],
  ['commit', '-m', 'first'],
  ['set', 'a.md', 'status=doing'],
];

/** The commands whose start matters. What they print is of no interest. */
const WARM_UP = [
  ['status'],
  ['set', 'a.md', 'status=done'],
  ['commit', '-m', 'second'],
  ['log'],
  ['show', 'a.md'],
  ['list', 'status=done'],
  ['diff'],
  ['status', '--json'],
  ['no-such-command'],
];

async function writeManifest(bundle) {
  const program = evaluate(bundle, compile(bundle).script);
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const manifest = program.toManifest(version, await program.describeAll());
  const file = path.join(ROOT, 'oclif.manifest.json');
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
}

async function writeCache(bundle) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wn-build-'));
  try {
    process.env.WN_HOME = path.join(folder, 'home');
    const repository = path.join(folder, 'repository');
    fs.mkdirSync(repository);
    fs.writeFileSync(path.join(repository, 'a.md'), '---\nstatus: todo\n---\n# A\n');
    for (const line of PREPARATION) {
      spawnSync(process.execPath, [__filename, 'run', bundle, '-C', repository, ...line]);
    }
    fs.appendFileSync(path.join(repository, 'a.md'), 'more\n');
    const { script } = compile(bundle);
    const program = evaluate(bundle, script);
    for (const line of WARM_UP) await program.main(['-C', repository, ...line]);
    fs.writeFileSync(path.join(path.dirname(bundle), cacheName()), script.createCachedData());
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  // What the warm-up came to isn't what the build came to.
  process.exitCode = 0;
}

const [what, place, ...argv] = process.argv.slice(2);
if (what === 'manifest') void writeManifest(path.join(place, 'wn.cjs'));
else if (what === 'cache') void writeCache(path.join(place, 'wn.cjs'));
else void evaluate(place, compile(place).script).main(argv);
