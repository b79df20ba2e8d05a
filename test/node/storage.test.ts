/** What only a real disk has: rights, symlinks, leftovers, killed processes, failing syncs. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { OPEN_FILES_MAX } from '../../src/core/limits.js';
import { createRoot } from '../../src/node/root.js';
import { openStorage } from '../../src/node/storage.js';
import { bytes, rejects, text, throws } from '../conform/expect.js';
import { skip } from '../support/skip.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { startChild } from './spawn.js';

const NOBODY = 65_534;

describe('storage on a real disk', () => {
  let folder: string;
  let root: string;
  beforeEach(() => {
    folder = tempFolder();
    root = `${folder}/.wn`;
    fs.mkdirSync(root, { mode: 0o700 });
  });
  afterEach(() => removeFolder(folder));

  const modeOf = (path: string): number => fs.statSync(path).mode & 0o777;

  it('is private: folders 700, files 600', async () => {
    const storage = openStorage(root);
    await storage.append('logs/d/1.seg', bytes('x'));
    await storage.replace('config', bytes('x'));
    await storage.create('blobs/aa/1', bytes('x'));
    await storage.lock('lock');
    for (const path of ['logs', 'logs/d', 'blobs/aa'])
      assert.equal(modeOf(`${root}/${path}`), 0o700);
    for (const path of await storage.list('')) assert.equal(modeOf(`${root}/${path}`), 0o600, path);
  });

  it('is made once, with mode 700', async () => {
    await createRoot(`${folder}/new`);
    assert.equal(modeOf(`${folder}/new`), 0o700);
    await rejects(createRoot(`${folder}/new`), 'exists');
    await rejects(createRoot(`${folder}/missing/new`), 'unreadable');
  });

  it('is refused where it is missing, a symlink, a file or open to others', () => {
    fs.symlinkSync(root, `${folder}/link`);
    fs.writeFileSync(`${folder}/file`, '');
    throws(() => openStorage(`${folder}/link`), 'unsafe_mode', 'symlink');
    throws(() => openStorage(`${folder}/file`), 'no_repository', 'file');
    throws(() => openStorage(`${folder}/nothing`), 'no_repository', 'missing');
    for (const mode of [0o755, 0o710, 0o701, 0o720]) {
      fs.chmodSync(root, mode);
      throws(() => openStorage(root), 'unsafe_mode', mode.toString(8));
    }
    try {
      openStorage(root);
    } catch (error) {
      const { hint } = error as { hint?: string };
      assert.equal(hint, `chmod 700 '${root}'`);
      execFileSync('sh', ['-c', hint]);
    }
    openStorage(root);
  });

  it('refuses what belongs to another user; the superuser may read it', async function () {
    if (process.getuid?.() !== 0) return skip(this, 'only the superuser can give a folder away');
    await openStorage(root).append('log', bytes('theirs'));
    fs.chmodSync(folder, 0o755);
    fs.chownSync(root, NOBODY, NOBODY);
    const storage = openStorage(root);
    assert.equal(text(await storage.read('log')), 'theirs');
    await rejects(storage.lock('lock'), 'unsafe_mode', 'but not write it');
    fs.chownSync(root, 1, 1);
    process.seteuid?.(NOBODY);
    try {
      throws(() => openStorage(root), 'unsafe_mode');
    } finally {
      process.seteuid?.(0);
    }
    return undefined;
  });

  it('says whose rights are missing', async function () {
    if (process.getuid?.() !== 0) return skip(this, 'needs a second user');
    fs.chmodSync(folder, 0o755);
    fs.chownSync(root, NOBODY, NOBODY);
    fs.writeFileSync(`${root}/secret`, 'x', { mode: 0o600 });
    fs.mkdirSync(`${root}/locked`, { mode: 0o700 });
    process.seteuid?.(NOBODY);
    try {
      const storage = openStorage(root);
      await rejects(storage.read('secret'), 'unreadable', 'read');
      await rejects(storage.append('secret', bytes('x')), 'unreadable', 'append');
      await rejects(storage.replace('locked/f', bytes('x')), 'unreadable', 'replace');
      await rejects(storage.list('locked'), 'unreadable', 'list');
      await storage.append('mine', bytes('works'));
    } finally {
      process.seteuid?.(0);
    }
    return undefined;
  });

  it('follows no symlink inside', async () => {
    fs.mkdirSync(`${folder}/elsewhere`);
    fs.writeFileSync(`${folder}/elsewhere/f`, 'outside');
    fs.symlinkSync('../elsewhere', `${root}/logs`);
    fs.symlinkSync('../elsewhere/f', `${root}/config`);
    const storage = openStorage(root);
    await rejects(storage.read('logs/f'), 'unsafe_mode', 'read');
    await rejects(storage.append('logs/f', bytes('x')), 'unsafe_mode', 'append');
    await rejects(storage.create('logs/g/h', bytes('x')), 'unsafe_mode', 'create');
    await rejects(storage.remove('logs/f'), 'unsafe_mode', 'remove');
    await rejects(storage.list('logs'), 'unsafe_mode', 'list');
    await rejects(storage.read('config'), 'unreadable', 'read a symlink');
    await rejects(storage.append('config', bytes('x')), 'unreadable', 'append to a symlink');
    await rejects(storage.lock('config'), 'unreadable', 'lock a symlink');
    await storage.replace('config', bytes('mine'));
    assert.deepEqual(await storage.list(''), ['config']);
    assert.equal(fs.readFileSync(`${folder}/elsewhere/f`, 'utf8'), 'outside');
  });

  it('does not wait for a pipe', async () => {
    execFileSync('mkfifo', [`${root}/pipe`]);
    const storage = openStorage(root);
    assert.equal(await storage.read('pipe'), null);
    await rejects(storage.append('pipe', bytes('x')), 'unreadable');
  });

  it('ignores what a crash left half-written, until it is swept', async () => {
    const storage = openStorage(root);
    await storage.append('d/f', bytes('whole'));
    fs.writeFileSync(`${root}/.wn-tmp-0011`, 'half');
    fs.writeFileSync(`${root}/d/.wn-tmp-2233`, 'half');
    assert.deepEqual(await storage.list(''), ['d/f']);
    assert.equal(await storage.sweep(), 2);
    assert.deepEqual(fs.readdirSync(root).concat(fs.readdirSync(`${root}/d`)), ['d', 'f']);
    assert.equal(await storage.sweep(), 0);
  });

  it('keeps a bounded number of files open', async function () {
    if (!fs.existsSync('/proc/self/fd')) return skip(this, 'no /proc to count them in');
    const before = fs.readdirSync('/proc/self/fd').length;
    const storage = openStorage(root);
    const append = async (index: number): Promise<void> => storage.append(`f${index}`, bytes('x'));
    const count = (): number => fs.readdirSync('/proc/self/fd').length - before;
    for (let index = 0; index < OPEN_FILES_MAX; index++) await append(index);
    assert.equal(count(), OPEN_FILES_MAX);
    for (let index = 0; index < 2 * OPEN_FILES_MAX; index++) await append(index);
    assert.equal(count(), OPEN_FILES_MAX);
    for (let index = 0; index < 5; index++) {
      await storage.remove(`f${index}`);
      await append(index);
    }
    assert.equal(count(), OPEN_FILES_MAX);
    storage.close();
    assert.equal(count(), 0);
    return undefined;
  });

  it('has after kill -9 all that was acknowledged, and nothing by halves', async () => {
    for (let kill = 0; kill < 2; kill++) {
      const writer = startChild('write-on', root);
      let acknowledged = -1;
      for (let count = 0; count < 4 + 7 * kill; count++) acknowledged = Number(await writer.next());
      await writer.kill();
      const storage = openStorage(root);
      const whole = (of: string | null): boolean => {
        const [, number = '', rest = ''] = /^<(\d+?)(\1*)>$/.exec(of ?? '') ?? [];
        return number !== '' && `${number}${rest}`.length % 2_000 === 0;
      };
      for (const log of ['log/a', 'log/b']) {
        const lines = (text(await storage.read(log)) ?? '').split('\n');
        for (let round = 0; round <= acknowledged; round++) {
          assert.equal(lines[round], `${round}`, `kill ${kill}: ${log}`);
        }
      }
      assert(whole(text(await storage.read('settings'))), `kill ${kill}: settings`);
      const keys = await storage.list('keys');
      assert(keys.length > acknowledged, `kill ${kill}: ${keys.length} keys`);
      for (const key of keys) assert(whole(text(await storage.read(key))), `kill ${kill}: ${key}`);
      await storage.sweep();
      for (const path of await storage.list('')) await storage.remove(path);
      storage.close();
    }
  }).timeout(30_000);

  describe('whose system calls fail', () => {
    const outcomes = async (calls: string, how: string): Promise<unknown[]> => {
      const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${how}`];
      const strace = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', ...inject];
      const child = startChild('write-once', root, strace);
      const said: unknown[] = [];
      for (let each = await child.next(); each !== undefined; each = await child.next()) {
        said.push(each);
      }
      return said;
    };
    before(function () {
      const works =
        spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', 'true']).status === 0;
      if (!works) skip(this, 'no strace that may trace here');
    });

    it('writes nothing more after a failed fdatasync', async () => {
      assert.deepEqual(await outcomes('fdatasync', 'error=EIO:when=1'), [
        { value: true },
        { code: 'failed' },
        { code: 'failed' },
        { code: 'failed' },
        { value: 'whole' },
      ]);
    }).timeout(30_000);

    it('writes nothing more after a failed fsync', async () => {
      const said = await outcomes('fsync', 'error=EIO');
      assert.deepEqual(said, [...Array<unknown>(4).fill({ code: 'failed' }), { value: '' }]);
      assert.deepEqual(fs.readdirSync(root), [], 'nor leaves a temporary file');
    }).timeout(30_000);

    it('creates without hard links where there are none', async () => {
      const said = await outcomes('link,linkat', 'error=EPERM');
      assert.deepEqual(said.slice(0, 2), [{ value: true }, { value: null }]);
      assert.deepEqual(said.at(4), { value: 'whole' });
    }).timeout(30_000);
  });
});
