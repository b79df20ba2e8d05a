/** What only LMDB on a real disk has: other processes, full and read-only disks, damage. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { INDEX_WRITE_TRIES_MAX } from '../../src/core/limits.js';
import { openKeyValue, retryAborted, wipeKeyValue } from '../../src/node/keyvalue.js';
import type { KeyValue } from '../../src/core/ports.js';
import { bytes, rejects, text, throws } from '../conform/expect.js';
import { skip } from '../support/skip.js';
import { removeFolder, smallDisk, tempFolder } from '../conform/tempdir.js';
import { startChild } from './spawn.js';

describe('key-value store on LMDB', () => {
  let folder: string;
  let dir: string;
  beforeEach(() => {
    folder = tempFolder();
    dir = `${folder}/index`;
  });
  afterEach(() => removeFolder(folder));

  const put = (map: KeyValue, key: string, value: string | Uint8Array): void =>
    map.write([[bytes(key), typeof value === 'string' ? bytes(value) : value]]);

  it('is private', async () => {
    const map = await openKeyValue(dir);
    assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
    for (const name of fs.readdirSync(dir)) {
      assert.equal(fs.statSync(`${dir}/${name}`).mode & 0o777, 0o600, name);
    }
    await map.close();
  });

  it('is shared by processes, and sees what another one wrote', async () => {
    const map = await openKeyValue(dir);
    put(map, 'parent', 'written before');
    const child = startChild('write-index', dir);
    const said = child.next();
    for (let index = 0; index < 200; index++) put(map, `meanwhile ${index}`, 'x');
    assert.deepEqual(await said, { own: 'written before' });
    assert.equal(map.get(bytes('child 19 99'))?.byteLength, 1_000);
    const found = [...map.range({ from: bytes('child '), to: bytes('child~') })];
    assert.equal(found.length, 2_000);
    assert.equal(text(map.get(bytes('meanwhile 199'))), 'x');
    await map.close();
  });

  it('starts anew after a wipe', async () => {
    let map = await openKeyValue(dir);
    put(map, 'a', 'x');
    await map.close();
    wipeKeyValue(dir);
    wipeKeyValue(dir);
    assert.deepEqual(fs.readdirSync(dir), []);
    map = await openKeyValue(dir);
    assert.equal(map.get(bytes('a')), undefined);
    await map.close();
  });

  it('refuses a file that is no map, and keeps the process alive', async () => {
    const file = `${dir}/index.mdb`;
    const map = await openKeyValue(dir);
    put(map, 'a', new Uint8Array(50_000));
    await map.close();
    const whole = fs.readFileSync(file);
    const zeroed = (from: number, to: number): Buffer => Buffer.from(whole).fill(0, from, to);
    const cases: Record<string, Buffer> = {
      'a short file': whole.subarray(0, 100),
      'half of the first pages': whole.subarray(0, 5_000),
      'other content': Buffer.alloc(20_000, 0x55),
      'zeros, as after a power cut': Buffer.alloc(whole.byteLength),
      'the first page lost': zeroed(0, 4_096),
      'the second page lost': zeroed(4_096, 8_192),
    };
    for (const [what, content] of Object.entries(cases)) {
      fs.writeFileSync(file, content);
      await rejects(openKeyValue(dir), 'damage', what);
    }
    fs.writeFileSync(file, whole);
    const again = await openKeyValue(dir);
    assert.equal(again.get(bytes('a'))?.byteLength, 50_000);
    await again.close();
  });

  it('tries again what LMDB gave up by its own fault, and nothing else, and not for ever', () => {
    const failing = (code: number, times: number): { tries: number; run: () => void } => {
      const transaction = {
        tries: 0,
        run: () => {
          transaction.tries += 1;
          if (transaction.tries <= times) throw Object.assign(new Error('given up'), { code });
        },
      };
      return transaction;
    };
    const [MDB_BAD_TXN, ENOSPC] = [-30782, 28];
    const twice = failing(MDB_BAD_TXN, 2);
    retryAborted(twice.run);
    assert.equal(twice.tries, 3);
    const always = failing(MDB_BAD_TXN, Infinity);
    assert.throws(() => retryAborted(always.run), /given up/);
    assert.equal(always.tries, INDEX_WRITE_TRIES_MAX);
    const full = failing(ENOSPC, 1);
    assert.throws(() => retryAborted(full.run), /given up/);
    assert.equal(full.tries, 1);
  });

  it('survives a full disk with what it had', async function () {
    const disk = smallDisk();
    if (disk === null) return skip(this, 'no small disk can be mounted here');
    try {
      const map = await openKeyValue(`${disk.folder}/index`);
      put(map, 'kept', 'x');
      const fill = (): void => {
        for (let index = 0; ; index++) put(map, `k${index}`, new Uint8Array(5_000));
      };
      throws(fill, 'disk_full');
      assert.equal(text(map.get(bytes('kept'))), 'x');
      put(map, 'kept', 'y');
      assert.equal(text(map.get(bytes('kept'))), 'y');
      await map.close();
    } finally {
      disk.unmount();
    }
    return undefined;
  });

  it('reads from a read-only disk, and opens nothing new there', async function () {
    const disk = smallDisk();
    if (disk === null) return skip(this, 'no read-only disk can be mounted here');
    try {
      const map = await openKeyValue(`${disk.folder}/index`);
      put(map, 'kept', 'x');
      await map.close();
      disk.makeReadOnly();
      const reader = await openKeyValue(`${disk.folder}/index`);
      assert.equal(text(reader.get(bytes('kept'))), 'x');
      throws(() => put(reader, 'a', 'x'), 'read_only');
      await reader.close();
      await rejects(openKeyValue(`${disk.folder}/none`), 'read_only');
    } finally {
      disk.unmount();
    }
    return undefined;
  });
});
