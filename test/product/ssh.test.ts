/** Two devices that meet over a real OpenSSH server, with the built program on both sides. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../cli/program.js';
import { skip } from '../support/skip.js';
import { keygen, Sshd, whyNoSshd } from '../support/sshd.js';
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

  it('says next to nothing when there is nothing to say', async () => {
    const { result } = await lap.json(['sync']);
    const [remote] = result?.['remotes'] as readonly { bytes: number; sent: number }[];
    assert.ok(remote !== undefined && remote.sent === 0);
    assert.ok(remote.bytes < 1_500, `${remote.bytes} bytes for nothing`);
  });

  it('makes another copy for a member, and tells nobody else which workspace it is', async () => {
    const command = ['--serve-command', served(folder, desk)];
    const copy = join(folder, 'copy');
    await lap.in(folder).json(['clone', sshd.url(desk.root), copy, ...command]);
    assert.ok(fs.existsSync(join(copy, 'a.md')));
    const stranger = new Device(folder, 'stranger', folder).with({
      WN_SSH_COMMAND: sshd.command(),
    });
    const words = ['clone', sshd.url(desk.root), join(folder, 'no'), ...command];
    await stranger.refuses(words, 12, 'denied');
    assert.equal(fs.existsSync(join(folder, 'no')), false);
  });

  it('takes a key from an agent, and one with a passphrase', async () => {
    const secret = join(sshd.folder, 'secret');
    keygen(secret, 'open sesame');
    fs.appendFileSync(join(sshd.folder, 'authorized'), fs.readFileSync(`${secret}.pub`));
    const askpass = join(folder, 'askpass');
    fs.writeFileSync(askpass, "#!/bin/sh\necho 'open sesame'\n", { mode: 0o700 });
    const asking = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
    const command = sshd.command(undefined, sshd.identity(secret));
    await lap.with({ ...asking, WN_SSH_COMMAND: command }).json(['sync']);
    await lap.with({ WN_SSH_COMMAND: command }).refuses(['sync'], 15, 'unreachable');

    const agent = new Agent(join(folder, 'agent'));
    try {
      await agent.add(secret, asking);
      const options = ['-o', `IdentityAgent=${agent.socket}`];
      await lap.with({ WN_SSH_COMMAND: sshd.command(undefined, options) }).json(['sync']);
    } finally {
      await agent.stop();
    }
  });

  it('refuses a host whose key has changed, and one it never saw', async () => {
    const known = join(folder, 'other_hosts');
    keygen(join(folder, 'other'), '');
    const other = fs.readFileSync(join(folder, 'other.pub'), 'utf8');
    fs.writeFileSync(known, `[127.0.0.1]:${sshd.port} ${other}`);
    const changed = lap.with({ WN_SSH_COMMAND: sshd.command(known) });
    const { error } = await changed.json(['sync'], 15);
    assert.equal((error as unknown as { reason: string }).reason, 'host_key');
    assert.match(error?.message ?? '', /host key/i);
    fs.writeFileSync(known, '');
    await changed.refuses(['sync'], 15, 'unreachable');
  });

  it('says what to do where wn is not there, and shows what was said over there', async () => {
    const far = lap.in(lap.root);
    const words = ['remote', 'add', 'missing', sshd.url(desk.root)];
    await far.json([...words, '--serve-command', '/no/such/wn']);
    const text = await far.refuses(['pull', 'missing'], 15, 'unreachable');
    assert.match(text, /no\/such\/wn.*(not found|No such file)[^]*--serve-command/);
    await far.json([...words.slice(0, -1), sshd.url('/nowhere')]);
    await far.json(['remote', 'remove', 'missing']);
    const wrong = ['--serve-command', served(folder, desk)];
    await far.json(['remote', 'add', 'wrong', sshd.url('/nowhere at all'), ...wrong]);
    assert.match(await far.refuses(['pull', 'wrong'], 15, 'unreachable'), /nowhere at all/);
    await far.json(['remote', 'remove', 'wrong']);
  });

  it('does without a program ssh: keys of its own, the agent, known_hosts', async () => {
    const home = join(folder, 'home-without-ssh');
    fs.mkdirSync(join(home, '.ssh'), { recursive: true });
    const known = join(home, '.ssh/known_hosts');
    const bare = lap.with({ PATH: folder, HOME: home, WN_SSH_COMMAND: '' });
    const unknown = await bare.json(['sync', 'origin'], 15);
    assert.match(unknown.error?.message ?? '', /is not known here; its key is ssh-ed25519 SHA256:/);
    fs.writeFileSync(known, sshd.knownHost);
    execFileSync('ssh-keygen', ['-H', '-f', known], { stdio: 'ignore' });
    assert.match(await bare.refuses(['sync', 'origin'], 15, 'unreachable'), /lets nobody in/);
    fs.copyFileSync(join(sshd.folder, 'user'), join(home, '.ssh/id_ed25519'));
    lap.write('without.md', 'ssh\n');
    await bare.json(['sync', 'origin', '-m', 'by ssh2']);
    assert.equal(fs.readFileSync(join(desk.root, 'without.md'), 'utf8'), 'ssh\n');
    fs.rmSync(join(home, '.ssh/id_ed25519'));
    const agent = new Agent(join(folder, 'agent2'));
    try {
      await agent.add(join(sshd.folder, 'user'), {});
      await bare.with({ SSH_AUTH_SOCK: agent.socket }).json(['sync', 'origin']);
    } finally {
      await agent.stop();
    }
    const other = fs.readFileSync(join(folder, 'other.pub'), 'utf8');
    fs.writeFileSync(known, `[127.0.0.1]:${sshd.port} ${other}`);
    const { error } = await bare.json(['sync', 'origin'], 15);
    assert.equal((error as unknown as { reason: string }).reason, 'host_key');
    assert.match(error?.message ?? '', /has changed/);
    fs.writeFileSync(known, `${sshd.knownHost}@revoked * ${sshd.hostKey}\n`);
    assert.match(await bare.refuses(['sync', 'origin'], 15, 'unreachable'), /is revoked/);
    const missing = ['remote', 'add', 'nowhere', sshd.url('/nowhere'), '--serve-command'];
    fs.writeFileSync(known, sshd.knownHost);
    fs.copyFileSync(join(sshd.folder, 'user'), join(home, '.ssh/id_ed25519'));
    await bare.json([...missing, '/no/such/wn']);
    assert.match(await bare.refuses(['pull', 'nowhere'], 15, 'unreachable'), /no\/such\/wn/);
    await bare.json(['remote', 'remove', 'nowhere']);
  });

  it('resumes a transfer that was cut, from where it was cut', async () => {
    const big = Buffer.alloc(TRANSFER_BYTES);
    for (let at = 0; at < big.byteLength; at += 4)
      big.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
    desk.write('big.bin', big);
    await desk.json(['commit', '--force']);
    const pidFile = join(folder, 'ssh.pid');
    const wrapper = join(folder, 'ssh-with-pid');
    fs.writeFileSync(wrapper, `#!/bin/sh\necho $$ > '${pidFile}'\nexec "$@"\n`, { mode: 0o755 });
    const watched = lap.with({ WN_SSH_COMMAND: `'${wrapper}' ${sshd.command()}` });
    const pulling = watched.json(['pull'], 15);
    while (bytesBelow(join(lap.root, '.wn/blobs')) < TRANSFER_BYTES / 3) await pause();
    process.kill(Number(fs.readFileSync(pidFile, 'utf8')));
    await pulling;
    const held = bytesBelow(join(lap.root, '.wn/blobs'));
    assert.ok(held < TRANSFER_BYTES, 'cut too late to show anything');
    const { result } = await watched.json(['pull']);
    const [remote] = result?.['remotes'] as readonly { bytes: number }[];
    const again = (remote?.bytes ?? Infinity) - (TRANSFER_BYTES - held);
    assert.ok(again < 2 ** 20, `${again} bytes more than were missing`);
    assert.ok(fs.readFileSync(join(lap.root, 'big.bin')).equals(big));
  });
});

const TRANSFER_BYTES = 40_000_000;

function bytesBelow(path: string): number {
  if (!fs.existsSync(path)) return 0;
  return fs
    .readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => fs.statSync(join(path, name), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** An ssh-agent, ended by its process id. */
class Agent {
  readonly socket: string;
  private readonly child: ChildProcess;

  constructor(socket: string) {
    this.socket = socket;
    this.child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  }

  async add(key: string, env: Readonly<Record<string, string>>): Promise<void> {
    while (!fs.existsSync(this.socket)) await pause();
    execFileSync('ssh-add', ['-q', key], {
      env: { ...process.env, ...env, SSH_AUTH_SOCK: this.socket },
      stdio: 'ignore',
    });
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill();
    await gone;
  }
}

describe('addresses that would pass for options', function () {
  this.timeout(PRODUCT_TEST_MS);

  it('are refused wherever they come from, and nothing is run', async () => {
    const folder = scratch();
    try {
      const device = new Device(join(folder, 'a'), 'a');
      fs.mkdirSync(device.root);
      await device.json(['init']);
      const trap = `-oProxyCommand=touch ${join(folder, 'trapped')}`;
      const addresses = [
        `ssh://${trap}/x`,
        `ssh://me@${trap}/x`,
        `ssh://${trap}@host/x`,
        `${trap}:x`,
        `me@${trap}:x`,
        `host:${trap}`,
        'ssh://host:70000/x',
        'ssh://host',
        'host:',
        'ssh://host/a%0ab',
        'ssh://me:password@host/x',
        'ssh://host%20name/x',
        'ext::sh -c touch% x',
      ];
      for (const address of addresses) {
        await device.refuses(['remote', 'add', '--', 'x', address], 2, 'usage');
        await device.refuses(['clone', '--', address, 'y'], 2, 'usage');
      }
      const config = join(device.root, '.wn/config');
      const held = JSON.parse(fs.readFileSync(config, 'utf8')) as Record<string, unknown>;
      const remotes = addresses.map((url, at) => ({ name: `r${at}`, url }));
      fs.writeFileSync(config, JSON.stringify({ ...held, remotes }));
      await device.json(['sync'], 3);
      await device.refuses(['sync', 'r0'], 2, 'usage');
      assert.equal(fs.existsSync(join(folder, 'trapped')), false);
    } finally {
      discard(folder);
    }
  });

  it('nor does a repository that came from elsewhere bring a command along', async () => {
    const folder = scratch();
    try {
      const device = new Device(join(folder, 'a'), 'a');
      fs.mkdirSync(device.root);
      await device.json(['init']);
      const trapped = join(folder, 'trapped');
      const trap = join(folder, 'trap');
      fs.writeFileSync(trap, `#!/bin/sh\ntouch '${trapped}'\n`, { mode: 0o755 });
      await device.json(['config', 'core.sshCommand', trap]);
      await device.json(['remote', 'add', 'x', 'nowhere.invalid:x']);
      await device.json(['sync'], 15);
      assert.ok(fs.existsSync(trapped), 'set here, it counts');
      fs.rmSync(trapped);
      const copy = new Device(join(folder, 'copy'), 'a');
      fs.cpSync(device.root, copy.root, { recursive: true });
      const ssh = { WN_SSH_COMMAND: '' };
      await copy.with(ssh).json(['sync'], 15);
      assert.equal(fs.existsSync(trapped), false, 'brought along, it counts nothing');
    } finally {
      discard(folder);
    }
  });
});
