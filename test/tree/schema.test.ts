import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../src/core/errors.js';
import type { FieldShown, FieldValue } from '../../src/tree/field.js';
import { parseSchema } from '../../src/tree/schema-text.js';

const TASKS = `types:
  task:
    match: "tasks/**/*.md"
    fields:
      status:     { type: register, values: [todo, doing, done], transitions: {todo: [doing], done: []}, default: todo }
      assignee:   { type: register, strong: true }
      labels:     { type: set, values: [ci, ops] }
      votes:      { type: counter }
      due:        { type: date }
      blocked_by: { type: refs }
      size:       { type: number }
      urgent:     { type: boolean }
      summary:    { type: string }
  data:
    match: ["*.csv", "!keep.csv"]
    merge: whole
  other:
    match: "**/*.md"
`;

function whyBroken(text: string): string {
  try {
    parseSchema(text);
  } catch (error) {
    assert.ok(error instanceof WnError && error.code === 'invalid');
    return error.message;
  }
  return '';
}

describe('tree/schema: what it says of a path', () => {
  const schema = parseSchema(TASKS);

  for (const [path, type] of [
    ['tasks/a.md', 'task'],
    ['tasks/x/y/a.md', 'task'],
    ['tasks.md', 'other'],
    ['x/a.md', 'other'],
    ['a.csv', 'data'],
    ['keep.csv', null],
    ['a.ts', null],
    ['', null],
  ] as const) {
    it(`${path || 'the root'} is ${type ?? 'of no type'}`, () => {
      assert.equal(schema.typeOf(path)?.name ?? null, type);
    });
  }

  it('tells how fields merge', () => {
    const keys = ['status', 'labels', 'votes', 'due', 'blocked_by', 'unknown'];
    assert.deepEqual(
      keys.map((key) => schema.crdtOf('tasks/a.md', key)),
      ['register', 'set', 'counter', 'register', 'set', null],
    );
    assert.equal(schema.crdtOf('a.md', 'labels'), null);
  });

  it('tells how contents merge, which fields are strong, and what new ones hold', () => {
    assert.equal(schema.mergeOf('a.csv'), 'whole');
    assert.equal(schema.mergeOf('tasks/a.md'), undefined);
    assert.equal(schema.fieldOf('tasks/a.md', null, 'assignee')?.strong, true);
    assert.equal(schema.fieldOf('tasks/a.md', null, 'status')?.strong, false);
    assert.deepEqual(
      [...schema.defaultsOf('elsewhere.txt', 'task')],
      [['status', { crdt: 'register', value: 'todo' }]],
    );
  });

  it('names its types where one is asked for that it has not', () => {
    assert.throws(
      () => schema.typeNamed('bug'),
      (error: WnError) =>
        error.code === 'not_found' && error.hint === 'It declares: task, data, other.',
    );
  });

  for (const empty of ['', '\n', '# nothing\n', 'types: {}\n', '\ufeff']) {
    it(`has no types in ${JSON.stringify(empty)}`, () =>
      assert.deepEqual(parseSchema(empty).types, []));
  }
});

describe('tree/schema: which values it takes', () => {
  const schema = parseSchema(TASKS);

  function hint(key: string, value: FieldValue, before?: FieldValue): string {
    const shown: FieldShown = { crdt: 'register', value: before ?? null };
    try {
      schema.check('tasks/a.md', null, key, value, before === undefined ? undefined : shown);
      return '';
    } catch (error) {
      assert.ok(error instanceof WnError && error.code === 'invalid');
      return error.hint ?? '';
    }
  }

  const taken: readonly (readonly [key: string, value: FieldValue, before?: FieldValue])[] = [
    ['status', 'todo'],
    ['status', null],
    ['status', 'doing', 'todo'],
    ['status', 'todo', 'todo'],
    ['status', 'done', 'doing'],
    ['status', 'done', 'never declared'],
    ['labels', ['ci', 'ops']],
    ['labels', 'ci'],
    ['labels', []],
    ['votes', -3],
    ['due', '2026-11-20'],
    ['due', '2026-11-20T10:00+02:00'],
    ['blocked_by', ['tasks/b.md']],
    ['size', 1.5],
    ['urgent', false],
    ['summary', '7'],
    ['unknown', new Map()],
  ];
  for (const [key, value, before] of taken) {
    it(`${key} takes ${JSON.stringify(value)}${before === undefined ? '' : ` after ${JSON.stringify(before)}`}`, () => {
      assert.equal(hint(key, value, before), '');
    });
  }

  const refused: readonly (readonly [string, FieldValue, RegExp, FieldValue?])[] = [
    ['status', 'finished', /one of todo, doing, done/],
    ['status', 'done', /allows doing after todo/, 'todo'],
    ['status', 'todo', /nothing else after done/, 'done'],
    ['status', ['todo'], /one of/],
    ['labels', ['ci', 'nope'], /one of ci, ops/],
    ['votes', 1.5, /whole number/],
    ['votes', null, /whole number/],
    ['due', 'tomorrow', /2026-12-31/],
    ['due', '2026-02-30', /2026-12-31/],
    ['due', 7, /2026-12-31/],
    ['blocked_by', [1], /paths or ids/],
    ['size', '1', /a number/],
    ['urgent', 'yes', /true or false/],
    ['summary', 7, /text/],
  ];
  for (const [key, value, allowed, before] of refused) {
    it(`${key} refuses ${JSON.stringify(value)} and says what it takes`, () => {
      assert.match(hint(key, value, before), allowed);
    });
  }
});

describe('tree/schema: mistakes in the file', () => {
  const mistakes: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['broken YAML', 'types:\n  a: "x\n', /^wn\.yaml:3:1: Missing closing/],
    ['no mapping', '- a\n', /^wn\.yaml:1:1: wn\.yaml is no mapping/],
    [
      'an unknown key at the top',
      'type: {}\n',
      /^wn\.yaml:1:7: wn\.yaml has no `type`; it has types/,
    ],
    ['a type without a pattern', 'types:\n  a: { merge: text }\n', /^wn\.yaml:2:6: type a needs/],
    [
      'an unknown key of a field',
      'types:\n  a:\n    match: x\n    fields:\n      s: { transitoins: {} }\n',
      /^wn\.yaml:5:25: a\.s has no `transitoins`/,
    ],
    [
      'an unknown kind',
      'types:\n  a:\n    match: x\n    fields:\n      s: { type: enum }\n',
      /^wn\.yaml:5:18: type of a\.s is none of register, set/,
    ],
    [
      'a key twice',
      'types:\n  a: { match: x }\n  a: { match: y }\n',
      /^wn\.yaml:3:6: types has a twice/,
    ],
    ['braces', 'types:\n  a: { match: "*.{md,txt}" }\n', /no braces/],
    ['a slow pattern', 'types:\n  a: { match: "**/a/**/b/**/c/**/d" }\n', /too long/],
    [
      'a merge that is none',
      'types:\n  a: { match: x, merge: both }\n',
      /merge is none of text, whole/,
    ],
    [
      'strong that is no boolean',
      'types: {a: {match: x, fields: {s: {strong: yes}}}}\n',
      /neither true/,
    ],
    ['values that are no list', 'types: {a: {match: x, fields: {s: {values: x}}}}\n', /is no list/],
    [
      'a default that is refused',
      'types: {a: {match: x, fields: {s: {values: [b], default: c}}}}\n',
      /default of a\.s is c, not one of b/,
    ],
    ['an alias', 'types: &x\n  a: *x\n', /./],
  ];
  for (const [what, text, message] of mistakes) {
    it(`names ${what} and its place`, () => assert.match(whyBroken(text), message));
  }

  it('takes a key that JavaScript treats specially for a field', () => {
    const schema = parseSchema('types: {a: {match: x, fields: {__proto__: {type: set}}}}\n');
    assert.equal(schema.crdtOf('x', '__proto__'), 'set');
    assert.equal(schema.crdtOf('x', 'constructor'), null);
  });

  it('gives an error or a schema for any text', () => {
    const piece = fc.constantFrom(
      'types:',
      '\n',
      '  ',
      'a:',
      ' {',
      '}',
      ' match: x',
      ' fields:',
      '[',
      ',',
      '"',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 20 }),
        (all) => {
          whyBroken(all.join(''));
        },
      ),
      { numRuns: 500 },
    );
  });
});
