/** Two devices that meet over a real OpenSSH server, with the built program on both sides. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../cli/program.js';
import { skip } from '../support/skip.js';
import { Sshd, whyNoSshd } from '../support/sshd.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

/** What runs `wn` over there as the device whose home is given. */
function served(folder: string, device: Device): string {
  const script = join(folder, `wn-of-${device.name}`);
  const lines = [
    '#!/bin/sh',
    `WN_HOME='${device.home}' exec '${process.execPath}' '${ROOT}/bin/wn.js' "$@"`,
    '',
  ];
  fs.writeFileSync(script, lines.join('\n'), { mode: 0o755 });
  return script;
}

describe('sync over ssh', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let sshd: Sshd;
  let desk: Device;
  let lap: Device;

  before(async function () {
    const why = whyNoSshd();
    if (why !== null) skip(this, why);
    folder = scratch();
    sshd = await Sshd.start(join(folder, 'sshd'));
    desk = new Device(join(folder, 'desk'), 'desk');
    lap = new Device(join(folder, 'lap'), 'lap').with({ WN_SSH_COMMAND: sshd.command() });
    fs.mkdirSync(desk.root);
    desk.write('a.md', 'one\n\ntwo\n\nthree\n');
    await desk.json(['init']);
    await desk.json(['commit', '-m', 'import']);
  });
  after(async () => {
    await sshd?.stop();
    if (folder !== undefined) discard(folder);
  });

  it('joins by a ticket, then pushes, pulls and syncs', async () => {
    const ticket = join(folder, 'ticket');
    await desk.json(['invite', '--act', 'write', '--via', sshd.url(desk.root), '--out', ticket]);
    const command = served(folder, desk);
    const joined = await lap
      .in(folder)
      .json(['join', ticket, lap.root, '--serve-command', command]);
    assert.ok(Number(joined.result?.['commits']) > 0);
    assert.equal(fs.readFileSync(join(lap.root, 'a.md'), 'utf8'), 'one\n\ntwo\n\nthree\n');

    lap.write('b.md', 'from lap\n');
    await lap.json(['commit']);
    await lap.json(['push']);
    assert.equal(fs.readFileSync(join(desk.root, 'b.md'), 'utf8'), 'from lap\n');

    desk.write('a.md', 'one desk\n\ntwo\n\nthree\n');
    await desk.json(['commit']);
    await lap.json(['pull']);
    assert.equal(fs.readFileSync(join(lap.root, 'a.md'), 'utf8'), 'one desk\n\ntwo\n\nthree\n');

    desk.write('a.md', 'one desk\n\ntwo\n\nthree desk\n');
    await desk.json(['commit']);
    lap.write('a.md', 'one desk\n\ntwo lap\n\nthree\n');
    await lap.json(['sync', '-m', 'laptop']);
    const both = 'one desk\n\ntwo lap\n\nthree desk\n';
    assert.equal(fs.readFileSync(join(lap.root, 'a.md'), 'utf8'), both);
    assert.equal(fs.readFileSync(join(desk.root, 'a.md'), 'utf8'), both);
  });
});
