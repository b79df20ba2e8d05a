import assert from 'node:assert/strict';
import fc from 'fast-check';
import { equalValues, type FieldValue } from '../../src/tree/field.js';
import { nodeValue, parseYaml, plainValue } from '../../src/tree/yaml.js';
import { blockListText, flowText, keySpelling, literalText } from '../../src/tree/yaml-text.js';
import { scalars, strings, values } from './gen.js';

/** The value of the only key of a block map, as the library reads it. */
function read(text: string): FieldValue | undefined {
  const parsed = parseYaml(text);
  assert.ok(parsed.ok, `${parsed.ok ? '' : parsed.why}: ${text}`);
  const map = nodeValue(parsed.doc.contents);
  assert.ok(map instanceof Map && map.size === 1, text);
  return [...map.values()][0] as FieldValue;
}

function same(text: string, value: FieldValue): void {
  const back = read(text);
  assert.ok(back !== undefined && equalValues(back, value), `${JSON.stringify(back)} from ${text}`);
}

describe('tree/yaml-text', () => {
  const spelled: readonly (readonly [value: FieldValue, text: string])[] = [
    ['todo', 'todo'],
    ['two words', 'two words'],
    ['2026-11-20', '2026-11-20'],
    ['10:30', '10:30'],
    ['https://a.b/c#d', 'https://a.b/c#d'],
    ["it's", "it's"],
    ['yes', 'yes'],
    ['7', '"7"'],
    ['true', '"true"'],
    ['', '""'],
    [' x', '" x"'],
    ['a: b', '"a: b"'],
    ['a #b', '"a #b"'],
    ['- a', '"- a"'],
    ['a\nb', '"a\\nb"'],
    ['\u2028', '"\\u2028"'],
    [null, 'null'],
    [1e21, '1e+21'],
    [['a', 1, 'b, c', []], '[a, 1, "b, c", []]'],
    [
      new Map<string, FieldValue>([
        ['b', 1],
        ['a', 'x:y'],
      ]),
      '{a: "x:y", b: 1}',
    ],
    [new Map(), '{}'],
  ];
  for (const [value, text] of spelled) {
    it(`spells ${text}`, () => assert.equal(flowText(value), text));
  }

  it('spells every value so that it reads back', () => {
    fc.assert(
      fc.property(values, (value) => same(`k: ${flowText(value)}\n`, value)),
      { numRuns: 1_000 },
    );
  });

  it('spells every string in every quote so that it reads back', () => {
    fc.assert(
      fc.property(strings, fc.constantFrom('plain', 'single', 'double'), (value, quote) => {
        same(`k: ${flowText(value, quote)} # c\n`, value);
      }),
      { numRuns: 1_000 },
    );
  });

  it('spells every key so that it reads back', () => {
    fc.assert(
      fc.property(strings, (key) => {
        const parsed = parseYaml(`${keySpelling(key)}: x\n`);
        assert.ok(parsed.ok);
        const map = nodeValue(parsed.doc.contents);
        assert.ok(map instanceof Map);
        assert.deepEqual([...map.keys()], [key]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('spells a key that is longer than the library takes for one', () => {
    const map = new Map([['k'.repeat(2_000), 'v']]);
    same(`k: ${flowText(map)}\n`, map);
  });

  it('spells every list as a block so that it reads back', () => {
    const list = fc.array(values, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(list, fc.nat({ max: 4 }), (elements, indent) => {
        const margin = ' '.repeat(indent);
        same(`k:\n${margin}${blockListText(elements, indent) ?? ''}\n`, elements);
      }),
      { numRuns: 500 },
    );
    assert.equal(blockListText([], 2), null);
  });

  it('spells text as a literal block so that it reads back, or not at all', () => {
    const line = fc.constantFrom(
      'a',
      ' b',
      'c ',
      '',
      '# d',
      '- e',
      '---',
      'f: g',
      '\t',
      'é🙂',
      '"',
    );
    const text = fc.oneof(
      fc.array(line, { maxLength: 5 }).map((all) => all.join('\n')),
      strings,
    );
    let spelledCount = 0;
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 4 }), (value, indent) => {
        const literal = literalText(value, indent);
        if (literal === null) return;
        spelledCount++;
        same(`k: ${literal}\n`, value);
      }),
      { numRuns: 1_000 },
    );
    assert.ok(spelledCount > 100, `only ${spelledCount} were spelled`);
  });

  it('spells equal values alike', () => {
    const pair = fc.tuple(fc.constantFrom('a', 'b', 'c'), scalars);
    fc.assert(
      fc.property(fc.uniqueArray(pair, { selector: ([key]) => key }), (pairs) => {
        assert.equal(flowText(new Map(pairs)), flowText(new Map(pairs.toReversed())));
      }),
    );
  });
});

describe('tree/yaml: plain scalars', () => {
  for (const [text, value] of [
    ['', null],
    ['~', null],
    ['NULL', null],
    ['nULL', 'nULL'],
    ['True', true],
    ['FALSE', false],
    ['yes', 'yes'],
    ['+7', 7],
    ['007', 7],
    ['0o17', 15],
    ['0x1f', 31],
    ['1_000', '1_000'],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1e400', '1e400'],
    ['-0.0', 0],
    ['.inf', '.inf'],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['1.2.3', '1.2.3'],
    ['12:30', '12:30'],
    ['.', '.'],
    ['-', '-'],
    ['e5', 'e5'],
  ] as const) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.equal(plainValue(text), value);
    });
  }
});
