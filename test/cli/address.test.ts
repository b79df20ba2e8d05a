/** What an address names; what it may not be is shown in test/product/ssh.test.ts. */
import assert from 'node:assert/strict';
import {
  folderNameOf,
  isWholeLan,
  parseAddress,
  showLanAddress,
  showWnAddress,
} from '../../src/cli/address.js';

const CWD = '/home/me';
const ssh = (user: string | null, host: string, port: number | null, path: string) => ({
  kind: 'ssh',
  user,
  host,
  port,
  path,
});

describe('addresses', () => {
  const cases: readonly (readonly [text: string, address: object])[] = [
    ['/a/b', { kind: 'path', folder: '/a/b' }],
    ['../b', { kind: 'path', folder: '/home/b' }],
    ['./a:b', { kind: 'path', folder: '/home/me/a:b' }],
    ['./-a', { kind: 'path', folder: '/home/me/-a' }],
    ['file:///a%20b', { kind: 'path', folder: '/a b' }],
    ['ssh://me@desk/notes', ssh('me', 'desk', null, '/notes')],
    ['SSH://desk:2222/~/notes', ssh(null, 'desk', 2222, '~/notes')],
    ['ssh://desk/~you/notes', ssh(null, 'desk', null, '~you/notes')],
    ['ssh://me@[::1]:22/a%20b', ssh('me', '::1', 22, '/a b')],
    ['me@desk:notes', ssh('me', 'desk', null, 'notes')],
    ['desk:/srv/a b', ssh(null, 'desk', null, '/srv/a b')],
    ['me@[fe80::1%eth0]:n', ssh('me', 'fe80::1%eth0', null, 'n')],
  ];
  for (const [text, address] of cases) {
    it(text, () => assert.deepEqual(parseAddress(text, CWD), address));
  }

  it('of a listening wn name its device and workspace, and come back as they were', () => {
    const address = {
      kind: 'wn',
      host: '::1',
      port: 5000,
      device: '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
      workspace: '0f'.repeat(32),
    } as const;
    const text = showWnAddress(address);
    assert.match(text, /^wn:\/\/z6Mk\w+@\[::1\]:5000\/\w+$/);
    assert.deepEqual(parseAddress(text, CWD), address);
    for (const bad of [text.replace('z6Mk', 'z6'), text.slice(0, -1), text.replace(/z\w+@/, '')]) {
      assert.throws(() => parseAddress(bad, CWD), { code: 'usage' });
    }
  });

  it('of the local network name a device there, or all', () => {
    const device = '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29';
    const text = showLanAddress(device);
    assert.match(text, /^mdns:z6Mk\w+$/);
    assert.deepEqual(parseAddress(text, CWD), { kind: 'mdns', device });
    assert.deepEqual(parseAddress('MDNS:', CWD), { kind: 'mdns', device: null });
    assert.deepEqual(['mdns:', 'Mdns:', text].map(isWholeLan), [true, true, false]);
    for (const bad of ['mdns:desk', 'mdns:/notes', `${text}x`, 'mdns://', 'mdns:zzz']) {
      assert.throws(() => parseAddress(bad, CWD), { code: 'usage' });
    }
  });

  it('give a name to a new folder', () => {
    const names = ['/a/b/', 'me@desk:notes', 'ssh://desk/~/'].map((text) =>
      folderNameOf(parseAddress(text, CWD)),
    );
    assert.deepEqual(names, ['b', 'notes', 'workspace']);
  });
});
