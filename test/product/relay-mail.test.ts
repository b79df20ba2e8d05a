/** The relay when things go wrong: peers that are away, a relay that is killed, callers that attack. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { RELAY_PENDING_PER_ADDRESS_MAX, MAILBOX_ITEM_BYTES_MAX } from '../../src/core/limits.js';
import { encodeRecord, KIND, RELAY_MAGIC } from '../../src/sync/relay/wire.js';
import { untilMet } from '../soak/relay.js';
import { eventually } from '../support/anchor.js';
import { skip } from '../support/skip.js';
import { wiretap } from '../support/wiretap.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';
import { portOf, serveThrough, startRelay, type Daemon } from './relayed.js';

/** A sync has got that far when it is cut: beyond its greetings, and far from its end. */
const CUT_BYTES = 65_536;
const SECRET = 'Das liest nur, wer es lesen soll.';

describe('wn relay, in trouble', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let relay: Daemon;
  let served: Daemon;
  let desk: Device;
  let lap: Device;

  const listen = async (port = 0): Promise<void> => {
    relay = await startRelay(join(folder, 'home-relay'), `127.0.0.1:${port}`);
  };
  before(async () => {
    folder = scratch();
    await listen();
    desk = new Device(join(folder, 'desk'), 'desk');
    lap = new Device(join(folder, 'lap'), 'lap');
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit']);
    served = await serveThrough(desk, relay.address);
    const ticket = join(folder, 'ticket');
    await desk.json(['invite', '--act', 'write', '--via', served.address, '--out', ticket]);
    await lap.in(folder).json(['join', ticket, lap.root]);
    lap.write('b.md', 'lap\n');
    await lap.json(['commit']);
    await lap.json(['sync']);
  });
  after(() => {
    for (const daemon of [served, relay]) daemon.child.kill('SIGKILL');
    discard(folder);
  });

  it('keeps what a device that is away lacks, sealed, and hands it over when it is back', async () => {
    assert.equal(await served.stop('SIGTERM'), 0);
    lap.write('geheim.md', `${SECRET}\n`);
    await lap.json(['commit']);
    const { result } = await lap.json(['push']);
    const [remote] = result?.['remotes'] as readonly Record<string, unknown>[];
    assert.equal(remote?.['mailbox'], true);
    const boxes = join(folder, 'home-relay/relay');
    const kept = fs
      .readdirSync(boxes, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\/\d/.test(path));
    assert.equal(kept.length, 1);
    const item = fs.readFileSync(join(boxes, kept[0] ?? ''));
    assert.ok(item.byteLength <= MAILBOX_ITEM_BYTES_MAX);
    for (const secret of [SECRET, 'geheim.md', 'wn-bundle']) assert.ok(!item.includes(secret));
    // It was acknowledged: a relay that is killed has it still.
    await relay.stop('SIGKILL');
    await listen(portOf(relay.address));
    served = await serveThrough(desk, relay.address);
    assert.equal(fs.readFileSync(join(desk.root, 'geheim.md'), 'utf8'), `${SECRET}\n`);
    assert.deepEqual(
      fs.readdirSync(boxes, { recursive: true, encoding: 'utf8' }).filter((p) => /\/\d/.test(p)),
      [],
      'what was taken in is gone from the box',
    );
  });

  it('may be killed amid a sync: nothing is lost, and the next sync completes', async () => {
    const tap = await wiretap(portOf(relay.address));
    try {
      const through = served.address.replace(/:\d+\//, `:${tap.port}/`);
      await lap.json(['remote', 'add', 'tapped', through]);
      lap.write('kill.bin', randomBytes(8 * CUT_BYTES));
      await lap.json(['commit']);
      const cutOff = tap.passed(CUT_BYTES);
      const cut = lap.run(['--json', 'sync', 'tapped']);
      await cutOff;
      await relay.stop('SIGKILL');
      assert.equal((await cut).status, 15);
      await listen(portOf(relay.address));
      await untilMet(lap);
      const content = fs.readFileSync(join(desk.root, 'kill.bin'));
      assert.ok(content.equals(fs.readFileSync(join(lap.root, 'kill.bin'))));
    } finally {
      await lap.json(['remote', 'remove', 'tapped']);
      tap.close();
    }
  });

  it('delays nobody else where it does not answer', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const called = once(mute, 'connection') as Promise<[Socket]>;
    const { port } = mute.address() as AddressInfo;
    const away = served.address.replace(/:\d+\//, `:${port}/`);
    await lap.json(['remote', 'add', 'mute', away]);
    lap.write('meanwhile.md', 'others get it while one waits for the relay\n');
    await lap.json(['commit']);
    const sync = lap.run(['--json', 'sync']);
    await eventually('the other has it', () => fs.existsSync(join(desk.root, 'meanwhile.md')));
    const [waiting] = await called;
    assert.ok(!waiting.destroyed, 'the relay that says nothing is still waited for');
    mute.on('connection', (socket) => socket.destroy());
    waiting.destroy();
    assert.equal((await sync).status, 3);
    mute.close();
    await lap.json(['remote', 'remove', 'mute']);
  });

  describe('under attack', () => {
    const attackers: Socket[] = [];
    afterEach(async () => {
      for (const socket of attackers.splice(0)) socket.destroy();
    });

    async function attack(...pieces: readonly Uint8Array[]): Promise<Socket> {
      const socket = connect({ port: portOf(relay.address), host: '127.0.0.1' });
      attackers.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      for (const piece of pieces) socket.write(piece);
      return socket.resume();
    }

    async function refused(why: string): Promise<void> {
      const text = `"why":"${why}`;
      while (!relay.log().includes(text)) await once(relay.child.stderr, 'data');
    }

    for (const [what, why, pieces] of [
      ['another protocol', 'not the protocol', [Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')]],
      [
        'a huge length',
        'a record of kind 3',
        [RELAY_MAGIC, Uint8Array.of(KIND.join, 255, 255, 255)],
      ],
      ['a record out of turn', 'record 7', [RELAY_MAGIC, encodeRecord(KIND.list)]],
      ['a false proof', 'bad proof', [RELAY_MAGIC, encodeRecord(KIND.box, new Uint8Array(96))]],
      [
        'a guessed token',
        'no such token',
        [RELAY_MAGIC, encodeRecord(KIND.join, new Uint8Array(32))],
      ],
      ['a slow drip', 'no proof in time', [RELAY_MAGIC.subarray(0, 3)]],
    ] as const) {
      it(`refuses ${what}, says why in its log, and serves others meanwhile`, async () => {
        const socket = await attack(...pieces);
        const closed = once(socket, 'close');
        await lap.json(['sync']);
        await refused(why);
        await closed;
      });
    }

    it('refuses a flood from one address, with memory and descriptors bounded', async function () {
      const status = (): string => fs.readFileSync(`/proc/${relay.child.pid}/status`, 'utf8');
      if (!fs.existsSync('/proc/self/status')) skip(this, 'no /proc to look into');
      const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) / 1024;
      const before = rss();
      for (let n = 0; n < 10 * RELAY_PENDING_PER_ADDRESS_MAX; n++) await attack(RELAY_MAGIC);
      await refused('pending of an address');
      const open = fs.readdirSync(`/proc/${relay.child.pid}/fd`).length;
      assert.ok(open < RELAY_PENDING_PER_ADDRESS_MAX + 64, `${open} descriptors`);
      assert.ok(rss() < before + 64, `${before} MB became ${rss()} MB`);
      assert.ok(relay.log().length < 1_000_000);
    });
  });
});
