'use strict';
/**
 * The second half of the build, run with the finished bundle: oclif's manifest, and the
 * code cache after a warm-up, so that it holds the functions that commands do call.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { cacheName, compile, evaluate } = require('../bin/load.js');

/** The commands whose start matters, in a repository of one file. */
const WARM_UP = [
  ['init', '--name', 'warm-up', '--no-recovery-key'],
  ['commit', '-m', 'first'],
  ['status'],
  ['set', 'a.md', 'status=done'],
  ['log'],
  ['show', 'a.md'],
  ['list', 'status=done'],
  ['diff'],
  ['no-such-command'],
  ['help', 'completion'],
];

async function main(dist) {
  const bundle = path.join(dist, 'wn.cjs');
  const cache = path.join(dist, cacheName());
  const { script } = compile(bundle, cache);
  const program = evaluate(bundle, script);
  await writeManifest(program, path.join(__dirname, '..'));
  await warmUp(program);
  // What the warm-up came to isn't what the build came to.
  process.exitCode = 0;
  fs.writeFileSync(cache, script.createCachedData());
}

async function writeManifest(program, root) {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const manifest = program.toManifest(version, await program.describeAll());
  const file = path.join(root, 'oclif.manifest.json');
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
}

async function warmUp(program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wn-build-'));
  try {
    process.env.WN_HOME = path.join(folder, 'home');
    const repository = path.join(folder, 'repository');
    fs.mkdirSync(repository);
    fs.writeFileSync(path.join(repository, 'a.md'), '---\nstatus: todo\n---\n# A\n');
    for (const line of WARM_UP) {
      await program.main(['-C', repository, ...line]);
      await program.main(['-C', repository, ...line, '--json']);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

void main(process.argv[2]);
