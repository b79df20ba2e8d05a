/** `wn serve --lan` and `wn sync --lan` between machines on one switch. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { portsOf } from '../../src/cli/repository.js';
import { PEERS_MAX } from '../../src/core/limits.js';
import type { Announcement } from '../../src/core/ports.js';
import { nodeRng } from '../../src/node/rng.js';
import { Replica } from '../../src/repo/replica.js';
import { announcementOf } from '../../src/sync/lan/announcement.js';
import { lanKeyOf } from '../../src/sync/lan/members.js';
import { ROOT } from '../cli/program.js';
import { eventually } from '../support/anchor.js';
import { announcementPacket } from '../support/mdnspackets.js';
import { Network, whyNoNamespaces, type Node } from '../support/namespaces.js';
import { skip } from '../support/skip.js';
import { discard, scratch, twoDevices, type Device } from './device.js';
import type { StrangerWish } from './lanstranger.js';
import { daemon, type Daemon } from './relayed.js';

const FAKES = 100;

describe('devices in one local network', function () {
  this.timeout(180_000);
  let folder: string;
  let network: Network;
  let desk: Device;
  let lap: Device;
  let nodes: { readonly desk: Node; readonly lap: Node; readonly other: Node };
  let server: Daemon | undefined;
  let stranger: Stranger | undefined;

  before(async function () {
    const why = whyNoNamespaces();
    if (why !== null) skip(this, why);
    folder = scratch();
    const [a, b] = await twoDevices(folder);
    await b.json(['commit']);
    b.write('b.md', 'from b\n');
    await b.json(['sync', '-m', 'b']);
    await b.json(['remote', 'remove', 'origin']);
    network = new Network();
    nodes = { desk: network.node('d'), lap: network.node('l'), other: network.node('o') };
    network.bridge([nodes.desk, nodes.lap, nodes.other]);
    desk = a.startedBy(nodes.desk.launcher);
    lap = b.startedBy(nodes.lap.launcher);
  });
  afterEach(async () => {
    await server?.stop('SIGTERM');
    stranger?.end();
    server = stranger = undefined;
  });
  after(() => {
    (network as Network | undefined)?.close();
    if ((folder as string | undefined) !== undefined) discard(folder);
  });

  async function serve(): Promise<void> {
    server = await daemon(['-C', desk.root, 'serve', '--lan'], desk.home, nodes.desk);
  }

  /** A packet for each announcement that a member could make for `desk`. */
  async function forged(count: number): Promise<readonly Announcement[]> {
    const replica = await Replica.open(portsOf({ root: lap.root, data: join(lap.root, '.wn') }));
    const key = lanKeyOf(replica);
    const [device = ''] = replica.history
      .allLogs()
      .map(({ dev }) => dev)
      .filter((dev) => dev !== replica.device);
    await replica.close();
    assert.ok(key !== null);
    return Array.from({ length: count }, (_, i) =>
      announcementOf(key, device, 10_000 + i, nodeRng),
    );
  }

  it('find each other and sync, with no address', async () => {
    await serve();
    desk.write('new.md', 'from desk\n');
    await desk.json(['commit']);
    lap.write('lap.md', 'from lap\n');
    const startedMs = performance.now();
    const { result } = await lap.json(['sync', '--lan', '--commit']);
    console.log(`      synced ${(performance.now() - startedMs).toFixed(0)} ms after the command`);
    const [end, ...more] = result?.['remotes'] as { name: string; ok: boolean; ms: number }[];
    assert.deepEqual([end?.ok, more], [true, []]);
    assert.match(end?.name ?? '', /^lan\/./);
    assert.equal(fs.readFileSync(join(lap.root, 'new.md'), 'utf8'), 'from desk\n');
    assert.equal(fs.readFileSync(join(desk.root, 'lap.md'), 'utf8'), 'from lap\n');
  });

  it('push and pull do, and so does a remote that names the network, or a device in it', async () => {
    await serve();
    desk.write('new.md', 'again\n');
    await desk.json(['commit']);
    await lap.json(['pull', '--lan']);
    assert.equal(fs.readFileSync(join(lap.root, 'new.md'), 'utf8'), 'again\n');
    lap.write('lap.md', 'again\n');
    await lap.json(['push', '--lan', '-m', 'x']);
    assert.equal(fs.readFileSync(join(desk.root, 'lap.md'), 'utf8'), 'again\n');
    for (const [name, url] of [
      ['near', 'mdns:'],
      ['desk', server?.address ?? ''],
    ] as const) {
      await lap.json(['remote', 'add', name, url]);
      await lap.json(['sync', name]);
      const { result } = await lap.json(['status']);
      const [status] = result?.['remotes'] as { ahead: number; lastOkAt: string | null }[];
      assert.ok(status?.lastOkAt, name);
      await lap.json(['remote', 'remove', name]);
    }
  });

  it('look by themselves where discovery.lan is set, and take no harm where nobody is', async () => {
    await lap.json(['config', 'discovery.lan', 'true']);
    const { result } = await lap.json(['sync']);
    assert.deepEqual(result?.['remotes'], []);
    await serve();
    const met = (await lap.json(['sync'])).result?.['remotes'] as unknown[];
    assert.equal(met.length, 1);
    await lap.json(['config', 'discovery.lan', 'false']);
    assert.match(String((await lap.json(['sync'])).result?.['note']), /no remote is configured/);
  });

  it('say so when nobody is there', async () => {
    const text = await lap.refuses(['sync', '--lan'], 15, 'unreachable');
    assert.match(text, /no member of this workspace answers.*\n.*wn serve --lan/);
  });

  it('tell strangers neither who nor where they are', async () => {
    stranger = await Stranger.come(nodes.other, []);
    await serve();
    await lap.json(['sync', '--lan']);
    await eventually('an answer', () => stranger?.heard.some((packet) => packet.includes('_wn')));
    const heard = Buffer.concat(stranger.heard);
    const { result } = await desk.json(['id']);
    const device = String(result?.['device']);
    const config = fs.readFileSync(join(desk.root, '.wn/config'), 'utf8');
    const { workspace, device: key } = JSON.parse(config) as Record<'workspace' | 'device', string>;
    const secrets = [
      ...[hostname(), userInfo().username, device.slice(-20), workspace, key, folder],
      ...[Buffer.from(workspace, 'hex'), Buffer.from(key, 'hex')],
      ...[nodes.desk.address, Buffer.from(nodes.desk.address.split('.').map(Number))],
    ];
    for (const secret of secrets) assert.ok(!heard.includes(secret), `${String(secret)} was told`);
  });

  it('go by another name once they are in another network', async () => {
    stranger = await Stranger.come(nodes.other, []);
    await serve();
    const names = (): Set<string> =>
      new Set(stranger?.heard.flatMap((packet) => [...instancesIn(packet)]) ?? []);
    await eventually('a name', () => names().size === 1);
    network.bridge([nodes.desk]);
    await eventually('another name', () => names().size === 2);
    await lap.json(['sync', '--lan']);
  });

  it('serve no address that others can not reach', async () => {
    for (const listen of ['127.0.0.1:0', '[::1]:0', 'localhost:0']) {
      await desk.refuses(['serve', '--lan', '--listen', listen], 2, 'usage');
    }
  });

  it(`use ${PEERS_MAX} of ${FAKES} announcements that lead nowhere, and say so`, async () => {
    const packets = (await forged(FAKES)).map(announcementPacket);
    stranger = await Stranger.come(nodes.other, packets);
    const startedMs = performance.now();
    const text = await lap.refuses(['sync', '--lan'], 15, 'unreachable');
    console.log(`      ended ${(performance.now() - startedMs).toFixed(0)} ms after the command`);
    assert.match(text, /announced in the local network, but does not answer/);
    assert.match(text, new RegExp(`${PEERS_MAX} announcements .* were used, which is the bound`));
    assert.match(text, new RegExp(`${FAKES - PEERS_MAX} more announcements .* were not`));
  });

  it('are not fooled by one who repeats what was announced, and tell it nothing', async () => {
    await serve();
    stranger = await Stranger.come(nodes.other, []);
    await lap.json(['sync', '--lan']);
    const said = await eventually('an answer', () =>
      stranger?.heard.find((packet) => packet.includes('_wn') && packet.includes('m=')),
    );
    stranger.end();
    await server?.stop('SIGTERM');
    const port = said.readUInt16BE(said.indexOf(Buffer.of(0, 33, 0, 1)) + 14);
    const packets = [said, ...(await forged(20)).map(announcementPacket)];
    stranger = await Stranger.come(nodes.other, packets, port);
    await lap.refuses(['sync', '--lan'], 15, 'unreachable');
    const { result } = await lap.json(['id']);
    assert.ok(stranger.calls.length > 0, 'nobody fell for it');
    for (const bytes of stranger.calls) {
      assert.ok(!bytes.includes(String(result?.['device']).slice(-20)));
      assert.equal(bytes[0], 22, 'all that it gets is the beginning of TLS');
    }
    await serve();
    desk.write('new.md', 'in spite of them\n');
    await desk.json(['commit']);
    await lap.json(['sync', '--lan']);
    assert.equal(fs.readFileSync(join(lap.root, 'new.md'), 'utf8'), 'in spite of them\n');
  });
});

/** The names of announcements in a packet, told or taken back. */
function instancesIn(packet: Buffer): readonly string[] {
  const names = packet.toString('latin1').matchAll(/ ([0-9a-f]{32})._wn._tcp/g);
  return [...names].map(([, name = '']) => name);
}

/** See `lanstranger.ts`. */
class Stranger {
  readonly heard: Buffer[] = [];
  readonly calls: Buffer[] = [];

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {}

  static async come(
    { launcher, address }: Node,
    packets: readonly Buffer[],
    listen: number | null = null,
  ): Promise<Stranger> {
    const script = join(ROOT, 'test/product/lanstranger.ts');
    const [command = '', ...words] = [...launcher, process.execPath, '--import', 'tsx', script];
    const child = spawn(command, words, { cwd: ROOT });
    const stranger = new Stranger(child);
    let ready = false;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') ready = true;
      else if (line.startsWith('tcp ')) stranger.calls.push(Buffer.from(line.slice(4), 'hex'));
      else stranger.heard.push(Buffer.from(line, 'hex'));
    });
    const wish = { address, packets: packets.map((packet) => packet.toString('hex')), listen };
    child.stdin.write(`${JSON.stringify(wish satisfies StrangerWish)}\n`);
    await eventually('the stranger', () => ready);
    return stranger;
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}
