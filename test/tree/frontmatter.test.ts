import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  YAML_BRACKETS_MAX,
  YAML_CHARS_MAX,
  YAML_INDENT_MAX,
  YAML_INDICATORS_MAX,
} from '../../src/core/limits.js';
import type { FieldValue } from '../../src/tree/field.js';
import { parseFrontMatter, type Entry } from '../../src/tree/frontmatter.js';
import { simpleEntries } from '../../src/tree/simplematter.js';
import { documents } from './gen.js';

/** What each key holds and how it is spelled: `status=[todo]`. */
function spellings(text: string): Record<string, [FieldValue | undefined, string]> {
  const matter = parseFrontMatter(text);
  assert.ok(matter.ok);
  return Object.fromEntries(
    matter.entries.map(({ key, value, valueRange }) => [key, [value, text.slice(...valueRange)]]),
  );
}

function whyBad(text: string): string {
  const matter = parseFrontMatter(text);
  return matter.ok ? '' : `${matter.line}: ${matter.why}`;
}

describe('tree/frontmatter: where it is', () => {
  const none = [
    '',
    'Text',
    '--- \nText\n',
    '---',
    '---\n',
    '----\na: 1\n---\n',
    ' ---\na: 1\n---\n',
  ];
  for (const text of [...none, '---\nJust some prose.\n\nMore.\n---\n', '---\n- a\n- b\n---\n']) {
    it(`finds none in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseFrontMatter(text), {
        ok: true,
        block: null,
        entries: [],
        repeated: [],
      });
    });
  }

  const blocks: readonly [text: string, content: string, body: string][] = [
    ['---\na: 1\n---\nText', 'a: 1\n', 'Text'],
    ['---\na: 1\n---', 'a: 1\n', ''],
    ['---\n---\n', '', ''],
    ['--- \t\na: 1\n---  \nText', 'a: 1\n', 'Text'],
    ['---\r\na: 1\r\n---\r\nText', 'a: 1\r\n', 'Text'],
    ['---\n# only a comment\n---\nText', '# only a comment\n', 'Text'],
    ['---\na: |\n  ---\n  x\n---\nText\n---\n', 'a: |\n  ---\n  x\n', 'Text\n---\n'],
  ];
  for (const [text, content, body] of blocks) {
    it(`finds it in ${JSON.stringify(text)}`, () => {
      const matter = parseFrontMatter(text);
      assert.ok(matter.ok && matter.block !== null);
      assert.equal(text.slice(...matter.block.content), content);
      assert.equal(text.slice(matter.block.bodyStart), body);
    });
  }

  const bad: readonly [text: string, why: RegExp][] = [
    ['---\na: 1\nb: "x\n---\n', /^\d: Missing closing/],
    ['---\na: 1\nb: c: d\n---\n', /^3: Nested mappings/],
    ['---\nstat\n---\n', /^2: a key without a colon/],
    ['---\nstatus: todo\nText', /^1: its closing/],
    ['---\n{a: 1}\n---\n', /^2: it is written in braces/],
    ['---\n&x\na: 1\n---\n', /^2: an anchor/],
    ['---\na: 1\n...\n---\n', /document marker/],
    ['---\na: 1\n...\nb: 1\n---\n', /./],
    ['---\n\ta: 1\n---\n', /./],
  ];
  for (const [text, why] of bad) {
    it(`says what is wrong with ${JSON.stringify(text)}`, () => assert.match(whyBad(text), why));
  }
});

describe('tree/frontmatter: what it holds', () => {
  it('reads scalars as YAML 1.2 does, dates as strings', () => {
    const text =
      '---\na: todo\nb: "q"\nc: \'s\'\nd: 7\ne: 1.50\nf: true\ng:\nh: ~\ni: 2026-11-20\n' +
      'j: yes\nk: 0x1F\nl: .nan\nm: 12345678901234567890\nn: -0\n---\n';
    assert.deepEqual(spellings(text), {
      a: ['todo', 'todo'],
      b: ['q', '"q"'],
      c: ['s', "'s'"],
      d: [7, '7'],
      e: [1.5, '1.50'],
      f: [true, 'true'],
      g: [null, ''],
      h: [null, '~'],
      i: ['2026-11-20', '2026-11-20'],
      j: ['yes', 'yes'],
      k: [31, '0x1F'],
      l: ['.nan', '.nan'],
      m: ['12345678901234567890', '12345678901234567890'],
      n: [0, '-0'],
    });
  });

  it('reads lists and maps with their order', () => {
    const text = '---\nl:\n  - b\n  - [a, 1]\nm: {z: 1, y: {}}\nt: |\n  x\n  y\n---\n';
    assert.deepEqual(spellings(text), {
      l: [['b', ['a', 1]], '- b\n  - [a, 1]'],
      m: [
        new Map<string, FieldValue>([
          ['z', 1],
          ['y', new Map()],
        ]),
        '{z: 1, y: {}}',
      ],
      t: ['x\ny\n', '|\n  x\n  y'],
    });
  });

  it('gives no value to what a field can not hold', () => {
    const text =
      '---\na: &x 1\nb: *x\nc: !!str 5\nd: !own x\ne: {? [k] : 1}\nf: {<<: *x}\n? g\n: 1\n' +
      'h: |+\n  kept\n\ni: {k: 1, k: 2}\nj: [[[[[[[[[1]]]]]]]]]\n---\n';
    const values = Object.values(spellings(text)).map(([value]) => value);
    assert.deepEqual(
      values,
      Array.from({ length: 10 }, () => undefined),
    );
  });

  it('keeps a key that JavaScript treats specially', () => {
    const matter = parseFrontMatter('---\n__proto__: 1\nconstructor: 2\n---\n');
    assert.ok(matter.ok);
    assert.deepEqual(
      matter.entries.map(({ key, value }) => [key, value]),
      [
        ['__proto__', 1],
        ['constructor', 2],
      ],
    );
  });

  it('names repeated keys and takes the first', () => {
    const matter = parseFrontMatter('---\na: 1\nb: 2\n"a": 3\na: 4\n---\n');
    assert.ok(matter.ok);
    assert.deepEqual(
      matter.entries.map(({ value }) => value),
      [1, 2],
    );
    assert.deepEqual(
      matter.repeated.map(({ value }) => value),
      [3, 4],
    );
  });

  it('takes a number and the same digits in quotes for one key', () => {
    const matter = parseFrontMatter('---\n1: a\n"1": b\n---\n');
    assert.ok(matter.ok);
    assert.equal(matter.entries.length + matter.repeated.length, 2);
    assert.equal(matter.repeated[0]?.key, '1');
  });

  it('gives a line with its comment, and deeper comments below', () => {
    const text = '---\na: 1 # x\n  # y\nb:\n  - 1\n  # z\n\n# own\nc: 2\n---\n';
    const matter = parseFrontMatter(text);
    assert.ok(matter.ok);
    assert.deepEqual(
      matter.entries.map(({ lineRange }) => text.slice(...lineRange)),
      ['a: 1 # x\n  # y\n', 'b:\n  - 1\n  # z\n', 'c: 2\n'],
    );
  });

  it('reads each value out of its own range again', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const matter = parseFrontMatter(text);
        fc.pre(matter.ok);
        for (const { lineRange, slot, valueRange, key, value } of matter.entries) {
          if (value === undefined) continue;
          assert.ok(lineRange[0] < slot[0] && slot[0] <= valueRange[0]);
          assert.ok(valueRange[0] <= valueRange[1] && valueRange[1] < lineRange[1]);
          const alone = parseFrontMatter(`---\n${text.slice(...lineRange)}---\n`);
          assert.ok(alone.ok && alone.entries[0]?.key === key);
          assert.deepEqual(alone.entries[0].value, value);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('tree/frontmatter: the plain spelling, read without the library', () => {
  /** A quoted key makes the library read the whole. */
  function byLibrary(content: string): readonly Entry[] | string {
    const text = `---\n${content}"last": 1\n---\n`;
    const matter = parseFrontMatter(text);
    if (!matter.ok) return matter.why;
    const all = [...matter.entries, ...matter.repeated];
    return all.sort((a, b) => a.lineRange[0] - b.lineRange[0]).slice(0, -1);
  }

  const chars = fc.constantFrom(
    ...'aZ09 _./+,;()\'"!?&*@=~$%|<>-:#[]{}\\`^\té¼–🙂\u0301\u00a0\u2028\u0085\u200d\u007f',
  );
  const text = fc.array(chars, { maxLength: 8 }).map((all) => all.join(''));
  const line = fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b-c', '_', 'null', '1', 'a b'), text).map((p) => p.join(': ')),
    fc.tuple(text, text).map(([a, b]) => `k: "${a}" #${b}`),
    fc.tuple(text, text).map(([a, b]) => `k:  '${a}'${b}`),
    fc.tuple(text, text).map(([a, b]) => `k: [${a}, ${b}]`),
    fc.constantFrom('k:', 'k:   ', '', '# c', 'k: x  # c', 'k: 10:30', 'k: http://a/b#c'),
    text,
  );

  it('is what the library reads', () => {
    let simple = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 2 }), (lines) => {
        const content = lines.map((item) => `${item}\n`).join('');
        const text = `---\n${content}---\n`;
        const read = simpleEntries(text, [4, 4 + content.length]);
        if (read === null) return;
        simple++;
        assert.deepEqual(read, byLibrary(content));
      }),
      { numRuns: 5_000 },
    );
    assert.ok(simple > 500, `only ${simple} were in the plain spelling`);
  });
});

describe('tree/frontmatter: hostile input', () => {
  const repeat = (piece: string): string =>
    piece.repeat(Math.floor((YAML_CHARS_MAX - 10) / piece.length));
  const hostile: Record<string, string> = {
    brackets: `a: ${repeat('[')}`,
    braces: `a: ${repeat('{')}`,
    'braces at the root': repeat('{'),
    'maps in one line': repeat('a: '),
    dashes: repeat('- '),
    'question marks': repeat('? '),
    'tabs and dashes': repeat('-\t'),
    indentation: `a:\n${Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}- a:`).join('\n')}`,
    'an unclosed quote': `a: "${repeat('\\')}`,
    'closing brackets': `a: ${repeat(']')}`,
  };
  for (const [what, content] of Object.entries(hostile)) {
    it(`refuses ${what} without a crash`, () => {
      assert.equal(parseFrontMatter(`---\n${content}\n---\n`).ok, false);
    });
  }

  it('reads an alias bomb without expanding it', () => {
    const lines = ['a0: &a0 [x, x]'];
    for (let i = 1; i < 60; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
    assert.equal(parseFrontMatter(`---\n${lines.join('\n')}\n---\n`).ok, true);
  });

  it('takes front matter at the bound and refuses one character more', () => {
    const content = (chars: number): string => `"a": ${'x'.repeat(chars - 6)}\n`;
    assert.equal(parseFrontMatter(`---\n${content(YAML_CHARS_MAX)}---\n`).ok, true);
    assert.match(whyBad(`---\n${content(YAML_CHARS_MAX + 1)}---\n`), /over 262144 characters/);
  });

  const nested = (count: number): string => `a: ${'['.repeat(count)}${']'.repeat(count)}`;
  const dashes = (count: number): string => `"a": "${'- '.repeat(count)}"`;
  const indented = (columns: number): string => `a:\n${' '.repeat(columns)}b: 1`;
  const bounds: readonly [what: string, make: (size: number) => string, max: number][] = [
    ['lists', nested, YAML_BRACKETS_MAX],
    ['indicators in a line', dashes, YAML_INDICATORS_MAX - 1],
    ['columns of indentation', indented, YAML_INDENT_MAX],
  ];
  for (const [what, make, max] of bounds) {
    it(`takes ${what} at the bound and refuses one more`, () => {
      assert.equal(whyBad(`---\n${make(max)}\n---\n`), '');
      assert.match(whyBad(`---\n${make(max + 1)}\n---\n`), /over \d+/);
    });
  }

  it('never throws', () => {
    const piece = fc.constantFrom(
      '---\n',
      'a: ',
      '\n',
      '"',
      '[',
      '{',
      '- ',
      '|',
      '&a ',
      '\r\n',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 30 }),
        (all) => {
          parseFrontMatter(`---\n${all.join('')}`);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
