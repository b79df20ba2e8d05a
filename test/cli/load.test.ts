/** Starting with, without and with the wrong code cache: only the speed may differ. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { skip } from '../support/skip.js';
import { ROOT } from './program.js';

interface Loader {
  cacheName(): string;
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
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'bin/wn.js'), '--version'],
      {
        env: { PATH: process.env['PATH'], XDG_CACHE_HOME: cacheHome },
        encoding: 'utf8',
      },
    );
    assert.equal(stderr, '');
    return stdout;
  }

  const loader = (): Loader => createRequire(join(folder, 'bin/'))('./load.js') as Loader;
  const builtCache = (): string => join(folder, 'dist', loader().cacheName());

  function accepts(cacheFile: string): boolean {
    return loader().compile(join(folder, 'dist/wn.cjs'), cacheFile).accepted;
  }

  function ownCaches(): string[] {
    return readdirSync(join(cacheHome, 'wn')).map((name) => join(cacheHome, 'wn', name));
  }

  it('of the build is taken by the Node that built it', () => {
    assert.ok(accepts(builtCache()));
    assert.match(version(), /^wn \d/);
    assert.deepEqual(readdirSync(cacheHome), []);
  });

  it('is made again for the user by another Node, once', () => {
    rmSync(builtCache());
    assert.match(version(), /^wn \d/);
    const [own = '', ...others] = ownCaches();
    assert.deepEqual(others, []);
    assert.ok(accepts(own));
    if (process.platform !== 'win32') assert.equal(statSync(own).mode & 0o777, 0o600);
    const madeMs = statSync(own).mtimeMs;
    assert.match(version(), /^wn \d/);
    assert.equal(statSync(own).mtimeMs, madeMs, 'not written a second time');
  });

  for (const [title, content] of [
    ['garbage', 'x'.repeat(1_000)],
    ['empty', ''],
  ] as const) {
    it(`that is ${title} is passed over, and the user's replaced`, () => {
      writeFileSync(builtCache(), content);
      assert.match(version(), /^wn \d/);
      rmSync(builtCache());
      version();
      const [own = ''] = ownCaches();
      writeFileSync(own, content);
      assert.match(version(), /^wn \d/);
      assert.ok(accepts(own));
    });
  }

  it('of another build is removed when a new one is kept', () => {
    rmSync(builtCache());
    mkdirSync(join(cacheHome, 'wn'), { mode: 0o700 });
    writeFileSync(join(cacheHome, 'wn/old.cache'), 'old');
    version();
    assert.equal(ownCaches().length, 1);
    assert.ok(!ownCaches().includes(join(cacheHome, 'wn/old.cache')));
  });

  it('is neither read from nor written to a folder that others can write to', function () {
    if (process.platform === 'win32') skip(this, 'folders have no such mode here');
    rmSync(builtCache());
    mkdirSync(join(cacheHome, 'wn'));
    chmodSync(join(cacheHome, 'wn'), 0o777);
    assert.match(version(), /^wn \d/);
    assert.deepEqual(ownCaches(), []);
  });

  it('is done without where no folder can be made', () => {
    rmSync(builtCache());
    rmSync(cacheHome, { recursive: true });
    writeFileSync(cacheHome, 'a file');
    assert.match(version(), /^wn \d/);
  });
});
