import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Field, FieldShown, FieldValue } from '../../src/tree/field.js';
import { equalFields } from '../../src/tree/field.js';
import { parseFrontMatter } from '../../src/tree/frontmatter.js';
import { render, supportsFields } from '../../src/tree/overlay.js';
import { documents, fieldMaps, fieldsOf } from './gen.js';

const register = (value: FieldValue): Field => ({ crdt: 'register', value });
const set = (...value: FieldValue[]): Field => ({ crdt: 'set', value });

function shown(text: string, fields: Record<string, FieldShown>): string {
  return render(text, new Map(Object.entries(fields))).text;
}

describe('tree/overlay: how a field shows', () => {
  const cases: readonly [
    what: string,
    doc: string,
    fields: Record<string, FieldShown>,
    file: string,
  ][] = [
    [
      'an equal value leaves the spelling alone',
      '---\nstatus:   "todo"  # why\n---\n',
      { status: register('todo') },
      '---\nstatus:   "todo"  # why\n---\n',
    ],
    [
      'a number leaves its digits alone',
      '---\nversion: 1.10\n---\n',
      { version: register(1.1) },
      '---\nversion: 1.10\n---\n',
    ],
    [
      'another value takes the place of the value alone',
      '---\n# c\nstatus:   todo  # why\nz: 1\n---\nText\n',
      { status: register('done') },
      '---\n# c\nstatus:   done  # why\nz: 1\n---\nText\n',
    ],
    [
      'double quotes stay double quotes',
      '---\ntitle: "a"\n---\n',
      { title: register('b') },
      '---\ntitle: "b"\n---\n',
    ],
    [
      'single quotes stay single quotes',
      "---\ntitle: 'a'\n---\n",
      { title: register("it's") },
      "---\ntitle: 'it''s'\n---\n",
    ],
    [
      'what would read as something else is quoted',
      '---\ntitle: a\n---\n',
      { title: register('7') },
      '---\ntitle: "7"\n---\n',
    ],
    [
      'a value comes to an empty key',
      '---\ndue:\n---\n',
      { due: register('x') },
      '---\ndue: x\n---\n',
    ],
    [
      'a value comes before a comment',
      '---\ndue:   # soon\n---\n',
      { due: register('x') },
      '---\ndue: x   # soon\n---\n',
    ],
    [
      'a block list stays a block list',
      '---\nlabels:\n  - ci\n  - ops\n---\n',
      { labels: set('ops', 'new', 'a') },
      '---\nlabels:\n  - ops\n  - a\n  - new\n---\n',
    ],
    [
      'a block list that is emptied is an empty list',
      '---\nlabels:\n- ci\n---\n',
      { labels: set() },
      '---\nlabels: []\n---\n',
    ],
    [
      'a set in any order with duplicates is left alone',
      '---\nlabels: [b, a, b]\n---\n',
      { labels: set('a', 'b') },
      '---\nlabels: [b, a, b]\n---\n',
    ],
    [
      'a list register keeps order and duplicates',
      '---\nl: [a, b]\n---\n',
      { l: register(['b', 'a', 'b']) },
      '---\nl: [b, a, b]\n---\n',
    ],
    [
      'a literal block stays one',
      '---\nt: |\n    a\n    b\nz: 1\n---\n',
      { t: register('c\n\n  d\n') },
      '---\nt: |\n    c\n\n      d\nz: 1\n---\n',
    ],
    [
      'keys without a line come last, sorted',
      '---\nm: 1\n---\nText',
      { z: register('b'), a: set('x', 'c') },
      '---\nm: 1\na: [c, x]\nz: b\n---\nText',
    ],
    [
      'they are indented like the others',
      '---\n  m: 1\n---\n',
      { a: register(null) },
      '---\n  m: 1\n  a: null\n---\n',
    ],
    [
      'a text without front matter gets one',
      '# Title\n',
      { status: register('todo') },
      '---\nstatus: todo\n---\n# Title\n',
    ],
    [
      'an unset key hides',
      '---\na: 1\nb: 2 # x\nc: 3\n---\n',
      { b: 'unset' },
      '---\na: 1\nc: 3\n---\n',
    ],
    ['an unset key adds no front matter', 'Text', { b: 'unset' }, 'Text'],
    [
      'a repeated key shows once',
      '---\na: 1\nb: 2\na: 3\n---\n',
      { a: register(3) },
      '---\na: 3\nb: 2\n---\n',
    ],
    [
      'broken front matter is left alone',
      '---\na: "x\n---\n',
      { a: register(1) },
      '---\na: "x\n---\n',
    ],
    [
      'an anchored value is left alone',
      '---\na: &x 1\nb: *x\n---\n',
      { a: register(2), b: register(3) },
      '---\na: &x 1\nb: *x\n---\n',
    ],
    [
      'CRLF of a mixed file is kept for new lines',
      '---\r\na: 1\r\n---\r\nx\n',
      { b: register(2) },
      '---\r\na: 1\r\nb: 2\r\n---\r\nx\n',
    ],
    [
      '__proto__ is only a key',
      '---\n__proto__: 1\n---\n',
      { ['__proto__']: register(2) },
      '---\n__proto__: 2\n---\n',
    ],
  ];
  for (const [what, doc, fields, file] of cases) {
    it(what, () => assert.equal(shown(doc, fields), file));
  }

  it('leaves every document alone that has no other fields than it spells', () => {
    fc.assert(
      fc.property(documents, (doc) => {
        const matter = parseFrontMatter(doc);
        fc.pre(matter.ok && matter.repeated.length === 0);
        const fields = fieldsOf(doc);
        assert.equal(render(doc, fields).text, doc);
      }),
      { numRuns: 500 },
    );
  });

  it('shows every field so that it reads back, in whatever document', () => {
    fc.assert(
      fc.property(documents, fieldMaps, (doc, fields) => {
        const matter = parseFrontMatter(doc);
        fc.pre(matter.ok);
        const { text } = render(doc, fields);
        const read = fieldsOf(text, fields);
        for (const [key, field] of fields) {
          const own = matter.entries.find((entry) => entry.key === key);
          if (own !== undefined && own.value === undefined) continue;
          const back = read.get(key);
          if (field === 'unset') assert.equal(back, undefined, `${key} is unset`);
          else assert.ok(back !== undefined && equalFields(back, field), `${key} in ${text}`);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('says in its segments exactly where file and document differ', () => {
    fc.assert(
      fc.property(documents, fieldMaps, (doc, fields) => {
        const { text, segments } = render(doc, fields);
        let rebuilt = '';
        let at = 0;
        for (const { doc: from, out } of segments) {
          rebuilt += doc.slice(at, from[0]);
          assert.equal(rebuilt.length, out[0]);
          rebuilt += text.slice(...out);
          at = from[1];
        }
        assert.equal(rebuilt + doc.slice(at), text);
      }),
    );
  });

  it('keeps the body whatever the fields are', () => {
    fc.assert(
      fc.property(fieldMaps, fc.string(), (fields, tail) => {
        const doc = `---\nstatus: todo\n---\nBody ${tail}`;
        assert.ok(render(doc, fields).text.endsWith(`---\nBody ${tail}`));
      }),
    );
  });

  for (const [path, supports] of [
    ['a.md', true],
    ['a/README.MD', true],
    ['a.markdown', true],
    ['a.mdx', true],
    ['README', false],
    ['a.ts', false],
    ['a.yaml', false],
    ['md', false],
  ] as const) {
    it(`${path} ${supports ? 'shows' : "doesn't show"} fields`, () => {
      assert.equal(supportsFields(path), supports);
    });
  }
});
