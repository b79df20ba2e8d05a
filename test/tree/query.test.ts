import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WnError } from '../../src/core/errors.js';
import { QUERY_BYTES_MAX, QUERY_DEPTH_MAX } from '../../src/core/limits.js';
import type { FieldValue } from '../../src/tree/field.js';
import { matches, parseQuery, type QueryItem } from '../../src/tree/query.js';

const NOW = Date.UTC(2026, 10, 20, 12);

function item(fields: Record<string, FieldValue> = {}, rest: Partial<QueryItem> = {}): QueryItem {
  return {
    path: 'tasks/7.md',
    name: '7.md',
    id: 'abcdef',
    type: 'task',
    fields: new Map(Object.entries(fields)),
    text: () => 'Mend the ROOF before winter.\n',
    ready: true,
    blocked: false,
    conflicted: false,
    ...rest,
  };
}

const holds = (query: string, of: QueryItem): boolean => matches(parseQuery(query), of, NOW);

describe('tree/query: what holds', () => {
  const task = item({
    status: 'todo',
    labels: ['ci', 'Ops'],
    due: '2026-11-25',
    size: 3,
    urgent: true,
    version: '1.10',
    owner: null,
    empty: [],
    meta: new Map([['k', 1]]),
    'two words': 'x',
    type: 'bug',
    seen: '2026-11-20T11:30Z',
  });
  const yes = [
    'status=todo',
    'status="todo"',
    'status != done',
    'status=todo and labels~ci and due<7d',
    'status=done or size>2',
    'not status=done',
    'not not ready',
    'NOT blocked AND ready',
    'ready and not (blocked or conflicted)',
    'labels=ci',
    'labels~ops',
    'labels!~winter',
    'status~TOD',
    'size=3',
    'size>=3 and size<=3 and size<4 and size>2.5',
    'urgent=true',
    'version=1.10',
    'version>1.0',
    'owner=null',
    'missing=null',
    'empty=null',
    'status!=null',
    'missing!=x',
    'due=2026-11-25',
    'due>2026-11-24T23:59Z',
    'due<1w',
    'due>4d',
    'seen>1h ago',
    'seen<10m ago',
    'seen>="2026-11-20T11:30Z"',
    'meta~k',
    '"two words"=x',
    '"roof"',
    '"the roof before"',
    '"7.MD"',
    'path~tasks/',
    'name=7.md',
    'id~abc',
    'type=bug',
    'blocked=false',
    'status=done or status=todo and size=3',
  ];
  for (const query of yes) it(query, () => assert.equal(holds(query, task), true));

  const no = [
    'status=done',
    'status=TODO',
    'status=todo and size=4',
    '(status=done or status=todo) and size=4',
    'labels=nope',
    'labels~c',
    'missing=x',
    'missing<7d',
    'missing~x',
    'owner<7d',
    'due<4d',
    'due<2026-11-25',
    'status<7d',
    'status>7d',
    'size<todo',
    'size=three',
    '"cellar"',
    'blocked',
    'conflicted or blocked',
    'not ready',
    'status=null',
    'type=task',
  ];
  for (const query of no) it(`not: ${query}`, () => assert.equal(holds(query, task), false));

  it("takes the schema's type where there is no field of that name", () => {
    assert.equal(holds('type=task', item()), true);
    assert.equal(holds('type=null', item({}, { type: null })), true);
  });

  it('looks into a body only when the query does', () => {
    const closed = item({}, { text: () => assert.fail('it was read') });
    assert.equal(holds('status=null and ready', closed), true);
    assert.equal(holds('"7.md"', closed), true);
  });
});

describe('tree/query: mistakes', () => {
  const mistakes: readonly (readonly [query: string, column: number, message: RegExp])[] = [
    ['', 1, /expected a field.*it ends there/],
    ['   ', 1, /expected a field/],
    ['status', 7, /expected =, !=.*after `status`; it ends there/],
    ['status todo', 8, /after `status`; there stands `todo`/],
    ['status=', 8, /expected a value; it ends there/],
    ['status==todo', 8, /expected a value; there stands `=`/],
    ['status=todo and', 16, /expected a field/],
    ['status=todo labels~ci', 13, /expected `and`, `or` or the end; there stands `labels`/],
    ['(ready', 7, /expected `\)`/],
    ['ready)', 6, /expected `and`, `or` or the end/],
    ['ready and or blocked', 14, /=, !=/],
    ['status="todo', 8, /closing `"`/],
    ['= x', 1, /expected a field/],
    ['due<soon ago', 5, /a span like 2h/],
    ['status=!', 8, /expected a word/],
  ];
  for (const [query, column, message] of mistakes) {
    it(`points to column ${column} of ${JSON.stringify(query)}`, () => {
      assert.throws(
        () => parseQuery(query),
        (error: WnError) => {
          assert.equal(error.code, 'usage');
          assert.match(error.message, message);
          assert.match(error.message, new RegExp(`column ${column}:`));
          return true;
        },
      );
    });
  }

  it('takes a query at the bound on bytes and refuses one more', () => {
    const query = (bytes: number): string => `a=${'x'.repeat(bytes - 2)}`;
    parseQuery(query(QUERY_BYTES_MAX));
    assert.throws(() => parseQuery(query(QUERY_BYTES_MAX + 1)), /over 4096 bytes/);
  });

  it('takes nesting at the bound and refuses one more', () => {
    const query = (depth: number): string =>
      '('.repeat(depth - 1) + 'ready' + ')'.repeat(depth - 1);
    assert.equal(holds(query(QUERY_DEPTH_MAX), item()), true);
    assert.throws(() => parseQuery(query(QUERY_DEPTH_MAX + 1)), /fewer parentheses/);
    assert.throws(() => parseQuery('not '.repeat(1_000) + 'ready'), /fewer parentheses/);
  });

  it('gives an answer or an error for any text', () => {
    const piece = fc.constantFrom(
      ' ',
      'and',
      'or',
      'not',
      '(',
      ')',
      '"',
      '\\',
      '=',
      '<',
      '~',
      '!',
      'ready',
      'a',
      '7d',
      'ago',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 2 }))), (all) => {
        try {
          assert.equal(typeof holds(all.join(''), item({ a: 'x' })), 'boolean');
        } catch (error) {
          assert.ok(error instanceof WnError && error.code === 'usage', String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('obeys the laws of and, or and not', () => {
    const leaf = fc.constantFrom('ready', 'blocked', 'a=1', 'a=2', '"roof"', 'b~x');
    fc.assert(
      fc.property(leaf, leaf, leaf, fc.boolean(), (p, q, r, blocked) => {
        const of = item({ a: 1, b: ['x'] }, { blocked });
        assert.equal(holds(`not (${p} and ${q})`, of), holds(`not ${p} or not ${q}`, of));
        assert.equal(holds(`${p} or ${q} and ${r}`, of), holds(`${p} or (${q} and ${r})`, of));
        assert.equal(holds(`not not ${p}`, of), holds(p, of));
      }),
    );
  });
});
