/** `wn serve --listen`: devices that meet without ssh, each by its own key. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startWn } from '../cli/program.js';
import { eventually } from '../support/anchor.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

type Server = ReturnType<typeof startWn>;

describe('wn serve --listen', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let desk: Device;
  let lap: Device;
  let server: Server;
  let address: string;

  async function serve(): Promise<void> {
    const line = ['-C', desk.root, '--json', 'serve', '--listen', '127.0.0.1:0'];
    server = startWn(line, { env: { WN_HOME: desk.home }, timeoutMs: PRODUCT_TEST_MS });
    const [text] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const said = JSON.parse(text) as { ready: boolean; address: string };
    assert.equal(said.ready, true);
    ({ address } = said);
  }

  before(async () => {
    folder = scratch();
    desk = new Device(join(folder, 'desk'), 'desk');
    lap = new Device(join(folder, 'lap'), 'lap');
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit', '-m', 'import']);
    await serve();
  });
  after(async () => {
    server.kill('SIGKILL');
    discard(folder);
  });

  it('lets a device join, push, pull and sync; pushed files stand there when it ends', async () => {
    const ticket = join(folder, 'ticket');
    await desk.json(['invite', '--act', 'write', '--via', address, '--out', ticket]);
    await lap.in(folder).json(['join', ticket, lap.root]);
    lap.write('b.md', 'from lap\n');
    await lap.json(['commit']);
    await lap.json(['push']);
    assert.equal(fs.readFileSync(join(desk.root, 'b.md'), 'utf8'), 'from lap\n');
    desk.write('a.md', 'two\n');
    await desk.json(['commit']);
    await lap.json(['sync']);
    assert.equal(fs.readFileSync(join(lap.root, 'a.md'), 'utf8'), 'two\n');
  });

  it('answers several at a time', async () => {
    const copies = ['c1', 'c2', 'c3'].map((name) => join(folder, name));
    await Promise.all(copies.map((copy) => lap.in(folder).json(['clone', address, copy])));
    for (const copy of copies) assert.ok(fs.existsSync(join(copy, 'b.md')));
  });

  it('keeps those in step who follow, with each other and with what is committed here', async () => {
    const followed = join(folder, 'followed');
    await lap.in(folder).json(['clone', address, followed]);
    const env = { WN_HOME: lap.home };
    const line = ['--json', '-C', followed, 'sync', '--follow'];
    const follower = startWn(line, { env, timeoutMs: PRODUCT_TEST_MS });
    try {
      const lines = createInterface({ input: follower.stdout });
      assert.match(String((await once(lines, 'line'))[0]), /"error":null/);
      desk.write('here.md', 'committed while somebody follows\n');
      await desk.json(['commit']);
      await eventually('it is written out there', () => fs.existsSync(join(followed, 'here.md')));
      lap.write('once.md', 'pushed by one who comes and goes\n');
      await lap.json(['commit']);
      await lap.json(['push', 'origin']);
      await eventually('it is passed on', () => fs.existsSync(join(followed, 'once.md')));
      lap.in(followed).write('there.md', 'committed by who follows\n');
      await lap.in(followed).json(['commit']);
      await eventually('it is written out here', () => fs.existsSync(join(desk.root, 'there.md')));
    } finally {
      const ended = once(follower, 'exit');
      follower.kill('SIGTERM');
      await ended;
    }
  });

  it('tells a stranger nothing, and a member nothing of another workspace', async () => {
    const stranger = new Device(folder, 'stranger', folder);
    const text = await stranger.refuses(['clone', address, join(folder, 'no')], 12, 'denied');
    assert.match(text, /no such workspace here, or no right to it/);
    const other = address.replace(/[^/]+$/, (id) =>
      id.replace(/^./, (c) => (c === '1' ? '2' : '1')),
    );
    const wrong = await lap.in(folder).refuses(['clone', other, join(folder, 'no')], 12, 'denied');
    assert.match(wrong, /no such workspace here, or no right to it/);
    await lap.json(['remote', 'add', 'other', other]);
    await lap.refuses(['pull', 'other'], 15, 'unreachable');
  });

  it('is not taken for another device', async () => {
    const { result } = await lap.json(['id']);
    const own = String(result?.['device']).replace('did:key:', '');
    await lap.json(['remote', 'add', 'wrong', address.replace(/z\w+@/, `${own}@`)]);
    assert.match(await lap.refuses(['pull', 'wrong'], 15, 'unreachable'), /another device answers/);
  });

  it('ends when it is told to, and says where it cannot listen', async () => {
    const taken = /@([^/]+)/.exec(address)?.[1] ?? '';
    await desk.refuses(['serve', '--listen', taken], 2, 'usage');
    await desk.refuses(['serve', '--listen', 'nonsense'], 2, 'usage');
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    const [status] = (await ended) as [number | null];
    assert.equal(status, 0);
    await lap.refuses(['pull', 'origin'], 15, 'unreachable');
  });
});
