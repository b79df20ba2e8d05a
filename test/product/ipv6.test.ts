/** Every way of reaching another device, over IPv6. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../cli/program.js';
import { allow, AnchorProcess } from '../support/anchor.js';
import { skip } from '../support/skip.js';
import { Sshd, whyNoSshd } from '../support/sshd.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';
import { daemon, serveThrough, startRelay, type Daemon } from './relayed.js';

describe('IPv6', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let desk: Device;
  const daemons: Daemon[] = [];

  before(async function () {
    const has = Object.values(networkInterfaces()).some((all) =>
      all?.some(({ address }) => address === '::1'),
    );
    if (!has) skip(this, 'no IPv6 on this machine');
    folder = scratch();
    desk = new Device(join(folder, 'desk'), 'desk');
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n');
    await desk.json(['init']);
    await desk.json(['commit']);
  });
  after(() => {
    for (const { child } of daemons) child.kill('SIGKILL');
    if (folder !== undefined) discard(folder);
  });

  async function started(starting: Promise<Daemon>): Promise<Daemon> {
    const started = await starting;
    daemons.push(started);
    return started;
  }

  async function clone(
    address: string,
    name: string,
    device = desk,
    flags: readonly string[] = [],
  ): Promise<void> {
    assert.match(address, /[/@]\[::1\]:\d+/);
    await device.in(folder).json(['clone', address, join(folder, name), ...flags]);
    assert.equal(fs.readFileSync(join(folder, name, 'a.md'), 'utf8'), 'one\n');
  }

  it('reaches a device that listens', async () => {
    const line = ['-C', desk.root, 'serve', '--listen', '[::1]:0'];
    const { address } = await started(daemon(line, desk.home));
    await clone(address, 'listened');
  });

  for (const scheme of ['wn+relay', 'wn+relay+ws']) {
    it(`reaches a device through a relay, as ${scheme}`, async () => {
      const relay = await started(startRelay(join(folder, `home-${scheme}`), '[::1]:0'));
      const place = relay.address.replace('wn+relay', scheme);
      const { address } = await started(serveThrough(desk, place));
      await clone(address, scheme);
    });
  }

  it('reaches an anchor', async () => {
    const root = join(folder, 'anchor');
    fs.mkdirSync(root);
    const workspace = await allow(root, desk, join(folder, 'anchor-ticket'));
    const anchor = await AnchorProcess.start(root, { listen: '[::1]:0' });
    try {
      const address = `${anchor.address}/${workspace}`;
      await desk.json(['remote', 'add', 'anchor', address]);
      await desk.json(['push', 'anchor']);
      await clone(address, 'anchored');
    } finally {
      await anchor.stop('SIGKILL');
    }
  });

  it('reaches a host by ssh', async function () {
    const why = whyNoSshd();
    if (why !== null) skip(this, why);
    const sshd = await Sshd.start(join(folder, 'sshd'), ['ListenAddress ::1']);
    try {
      const known = join(folder, 'known_hosts');
      fs.writeFileSync(known, sshd.knownHost.replace('127.0.0.1', '::1'));
      const program = join(folder, 'wn-of-desk');
      const line = `WN_HOME='${desk.home}' exec '${process.execPath}' '${ROOT}/bin/wn.js' "$@"`;
      fs.writeFileSync(program, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
      const caller = desk.with({ WN_SSH_COMMAND: sshd.command(known) });
      const address = sshd.url(desk.root).replace('127.0.0.1', '[::1]');
      await clone(address, 'ssh', caller, ['--serve-command', program]);
    } finally {
      await sshd.stop();
    }
  });
});
