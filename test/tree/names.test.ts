import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TREE_DEPTH_MAX } from '../../src/core/limits.js';
import { suffixedName } from '../../src/crdt/names.js';
import {
  baseName,
  checkName,
  checkPath,
  foldName,
  isOwnName,
  joinPath,
  parentPath,
  parseDisplayName,
  splitPath,
} from '../../src/tree/names.js';

function whyRefused(name: string): string {
  const checked = checkName(name);
  return checked.ok ? '' : checked.why;
}

describe('tree/names: what a name may be', () => {
  const good = [
    'README.md',
    '.gitignore',
    '.wnignore',
    '.github',
    'gitlab',
    'wn.yaml',
    'git~x',
    'con-text.md',
    'console',
    'com',
    'com10.txt',
    'nul_',
    'a b',
    'привет.md',
    '日本語',
    '👨‍👩‍👧.txt',
    'שלום.md',
    '-oProxyCommand=x',
    '__proto__',
    'a~b',
    'what?.md',
    'é'.repeat(127),
  ];
  for (const name of good) {
    it(`takes ${JSON.stringify(name).slice(0, 40)}`, () => assert.equal(whyRefused(name), ''));
  }

  const bad: readonly (readonly [name: string, why: RegExp])[] = [
    ['', /empty/],
    ['.', /is '\.'/],
    ['..', /is '\.\.'/],
    ['a/b', /slash/],
    ['a\\b', /slash/],
    ['..\\x', /slash/],
    ['a\0', /control/],
    ['a\n', /control/],
    ['a\rb', /control/],
    ['\u001b[31m', /control/],
    ['a\u007f', /control/],
    ['a\u0085', /control/],
    ['a\u2028b', /control/],
    ['a\u2029b', /control/],
    ['a\u202egpj.exe', /reverses/],
    ['a\u2066b', /reverses/],
    ['a\ud800', /Unicode/],
    ['\udc00a', /Unicode/],
    ['é'.repeat(128), /255 bytes/],
    ['a.', /dot or space/],
    ['a ', /dot or space/],
    ['...', /dot or space/],
    ['a:b', /colon/],
    ['C:', /colon/],
    ['con', /device/],
    ['CON', /device/],
    ['nul.txt', /device/],
    ['NUL .txt', /device/],
    ['aux.tar.gz', /device/],
    ['com1', /device/],
    ['COM¹.log', /device/],
    ['lpt9.md', /device/],
    ['CONIN$', /device/],
  ];
  for (const [name, why] of bad) {
    it(`refuses ${JSON.stringify(name).slice(0, 40)}`, () => assert.match(whyRefused(name), why));
  }

  const own = [
    '.git',
    '.GIT',
    '.Git',
    'git~1',
    'GIT~1',
    'git~23',
    '.git::$INDEX_ALLOCATION',
    '.git:x',
    '.git...',
    '.git . .',
    '.g\u200cit',
    '.gi\u200dt',
    '\ufeff.git',
    '.git\u2060',
    '.g\u00adit',
    '.ｇｉｔ',
    '．git',
    '․git',
    '.ｇ\u200cIT',
    '.wn',
    '.WN',
    'wn~1',
    '.wn::$DATA',
    '.w\u200bn',
    '.ｗｎ',
    '.wn ',
  ];
  for (const name of own) {
    it(`knows ${JSON.stringify(name)} for Git's or ours`, () => {
      assert.equal(isOwnName(name), true);
      assert.notEqual(whyRefused(name), '');
    });
  }

  it('never throws and never takes a separator or control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        if (!checkName(name).ok) return;
        // eslint-disable-next-line no-control-regex -- control characters are what it looks for
        assert.doesNotMatch(name, /[/\\\u0000-\u001f\u007f]/);
        assert.equal(Buffer.from(name, 'utf8').toString('utf8'), name);
      }),
    );
  });

  it('takes no spelling of .git with ignorable characters, dots and case mixed in', () => {
    const noise = fc.constantFrom('', '\u200b', '\u200d', '\ufeff', '\u2061');
    const letters = fc.tuple(
      fc.constantFrom('.', '．'),
      noise,
      fc.constantFrom('g', 'G', 'ｇ'),
      noise,
      fc.constantFrom('i', 'I', 'Ｉ'),
      noise,
      fc.constantFrom('t', 'T', 'ｔ'),
      fc.constantFrom('', '.', ' ', '. ', ':', '::$INDEX_ALLOCATION'),
    );
    fc.assert(fc.property(letters, (parts) => assert.equal(isOwnName(parts.join('')), true)));
  });
});

describe('tree/names: the second of two worknodes of one name', () => {
  const ID = '0123456789abcdefghjkmnpqrs';
  const shown: readonly (readonly [name: string, suffix: string, shown: string])[] = [
    ['a.md', ID.slice(0, 10), 'a~0123456789.md'],
    ['a.tar.gz', ID.slice(0, 10), 'a.tar~0123456789.gz'],
    ['Makefile', ID.slice(0, 10), 'Makefile~0123456789'],
    ['.profile', ID.slice(0, 10), '.profile~0123456789'],
    ['.a.md', ID.slice(0, 10), '.a~0123456789.md'],
    ['notes 1. with Bob', ID.slice(0, 10), 'notes 1. with Bob~0123456789'],
    ['a.md', ID.slice(0, 11), 'a~0123456789a.md'],
    ['a.md', `${ID}~2`, `a~${ID}~2.md`],
  ];
  for (const [name, suffix, expected] of shown) {
    it(`shows ${name} as ${expected} and reads it back`, () => {
      assert.equal(suffixedName(name, suffix), expected);
      const [idPrefix] = suffix.split('~');
      assert.deepEqual(parseDisplayName(expected), { name, idPrefix });
    });
  }

  it('shows every good name as a good name with the id in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 250 }), (name) => {
        fc.pre(checkName(name).ok);
        const display = suffixedName(name, ID.slice(0, 10));
        assert.deepEqual(checkName(display), { ok: true });
        assert.equal(parseDisplayName(display)?.idPrefix, ID.slice(0, 10));
      }),
    );
  });

  for (const plain of ['a.md', 'a~b.md', 'a~01234567.md', '~0123456789', 'a~012345678i.md']) {
    it(`finds no suffix in ${plain}`, () => assert.equal(parseDisplayName(plain), null));
  }
});

describe('tree/names: names that collide', () => {
  const nothing = { caseInsensitive: false, normalises: false };
  const mac = { caseInsensitive: true, normalises: true };
  const same = (a: string, b: string, traits: typeof mac): boolean =>
    foldName(a, traits) === foldName(b, traits);

  it('keeps all names apart where the file system does', () => {
    assert.equal(same('A', 'a', nothing), false);
    assert.equal(same('e\u0301', '\u00e9', nothing), false);
  });

  it('joins case where the file system does', () => {
    assert.equal(same('README', 'readme', { ...nothing, caseInsensitive: true }), true);
    assert.equal(same('Straße', 'STRASSE', { ...nothing, caseInsensitive: true }), true);
    assert.equal(same('Σίσυφος', 'ΣΊΣΥΦΟΣ', { ...nothing, caseInsensitive: true }), true);
  });

  it('joins NFC and NFD where the file system does', () => {
    assert.equal(same('e\u0301', '\u00e9', { ...nothing, normalises: true }), true);
    assert.equal(same('E\u0301', '\u00e9', mac), true);
  });
});

describe('tree/names: paths', () => {
  it('takes a path apart and joins it', () => {
    assert.deepEqual(splitPath('a/b/c'), ['a', 'b', 'c']);
    assert.deepEqual(splitPath(''), []);
    assert.equal(joinPath('', 'a'), 'a');
    assert.equal(joinPath('a/b', 'c'), 'a/b/c');
    assert.equal(parentPath('a/b/c'), 'a/b');
    assert.equal(parentPath('a'), '');
    assert.equal(baseName('a/b/c'), 'c');
    assert.equal(baseName('a'), 'a');
  });

  it('takes a path at the bound on depth and refuses one deeper', () => {
    const deep = Array.from({ length: TREE_DEPTH_MAX }, () => 'd').join('/');
    assert.equal(checkPath(deep).ok, true);
    assert.deepEqual(checkPath(`${deep}/d`), { ok: false, why: 'lies over 64 folders deep' });
  });

  for (const path of ['a//b', '/a', 'a/', 'a/../b', '../a', 'a/.git/config', '.wn/logs']) {
    it(`refuses the path ${path}`, () => assert.equal(checkPath(path).ok, false));
  }
});
