/** `wn anchor` as its owner and its clients see it: a real process, real sockets, real devices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { allow, AnchorProcess, eventually } from '../support/anchor.js';
import { parseMetrics } from '../support/metrics.js';
import { startWn } from '../cli/program.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

const NOT_ADMITTED = /no such workspace here, or no right to it/;

describe('wn anchor', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let root: string;
  let desk: Device;
  let lap: Device;
  let anchor: AnchorProcess;
  let address: string;
  const followers: ReturnType<typeof startWn>[] = [];

  function follow(device: Device): ReturnType<typeof startWn> {
    const child = startWn(['--json', '-C', device.root, 'sync', '--follow'], {
      env: { WN_HOME: device.home },
      timeoutMs: PRODUCT_TEST_MS,
    });
    followers.push(child);
    return child;
  }

  async function restart(): Promise<void> {
    anchor = await AnchorProcess.start(root, { listen: `127.0.0.1:${anchor.port}` });
  }

  before(async () => {
    folder = scratch();
    root = join(folder, 'anchor');
    fs.mkdirSync(root);
    desk = new Device(join(folder, 'desk'), 'desk');
    lap = new Device(join(folder, 'lap'), 'lap');
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit', '-m', 'import']);
    const workspace = await allow(root, desk, join(folder, 'for-anchor'));
    anchor = await AnchorProcess.start(root);
    address = `${anchor.address}/${workspace}`;
    await desk.json(['remote', 'add', 'origin', address]);
  });
  after(async () => {
    const living = followers.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(living.map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
    await anchor.stop('SIGKILL');
    discard(folder);
  });

  it('is filled by a member alone: before that too a stranger is told nothing', async () => {
    const stranger = new Device(folder, 'stranger', folder);
    const text = await stranger.refuses(['clone', address, join(folder, 'no')], 12, 'denied');
    assert.match(text, NOT_ADMITTED);
    assert.equal(anchor.log('refused').at(-1)?.['reason'], 'denied');
    await desk.json(['sync']);
    await stranger.refuses(['clone', address, join(folder, 'no')], 12, 'denied');
    const ticket = join(folder, 'ticket');
    await desk.json(['invite', '--act', 'write', '--via', address, '--out', ticket]);
    await desk.json(['sync']);
    await lap.in(folder).json(['join', ticket, lap.root]);
    assert.equal(fs.readFileSync(join(lap.root, 'a.md'), 'utf8'), 'one\n');
  });

  it('holds several workspaces apart', async () => {
    const other = new Device(join(folder, 'other'), 'other');
    fs.mkdirSync(other.root);
    other.write('o.md', 'another\n');
    await other.json(['init']);
    const workspace = await allow(root, other, join(folder, 'for-anchor-2'));
    const theirs = `${anchor.address}/${workspace}`;
    await other.json(['remote', 'add', 'origin', theirs]);
    await other.json(['sync']);
    assert.match(await lap.in(folder).refuses(['clone', theirs, 'no'], 12, 'denied'), NOT_ADMITTED);
    const none = theirs.replace(/.{4}$/, (end) => (end === '0000' ? '1111' : '0000'));
    assert.match(await lap.in(folder).refuses(['clone', none, 'no'], 12, 'denied'), NOT_ADMITTED);
    const bare = fs.readdirSync(join(root, workspace));
    assert.deepEqual(bare, ['.wn'], 'an anchor writes no files out');
  });

  it('passes on at once what a follower brings, with the chunks of large files', async () => {
    follow(desk);
    follow(lap);
    await eventually('both follow', async () => (await metrics()).get('wn_anchor_following') === 2);
    const bytes = Buffer.alloc(200_000, 'large ');
    desk.write('large.bin', bytes);
    await desk.json(['commit']);
    const there = join(lap.root, 'large.bin');
    await eventually('the file at the other', () => fs.existsSync(there));
    assert.ok(fs.readFileSync(there).equals(bytes));
    lap.write('b.md', 'from lap\n');
    await lap.json(['commit']);
    await eventually('the file back', () => fs.existsSync(join(desk.root, 'b.md')));
  });

  async function metrics(): Promise<ReadonlyMap<string, number>> {
    return parseMetrics(await (await fetch(`${anchor.http}/metrics`)).text());
  }

  it('says by HTTP how it is; its metrics parse, and count', async () => {
    const health = await fetch(`${anchor.http}/healthz`);
    assert.equal(`${health.status} ${await health.text()}`, '200 ok\n');
    const ready = await fetch(`${anchor.http}/readyz`);
    assert.equal(`${ready.status} ${await ready.text()}`, '200 ready\n');
    assert.equal((await fetch(`${anchor.http}/nothing`)).status, 404);
    assert.equal((await fetch(`${anchor.http}/metrics`, { method: 'POST' })).status, 405);
    const found = await metrics();
    assert.ok((found.get('wn_anchor_commits_total{way="in"}') ?? 0) >= 4);
    assert.ok((found.get('wn_anchor_refused_total{reason="denied"}') ?? 0) >= 4);
    assert.ok((found.get('process_resident_memory_bytes') ?? 0) > 1e7);
  });

  it('loses nothing that it acknowledged when it is killed, and followers come back', async () => {
    await anchor.stop('SIGKILL');
    lap.write('c.md', 'while it was gone\n');
    await lap.json(['commit']);
    await restart();
    const there = join(desk.root, 'c.md');
    await eventually('what was made meanwhile', () => fs.existsSync(there));
    const held = new Device(join(root, address.replace(/.*\//, '')), 'inspector', folder);
    const { result } = await held.json(['fsck', '--full']);
    assert.deepEqual(result?.['problems'], []);
  });

  it('reads its configuration again: a refused device is sent off, a bad file changes nothing', async () => {
    fs.writeFileSync(join(root, 'anchor.json'), '{"conections": 1}');
    anchor.signal('SIGHUP');
    await eventually('the complaint', () => anchor.log('not_reloaded').length === 1);
    const { result } = await lap.json(['id']);
    const refuse = [result?.['device']];
    fs.writeFileSync(join(root, 'anchor.json'), JSON.stringify({ refuse }));
    anchor.signal('SIGHUP');
    await eventually(
      'only one follows',
      async () => (await metrics()).get('wn_anchor_following') === 1,
    );
    assert.match(await lap.refuses(['sync'], 12, 'denied'), NOT_ADMITTED);
    fs.rmSync(join(root, 'anchor.json'));
    anchor.signal('SIGHUP');
    await eventually('the second reload', () => anchor.log('reloaded').length === 2);
    await lap.json(['sync']);
  });

  it('cuts off who sends rubbish or nothing, says why, and serves others meanwhile', async () => {
    const before = anchor.descriptors;
    const sockets: Socket[] = [];
    for (let at = 0; at < 40; at++) {
      const socket = connect(anchor.port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (at % 2 === 0)
        socket.write(at % 4 === 0 ? Buffer.alloc(400_000, at) : 'GET / HTTP/1.1\r\n\r\n');
      sockets.push(socket);
    }
    await lap.json(['sync']);
    const ended = sockets.filter((_, at) => at % 2 === 0).map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.resume();
    await Promise.all(ended);
    await eventually('refusals in the log', () =>
      anchor.log('refused').some((line) => line['reason'] === 'connection'),
    );
    for (const socket of sockets) socket.destroy();
    await eventually('as many descriptors as before', () => anchor.descriptors <= before + 1);
  });

  it('drains when it is told to stop: no new callers, followers sent off, exit 0', async () => {
    const status = await anchor.stop('SIGTERM');
    assert.equal(status, 0);
    const events = anchor.log().map(({ event }) => event);
    assert.deepEqual(events.slice(-1), ['stopped']);
    assert.ok(events.includes('draining'));
    await desk.refuses(['sync'], 15, 'unreachable');
  });
});
