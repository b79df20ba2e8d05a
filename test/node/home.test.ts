/** The device's home and key: found, made once, kept private, readable by ssh-keygen. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hash, signerFromSeed, verify } from '../../src/core/crypto.js';
import { HOME_FILE_BYTES_MAX } from '../../src/core/limits.js';
import { homeFolder, loadOrCreateDeviceKey } from '../../src/node/home.js';
import { rejects } from '../conform/expect.js';
import { skip } from '../support/skip.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { startChild } from './spawn.js';

const hex = (of: Uint8Array): string => Buffer.from(of).toString('hex');

describe('home of a device', () => {
  let folder: string;
  let home: string;
  let keyFile: string;
  beforeEach(() => {
    folder = tempFolder();
    home = `${folder}/config/wn`;
    keyFile = `${home}/device_ed25519`;
  });
  afterEach(() => removeFolder(folder));

  it('is where the environment says', () => {
    assert.equal(homeFolder({ WN_HOME: '/own', XDG_CONFIG_HOME: '/xdg', HOME: '/u' }), '/own');
    assert.equal(homeFolder({ WN_HOME: '', XDG_CONFIG_HOME: '/xdg', HOME: '/u' }), '/xdg/wn');
    assert.equal(homeFolder({ XDG_CONFIG_HOME: 'relative', HOME: '/u' }), '/u/.config/wn');
    assert.equal(homeFolder({ WN_HOME: 'here' }), `${process.cwd()}/here`);
    assert.match(homeFolder({}), /^\/.*\/\.config\/wn$/);
  });

  it('has one key, made at first use, for its owner alone', async () => {
    const first = await loadOrCreateDeviceKey(home);
    assert.deepEqual(await loadOrCreateDeviceKey(home), first);
    assert.equal(fs.statSync(home).mode & 0o777, 0o700);
    assert.equal(fs.statSync(keyFile).mode & 0o777, 0o600);
    const signed = hash('wn/commit/1', first.publicKey);
    const signer = signerFromSeed(first.seed);
    assert.equal(signer.publicKey, hex(first.publicKey));
    assert(verify(hex(first.publicKey), signed, signer.sign(signed)));
    const other = await loadOrCreateDeviceKey(`${folder}/other`);
    assert.notDeepEqual(other.publicKey, first.publicKey, 'two homes are two devices');
  });

  it('has one key whoever comes first', async () => {
    const child = startChild('make-key', home);
    const keys = await Promise.all([
      child.next(),
      ...Array.from({ length: 5 }, async () => hex((await loadOrCreateDeviceKey(home)).publicKey)),
    ]);
    assert.equal(new Set(keys).size, 1, keys.join('\n'));
    assert.deepEqual(fs.readdirSync(home).sort(), ['device.json', 'device_ed25519']);
  });

  it('keeps the name it was given', async () => {
    const { name } = await loadOrCreateDeviceKey(home);
    assert.notEqual(name, '');
    fs.writeFileSync(`${home}/device.json`, '{"name":"kitchen","more":1}');
    assert.equal((await loadOrCreateDeviceKey(home)).name, 'kitchen');
    for (const bad of ['', '{', '[]', 'null', '{"name":1}', '{"name":""}', '{"name":"a\\u0007"}']) {
      fs.writeFileSync(`${home}/device.json`, bad);
      await rejects(loadOrCreateDeviceKey(home), 'invalid', bad);
    }
  });

  it('is refused while others may read the key, and says what mends it', async () => {
    await loadOrCreateDeviceKey(home);
    for (const mode of [0o640, 0o604, 0o644, 0o660]) {
      fs.chmodSync(keyFile, mode);
      await rejects(loadOrCreateDeviceKey(home), 'unsafe_mode', mode.toString(8));
    }
    const error = await loadOrCreateDeviceKey(home).catch((caught: unknown) => caught);
    const { hint } = error as { hint: string };
    assert.equal(hint, `chmod 600 '${keyFile}'`);
    execFileSync('sh', ['-c', hint]);
    await loadOrCreateDeviceKey(home);
  });

  it('refuses key files that are something else, and replaces none', async () => {
    await loadOrCreateDeviceKey(home);
    const whole = fs.readFileSync(keyFile, 'utf8');
    const lines = whole.split('\n');
    const flipped = Buffer.from(lines.slice(1, -2).join(''), 'base64');
    flipped[flipped.length - 60] = (flipped[flipped.length - 60] ?? 0) ^ 1; // within the seed
    const cases: Record<string, string> = {
      empty: '',
      'no key': 'hello',
      'cut short': lines.slice(0, 3).concat(lines.slice(-2)).join('\n'),
      'another kind': whole.replaceAll('OPENSSH', 'RSA'),
      'a flipped bit': [lines[0], flipped.toString('base64'), lines.at(-2), ''].join('\n'),
      'too large': whole.replace('\n', '\n'.repeat(HOME_FILE_BYTES_MAX)),
    };
    for (const [what, content] of Object.entries(cases)) {
      fs.writeFileSync(keyFile, content);
      await rejects(loadOrCreateDeviceKey(home), 'invalid', what);
      assert.equal(fs.readFileSync(keyFile, 'utf8'), content, what);
    }
    for (let length = 0; length < whole.length - 1; length += 7) {
      fs.writeFileSync(keyFile, whole.slice(0, length));
      await rejects(loadOrCreateDeviceKey(home), 'invalid', `the first ${length} characters`);
    }
  });

  describe('together with ssh-keygen', () => {
    before(function () {
      if (spawnSync('ssh-keygen', ['-?']).error !== undefined) skip(this, 'no ssh-keygen here');
    });

    /** The 32 bytes at the end of an `ssh-ed25519 AAAA…` line. */
    const publicOf = (line: string): string =>
      hex(Buffer.from(line.split(' ')[1] ?? '', 'base64').subarray(-32));

    it('writes keys that ssh-keygen reads', async () => {
      const { publicKey, name } = await loadOrCreateDeviceKey(home);
      const line = execFileSync('ssh-keygen', ['-y', '-P', '', '-f', keyFile], {
        encoding: 'utf8',
      });
      assert.equal(publicOf(line), hex(publicKey));
      assert(line.trim().endsWith(name), line);
    });

    it('reads keys that ssh-keygen made', async () => {
      fs.mkdirSync(home, { recursive: true });
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'x', '-f', keyFile]);
      const { publicKey } = await loadOrCreateDeviceKey(home);
      assert.equal(hex(publicKey), publicOf(fs.readFileSync(`${keyFile}.pub`, 'utf8')));
    });

    it('refuses a key of another kind', async () => {
      fs.mkdirSync(home, { recursive: true });
      execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', keyFile]);
      await rejects(loadOrCreateDeviceKey(home), 'invalid');
    });

    it('reads an encrypted key with its passphrase and not without', async () => {
      const { publicKey } = await loadOrCreateDeviceKey(home);
      execFileSync('ssh-keygen', [
        '-q',
        '-p',
        '-a',
        '1',
        '-P',
        '',
        '-N',
        'päss phrase',
        '-f',
        keyFile,
      ]);
      await rejects(loadOrCreateDeviceKey(home), 'denied', 'no passphrase');
      const passphraseFile = `${folder}/passphrase`;
      await rejects(loadOrCreateDeviceKey(home, { passphraseFile }), 'not_found', 'no file');
      fs.writeFileSync(passphraseFile, 'wrong\n');
      await rejects(loadOrCreateDeviceKey(home, { passphraseFile }), 'denied', 'wrong');
      fs.writeFileSync(passphraseFile, 'päss phrase\n');
      assert.deepEqual(
        (await loadOrCreateDeviceKey(home, { passphraseFile })).publicKey,
        publicKey,
      );
    });
  });
});
