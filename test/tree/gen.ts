/** Generators of front matter as people write it, of fields, and of what people do to a file. */
import fc from 'fast-check';
import type { Field, FieldShown, FieldValue } from '../../src/tree/field.js';
import { readBack } from '../../src/tree/readback.js';

export const NO_SCHEMA = { crdtOf: () => null };

/** The fields of a file, for one who had never seen it. */
export function fieldsOf(
  text: string,
  known: ReadonlyMap<string, FieldShown> = new Map(),
): ReadonlyMap<string, Field> {
  const nothing = { text: '', segments: [], fields: known };
  return readBack('a.md', nothing, '', text, NO_SCHEMA).fields.set;
}

const KEYS = ['status', 'title', 'due', 'labels', 'votes', 'a b', '1', 'meta', 'x-y', 'null'];

const words = fc.constantFrom(
  'todo',
  'doing',
  'done',
  'a b',
  'ci',
  'yes',
  'true',
  '7',
  '1.10',
  'it: is',
  'a #b',
  '- x',
  '',
  ' x ',
  'null',
  '2026-11-20',
  'двое',
  '👩‍👩‍👧',
  "it's",
  '"q"',
  '[x]',
  '{y}',
  'a, b',
  'http://x/y?z#w',
  'line\nbreak\n',
  'line\nbreak',
  ' indented\nfirst',
  'tab\there',
  'back\\slash',
  '\u2028',
  '\u0085',
  '---',
  '...',
  '# no',
  '&a',
  '*a',
  '!t',
  '%',
  '@',
  '`',
  '|',
  '>',
  '?',
  ':',
  'a:',
  '-',
  '=',
  '<<',
  '__proto__',
);

export const strings = fc.oneof(
  { weight: 3, arbitrary: words },
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);

export const scalars: fc.Arbitrary<null | boolean | number | string> = fc.oneof(
  { weight: 4, arbitrary: strings },
  fc.constantFrom(null, true, false, 0, 1, -7, 1.5, 1e21, -2.5e-7, Number.MAX_SAFE_INTEGER),
);

export const values: fc.Arbitrary<FieldValue> = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(strings, tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
})).value;

const field: fc.Arbitrary<Field> = fc.oneof(
  { weight: 3, arbitrary: scalars.map((value): Field => ({ crdt: 'register', value })) },
  values.map((value): Field => ({ crdt: 'register', value })),
  fc.array(scalars, { maxLength: 4 }).map((value): Field => ({ crdt: 'set', value })),
  fc.integer({ min: -9, max: 9 }).map((value): Field => ({ crdt: 'counter', value })),
);

export const keys = fc.constantFrom(...KEYS);

export const fieldMaps: fc.Arbitrary<ReadonlyMap<string, FieldShown>> = fc
  .array(fc.tuple(keys, fc.oneof({ weight: 4, arbitrary: field }, fc.constant('unset' as const))), {
    maxLength: 5,
  })
  .map((pairs) => new Map(pairs));

/** Lines under one key, in every style that YAML has for values. */
const spelled = fc.constantFrom(
  ' todo',
  '   done',
  ' "double"',
  " 'single'",
  ' 7',
  ' 0x1F',
  ' 1.10',
  ' true',
  '',
  ' ~',
  '   # only a comment',
  ' todo # why',
  ' 2026-11-20',
  ' [ci, ops]',
  ' [b, a, a]',
  ' { x: 1, y: [2] }',
  '\n  - ci\n  - ops # note',
  '\n- flat\n- list',
  '\n  x: 1\n  y: 2',
  ' |\n  text\n   more\n\n  end',
  ' |-\n    deep\n    text',
  ' |+\n  keep\n\n',
  ' >\n  folded\n  text',
  '\n  on the next line',
  ' plain over\n  two lines',
  ' "quoted over\n  two lines"',
  ' &anchor x',
  ' !!str 5',
  ' !tag x',
);
const keySpelled = fc.constantFrom(...KEYS, '"status"', "'title'", 'due ');
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(keySpelled, spelled).map(([key, value]) => `${key}:${value}\n`),
  },
  fc.constantFrom('# a comment\n', '\n', '  # indented comment\n'),
  fc.constantFrom(
    '? [complex]\n: 1\n',
    '? status\n: todo\n',
    '&k status: 1\n',
    'broken: "x\n',
    '}\n',
  ),
);
const body = fc.constantFrom(
  '',
  'Text.\n',
  '# Title\n\nText\n---\nmore',
  '\n\n',
  '---\n',
  'status: todo\n',
);

const plain = fc.tuple(fc.array(line, { maxLength: 6 }), body).map(toDocument);

/** Mostly with front matter that parses; some without any, some broken, some with CRs. */
export const documents: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 2, arbitrary: plain.map(indent) },
  { weight: 2, arbitrary: plain.map((text) => text.replaceAll('\n', '\r\n')) },
  body,
);

function toDocument([lines, rest]: readonly [readonly string[], string]): string {
  return `---\n${lines.join('')}---\n${rest}`;
}

/** The same front matter with all its keys two columns in. */
function indent(text: string): string {
  const [, content = '', rest = ''] = /^---\n([^]*?)---\n([^]*)$/.exec(text) ?? [];
  return `---\n${content.replace(/^(?=.)/gm, '  ')}---\n${rest}`;
}

/** What an editor may do to a text: each takes it and gives the new one. */
export const textEdits: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 12 }), fc.oneof(fc.constant(''), words, line)).map(
    ([at, count, text]) =>
      (before: string) =>
        splice(before, at % (before.length + 1), count, text),
  ),
  fc.tuple(fc.nat(), line).map(([at, text]) => onLines(at, (lines, i) => lines.splice(i, 0, text))),
  fc.nat().map((at) => onLines(at, (lines, i) => lines.splice(i, 1))),
  fc.nat().map((at) => onLines(at, (lines, i) => lines.push(...lines.splice(i, 1)))),
  fc.nat().map((at) => onLines(at, (lines, i) => lines.splice(1, 0, ...lines.splice(i, 1)))),
  fc
    .tuple(fc.nat(), fc.constantFrom(' done', ' "x"', ' 8', '', ' [new, ci]', ' z # c'))
    .map(([at, value]) =>
      onLines(at, (lines, i) => {
        lines[i] = (lines[i] ?? '').replace(/:.*/, `:${value}`);
      }),
    ),
);

function splice(text: string, at: number, count: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + count);
}

function onLines(
  at: number,
  edit: (lines: string[], index: number) => unknown,
): (text: string) => string {
  return (text) => {
    const lines = text.split(/(?<=\n)/);
    edit(lines, at % (lines.length + 1));
    return lines.join('');
  };
}
