/** What only a real disk has: foreign names, pipes, rights, leftovers, full disks, two disks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { WORKDIR_FILE_BYTES_MAX } from '../../src/core/limits.js';
import type { WorkDir } from '../../src/core/ports.js';
import { openWorkDir } from '../../src/node/workdir.js';
import { bytes, text, throws } from '../conform/expect.js';
import { skip } from '../support/skip.js';
import { removeFolder, smallDisk, tempFolder } from '../conform/tempdir.js';

const NOBODY = 65_534;

describe('working directory on a real disk', () => {
  let folder: string;
  let root: string;
  let workdir: WorkDir;
  beforeEach(() => {
    folder = tempFolder();
    root = `${folder}/work`;
    fs.mkdirSync(root);
    workdir = openWorkDir(root, { savedRoot: `${folder}/storage` });
  });
  afterEach(() => removeFolder(folder));

  const modeOf = (path: string): string => (fs.statSync(path).mode & 0o777).toString(8);

  it('is reached through a symlink if the user came that way', () => {
    fs.symlinkSync(root, `${folder}/link`);
    const linked = openWorkDir(`${folder}/link`);
    linked.write('f', bytes('x'));
    assert.equal(text(workdir.read('f')), 'x');
  });

  it('tells of names that are not UTF-8, and touches none of them', function () {
    if (process.platform !== 'linux') return skip(this, 'no such names elsewhere');
    const foreign = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.of(0xe9)]);
    fs.writeFileSync(foreign, 'x');
    fs.writeFileSync(`${root}/caf\\xe9`, 'literally');
    fs.writeFileSync(`${root}/\ufffd`, 'a real replacement character');
    const listed = workdir
      .list('')
      ?.map(({ name, kind }) => `${kind} ${name}`)
      .sort();
    assert.deepEqual(listed, ['file caf\\xe9', 'file \ufffd', 'other caf\\xe9\\']);
    assert.equal(workdir.stat('caf\\xe9\\'), null);
    assert.equal(workdir.read('caf\\xe9\\'), null);
    assert.equal(workdir.stat('caf\ufffd'), null, 'the mangled name is no name');
    assert.equal(text(workdir.read('\ufffd')), 'a real replacement character');
    assert.equal(fs.readFileSync(foreign, 'utf8'), 'x');
    return undefined;
  });

  it('does not wait for a pipe, and leaves it alone', () => {
    execFileSync('mkfifo', [`${root}/pipe`]);
    assert.deepEqual(workdir.list(''), [{ name: 'pipe', kind: 'other' }]);
    assert.equal(workdir.stat('pipe')?.kind, 'other');
    assert.equal(workdir.read('pipe'), null);
    assert.equal(workdir.readLink('pipe'), null);
    throws(() => workdir.setExecutable('pipe', true), 'not_found');
  });

  it('refuses symlink targets that are not UTF-8', () => {
    fs.symlinkSync(Buffer.of(0xe9), `${root}/link`);
    throws(() => workdir.readLink('link'), 'unreadable');
  });

  it('keeps the rights of what it replaces, and gives new files the usual ones', () => {
    const umask = process.umask(0o027);
    try {
      workdir.write('new', bytes('x'));
      workdir.write('tool', bytes('x'), { executable: true });
      workdir.write('d/e', bytes('x'));
    } finally {
      process.umask(umask);
    }
    assert.deepEqual([modeOf(`${root}/new`), modeOf(`${root}/tool`)], ['640', '750']);
    assert.equal(modeOf(`${root}/d`), '750');
    fs.chmodSync(`${root}/new`, 0o600);
    workdir.write('new', bytes('y'));
    assert.equal(modeOf(`${root}/new`), '600');
    workdir.write('new', bytes('y'), { executable: true });
    assert.equal(modeOf(`${root}/new`), '700', 'who may not read may not run it');
    workdir.setExecutable('new', false);
    assert.equal(modeOf(`${root}/new`), '600');
  });

  it('hides and reuses what a crash left of a write', () => {
    workdir.write('d/f', bytes('old'));
    fs.writeFileSync(`${root}/d/.wn-tmp-write`, 'half of something');
    assert.deepEqual(workdir.list('d'), [{ name: 'f', kind: 'file' }]);
    workdir.write('d/f', bytes('new'));
    assert.deepEqual(fs.readdirSync(`${root}/d`), ['f']);
    assert.equal(text(workdir.read('d/f')), 'new');
    fs.writeFileSync(`${root}/d/.wn-tmp-write`, 'half of something');
    workdir.remove('d/f');
    assert.equal(workdir.removeFolder('d'), true, 'only our own leftover was in it');
    assert.equal(fs.existsSync(`${root}/d`), false);
  });

  it('leaves the probe of its traits nowhere', () => {
    fs.mkdirSync(`${folder}/storage`, { mode: 0o700 });
    const before = fs.statSync(root).mtimeMs;
    assert.equal(typeof workdir.traits.caseInsensitive, 'boolean');
    assert.equal(workdir.traits, workdir.traits, 'probed once');
    assert.deepEqual([fs.readdirSync(root), fs.readdirSync(`${folder}/storage`)], [[], []]);
    assert.equal(fs.statSync(root).mtimeMs, before, 'the user’s folder was not touched');
  });

  it('saves a file on another disk by copying it', function () {
    const disk = smallDisk();
    if (disk === null) return skip(this, 'no second disk can be mounted here');
    try {
      const saving = openWorkDir(root, { savedRoot: disk.folder });
      fs.writeFileSync(`${root}/f`, 'old', { mode: 0o644 });
      saving.write('f', bytes('new'), { saveAs: 'tree/saved/1' });
      assert.equal(fs.readFileSync(`${disk.folder}/tree/saved/1`, 'utf8'), 'old');
      assert.equal(modeOf(`${disk.folder}/tree/saved/1`), '600');
      fs.writeFileSync(`${root}/large`, new Uint8Array(200_000));
      throws(() => saving.write('large', bytes('x'), { saveAs: 'tree/saved/2' }), 'disk_full');
      assert.equal(workdir.stat('large')?.size, 200_000, 'what can’t be saved isn’t replaced');
      assert.deepEqual(fs.readdirSync(root), ['f', 'large']);
    } finally {
      disk.unmount();
    }
    return undefined;
  });

  it('leaves the old file on a full disk, and writes nothing on a read-only one', function () {
    const disk = smallDisk();
    if (disk === null) return skip(this, 'no small disk can be mounted here');
    try {
      const small = openWorkDir(disk.folder);
      small.write('f', bytes('old'));
      throws(() => small.write('f', new Uint8Array(200_000)), 'disk_full');
      assert.equal(text(small.read('f')), 'old');
      assert.deepEqual(fs.readdirSync(disk.folder), ['f']);
      disk.makeReadOnly();
      throws(() => small.write('f', bytes('x')), 'read_only', 'write');
      throws(() => small.remove('f'), 'read_only', 'remove');
      throws(() => small.rename('f', 'g'), 'read_only', 'rename');
      throws(() => small.setExecutable('f', true), 'read_only', 'setExecutable');
      throws(() => small.makeFolder('d'), 'read_only', 'makeFolder');
      throws(() => small.symlink('l', 'f'), 'read_only', 'symlink');
      assert.deepEqual(small.traits, { caseInsensitive: false, normalises: false });
      assert.equal(text(small.read('f')), 'old');
    } finally {
      disk.unmount();
    }
    return undefined;
  });

  it('names what it may not read', function () {
    if (process.getuid?.() !== 0) return skip(this, 'needs a second user');
    fs.mkdirSync(`${root}/locked`, { mode: 0o700 });
    fs.writeFileSync(`${root}/secret`, 'x', { mode: 0o600 });
    fs.chmodSync(folder, 0o755);
    process.seteuid?.(NOBODY);
    try {
      throws(() => workdir.list('locked'), 'unreadable', 'list');
      throws(() => workdir.stat('locked/f'), 'unreadable', 'stat');
      throws(() => workdir.read('secret'), 'unreadable', 'read');
      throws(() => workdir.write('f', bytes('x')), 'unreadable', 'write');
      assert.equal(workdir.stat('secret')?.size, 1);
    } finally {
      process.seteuid?.(0);
    }
    return undefined;
  });

  it('refuses a file that is too large to read, before reading any of it', () => {
    fs.writeFileSync(`${root}/huge`, '');
    fs.truncateSync(`${root}/huge`, WORKDIR_FILE_BYTES_MAX + 1);
    throws(() => workdir.read('huge'), 'too_large');
    assert.equal(workdir.stat('huge')?.size, WORKDIR_FILE_BYTES_MAX + 1);
  });

  it('refuses names that are too long', () => {
    const long = 'x'.repeat(256);
    throws(() => workdir.write(long, bytes('x')), 'invalid');
    throws(() => workdir.stat(`${long}/f`), 'invalid');
  });
});
