import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../src/core/errors.js';
import type { Field, FieldShown, FieldValue } from '../../src/tree/field.js';
import { render } from '../../src/tree/overlay.js';
import { parseSchema } from '../../src/tree/schema-text.js';
import { applyAssignments, parseAssignment, parseValue } from '../../src/tree/values.js';
import { fieldsOf } from './gen.js';

const register = (value: FieldValue): Field => ({ crdt: 'register', value });
const set = (...value: FieldValue[]): Field => ({ crdt: 'set', value });
const counter = (value: number): Field => ({ crdt: 'counter', value });

const SCHEMA = parseSchema(`types:
  task:
    match: "tasks/*.md"
    fields:
      status: { values: [todo, doing], transitions: { todo: [doing] } }
      labels: { type: set }
      votes: { type: counter }
      refs: { type: refs }
      version: { type: string }
      size: { type: number }
`);

function assign(before: Record<string, FieldShown>, ...assignments: string[]): unknown {
  const fields = new Map(Object.entries(before));
  const edits = applyAssignments(assignments, fields, SCHEMA, 'tasks/a.md', null);
  const changed = Object.fromEntries([...edits.set].map(([key, field]) => [key, field as unknown]));
  for (const key of edits.unset) changed[key] = 'unset';
  return changed;
}

function failure(before: Record<string, FieldShown>, ...assignments: string[]): WnError {
  try {
    assign(before, ...assignments);
  } catch (error) {
    assert.ok(error instanceof WnError);
    return error;
  }
  throw new assert.AssertionError({ message: 'it was taken' });
}

describe('tree/values: what an assignment says', () => {
  for (const [argument, key, operator, text] of [
    ['a=b', 'a', '=', 'b'],
    ['a=', 'a', '=', ''],
    ['a=b=c', 'a', '=', 'b=c'],
    ['a+=b', 'a', '+=', 'b'],
    ['a-=b', 'a', '-=', 'b'],
    ['a++', 'a', '++', ''],
    ['a--', 'a', '--', ''],
    ['a-b=c', 'a-b', '=', 'c'],
    ['a-b-=c', 'a-b', '-=', 'c'],
    ['a b=c', 'a b', '=', 'c'],
    ['a=b++', 'a', '=', 'b++'],
    ['a=-1', 'a', '=', '-1'],
    ['a=\nb', 'a', '=', '\nb'],
    ['__proto__=1', '__proto__', '=', '1'],
  ] as const) {
    it(`reads ${JSON.stringify(argument)}`, () => {
      assert.deepEqual(parseAssignment(argument), { key, operator, text });
    });
  }

  for (const argument of [
    '',
    'a',
    '=b',
    '+=b',
    '++',
    '--',
    'a+',
    ' a=b',
    'a =b',
    'a+=',
    'a\n=b',
    'a\u0000=b',
  ]) {
    it(`refuses ${JSON.stringify(argument)}`, () => {
      assert.throws(
        () => parseAssignment(argument),
        (error: WnError) => error.code === 'usage' && (error.hint ?? '').startsWith('Write K=V'),
      );
    });
  }
});

describe('tree/values: what a value is', () => {
  const cases: readonly (readonly [text: string, value: FieldValue])[] = [
    ['todo', 'todo'],
    ['true', true],
    ['null', null],
    ['7', 7],
    ['-1.5', -1.5],
    ['0x1F', 31],
    ['1.10', 1.1],
    ['12345678901234567890', '12345678901234567890'],
    ['2026-11-20', '2026-11-20'],
    ['"7"', '7'],
    ["'a b'", 'a b'],
    ['"a\\nb"', 'a\nb'],
    ['[a, 1, "x, y"]', ['a', 1, 'x, y']],
    ['["a","b"]', ['a', 'b']],
    ['[]', []],
    [
      '{"b": 1, "a": [2]}',
      new Map<string, FieldValue>([
        ['b', 1],
        ['a', [2]],
      ]),
    ],
    ['[WIP] fix: the thing', '[WIP] fix: the thing'],
    ['fix: the #thing', 'fix: the #thing'],
    ['"half', '"half'],
    [' 7', ' 7'],
  ];
  for (const [text, value] of cases) {
    it(`reads ${text}`, () => assert.deepEqual(parseValue(text), value));
  }

  for (const text of ['[a, b', '["a"', '{a: 1']) {
    it(`takes ${text} for text`, () => assert.equal(parseValue(text), text));
  }

  for (const text of ['[a, {]', '{a: b: c}', '[&x a, *x]', '"a" "b"', '[[[[[[[[[a]]]]]]]]]']) {
    it(`refuses ${text} with a hint`, () => {
      assert.throws(
        () => parseValue(text),
        (error: WnError) => error.code === 'invalid' && (error.hint ?? '').includes('quote it'),
      );
    });
  }

  it('takes a declaration as its guide', () => {
    assert.equal(parseValue('1.10', 'string'), '1.10');
    assert.equal(parseValue('[x]', 'string'), '[x]');
    assert.equal(parseValue('"1.10"', 'string'), '1.10');
    assert.deepEqual(parseValue('ci, ops,,7', 'set'), ['ci', 'ops', 7]);
    assert.deepEqual(parseValue('a.md,7', 'refs'), ['a.md', '7']);
    assert.deepEqual(parseValue('["a,b"]', 'set'), ['a,b']);
  });

  it('is what the front matter of a file would say', () => {
    const word = fc.string({ unit: fc.constantFrom(...'a1.-+xe0_tru ynulo~'), minLength: 1 });
    fc.assert(
      fc.property(word, (text) => {
        fc.pre(text.trim() === text);
        const value = parseValue(text);
        const { text: file } = render('', new Map([['k', register(value)]]));
        assert.deepEqual(fieldsOf(file).get('k')?.value, value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('tree/values: what assignments do', () => {
  const cases: readonly (readonly [
    what: string,
    before: Record<string, FieldShown>,
    assignments: readonly string[],
    after: Record<string, FieldShown>,
  ])[] = [
    ['set a register', {}, ['owner=ops'], { owner: register('ops') }],
    ['take a field away', { owner: register('ops') }, ['owner='], { owner: 'unset' }],
    ['set it again after that', { a: register(1) }, ['a=', 'a=2'], { a: register(2) }],
    [
      'replace a declared set',
      { labels: set('x') },
      ['labels=ci,ops'],
      { labels: set('ci', 'ops') },
    ],
    ['replace an undeclared set', { tags: set('x') }, ['tags=[b, a]'], { tags: set('b', 'a') }],
    [
      'add to a set',
      { labels: set('ci') },
      ['labels+=ops', 'labels+=ci'],
      { labels: set('ops', 'ci') },
    ],
    ['take from a set', { labels: set('ci', 'ops') }, ['labels-=ci'], { labels: set('ops') }],
    ['begin a set', {}, ['tags+=a'], { tags: set('a') }],
    ['make a set of a register', { tags: register('a') }, ['tags+=b'], { tags: set('a', 'b') }],
    ['make a set of a list', { tags: register(['a', 'c']) }, ['tags-=a'], { tags: set('c') }],
    ['count up', { votes: counter(3) }, ['votes++', 'votes++'], { votes: counter(5) }],
    ['count down from nothing', {}, ['votes--'], { votes: counter(-1) }],
    ['count by more', { votes: counter(3) }, ['votes+=4', 'votes-=1'], { votes: counter(6) }],
    ['make a counter of a number', { n: register(3) }, ['n++'], { n: counter(4) }],
    ['leave a declared number one', { size: register(3) }, ['size++'], { size: register(4) }],
    ['set a counter', { votes: counter(3) }, ['votes=10'], { votes: counter(10) }],
    ['keep text text', {}, ['version=1.10'], { version: register('1.10') }],
    ['refer by text', {}, ['refs+=7'], { refs: set('7') }],
    [
      'follow a transition',
      { status: register('todo') },
      ['status=doing'],
      { status: register('doing') },
    ],
  ];
  for (const [what, before, assignments, after] of cases) {
    it(`${what}: ${assignments.join(' ')}`, () => {
      assert.deepEqual(assign(before, ...assignments), after);
    });
  }

  const refused: readonly (readonly [
    before: Record<string, FieldShown>,
    assignment: string,
    code: string,
  ])[] = [
    [{}, 'status=done', 'invalid'],
    [{}, 'status', 'usage'],
    [{ votes: counter(1) }, 'votes+=x', 'invalid'],
    [{}, 'votes=many', 'invalid'],
    [{ owner: register('x') }, 'owner++', 'invalid'],
    [{ n: register(3) }, 'n+=4', 'invalid'],
    [{}, 'version+=x', 'invalid'],
    [{ m: register(new Map()) }, 'm+=x', 'invalid'],
    [{ votes: counter(Number.MAX_SAFE_INTEGER) }, 'votes++', 'invalid'],
  ];
  for (const [before, assignment, code] of refused) {
    it(`refuses ${assignment} and says what to do`, () => {
      const error = failure(before, assignment);
      assert.equal(error.code, code);
      assert.ok(error.hint !== undefined);
    });
  }
});
