/** Starting with, without and with the wrong code cache: only the speed may differ. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { skip } from '../support/skip.js';
import { ROOT } from './program.js';

interface Loader {
  compile(bundle: string, cacheFile: string): { readonly accepted: boolean };
}

describe('the code cache', () => {
  let folder: string;
  let cacheHome: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wn-load-'));
    cacheHome = join(folder, 'cache');
    mkdirSync(cacheHome);
    for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json']) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function version(): string {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin/wn.js'), '--version'], {
      env: { PATH: process.env['PATH'], XDG_CACHE_HOME: cacheHome },
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout;
  }

  function accepts(cacheFile: string): boolean {
    const loader = createRequire(join(folder, 'bin/'))('./load.js') as Loader;
    return loader.compile(join(folder, 'dist/wn.cjs'), cacheFile).accepted;
  }

  function ownCaches(): string[] {
    return readdirSync(join(cacheHome, 'wn')).map((name) => join(cacheHome, 'wn', name));
  }

  function needsOwnCache(context: Mocha.Context): void {
    const [major = 0] = process.versions.node.split('.').map(Number);
    if (major >= 22) skip(context, 'this Node keeps a compile cache by itself');
    if (process.getuid === undefined) skip(context, 'there are no owners of files here');
  }

  it('of the build is taken by the Node that built it', () => {
    assert.ok(accepts(join(folder, 'dist/wn.cache')));
    assert.match(version(), /^wn \d/);
    assert.deepEqual(readdirSync(cacheHome), []);
  });

  for (const [title, spoil] of [
    ['is missing', (file: string) => rmSync(file)],
    ['is of another version', (file: string) => writeFileSync(file, 'x'.repeat(1_000))],
    ['is empty', (file: string) => writeFileSync(file, '')],
  ] as const) {
    it(`is made again for the user when it ${title}`, function () {
      needsOwnCache(this);
      spoil(join(folder, 'dist/wn.cache'));
      assert.match(version(), /^wn \d/);
      const [own = '', ...others] = ownCaches();
      assert.deepEqual(others, []);
      assert.equal(statSync(own).mode & 0o777, 0o600);
      assert.ok(accepts(own));
      const madeMs = statSync(own).mtimeMs;
      assert.match(version(), /^wn \d/);
      assert.equal(statSync(own).mtimeMs, madeMs, 'not written a second time');
    });
  }

  it('is kept once: one of another build is removed', function () {
    needsOwnCache(this);
    rmSync(join(folder, 'dist/wn.cache'));
    mkdirSync(join(cacheHome, 'wn'), { mode: 0o700 });
    writeFileSync(join(cacheHome, 'wn/code-old.cache'), 'old');
    version();
    assert.equal(ownCaches().length, 1);
    assert.ok(!ownCaches().includes(join(cacheHome, 'wn/code-old.cache')));
  });

  it('is neither read from nor written to a folder that others can write to', function () {
    needsOwnCache(this);
    rmSync(join(folder, 'dist/wn.cache'));
    mkdirSync(join(cacheHome, 'wn'));
    chmodSync(join(cacheHome, 'wn'), 0o777);
    assert.match(version(), /^wn \d/);
    assert.deepEqual(ownCaches(), []);
  });

  it('is done without where no folder can be made', function () {
    needsOwnCache(this);
    rmSync(join(folder, 'dist/wn.cache'));
    rmSync(cacheHome, { recursive: true });
    writeFileSync(cacheHome, 'a file');
    assert.match(version(), /^wn \d/);
  });
});
