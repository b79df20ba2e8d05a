/** The machine's own faults: disks that are full or take no writes, processes that die. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { finished, ROOT, startWn } from '../cli/program.js';
import { smallDisk, type SmallDisk } from '../conform/tempdir.js';
import { skip } from '../support/skip.js';
import { Device, discard, PRODUCT_TEST_MS, scratch, twoDevices } from './device.js';

const BIN = join(ROOT, 'bin/wn.js');

describe('faults of the disk', function () {
  this.timeout(PRODUCT_TEST_MS);
  let disk: SmallDisk;
  let a: Device;
  let b: Device;
  beforeEach(async function () {
    const mounted = smallDisk('4m');
    if (mounted === null) skip(this, 'only the superuser may mount a disk');
    disk = mounted;
    [a, b] = await twoDevices(disk.folder);
  });
  afterEach(() => {
    if (disk !== undefined) disk.unmount();
  });

  /** Fills the disk to the last byte; gives what frees it. */
  function fill(): () => void {
    const file = join(disk.folder, 'filler');
    const fd = fs.openSync(file, 'w');
    const block = Buffer.alloc(65_536);
    try {
      for (let bytes = block.length; bytes >= 1;) {
        try {
          if (fs.writeSync(fd, block, 0, bytes) < bytes) bytes = bytes >> 1;
        } catch {
          bytes = bytes >> 1;
        }
      }
    } finally {
      fs.closeSync(fd);
    }
    return () => fs.rmSync(file);
  }

  it('a full disk takes nothing, loses nothing, and goes on when there is room', async () => {
    // More than what is left of the last block of the log.
    const text = Array.from({ length: 20_000 }, (_, i) => `${i * 7919}\n`).join('');
    a.write('b.md', text);
    const free = fill();
    assert.match(await a.refuses(['commit'], 1, 'disk_full'), /nothing that was ack.*\nfree space/);
    await a.json(['log']);
    free();
    assert.equal((await a.json(['fsck', '--full'])).result?.['ok'], true);
    await a.json(['commit']);
    await b.json(['sync']);
    assert.equal(fs.readFileSync(join(b.root, 'b.md'), 'utf8'), text);
  });

  it('a disk that is full over there is told as that', async () => {
    const elsewhere = scratch();
    try {
      const c = new Device(join(elsewhere, 'c'), 'c');
      const joiner = new Device(elsewhere, 'c', elsewhere);
      await joiner.json(['join', join(disk.folder, 'ticket'), c.root]);
      c.write('c.md', 'c\n'.repeat(1000));
      await c.json(['commit']);
      const free = fill();
      const text = await c.refuses(['sync'], 15, 'unreachable');
      assert.match(text, /disk is full/);
      assert.match(text, /\n.*(free space|over there)/);
      free();
      await c.json(['sync']);
      assert.ok(fs.existsSync(join(a.root, 'c.md')));
    } finally {
      discard(elsewhere);
    }
  });

  it('a read-only disk can be read, and says what to do before it can be written', async () => {
    a.write('b.md', 'b\n');
    disk.makeReadOnly();
    assert.equal((await a.json(['status'])).result?.['clean'], false);
    await a.json(['log']);
    for (const line of [['commit'], ['set', 'a.md', 'x=1']]) {
      assert.match(await a.refuses(line, 1, 'read_only'), /nothing was changed\n.*copy/);
    }
  });

  it('an index that is missing on a read-only disk is told as that', async () => {
    fs.rmSync(join(a.root, '.wn/index'), { recursive: true });
    disk.makeReadOnly();
    assert.match(await a.refuses(['status'], 1, 'read_only'), /index .* anew.*\n.*copy/);
  });
});

describe('faults of files and processes', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let a: Device;
  beforeEach(async () => {
    folder = scratch();
    a = new Device(join(folder, 'a'), 'a');
    fs.mkdirSync(a.root);
    a.write('a.md', 'one\n');
    await a.json(['init']);
    await a.json(['commit', '-m', 'import']);
  });
  afterEach(() => {
    discard(folder);
  });

  it('a file in the place of the index is replaced by an index that is built anew', async () => {
    const before = (await a.json(['fsck'])).result?.['viewHash'];
    const index = join(a.root, '.wn/index');
    fs.rmSync(index, { recursive: true });
    fs.writeFileSync(index, 'not a folder');
    assert.equal((await a.json(['fsck'])).result?.['viewHash'], before);
    await a.json(['set', 'a.md', 'x=1']);
  });

  it('a file that may not be read is left out by name, the rest is taken, nothing is deleted', async function () {
    const without = ['--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];
    const isRoot = process.getuid?.() === 0;
    const prefix = isRoot ? ['setpriv', ...without] : [];
    if (isRoot && spawnSync('setpriv', [...without, 'true']).status !== 0) {
      skip(this, 'the superuser reads everything, and setpriv(1) is not here to stop that');
    }
    a.write('b.md', 'b\n');
    a.write('a.md', 'two\n');
    fs.chmodSync(join(a.root, 'a.md'), 0);
    const line = [...prefix, process.execPath, BIN, '-C', a.root, '--json', 'commit'];
    const env = { PATH: process.env['PATH'], WN_HOME: a.home };
    const { status, stdout } = spawnSync(line[0] ?? '', line.slice(1), { env, encoding: 'utf8' });
    assert.equal(status, 3, stdout);
    const { result } = JSON.parse(stdout) as { result: { refused: unknown } };
    assert.deepEqual(result.refused, [{ path: 'a.md', why: "can't be read" }]);
    fs.chmodSync(join(a.root, 'a.md'), 0o644);
    const items = (await a.json(['list'])).result?.['items'] as readonly { path: string }[];
    assert.deepEqual(
      items.map(({ path }) => path),
      ['a.md', 'b.md'],
    );
  });

  it('two writers at once lose nothing, and one killed with the lock leaves no lock', async () => {
    const counting = 'set a.md n++\n'.repeat(50);
    const doomed = startWn(['-C', a.root, 'batch'], { env: { WN_HOME: a.home } });
    const answered = new Promise<void>((resolve) => doomed.stdout.once('data', () => resolve()));
    const other = a.run(['batch', '--lock-timeout', '30s'], counting);
    // No end of input: it is at work, with the lock, whenever it dies.
    const feeding = setInterval(() => doomed.stdin.write(counting), 1);
    const ending = finished(doomed);
    await answered;
    doomed.kill('SIGKILL');
    clearInterval(feeding);
    const { stdout } = await ending;
    const done = (text: string): number =>
      text.split('\n').filter((line) => line.includes('"exit":0')).length;
    const theirs = await other;
    assert.equal(theirs.status, 0, theirs.stdout.slice(-500));
    await a.json(['set', 'a.md', 'n++', '--lock-timeout', '5s']);
    const { n } = (await a.json(['show', 'a.md'])).result?.['fields'] as { n: number };
    assert.ok(n >= done(stdout) + 50 + 1, `${n} of ${done(stdout)} and 50 and 1`);
    assert.equal((await a.json(['fsck', '--full'])).result?.['ok'], true);
  });

  it('a reader that goes away ends a command without a word', async () => {
    await a.run(['batch'], Array.from({ length: 1_500 }, (_, i) => `set a.md x=${i}\n`).join(''));
    const line = `"$0" "$1" -C "$2" log --limit 0 | head -1; echo "\${PIPESTATUS[0]}" >&2`;
    const shell = spawn('bash', ['--norc', '-c', line, process.execPath, BIN, a.root], {
      env: { PATH: process.env['PATH'], WN_HOME: a.home },
    });
    shell.stdin.end();
    const { stdout, stderr } = await finished(shell);
    assert.equal(stdout.split('\n').length, 2);
    assert.match(stderr, /^0\n$/);
  });
});
