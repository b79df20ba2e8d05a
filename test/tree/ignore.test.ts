import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  IGNORE_GLOBSTARS_MAX,
  IGNORE_PATTERN_CHARS_MAX,
  IGNORE_PATTERNS_MAX,
  TREE_DEPTH_MAX,
} from '../../src/core/limits.js';
import { IgnoreRules } from '../../src/tree/ignore.js';

const rulesOf = (gitignore: string, wnignore?: string): IgnoreRules =>
  IgnoreRules.root().enter('', gitignore, wnignore);

describe('tree/ignore', () => {
  const cases: readonly [rules: string, path: string, isFolder: boolean, ignored: boolean][] = [
    ['*.log', 'a.log', false, true],
    ['*.log', 'sub/a.log', false, true],
    ['*.log', 'a.log.md', false, false],
    ['/build', 'build', true, true],
    ['/build', 'sub/build', true, false],
    ['build/', 'build', true, true],
    ['build/', 'build', false, false],
    ['a/b', 'a/b', false, true],
    ['a/b', 'x/a/b', false, false],
    ['**/b', 'x/a/b', false, true],
    ['a/**/b', 'a/x/y/b', false, true],
    ['a/**/b', 'a/b', false, true],
    ['a/**', 'a', true, false],
    ['a/**', 'a/x', false, true],
    ['*.md\n!keep.md', 'keep.md', false, false],
    ['!keep.md\n*.md', 'keep.md', false, true],
    ['# x\n\n  \n*.log', '# x', false, false],
    ['\\#x', '#x', false, true],
    ['\\!x', '!x', false, true],
    ['a?c', 'abc', false, true],
    ['a?c', 'a/c', false, false],
    ['[ab].md', 'b.md', false, true],
    ['Readme', 'README', false, false],
    ['\ufeff*.log', 'a.log', false, true],
    ['*.log\r\n*.tmp\r\n', 'a.log', false, true],
    ['x ', 'x', false, true],
    ['__proto__', '__proto__', false, true],
    ['*', '__proto__', false, true],
  ];
  for (const [rules, path, isFolder, ignored] of cases) {
    const what = `${path}${isFolder ? '/' : ''}`;
    it(`${JSON.stringify(rules)} ${ignored ? 'ignores' : 'leaves'} ${what}`, () => {
      assert.equal(rulesOf(rules).ignores(path, isFolder), ignored);
    });
  }

  it('lets a deeper file overrule, and reads its patterns from its own folder', () => {
    const root = rulesOf('*.log\n/top');
    const inner = root.enter('sub', '!keep.log\n/top2');
    assert.equal(inner.ignores('sub/keep.log', false), false);
    assert.equal(inner.ignores('sub/x.log', false), true);
    assert.equal(inner.ignores('sub/top2', false), true);
    assert.equal(inner.ignores('sub/top', false), false);
    assert.equal(root.ignores('sub/keep.log', false), true);
  });

  it('lets .wnignore overrule the .gitignore beside it', () => {
    assert.equal(rulesOf('*.md', '!a.md').ignores('a.md', false), false);
    assert.equal(rulesOf('!a.md', '*.md').ignores('a.md', false), true);
  });

  it('is the same object for a folder without rules', () => {
    const root = rulesOf('*.log');
    assert.equal(root.enter('sub'), root);
    assert.equal(root.enter('sub', '# nothing\n\n', ''), root);
  });

  it('follows the case of the file system', () => {
    const rules = IgnoreRules.root({ caseInsensitive: true }).enter('', 'Readme');
    assert.equal(rules.ignores('README', false), true);
  });

  for (const name of ['.git', '.GIT', '.git ', 'git~1', '.wn', '.ｗｎ', '.wn-tmp-12ab']) {
    it(`never tracks ${JSON.stringify(name)}, whatever the rules say`, () => {
      assert.equal(rulesOf(`!${name}\n!*`).ignores(name, true), true);
      assert.equal(rulesOf('').ignores(`sub/${name}`, false), true);
    });
  }

  it('gives the same answers when the memory of paths is started anew', () => {
    const rules = rulesOf('*.log\n!keep.log');
    for (let i = 0; i < 25_000; i++) {
      assert.equal(rules.ignores(`d${i}/a.log`, false), true);
      assert.equal(rules.ignores(`d${i}/keep.log`, false), false);
    }
  });

  it('applies a pattern at the bound on length, and skips a longer one by name', () => {
    const skipped: string[] = [];
    const root = IgnoreRules.root({
      onSkipped: (folder, line) => skipped.push(`${folder}:${line}`),
    });
    const longest = 'x'.repeat(IGNORE_PATTERN_CHARS_MAX);
    const rules = root.enter('sub', `${longest}\n${longest}y`);
    assert.equal(rules.ignores(`sub/${longest}`, false), true);
    assert.equal(rules.ignores(`sub/${longest}y`, false), false);
    assert.deepEqual(skipped, [`sub:${longest}y`]);
  });

  it('applies patterns up to their bound in number', () => {
    const lines = Array.from({ length: IGNORE_PATTERNS_MAX + 1 }, (_, i) => `f${i}`);
    const rules = rulesOf(lines.join('\n'));
    assert.equal(rules.ignores(`f${IGNORE_PATTERNS_MAX - 1}`, false), true);
    assert.equal(rules.ignores(`f${IGNORE_PATTERNS_MAX}`, false), false);
  });

  it('applies as many inner double stars as the bound, and skips more', () => {
    const skipped: string[] = [];
    const root = IgnoreRules.root({ onSkipped: (_folder, line) => skipped.push(line) });
    const most = `**/a${'/**/a'.repeat(IGNORE_GLOBSTARS_MAX)}/**`;
    const rules = root.enter('', `${most}\n${most}/b\n**/**/**/**/**/c/**/**/**/d`);
    assert.equal(rules.ignores('a/x/a/y/z/a/f', false), true);
    assert.deepEqual(skipped, [`${most}/b`]);
  });

  const deep = (name: string): string =>
    Array.from({ length: TREE_DEPTH_MAX }, () => name).join('/');
  const slow: readonly [pattern: string, path: string][] = [
    ['**/a/**/a/**/a/**/a/**/a/**/a/**/b', deep('a')],
    ['**/*a*/**/*a*/**/*b', deep('a'.repeat(60))],
    ['a*'.repeat(400) + 'b', 'a'.repeat(255)],
    ['?*'.repeat(400) + 'b', 'a'.repeat(255)],
    ['[a-z]*'.repeat(160) + 'b', 'a'.repeat(255)],
    ['*'.repeat(900) + 'b', 'a'.repeat(255)],
    ['**/'.repeat(300) + 'b', deep('a')],
    ['*a/'.repeat(64) + 'b', deep('a'.repeat(60))],
    ['[[:alpha:]]'.repeat(80) + '[', 'a'.repeat(255)],
    ['\\'.repeat(999), 'a'],
    ['[!'.repeat(400), 'a'],
  ];
  for (const [pattern, path] of slow) {
    it(`gets done with ${pattern.slice(0, 30)}… on a hostile path`, () => {
      assert.equal(rulesOf(pattern).ignores(path, false), false);
    });
  }

  it('takes any text for an ignore file', () => {
    const piece = fc.constantFrom(
      '*',
      '**',
      '/',
      '!',
      '#',
      '[',
      ']',
      '\\',
      '?',
      'a',
      '\n',
      ' ',
      '-',
      '^',
    );
    const text = fc
      .array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 3 })))
      .map((all) => all.join(''));
    const path = fc.array(fc.constantFrom('a', 'b', '.x', '__proto__'), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(text, path, fc.boolean(), (rules, parts, isFolder) => {
        assert.equal(typeof rulesOf(rules).ignores(parts.join('/'), isFolder), 'boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
