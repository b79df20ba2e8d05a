import assert from 'node:assert/strict';
import { toHex } from '../../src/core/bytes.js';
import { WnError } from '../../src/core/errors.js';
import { RECOVERY_FILE_CHARS_MAX } from '../../src/core/limits.js';
import { encodeRecoveryKey, parseRecoveryKey, type RecoveryKey } from '../../src/caps/recovery.js';
import { fixedRng, WS } from './fixtures.js';

const key: RecoveryKey = { ws: WS, name: 'run "books"', seed: fixedRng('recovery').bytes(32) };
const text = encodeRecoveryKey(key);

function refused(file: string): WnError {
  try {
    parseRecoveryKey(file);
  } catch (error) {
    assert.ok(error instanceof WnError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

/** The file with the value of one line changed. */
function withLine(name: string, change: (value: string) => string): string {
  return text.replace(
    new RegExp(`^(${name}: )(.*)$`, 'm'),
    (_, head: string, value: string) => head + change(value),
  );
}

describe('caps/recovery', () => {
  it('reads what it wrote', () => {
    const { ws, name, seed } = parseRecoveryKey(text);
    assert.deepEqual([ws, name, toHex(seed)], [key.ws, key.name, toHex(key.seed)]);
  });

  it('begins with its kind, explains itself and names the workspace', () => {
    const lines = text.split('\n');
    assert.equal(lines[0], 'wn-recovery-key-1');
    assert.match(text, /Whoever has this key controls the workspace/);
    assert.match(text, /^name: "run \\"books\\""$/m);
    assert.ok(lines.every((line) => line.length <= 100));
  });

  it('keeps a hostile name on its line', () => {
    const name = 'x\nkey: 0\u001b[2J';
    const file = encodeRecoveryKey({ ...key, name });
    assert.ok(!file.includes('\u001b'));
    assert.equal(parseRecoveryKey(file).name, name);
  });

  const typed: readonly [string, (file: string) => string][] = [
    ['in capitals', () => withLine('key', (value) => value.toUpperCase())],
    ['without dashes', () => withLine('key', (value) => value.replaceAll('-', ''))],
    ['with spaces for dashes', () => withLine('key', (value) => value.replaceAll('-', ' '))],
    [
      'with O for 0 and l for 1',
      () => withLine('key', (v) => v.replace(/0/g, 'O').replace(/1/g, 'l')),
    ],
    ['with line ends of Windows', (file) => file.replaceAll('\n', '\r\n')],
    ['with a byte order mark', (file) => `\ufeff${file}`],
    ['without the explanation', (file) => file.replace(/Whoever[^]*nobody\.\n/, '')],
    ['with a name without quotes', () => withLine('name', () => 'runbooks')],
  ];
  for (const [name, change] of typed) {
    it(`reads a key ${name}`, () => {
      assert.equal(toHex(parseRecoveryKey(change(text)).seed), toHex(key.seed));
    });
  }

  it('says that any one letter of the key or the id is wrong', () => {
    for (const field of ['key', 'workspace']) {
      const value = new RegExp(`^${field}: (.*)$`, 'm').exec(text)?.[1] ?? '';
      for (let at = 0; at < value.length; at++) {
        if (value[at] === '-') continue;
        const other = value[at] === 'z' ? 'y' : 'z';
        const error = refused(withLine(field, (v) => v.slice(0, at) + other + v.slice(at + 1)));
        assert.equal(error.code, 'invalid');
        assert.match(error.message, /mistyped|cut short/, `${field}, letter ${at}`);
      }
    }
  });

  it('says that a line is cut short, or missing', () => {
    assert.match(
      refused(withLine('key', (value) => value.slice(0, -1))).message,
      /"key:".*cut short/,
    );
    assert.match(refused(withLine('workspace', () => '')).message, /"workspace:".*cut short/);
    assert.match(refused(text.replace(/^key: .*\n/m, '')).message, /no line "key/);
    assert.match(refused(text.replace(/^name: .*\n/m, '')).message, /no line "name/);
  });

  it('says that a line is too long, or holds what is no letter of it', () => {
    assert.match(refused(withLine('key', (value) => `${value}00`)).message, /"key:".*mistyped/);
    assert.match(refused(withLine('key', (value) => `u${value.slice(1)}`)).message, /mistyped/);
  });

  it('refuses the key of another workspace', () => {
    const other = encodeRecoveryKey({ ...key, ws: '99'.repeat(32) });
    const id = /^workspace: (.*)$/m.exec(other)?.[1] ?? '';
    assert.match(refused(withLine('workspace', () => id)).message, /mistyped/);
  });

  it('refuses what is no recovery key, and names a newer one', () => {
    for (const file of ['', 'wn-ticket-1.AAAA', '-----BEGIN OPENSSH PRIVATE KEY-----']) {
      assert.match(refused(file).message, /not a recovery key/);
    }
    assert.match(refused(text + ' '.repeat(RECOVERY_FILE_CHARS_MAX)).message, /not a recovery key/);
    assert.equal(refused(text.replace('key-1', 'key-2')).code, 'unknown_format');
  });

  it('never shows the secret in a message', () => {
    const secret = /^key: (.{13})/m.exec(text)?.[1] ?? '';
    for (const file of [
      withLine('key', (value) => value.slice(0, -1)),
      withLine('key', (v) => `${v}0`),
    ]) {
      assert.ok(!refused(file).message.includes(secret));
    }
  });
});
