/**
 * Builds `dist`: one CommonJS bundle, its V8 code cache, and oclif's manifest.
 *
 * One file rather than a chunk for each command, because with a code cache what isn't
 * called costs nothing but the reading of its source; CommonJS, because Node 20 takes a
 * code cache only through `vm.Script`.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { PLUGINS, sharePropertiesOfCommonJs } from './bundlePlugins.js';
import { writeTable } from './table.js';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Loaded on use, from their packages. */
const EXTERNAL = [
  'bonjour-service',
  'diamond-types-node',
  'isomorphic-git',
  'prom-client',
  'ssh2',
  'ws',
  // What oclif needs for plugins, prompts and templates, none of which we come to.
  'ansi-escapes',
  'cli-spinners',
  'ejs',
  'lilconfig',
  'minimatch',
  'tinyglobby',
  'typescript',
  'wsl-utils',
];

async function bundle(outdir: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: { wn: 'src/cli/bundle.ts', lookthread: 'src/node/lookthread.ts' },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    // Minified for the size of what is read at each start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    sourcemap: 'external',
    legalComments: 'none',
    external: EXTERNAL,
    // `import()` of what is external becomes `require`: vm.Script has no loader for it.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' },
    plugins: [...PLUGINS],
    logLevel: 'warning',
    logOverride: { 'direct-eval': 'silent' },
  });
  const file = join(outdir, 'wn.cjs');
  writeFileSync(file, sharePropertiesOfCommonJs(readFileSync(file, 'latin1')), 'latin1');
}

/** The manifest and the code cache, made by the bundle itself in processes of their own. */
function finish(outdir: string): void {
  for (const what of ['manifest', 'cache']) {
    const script = join(ROOT, 'scripts/finish-build.cjs');
    const { status, stderr } = spawnSync(process.execPath, [script, what, outdir], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} ${what} failed:\n${stderr}`);
  }
}

/** A program that starts meanwhile finds the old build or the new one, never a mixture. */
function replaceDist(built: string): void {
  const old = `${built}.old`;
  chmodSync(built, 0o755);
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(built, DIST);
  rmSync(old, { recursive: true, force: true });
}

const startedMs = performance.now();
const built = mkdtempSync(join(ROOT, 'node_modules/.wn-build-'));
writeTable();
await bundle(built);
finish(built);
replaceDist(built);
const kib = Math.round(statSync(join(DIST, 'wn.cjs')).size / 1024);
console.log(`built dist/wn.cjs (${kib} KiB) in ${Math.round(performance.now() - startedMs)} ms`);
