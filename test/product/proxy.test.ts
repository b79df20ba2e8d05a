/** Lines through an HTTP proxy that the environment names, and what is said when it refuses. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { httpProxy, type HttpProxy } from '../support/httpproxy.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';
import { daemon, portOf, serveThrough, startRelay, type Daemon } from './relayed.js';

const PASSWORD = 'p@ss:word/geheim';
const LOGIN = `user:${PASSWORD}`;

describe('an HTTP proxy', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let relay: Daemon;
  let relayed: Daemon;
  let listening: Daemon;
  let desk: Device;
  let proxy: HttpProxy;
  let proxyUrl: string;

  before(async () => {
    folder = scratch();
    relay = await startRelay(join(folder, 'home-relay'));
    desk = new Device(join(folder, 'desk'), 'desk');
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit']);
    relayed = await serveThrough(desk, relay.address);
    const line = ['-C', desk.root, 'serve', '--listen', '127.0.0.1:0'];
    listening = await daemon(line, desk.home);
    proxy = await httpProxy({ login: LOGIN });
    proxyUrl = `http://user:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}`;
  });
  after(() => {
    for (const { child } of [relayed, listening, relay]) child.kill('SIGKILL');
    proxy.close();
    discard(folder);
  });

  let copies = 0;
  /** What the proxy was asked for while a copy was cloned. */
  async function clone(address: string, env: Record<string, string>): Promise<readonly string[]> {
    const before = proxy.asked.length;
    const copy = join(folder, `copy-${++copies}`);
    await desk.with(env).in(folder).json(['clone', address, copy]);
    assert.equal(fs.readFileSync(join(copy, 'a.md'), 'utf8'), 'one\n');
    return [...new Set(proxy.asked.slice(before))];
  }
  const refusal = (env: Record<string, string>): Promise<string> =>
    desk
      .with(env)
      .in(folder)
      .refuses(['clone', relayed.address, join(folder, 'no')], 15, 'unreachable');

  for (const [what, name, address] of [
    ['a plain line to a relay', 'http_proxy', () => relayed.address],
    ['a WebSocket', 'HTTP_PROXY', () => relayed.address.replace('wn+relay:', 'wn+relay+ws:')],
    ['a device that listens', 'https_proxy', () => listening.address],
    ['a device that listens, for want of its own', 'ALL_PROXY', () => listening.address],
  ] as const) {
    it(`is used for ${what}, by ${name}, with name and password`, async () => {
      const asked = await clone(address(), { [name]: proxyUrl });
      assert.deepEqual(asked, [`127.0.0.1:${portOf(address())}`]);
    });
  }

  it('may be named without a scheme', async () => {
    const open = await httpProxy();
    try {
      await clone(listening.address, { HTTPS_PROXY: `127.0.0.1:${open.port}` });
      assert.equal(open.asked.length, 1);
    } finally {
      open.close();
    }
  });

  it('is left out for what NO_PROXY names', async () => {
    const asked = await clone(relayed.address, { HTTP_PROXY: proxyUrl, no_proxy: '127.0.0.1' });
    assert.deepEqual(asked, []);
  });

  it('is told of by its host, and never by its password, when it refuses or is not there', async () => {
    const wrong = `http://user:falsch@127.0.0.1:${proxy.port}`;
    const text = await refusal({ HTTP_PROXY: wrong });
    assert.match(
      text,
      new RegExp(`through the proxy 127\\.0\\.0\\.1:${proxy.port}: it answers 407`),
    );
    assert.match(text, /NO_PROXY=127\.0\.0\.1/);
    assert.doesNotMatch(text, /falsch|user/);
    const forbidding = await httpProxy({ status: 403 });
    const forbidden = await refusal({ HTTP_PROXY: `http://127.0.0.1:${forbidding.port}` });
    forbidding.close();
    assert.match(forbidden, /it answers 403 Forbidden/);
    const dead = proxyUrl.replace(/\d+$/, String(await freePort()));
    const gone = await refusal({ HTTP_PROXY: dead });
    assert.match(gone, /through the proxy 127\.0\.0\.1:\d+: ECONNREFUSED/);
    assert.ok(!gone.includes(PASSWORD) && !gone.includes(encodeURIComponent(PASSWORD)), gone);
  });

  it('of another kind, or with an address that cannot be read, is refused', async () => {
    const text = await refusal({ ALL_PROXY: 'socks5://user:falsch@proxy.example:1080' });
    assert.match(text, /proxy\.example:1080 is of a kind that wn does not speak: socks5/);
    const unreadable = await refusal({ HTTP_PROXY: 'http://user:fal sch@[proxy' });
    assert.match(unreadable, /no address that can be read/);
    assert.doesNotMatch(text + unreadable, /fal ?sch/);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
