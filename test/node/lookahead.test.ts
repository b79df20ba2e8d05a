import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { LOOK_AHEAD_FILES_MIN, LOOK_AHEAD_THREADS_MAX } from '../../src/core/limits.js';
import { startLookAhead, threadsFor } from '../../src/node/lookahead.js';
import { openWorkDir } from '../../src/node/workdir.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { pack } from '../conform/workdir.js';

describe('node/lookahead', () => {
  let folder: string;
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => removeFolder(folder));

  const save = (path: string, content = path): void =>
    fs.writeFileSync(join(folder, path), content);

  it('sees what stat says of every kind of file, and nothing where there is none', async () => {
    fs.mkdirSync(join(folder, 'd'));
    save('a');
    save('d/é 漢', 'longer');
    fs.chmodSync(join(folder, 'a'), 0o755);
    fs.symlinkSync('nowhere', join(folder, 'link'));
    const paths = ['a', '', 'd/é 漢', 'gone', 'link', 'a/below-a-file', 'd'];
    const ahead = startLookAhead(folder, pack(paths), 1);
    await ahead.ended();
    const dir = openWorkDir(folder);
    for (const [number, path] of paths.entries()) {
      const there = path === '' ? null : dir.stat(path);
      assert.deepEqual(ahead.stat(number) ?? null, there, path);
    }
    assert.equal(ahead.stat(paths.length), undefined);
  });

  it('shares the paths among its threads', async () => {
    const paths = Array.from({ length: 500 }, (_, at) => `${at}`);
    for (const path of paths) save(path);
    const ahead = startLookAhead(folder, pack(paths), 3);
    await ahead.ended();
    for (const number of paths.keys()) {
      assert.equal(ahead.stat(number)?.ino, fs.lstatSync(join(folder, paths[number] ?? '')).ino);
    }
  });

  it('leaves what was asked for before it was seen to the one who asked', async () => {
    save('a');
    save('b');
    const ahead = startLookAhead(folder, pack(['a', 'b']), 1);
    assert.equal(ahead.stat(0), undefined); // no thread has run yet
    await ahead.ended();
    assert.equal(ahead.stat(0), undefined);
    assert.equal(ahead.stat(1)?.kind, 'file');
  });

  it('sees nothing more once it is stopped', async () => {
    save('a');
    const ahead = startLookAhead(folder, pack(['a']), 1);
    ahead.stop();
    await ahead.ended();
    assert.equal(ahead.stat(0), undefined);
  });

  it('says of nothing that it was seen where its thread died', async () => {
    save('a');
    const ahead = startLookAhead(folder, pack(['a']), 1, join(folder, 'no such program'));
    await ahead.ended();
    assert.equal(ahead.stat(0), undefined);
  });

  it('takes no thread for few files or on one processor, and a bounded number for many', () => {
    assert.equal(threadsFor(LOOK_AHEAD_FILES_MIN - 1, 64), 0);
    assert.equal(threadsFor(LOOK_AHEAD_FILES_MIN, 1), 0);
    assert.equal(threadsFor(LOOK_AHEAD_FILES_MIN, 2), 1);
    assert.equal(threadsFor(LOOK_AHEAD_FILES_MIN, 64), LOOK_AHEAD_THREADS_MAX);
  });
});
