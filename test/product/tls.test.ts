/** A relay's certificate: what is trusted, what is refused and in which words. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Authority, selfSigned, type Certificate } from '../support/authority.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';
import { portOf, serveThrough, startRelay, type Daemon } from './relayed.js';

const HOUR_MS = 3_600_000;
const HERE = ['127.0.0.1'];

describe('wn relay with a certificate', function () {
  this.timeout(PRODUCT_TEST_MS);
  const authority = new Authority();
  let folder: string;
  let relay: Daemon;
  let desk: Device;

  before(async () => {
    folder = scratch();
    const { cert, key } = authority.issue({ names: HERE });
    for (const [name, text] of [
      ['cert.pem', cert],
      ['key.pem', key],
      ['ca.pem', authority.cert],
    ] as const) {
      fs.writeFileSync(join(folder, name), text, { mode: 0o600 });
    }
    const files = ['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'key.pem')];
    relay = await startRelay(join(folder, 'home-relay'), '127.0.0.1:0', files);
    desk = new Device(join(folder, 'desk'), 'desk').with({
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    });
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit']);
  });
  after(() => {
    relay.child.kill('SIGKILL');
    discard(folder);
  });

  for (const scheme of ['wn+relays', 'wn+relay+wss']) {
    it(`is used by who trusts its authority, as ${scheme}`, async () => {
      assert.match(relay.address, /^wn\+relays:/);
      const served = await serveThrough(desk, relay.address.replace('wn+relays', scheme));
      try {
        const copy = join(folder, scheme);
        await desk.in(folder).json(['clone', served.address, copy]);
        assert.equal(fs.readFileSync(join(copy, 'a.md'), 'utf8'), 'one\n');
      } finally {
        served.child.kill('SIGKILL');
      }
    });
  }

  /** What is said of a relay that shows this certificate. */
  async function refusal(certificate: Certificate, host = '127.0.0.1'): Promise<string> {
    const server = createServer({ ...certificate }, (line) => line.destroy());
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const line = ['serve', '--relay', `wn+relays://${host}:${port}`];
      return await desk.refuses(line, 15, 'unreachable');
    } finally {
      server.close();
    }
  }

  for (const [what, made, said] of [
    [
      'for another name',
      () => authority.issue({ names: ['relay.example', '192.0.2.1'] }),
      /no TLS with 127\.0\.0\.1: its certificate is for another name\n/,
    ],
    [
      'that has expired',
      () => authority.issue({ names: HERE, fromMs: -2 * HOUR_MS, toMs: -HOUR_MS }),
      /its certificate has expired\n/,
    ],
    [
      'that is not valid yet',
      () => authority.issue({ names: HERE, fromMs: HOUR_MS, toMs: 2 * HOUR_MS }),
      /its certificate is not valid yet\n.*the clock of this machine/,
    ],
    [
      'signed by itself',
      () => selfSigned({ names: HERE }),
      /from nobody whom this machine trusts\n.*NODE_EXTRA_CA_CERTS=FILE/,
    ],
    [
      'of an unknown authority',
      () => new Authority('another').issue({ names: HERE }),
      /from nobody whom this machine trusts\n.*NODE_EXTRA_CA_CERTS=FILE/,
    ],
  ] as const) {
    it(`is refused with a certificate ${what}`, async () => {
      assert.match(await refusal(made()), said);
    });
  }

  it('is told from one that speaks no TLS', async () => {
    const plain = await startRelay(join(folder, 'home-plain'));
    try {
      const address = `wn+relays://127.0.0.1:${portOf(plain.address)}`;
      const text = await desk.refuses(['serve', '--relay', address], 15, 'unreachable');
      assert.match(text, /no TLS with 127\.0\.0\.1/);
    } finally {
      plain.child.kill('SIGKILL');
    }
  });
});
