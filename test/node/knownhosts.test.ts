/** Which host is known by which key, in files as OpenSSH writes them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addKnownHost,
  fingerprint,
  hostName,
  judgeHost,
  knownTypes,
  parseKnownHosts,
  readKnownHosts,
} from '../../src/node/knownhosts.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { skip } from '../support/skip.js';

function keyOf(type: string, byte: number): Buffer {
  const field = (bytes: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bytes.byteLength);
    return Buffer.concat([head, bytes]);
  };
  return Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32, byte))]);
}

const [OLD, NEW] = [keyOf('ssh-ed25519', 1), keyOf('ssh-ed25519', 2)];
const ECDSA = keyOf('ecdsa-sha2-nistp256', 3);
const line = (names: string, key: Buffer, type = 'ssh-ed25519'): string =>
  `${names} ${type} ${key.toString('base64')}`;
const judged = (text: string, name: string, key: Buffer): string =>
  judgeHost(parseKnownHosts(text), name, key);

describe('known hosts', () => {
  it('tells known, unknown, changed and revoked apart', () => {
    const text = [line('desk,10.0.0.7', OLD), `@revoked ${line('*', NEW)}`].join('\n');
    assert.equal(judged(text, 'desk', OLD), 'known');
    assert.equal(judged(text, '10.0.0.7', OLD), 'known');
    assert.equal(judged(text, 'other', OLD), 'unknown');
    assert.equal(judged(text, 'desk', keyOf('ssh-ed25519', 9)), 'changed');
    assert.equal(judged(text, 'desk', NEW), 'revoked', 'known otherwise or not');
    assert.equal(judged(`${text}\n${line('desk', NEW)}`, 'desk', NEW), 'revoked');
  });

  it('a host known by another kind of key has changed, and is asked for the known kind', () => {
    const text = line('desk', ECDSA, 'ecdsa-sha2-nistp256');
    assert.equal(judged(text, 'desk', OLD), 'changed');
    assert.deepEqual(knownTypes(parseKnownHosts(text), 'desk'), ['ecdsa-sha2-nistp256']);
    assert.equal(judged(`${text}\n${line('desk', OLD)}`, 'desk', OLD), 'known');
  });

  it('a port of its own is another host', () => {
    assert.equal(hostName('Desk', 22), 'desk');
    assert.equal(hostName('::1', 2222), '[::1]:2222');
    const text = line('[desk]:2222', OLD);
    assert.equal(judged(text, hostName('desk', 2222), OLD), 'known');
    assert.equal(judged(text, hostName('desk', 22), OLD), 'unknown');
    assert.equal(judged(line('desk', OLD), hostName('desk', 2222), NEW), 'unknown');
  });

  it('reads patterns, and negated ones', () => {
    const text = line('*.example.org,!bad.example.org,h?st', OLD);
    assert.equal(judged(text, 'a.b.example.org', OLD), 'known');
    assert.equal(judged(text, 'host', OLD), 'known');
    assert.equal(judged(text, 'hoost', OLD), 'unknown');
    assert.equal(judged(text, 'bad.example.org', OLD), 'unknown');
    const hard = line(`${'*a'.repeat(500)}b`, OLD);
    assert.equal(judged(hard, 'a'.repeat(1_000), OLD), 'unknown', 'in no time');
  });

  it('ignores what it cannot read: comments, authorities, keys of another kind than said', () => {
    const text = [
      '# a comment',
      '',
      'desk',
      'desk ssh-ed25519',
      `@cert-authority ${line('desk', OLD)}`,
      line('desk', OLD, 'ssh-rsa'),
      'desk ssh-ed25519 !!!!',
      '|1|x|y ssh-ed25519 AAAA',
      '|2|a|b|c',
    ].join('\n');
    assert.deepEqual(
      parseKnownHosts(text).filter(({ names }) => names === 'desk'),
      [],
    );
    assert.equal(judged(text, 'desk', OLD), 'unknown');
  });

  it('reads names that ssh-keygen has hashed, and adds a host that ssh-keygen finds', function () {
    const folder = tempFolder();
    try {
      addKnownHost(folder, '[desk]:2222', OLD);
      addKnownHost(folder, 'lap', NEW);
      const file = join(folder, '.ssh/known_hosts');
      assert.equal(statSync(file).mode & 0o777, 0o600);
      writeFileSync(file, readFileSync(file, 'utf8').trimEnd());
      addKnownHost(folder, 'third', ECDSA);
      assert.equal(readFileSync(file, 'utf8').split('\n').length, 4, 'a line of its own');
      try {
        execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') skip(this, 'no ssh-keygen here');
        throw error;
      }
      assert.doesNotMatch(readFileSync(file, 'utf8'), /desk|lap/);
      const known = readKnownHosts(folder);
      assert.equal(judgeHost(known, '[desk]:2222', OLD), 'known');
      assert.equal(judgeHost(known, '[desk]:2222', NEW), 'changed');
      assert.equal(judgeHost(known, 'lap', NEW), 'known');
      assert.equal(judgeHost(known, 'desk', OLD), 'unknown');
    } finally {
      removeFolder(folder);
    }
  });

  it('shows a key as OpenSSH does', () => {
    const key = Buffer.from(
      'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
      'base64',
    );
    assert.equal(fingerprint(key), 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  });
});
