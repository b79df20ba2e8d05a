/** The mark of a place: the same for one folder, another for its copies. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { bootId, placeMark } from '../../src/node/place.js';
import { throws } from '../conform/expect.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';

describe('place of a repository', () => {
  let folder: string;
  let root: string;
  beforeEach(() => {
    folder = tempFolder();
    root = `${folder}/.wn`;
    fs.mkdirSync(root);
  });
  afterEach(() => removeFolder(folder));

  it('stays the same while the folder is used, renamed and moved', () => {
    const mark = placeMark(root);
    assert.match(mark, /^[0-9a-f]{32}$/);
    fs.writeFileSync(`${root}/f`, 'x');
    fs.chmodSync(root, 0o700);
    fs.renameSync(root, `${folder}/moved`);
    assert.equal(placeMark(`${folder}/moved`), mark);
  });

  it('is another for a copy, and for a folder restored under the same name', () => {
    const mark = placeMark(root);
    execFileSync('cp', ['-a', root, `${folder}/copy`]);
    assert.notEqual(placeMark(`${folder}/copy`), mark);
    fs.renameSync(root, `${folder}/away`);
    fs.renameSync(`${folder}/copy`, root);
    assert.notEqual(placeMark(root), mark);
  });

  it('is another for a folder that was removed and made again', () => {
    const marks = new Set([placeMark(root)]);
    const inodes = new Set([fs.statSync(root).ino]);
    for (let round = 1; round <= 20; round++) {
      fs.rmdirSync(root);
      fs.mkdirSync(root);
      marks.add(placeMark(root));
      inodes.add(fs.statSync(root).ino);
      assert.equal(marks.size, round + 1, `${inodes.size} inodes in ${round + 1} folders`);
    }
  });

  it('is that of a symlink, not of what it leads to', () => {
    fs.symlinkSync(root, `${folder}/link`);
    assert.notEqual(placeMark(`${folder}/link`), placeMark(root));
    throws(() => placeMark(`${folder}/nothing`), 'unreadable');
  });

  it('knows the boot', () => {
    assert.notEqual(bootId(), '');
    assert.equal(bootId(), bootId());
  });
});
