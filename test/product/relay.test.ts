/** `wn relay`: devices that can't reach each other sync through it, and it learns nothing. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fromBase32, fromHex, utf8 } from '../../src/core/bytes.js';
import { parseDevice } from '../../src/core/ids.js';
import { parseKey } from '../../src/node/opensshkey.js';
import { Authority } from '../support/authority.js';
import { spellings } from '../support/spellings.js';
import { tlsWiretap, webSocketWiretap, wiretap, type Wiretap } from '../support/wiretap.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';
import { portOf, serveThrough, startRelay, type Daemon } from './relayed.js';

const NODES = 3;

const TEXT = 'Der Wortlaut, den niemand lesen soll.';
const FOLDER = 'geheimsache';
const FILE = 'ortsangabe.md';
const LETTER = 'nachlass.md';

const authority = new Authority();
const certificate = authority.issue({ names: ['127.0.0.1'] });

/** How the relay is reached; what ends TLS or a WebSocket records what was inside. */
const WAYS = [
  ['wn+relay', 'plain', wiretap],
  ['wn+relays', 'within TLS', (port: number) => tlsWiretap(port, certificate)],
  ['wn+relay+wss', 'within a WebSocket', (port: number) => webSocketWiretap(port, certificate)],
] as const;

for (const [scheme, way, tapOn] of WAYS) {
  describe(`wn relay, ${way}`, function () {
    this.timeout(PRODUCT_TEST_MS);
    let folder: string;
    let relay: Daemon;
    let tap: Wiretap;
    let served: Daemon;
    let desk: Device;
    let trust: Readonly<Record<string, string>>;
    const others: Device[] = [];
    const relayHome = (): string => join(folder, 'home-relay');
    const serve = (): Promise<Daemon> => serveThrough(desk, `${scheme}://127.0.0.1:${tap.port}`);

    before(async () => {
      folder = scratch();
      relay = await startRelay(relayHome());
      tap = await tapOn(portOf(relay.address));
      fs.writeFileSync(join(folder, 'ca.pem'), authority.cert);
      trust = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
      desk = new Device(join(folder, 'desk'), 'desk').with(trust);
      fs.mkdirSync(desk.root);
      desk.write(`${FOLDER}/${FILE}`, `${TEXT}\n`);
      await desk.json(['init']);
      await desk.json(['commit', '-m', 'eine vertrauliche Nachricht']);
      served = await serve();
    });
    after(async () => {
      for (const daemon of [served, relay]) daemon.child.kill('SIGKILL');
      tap.close();
      discard(folder);
    });

    it('lets devices join and sync that know only the relay', async () => {
      const ticket = join(folder, 'ticket');
      await desk.json(['invite', '--act', 'write', '--via', served.address, '--out', ticket]);
      for (let n = 1; n < NODES; n++) {
        const device = new Device(join(folder, `n${n}`), `n${n}`).with(trust);
        await device.in(folder).json(['join', ticket, device.root]);
        others.push(device);
      }
      for (const device of others) {
        device.write(`von-${device.name}.md`, `aus ${device.name}\n`);
        await device.json(['commit']);
      }
      // All at once: the relay has several pipes to one listener.
      await Promise.all(others.map((device) => device.json(['sync'])));
      await Promise.all(others.map((device) => device.json(['sync'])));
      const names = others.map(({ name }) => `von-${name}.md`);
      for (const device of [desk, ...others]) {
        assert.deepEqual(
          fs.readdirSync(device.root).filter((name) => /^von/.test(name)),
          names,
        );
      }
    });

    it('lets a device be reached by its address without the workspace, and cloned with it', async () => {
      const [device] = others;
      assert.ok(device);
      const short = served.address.replace(/\/[^/]*$/, '');
      await device.json(['remote', 'add', 'short', short]);
      await device.json(['sync', 'short']);
      await device.in(folder).json(['clone', served.address, join(folder, 'again')]);
      assert.ok(fs.existsSync(join(folder, 'again', FOLDER, FILE)));
      await device.in(folder).refuses(['clone', short, join(folder, 'no')], 2, 'usage');
    });

    it('tells the same of a device that is offline and of one that does not exist', async () => {
      const [device] = others;
      assert.ok(device);
      const own = String((await device.json(['id'])).result?.['device']).replace('did:key:', '');
      await device.json(['remote', 'add', 'own', `${scheme}://127.0.0.1:${tap.port}/${own}`]);
      const text = await device.refuses(['pull', 'own'], 15, 'unreachable');
      assert.match(text, /not connected to the relay, or takes no calls/);
    });

    if (scheme === 'wn+relay+wss') {
      it('is found by who knows nothing of the WebSocket, where a plain line gets nowhere', async () => {
        const [device] = others;
        assert.ok(device);
        const plain = served.address.replace(scheme, 'wn+relays');
        await device.json(['remote', 'add', 'found', plain]);
        await device.json(['sync', 'found']);
      });
    }

    it('keeps and hands over what a device lacks that is away', async () => {
      const [device] = others;
      assert.ok(device);
      assert.equal(await served.stop('SIGTERM'), 0);
      device.write(`${FOLDER}/${LETTER}`, `${TEXT}\n`.repeat(20_000));
      await device.json(['commit']);
      const { result } = await device.json(['push', 'origin']);
      const [remote] = result?.['remotes'] as readonly Record<string, unknown>[];
      assert.equal(remote?.['mailbox'], true);
      served = await serve();
      assert.ok(fs.existsSync(join(desk.root, FOLDER, LETTER)));
    });

    it('passes nothing on that tells of the workspace', async () => {
      const recorded = tap.recorded();
      const passed = recorded.reduce((sum, { byteLength }) => sum + byteLength, 0);
      assert.ok(passed > 10_000, `only ${passed} bytes were recorded`);
      const secrets = await secretsOf([desk, ...others]);
      const found = secrets.flatMap(([what, secret]) =>
        spellings(secret).flatMap((spelling) =>
          recorded.some((stream) => stream.includes(spelling))
            ? [`${what}: ${String(spelling)}`]
            : [],
        ),
      );
      assert.deepEqual(found, []);
      // What is looked for would be found: the same search in what the desk keeps on disk.
      const logs = fs.readdirSync(join(desk.root, '.wn'), { recursive: true, encoding: 'utf8' });
      const kept = logs
        .map((path) => join(desk.root, '.wn', path))
        .filter((path) => fs.statSync(path).isFile())
        .map((path) => fs.readFileSync(path));
      assert.ok(
        kept.some((bytes) => bytes.includes(FILE)),
        'the search finds what is there',
      );
      const log = relay.log();
      assert.match(log, /"event":"piped"/);
      for (const [what, secret] of secrets) {
        for (const spelling of spellings(secret)) assert.ok(!log.includes(String(spelling)), what);
      }
    });

    /** Texts, names, paths, keys and ids of the workspace. */
    async function secretsOf(devices: readonly Device[]): Promise<readonly [string, Uint8Array][]> {
      const secrets: [string, Uint8Array][] = [];
      for (const text of [
        TEXT,
        FOLDER,
        FILE,
        LETTER,
        'vertrauliche',
        'von-n1',
        'aus n1',
        'did:key',
        'desk',
      ]) {
        secrets.push([text, utf8(text)]);
      }
      for (const device of devices) {
        const { result: id } = await device.json(['id']);
        secrets.push(['device', fromHex(parseDevice(String(id?.['device'])))]);
        const key = fs.readFileSync(join(device.home, 'device_ed25519'), 'utf8');
        secrets.push(['seed', (await parseKey(key, () => null)).seed]);
        const { result: log } = await device.json(['log', '--limit', '0']);
        for (const { commit } of log?.['items'] as readonly { readonly commit: string }[]) {
          secrets.push(
            ['commit', fromBase32(commit)],
            ['commit', fromBase32(commit).subarray(0, 8)],
          );
        }
        const { result: list } = await device.json(['list', '--limit', '0']);
        for (const { id: node, path } of list?.['items'] as readonly Record<string, string>[]) {
          secrets.push(['worknode', fromBase32(node ?? '')], ['path', utf8(path ?? '')]);
        }
      }
      const workspace = served.address.split('/').at(-1) ?? '';
      secrets.push(['workspace', fromBase32(workspace)]);
      return secrets;
    }
  });
}
