/** `wn backup` and `wn restore-backup`, and what becomes of the two copies afterwards. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { seededRng } from '../sync/channels.js';
import { Machine, workspaceOfOne, workspaceOfTwo } from './machine.js';

const BINARY = seededRng(7).bytes(300_000);

/** The logs of a repository's own device. */
function epochsOf(root: string): readonly string[] {
  const logs = join(root, '.wn/logs');
  return readdirSync(logs).flatMap((device) => readdirSync(join(logs, device)));
}

async function viewHashOf(machine: Machine, root: string): Promise<string> {
  return (await machine.ok('-C', root, 'fsck', '--full')).viewHash;
}

describe('wn backup and wn restore-backup', () => {
  it('give back every commit, file and setting, and no private key', async () => {
    const { desk, dispose } = await workspaceOfOne({ 'a.md': '---\nn: 1\n---\none\n' });
    try {
      desk.write('photo.bin', BINARY);
      await desk.ok('commit', '-m', 'photo');
      await desk.ok('set', 'a.md', 'n=2');
      await desk.ok('remote', 'add', 'usb', join(desk.root, 'usb'));
      await desk.ok('config', 'commit.newFileBytesMax', '123456789');
      const file = join(desk.root, 'b.backup');
      const { bytes, commits, missing } = await desk.ok('backup', file);
      assert.deepEqual({ bytes, missing }, { bytes: statSync(file).size, missing: 0 });
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const secret = readFileSync(join(desk.home, 'device_ed25519'), 'utf8').split('\n')[2] ?? '';
      assert.ok(secret.length > 40 && !readFileSync(file, 'latin1').includes(secret));

      const copy = join(desk.root, 'copy');
      const restored = await desk.ok('restore-backup', file, copy);
      assert.deepEqual([restored.commits, restored.sameDevice], [commits, true]);
      assert.equal(await viewHashOf(desk, copy), await viewHashOf(desk, desk.folder));
      assert.deepEqual(readFileSync(join(copy, 'photo.bin')), Buffer.from(BINARY));
      assert.equal(readFileSync(join(copy, 'a.md'), 'utf8'), desk.read('a.md'));
      assert.equal((await desk.ok('-C', copy, 'remote', 'list')).items[0].name, 'usb');
      const { value } = await desk.ok('-C', copy, 'config', 'commit.newFileBytesMax');
      assert.equal(value, 123456789);
      assert.equal((await desk.ok('-C', copy, 'status')).clean, true);
    } finally {
      dispose();
    }
  });

  it('the copy goes on in a log of its own; with what came after the backup nothing is lost', async () => {
    const { desk, lap, dispose } = await workspaceOfTwo({ 'a.md': 'one\n\ntwo\n\nthree\n' });
    try {
      const file = join(desk.root, 'b.backup');
      await desk.ok('backup', file);
      desk.write('a.md', 'one\n\ntwo\n\nthree, after the backup\n');
      await desk.ok('commit', '-m', 'after');
      await lap.ok('pull');

      const copy = join(desk.root, 'copy');
      await desk.ok('restore-backup', file, copy);
      writeFileSync(join(copy, 'a.md'), 'one, in the copy\n\ntwo\n\nthree\n');
      await desk.ok('-C', copy, 'commit', '-m', 'in the copy');
      await desk.ok('-C', copy, 'remote', 'add', 'lap', lap.folder);
      await desk.ok('-C', copy, 'sync');
      // The first one is still there, and writes on beside it.
      await desk.ok('set', 'a.md', 'status=done');
      await desk.ok('remote', 'add', 'lap', lap.folder);
      await desk.ok('sync');
      await desk.ok('-C', copy, 'sync');
      await desk.ok('sync');

      const merged = '---\nstatus: done\n---\none, in the copy\n\ntwo\n\nthree, after the backup\n';
      assert.equal(desk.read('a.md'), merged);
      assert.equal(lap.read('a.md'), merged);
      assert.equal(readFileSync(join(copy, 'a.md'), 'utf8'), merged);
      assert.equal(epochsOf(desk.folder).length, 2, 'one log of the copy, one of the first');
      const hashes = new Set([
        await viewHashOf(desk, desk.folder),
        await viewHashOf(desk, copy),
        await viewHashOf(lap, lap.folder),
      ]);
      assert.equal(hashes.size, 1);
    } finally {
      dispose();
    }
  });

  it('one that is cut or altered anywhere is refused before anything is written', async () => {
    const { desk, dispose } = await workspaceOfOne({ 'a.md': 'one\n' });
    try {
      desk.write('photo.bin', BINARY);
      await desk.ok('commit', '-m', 'photo');
      const file = join(desk.root, 'b.backup');
      await desk.ok('backup', file);
      const whole = readFileSync(file);
      const bad = join(desk.root, 'bad.backup');
      const copy = join(desk.root, 'copy');
      const refused = async (bytes: Uint8Array, what: string): Promise<void> => {
        writeFileSync(bad, bytes);
        const before = readdirSync(desk.root).sort();
        const { exit, failure } = await desk.run('restore-backup', bad, copy);
        assert.deepEqual([exit, failure?.code], [16, 'damage'], what);
        assert.deepEqual(readdirSync(desk.root).sort(), before, what);
      };
      const { length } = whole;
      const places = [12, 20, 40, 300, 700, length >> 1, length - 60, length - 1];
      for (const at of places) {
        await refused(whole.subarray(0, at), `cut at ${at} of ${length}`);
        const altered = Buffer.from(whole);
        altered[at] = (altered[at] ?? 0) ^ 0x10;
        await refused(altered, `altered at ${at} of ${length}`);
      }
      await refused(Buffer.concat([whole, whole.subarray(0, 40)]), 'something behind its end');
      writeFileSync(bad, 'wn-bundle/1\n');
      assert.equal((await desk.run('restore-backup', bad, copy)).failure?.code, 'invalid');
      writeFileSync(bad, Buffer.from(whole.toString('latin1').replace('/1\n', '/2\n'), 'latin1'));
      assert.equal((await desk.run('restore-backup', bad, copy)).failure?.code, 'unknown_format');
      assert.equal(existsSync(copy), false);
    } finally {
      dispose();
    }
  });

  it('a device that had joined and not yet committed can still commit', async () => {
    const { desk, lap, dispose } = await workspaceOfTwo({ 'a.md': 'one\n' });
    try {
      const file = join(desk.root, 'b.backup');
      await lap.ok('backup', file);
      const copy = join(desk.root, 'copy');
      await lap.ok('restore-backup', file, copy);
      await lap.ok('-C', copy, 'set', join(copy, 'a.md'), 'n=1');
      await lap.ok('-C', copy, 'sync');
      await desk.ok('fsck', '--full');
      assert.match(desk.read('a.md'), /n: 1/);
    } finally {
      dispose();
    }
  });

  it('another device may read it, is told so, and writes nothing', async () => {
    const { desk, dispose } = await workspaceOfOne({ 'a.md': 'one\n' });
    try {
      const file = join(desk.root, 'b.backup');
      await desk.ok('backup', file);
      const other = new Machine(desk.root, 'other');
      const { sameDevice } = await other.ok('restore-backup', file, other.folder);
      assert.equal(sameDevice, false);
      assert.equal(other.read('a.md'), 'one\n');
      other.write('a.md', 'two\n');
      assert.equal((await other.run('commit')).exit, 12);
    } finally {
      dispose();
    }
  });

  it('neither writes where something is, nor into the workspace itself', async () => {
    const { desk, dispose } = await workspaceOfOne({ 'a.md': 'one\n' });
    try {
      assert.equal((await desk.run('backup', 'b.backup')).exit, 2);
      assert.equal(desk.has('b.backup'), false);
      const file = join(desk.root, 'b.backup');
      await desk.ok('backup', file);
      await desk.ok('backup', file);
      const { failure } = await desk.run('restore-backup', file, desk.folder);
      assert.equal(failure?.code, 'exists');
      assert.equal((await desk.run('restore-backup', `${file}.none`)).failure?.code, 'not_found');
    } finally {
      dispose();
    }
  });
});
