/** The lock between real processes, and which file systems it is refused on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { networkFileSystem } from '../../src/node/lock.js';
import { openStorage } from '../../src/node/storage.js';
import { skip } from '../support/skip.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { startChild } from './spawn.js';

describe('lock of a real disk', () => {
  let root: string;
  beforeEach(() => {
    root = tempFolder();
  });
  afterEach(() => removeFolder(root));

  it('excludes another process, and is free the moment that one is killed', async () => {
    const holder = startChild('hold-lock', root);
    assert.deepEqual(await holder.next(), { held: true });
    const storage = openStorage(root);
    assert.equal(await storage.lock('lock'), null);
    await holder.kill();
    const release = await storage.lock('lock');
    assert(release !== null, 'a dead holder holds nothing');
    assert.deepEqual(await storage.list(''), ['lock'], 'the file stays, whoever held it');
    assert.equal(await storage.size('lock'), 0, 'and tells nothing about them');
    release();
  });

  it('does not pass to the processes that its holder starts', async () => {
    const storage = openStorage(root);
    const release = await storage.lock('lock');
    assert(release !== null);
    const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => 0, 1e6)']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    release();
    const again = await storage.lock('lock');
    assert(again !== null, 'the child has a copy of the lock');
    again();
    child.kill('SIGKILL');
  });

  it('is not had on a file whose name went to another while it was locked', async () => {
    const storage = openStorage(root);
    fs.writeFileSync(`${root}/another`, '', { mode: 0o600 });
    const locking = storage.lock('lock'); // has opened the file, and waits for the library
    fs.renameSync(`${root}/another`, `${root}/lock`);
    assert.equal(await locking, null, 'a lock that nobody else would meet');
    const release = await storage.lock('lock');
    assert(release !== null, 'the next try is for the file that is there now');
    release();
  });

  it('is split by whoever deletes its file, and freed one by one', async () => {
    const storage = openStorage(root);
    const release = await storage.lock('lock');
    fs.unlinkSync(`${root}/lock`);
    const second = await storage.lock('lock');
    assert(second !== null, 'a deleted lock file is a new lock');
    release?.();
    assert.equal(await storage.lock('lock'), null, 'the old holder frees only its own');
    second();
  });

  it('knows the network file systems by what statfs says', function () {
    if (process.platform !== 'linux') return skip(this, 'the numbers are those of Linux');
    assert.equal(networkFileSystem('/x', 0x6969), 'NFS');
    assert.equal(networkFileSystem('/x', 0xff534d42), 'CIFS');
    assert.equal(networkFileSystem('/x', 0xff534d42 | 0), 'CIFS', 'as a signed number');
    assert.equal(networkFileSystem('/x', 0x65735546), 'FUSE');
    assert.equal(networkFileSystem('/x', 0xef53), null, 'ext4');
    assert.equal(networkFileSystem('/x', 0x01021994), null, 'tmpfs');
    assert.equal(networkFileSystem('/x', 0x9123683e), null, 'btrfs');
    assert.equal(networkFileSystem('/x', 0x58465342), null, 'XFS');
    return undefined;
  });
});
