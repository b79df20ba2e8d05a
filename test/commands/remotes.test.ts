/** Several remotes at once: those that are quick, slow, away and gone; and what status knows of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { showId } from '../../src/core/ids.js';
import { REMOTES_AT_ONCE_MAX } from '../../src/core/limits.js';
import { type Machine, workspaceOfOne, workspaceOfTwo, type Json } from './machine.js';

const FILES = { 'a.md': 'one\n' };

/** A second copy on the same device, as a stick would hold it. */
async function copyOf(machine: Machine, name: string): Promise<string> {
  const folder = join(machine.root, name);
  await machine.ok('clone', machine.folder, folder);
  return folder;
}

/** Takes connections and says nothing. */
class Silent {
  readonly callers: Socket[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      this.callers.push(socket);
    });
  }

  static async start(): Promise<Silent> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Silent(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const caller of this.callers) caller.destroy();
    this.server.close();
  }
}

/** As if the device of `machine` were served at a port here. */
async function servedAt(machine: Machine, port: number): Promise<string> {
  const { device } = await machine.ok('id');
  const config = fs.readFileSync(join(machine.folder, '.wn/config'), 'utf8');
  const workspace = showId(JSON.parse(config).workspace);
  return `wn://${String(device).replace('did:key:', '')}@127.0.0.1:${port}/${workspace}`;
}

const short = ({ remotes }: Json): readonly unknown[] =>
  remotes.map(({ name, ok, sent, received, error }: Json) =>
    ok ? [name, sent, received] : [name, error.code],
  );

const shortStatus = ({ remotes }: Json): readonly unknown[] =>
  remotes.map(({ name, ahead, behind, lastOkAt }: Json) => [
    name,
    ahead,
    behind,
    lastOkAt !== null,
  ]);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('several remotes', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;
  let silent: Silent;

  beforeEach(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo(FILES));
    silent = await Silent.start();
    // Its membership is known once it has said something.
    await lap.ok('set', 'a.md', 'x=1');
    await lap.ok('sync');
  });
  afterEach(() => {
    silent.stop();
    dispose();
  });

  it('are all in step after one sync, with what one of them has brought', async () => {
    for (const name of ['usb', 'disk']) {
      await lap.ok('remote', 'add', name, await copyOf(lap, name));
    }
    desk.write('desk.md', 'from desk\n');
    await desk.ok('commit');
    lap.write('lap.md', 'from lap\n');
    const result = await lap.ok('sync', '--commit');
    assert.deepEqual(short(result), [
      ['origin', 1, 1],
      ['usb', 2, 0],
      ['disk', 2, 0],
    ]);
    for (const folder of [desk.folder, join(lap.root, 'usb'), join(lap.root, 'disk')]) {
      assert.equal(fs.readFileSync(join(folder, 'lap.md'), 'utf8'), 'from lap\n');
      assert.equal(fs.readFileSync(join(folder, 'desk.md'), 'utf8'), 'from desk\n');
    }
    assert.deepEqual(shortStatus(await lap.ok('status', '--check')), [
      ['origin', 0, 0, true],
      ['usb', 0, 0, true],
      ['disk', 0, 0, true],
    ]);
  });

  it('may be one folder under two names', async () => {
    await lap.ok('remote', 'add', 'again', desk.folder);
    lap.write('b.md', 'b\n');
    const { remotes } = await lap.ok('sync', '--commit');
    assert.deepEqual(
      remotes.map(({ name, ok }: Json) => [name, ok]),
      [
        ['origin', true],
        ['again', true],
      ],
    );
    assert.equal(desk.read('b.md'), 'b\n');
    assert.equal((await desk.ok('fsck', '--full')).ok, true);
  });

  it('do not wait for one that is slow, nor fail with one that fails (3)', async () => {
    await lap.ok('remote', 'add', 'slow', await servedAt(desk, silent.port));
    await lap.ok('remote', 'add', 'gone', join(lap.root, 'gone'));
    await lap.ok('remote', 'add', 'usb', await copyOf(lap, 'usb'));
    lap.write('b.md', 'b\n');
    const syncing = lap.run('sync', '--commit');
    await until(() => silent.callers.length > 0 && desk.has('b.md'));
    await until(() => fs.existsSync(join(lap.root, 'usb/b.md')));
    for (const caller of silent.callers) caller.destroy();
    const { exit, result, failure, text } = await syncing;
    assert.equal(exit, 3);
    assert.deepEqual(short(result), [
      ['origin', 1, 0],
      ['slow', 'unreachable'],
      ['gone', 'unreachable'],
      ['usb', 1, 0],
    ]);
    assert.equal(failure?.message, '2 of 4 remotes failed (slow, gone); the rest is done');
    assert.match(text, /slow: no secure connection.*\ngone: no wn repository at /);
  });

  it('are exchanged with eight at a time, the others when those are through', async () => {
    const names = Array.from({ length: REMOTES_AT_ONCE_MAX + 2 }, (_, i) => `r${i}`);
    const address = await servedAt(desk, silent.port);
    for (const name of names) await lap.ok('remote', 'add', name, address);
    const syncing = lap.run('pull', ...names);
    await until(() => silent.callers.length >= REMOTES_AT_ONCE_MAX);
    await desk.ok('status');
    assert.equal(silent.callers.length, REMOTES_AT_ONCE_MAX);
    silent.callers[3]?.destroy();
    await until(() => silent.callers.length > REMOTES_AT_ONCE_MAX);
    await desk.ok('status');
    assert.equal(silent.callers.length, REMOTES_AT_ONCE_MAX + 1);
    silent.callers[5]?.destroy();
    await until(() => silent.callers.length === names.length);
    for (const caller of silent.callers) caller.destroy();
    const { exit, result } = await syncing;
    assert.equal(exit, 3);
    assert.deepEqual(
      short(result),
      names.map((name) => [name, 'unreachable']),
    );
  });

  it('are asked once if they are named twice', async () => {
    assert.deepEqual(short(await lap.ok('push', 'origin', 'origin')), [['origin', 0, 0]]);
  });

  it('that were in step lately may be away, if that is tolerated', async () => {
    const tolerated = ['sync', '--tolerate', '1h'];
    await lap.ok('remote', 'add', 'usb', await copyOf(lap, 'usb'));
    const never = await lap.run(...tolerated);
    assert.equal(never.exit, 0);
    fs.renameSync(join(lap.root, 'usb'), join(lap.root, 'away'));
    const { exit, result, text } = await lap.run(...tolerated);
    assert.equal(exit, 0);
    const [, { ok, toleratedMs, error }] = result.remotes;
    assert.deepEqual([ok, error.code], [false, 'unreachable']);
    assert.ok(toleratedMs < 3_600_000);
    assert.match(text, /usb: no wn repository at .*; in step .*, which is tolerated\n/);
    assert.equal((await lap.run('sync')).exit, 3);
    assert.equal((await lap.run('sync', 'usb')).exit, 15);
    assert.equal((await lap.run('sync', 'usb', '--tolerate', '1h')).exit, 0);
    const memory = join(lap.folder, '.wn/remotes/usb.json');
    const { have } = JSON.parse(fs.readFileSync(memory, 'utf8'));
    const lastOkAt = new Date(Date.now() - 2 * 3_600_000).toISOString();
    fs.writeFileSync(memory, JSON.stringify({ lastOkAt, have }));
    assert.equal((await lap.run(...tolerated)).exit, 3);
    assert.equal((await lap.run('sync', 'usb', '--tolerate', '1h')).exit, 15);
    assert.equal((await lap.run('sync', 'usb', '--tolerate', '3h')).exit, 0);
  });

  it('that were never in step, or that refuse, are not tolerated', async () => {
    await lap.ok('remote', 'add', 'slow', await servedAt(desk, silent.port));
    silent.stop();
    assert.equal((await lap.run('sync', 'slow', '--tolerate', '99w')).exit, 15);
    const { result } = await lap.run('sync', '--tolerate', '99w');
    assert.equal(result.remotes[1].toleratedMs, undefined);
  });

  it('are not tried again where that can not help', async () => {
    await lap.ok('remote', 'add', 'gone', join(lap.root, 'gone'));
    assert.equal((await lap.run('sync', 'gone', '--retry', '99w')).exit, 15);
  });
});

describe('status of remotes', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo(FILES));
  });
  afterEach(() => dispose());

  it('counts what each lacks, and says when it was in step', async () => {
    assert.match(await lap.text('status'), /\norigin: in step (just now|\ds ago)\n$/);
    lap.write('b.md', 'b\n');
    await lap.ok('commit');
    await lap.ok('set', 'a.md', 'x=1');
    assert.deepEqual(shortStatus(await lap.ok('status')), [['origin', 2, 0, true]]);
    assert.match(
      await lap.text('status'),
      /\norigin: 2 to send, 0 known to receive; last in step /,
    );
    await lap.ok('remote', 'add', 'usb', join(lap.root, 'usb'));
    assert.match(await lap.text('status'), /\nusb: never reached, \d+ commits to send\n$/);
    await lap.ok('push', 'origin');
    assert.deepEqual(shortStatus(await lap.ok('status'))[0], ['origin', 0, 0, true]);
  });

  it('--check fails (4) for what is not committed, not sent, or open', async () => {
    await lap.ok('status', '--check');
    lap.write('b.md', 'b\n');
    const edited = await lap.run('status', '--check');
    assert.deepEqual([edited.exit, edited.failure?.message], [4, '1 change not committed']);
    assert.equal(edited.failure?.code, 'condition_not_met');
    assert.equal(edited.result.changes.length, 1);
    await lap.ok('commit');
    const ahead = await lap.run('status', '--check');
    assert.equal(ahead.exit, 4);
    assert.equal(ahead.failure?.message, 'origin: 1 to send, 0 known to receive');
    await lap.ok('sync');
    await lap.ok('status', '--check');
    await desk.ok('set', 'a.md', 'x=1');
    await lap.ok('set', 'a.md', 'x=2');
    await lap.ok('sync');
    const open = await lap.run('status', '--check');
    assert.deepEqual([open.exit, open.failure?.message], [4, '1 overlap open']);
  });

  it('--max-lag allows a remote to be behind for so long, and no longer', async () => {
    lap.write('b.md', 'b\n');
    await lap.ok('commit');
    assert.equal((await lap.run('status', '--check')).exit, 4);
    await lap.ok('status', '--check', '--max-lag', '1h');
    const memory = join(lap.folder, '.wn/remotes/origin.json');
    const { have } = JSON.parse(fs.readFileSync(memory, 'utf8'));
    const lastOkAt = new Date(Date.now() - 2 * 3_600_000).toISOString();
    fs.writeFileSync(memory, JSON.stringify({ lastOkAt, have }));
    const late = await lap.run('status', '--check', '--max-lag', '1h');
    assert.deepEqual([late.exit, late.failure?.message], [4, 'origin was last in step 2h ago']);
    await lap.ok('status', '--check', '--max-lag', '3h');
    await lap.ok('remote', 'add', 'usb', join(lap.root, 'usb'));
    const never = await lap.run('status', '--check', '--max-lag', '3h');
    assert.deepEqual([never.exit, never.failure?.message], [4, 'usb was never reached']);
  });

  it('--max-lag without --check is refused (2)', async () => {
    const { exit, failure } = await lap.run('status', '--max-lag', '1h');
    assert.equal(exit, 2);
    assert.match(String(failure?.message), /--check/);
  });

  it('--check is content where there is no remote', async () => {
    const alone = await workspaceOfOne(FILES);
    try {
      assert.deepEqual((await alone.desk.ok('status', '--check', '--max-lag', '1s')).remotes, []);
    } finally {
      alone.dispose();
    }
  });
});
