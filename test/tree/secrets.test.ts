import assert from 'node:assert/strict';
import { SECRET_HEAD_BYTES } from '../../src/core/limits.js';
import { encodeRecoveryKey } from '../../src/caps/recovery.js';
import { looksSecret } from '../../src/tree/secrets.js';

const looks = (path: string, content = ''): string | null =>
  looksSecret(path, Buffer.from(content, 'utf8'));

/** Spelled in parts, so that no scanner of repositories takes this file for the real thing. */
const join = (...parts: readonly string[]): string => parts.join('');
const BASE64 = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7'.repeat(2);
const pem = (kind: string): string => join('-----BEGIN ', kind, '-----\n', BASE64, '\n');

describe('tree/secrets: what is refused', () => {
  for (const name of ['.env', '.env.local', '.ENV.production', '.env.examples']) {
    it(name, () => assert.equal(looks(`a/${name}`), 'an environment file with secrets'));
  }
  for (const name of ['id_rsa', 'id_ed25519', 'id_ecdsa_sk']) {
    it(name, () => assert.equal(looks(`.ssh/${name}`), 'a private SSH key'));
  }
  for (const name of ['.netrc', '_netrc', '.pgpass', '.git-credentials']) {
    it(name, () => assert.equal(looks(name), 'a file of passwords'));
  }
  for (const name of ['a.pfx', 'a.P12', 'passwords.kdbx']) {
    it(name, () => assert.equal(looks(name), 'a key store'));
  }

  const contents: readonly (readonly [what: string, content: string])[] = [
    ['a private key', pem('PRIVATE KEY')],
    ['a private key', pem('RSA PRIVATE KEY')],
    ['a private key', pem('OPENSSH PRIVATE KEY')],
    ['a private key', pem('ENCRYPTED PRIVATE KEY').replaceAll('\n', '\r\n')],
    [
      'a private key',
      join('-----BEGIN RSA ', 'PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n', BASE64),
    ],
    ['a private key', join('-----BEGIN PGP ', 'PRIVATE KEY BLOCK-----\n\n', BASE64)],
    ['a private SSH key', 'PuTTY-User-Key-File-3: ssh-ed25519\n'],
    ['a private key of age', join('AGE-SECRET-', 'KEY-1', 'Q'.repeat(58))],
    ['a ticket to a workspace', join('wn join wn-ticket-1.', 'aB3_-'.repeat(10))],
    ['an AWS access key', join('key = AKIA', 'Q2W3E4R5T6Y7U8I9')],
    ['a GitHub token', join('ghp_', 'a1B2'.repeat(9))],
    ['a GitHub token', join('github_pat_', 'a'.repeat(22), '_', 'b'.repeat(59))],
    ['a GitLab token', join('glpat-', 'abcde'.repeat(4))],
    ['a Slack token', join('xoxb-', '123456789012-123456789012-abc')],
    ['a Google API key', join('AIza', 'Sy'.repeat(17), 'x')],
    ['a Stripe key', join('sk_live_', 'a1'.repeat(12))],
    ['an Anthropic API key', join('sk-ant-', 'api03-', 'aB3_-'.repeat(18))],
    ['an npm token', join('npm_', 'a1B2'.repeat(9))],
    ['an npm token', join('//registry.npmjs.org/:_authToken=', '0f0f0f0f-0000')],
  ];
  for (const [what, content] of contents) {
    it(`${what}: ${content.slice(0, 30).replaceAll('\n', ' ')}`, () => {
      assert.equal(looks('notes.md', `Text before it.\n${content}\n`), what);
    });
  }

  it('our own recovery key', () => {
    const text = encodeRecoveryKey({ ws: 'ab'.repeat(32), name: 'x', seed: new Uint8Array(32) });
    assert.equal(looks('x.recovery', text), "a workspace's recovery key");
  });

  it('a token at the end of what is searched, and no further', () => {
    const token = join('ghp_', 'a1B2'.repeat(9));
    const at = SECRET_HEAD_BYTES - token.length - 1;
    assert.equal(looks('a.md', `${' '.repeat(at)}${token}\n`), 'a GitHub token');
    assert.equal(looks('a.md', `${' '.repeat(at + 2)}${token}\n`), null);
  });
});

describe('tree/secrets: what is let through', () => {
  for (const name of [
    '.env.example',
    '.env.sample',
    '.env.template',
    '.envrc',
    'env',
    'a.env.md',
  ]) {
    it(name, () => assert.equal(looks(name), null));
  }
  for (const name of ['id_rsa.pub', 'id_ed25519.pub', 'id.md', 'key.pem', 'netrc']) {
    it(name, () =>
      assert.equal(looks(name, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI user@host\n'), null),
    );
  }
  const prose = [
    'The file begins with `-----BEGIN PRIVATE KEY-----` and is secret.',
    pem('PUBLIC KEY'),
    pem('CERTIFICATE'),
    'A token looks like ghp_xxxx or github_pat_11ABC, a Slack one like xoxb-…',
    'AKIAIOSFODNN7EXAMPLE is the key of the documentation.',
    'MAKIAQ2W3E4R5T6Y7U8I9 is a serial number.',
    'A ticket is a line: wn-ticket-1.…',
    'The recovery key file starts with the line `wn-recovery-key-1`.\nkey: see above\n',
    '//registry.npmjs.org/:_authToken=${NPM_TOKEN}',
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'task-ant-hill, ask-ant-colony',
  ];
  for (const text of prose) {
    it(JSON.stringify(text.slice(0, 50)), () => assert.equal(looks('notes.md', text), null));
  }

  const hostile: Record<string, string> = {
    'empty lines': '\n'.repeat(SECRET_HEAD_BYTES),
    slashes: '//'.repeat(SECRET_HEAD_BYTES / 2),
    'begun keys': '-----BEGIN A A A PRIVATE KEY-----\na: b\n'.repeat(2_000),
    'recovery lines': 'wn-recovery-key-1\n'.repeat(4_000),
    words: 'A'.repeat(SECRET_HEAD_BYTES),
    'ticket heads': 'wn-ticket-1.a'.repeat(5_000),
  };
  for (const [what, text] of Object.entries(hostile)) {
    it(`gets done with ${what}`, () => assert.equal(looks('a.md', text), null));
  }
});
