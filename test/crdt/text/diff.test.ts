/** From edited texts to runs, hunks and likeness. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DIFF_EDITS_MAX, DIFF_LINES_MAX } from '../../../src/core/limits.js';
import { applyRuns, invertRuns } from '../../../src/crdt/text/buffer.js';
import { diffLines, diffText, similarity } from '../../../src/crdt/text/diff.js';
import type { Run } from '../../../src/crdt/text/op.js';
import { FUZZ_RUNS } from './histories.js';

const TOKENS = [
  ...[
    'a',
    'b',
    'c',
    'word',
    ' ',
    '\n',
    '\r\n',
    '\r',
    'the quick\n',
    '}\n',
    '漢',
    '字',
    'が',
    'か\u3099',
  ],
  ...[
    '🙂',
    '👩‍👩‍👧',
    '👍🏽',
    '👍',
    '🇩🇪',
    '🇫🇷',
    '🇪',
    'é',
    'e',
    '\u0301',
    '\u200d',
    'नि',
    'क्ष',
    '각',
    'ᄀ',
    '\u0600',
  ],
];
const text = fc
  .array(fc.constantFrom(...TOKENS), { maxLength: 30, size: 'max' })
  .map((tokens) => tokens.join(''));
/** A text and an edited version of it: tokens kept, dropped, replaced. */
const edited = fc
  .array(fc.tuple(fc.constantFrom(...TOKENS), fc.nat(9), fc.constantFrom(...TOKENS)), {
    maxLength: 40,
    size: 'max',
  })
  .map((steps) => ({
    before: steps.map(([token]) => token).join(''),
    after: steps.map(([token, fate, other]) => [other, '', other + token][fate] ?? token).join(''),
  }));
const pairs = fc.oneof(edited, fc.record({ before: text, after: text }));
const runs = { numRuns: FUZZ_RUNS * 20 };

/** Code point offsets at which a grapheme begins, and the end. */
function boundaries(text: string): Set<number> {
  const offsets = new Set([0]);
  let at = 0;
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)) {
    at += [...segment].length;
    offsets.add(at);
  }
  return offsets;
}

/** Replaces a whole line by one that has nothing in common with it. */
function unlike(lines: number, from: string): string {
  return Array.from({ length: lines }, (_, i) => `${from}${i.toString(36)}\n`).join('');
}

describe('diffText', () => {
  it('gives runs that lead from one text to the other', () => {
    fc.assert(
      fc.property(pairs, ({ before, after }) => {
        assert.equal(applyRuns(before, diffText(before, after)), after);
      }),
      runs,
    );
  });

  it('never splits a grapheme of either text', () => {
    fc.assert(
      fc.property(pairs, ({ before, after }) => {
        const old = boundaries(before);
        const now = boundaries(after);
        // Runs rise, so how far the text has grown tells where a run stands in the old one.
        let grown = 0;
        for (const [pos, what] of diffText(before, after)) {
          const [oldEnd, newEnd] =
            typeof what === 'string'
              ? [pos - grown, pos + [...what].length]
              : [pos - grown + what, pos];
          assert.ok(old.has(oldEnd), `old text, at ${oldEnd}`);
          assert.ok(now.has(newEnd), `new text, at ${newEnd}`);
          if (typeof what === 'number') {
            assert.ok(old.has(pos - grown), `old text, at ${pos - grown}`);
            grown -= what;
          } else {
            assert.ok(now.has(pos), `new text, at ${pos}`);
            grown += [...what].length;
          }
        }
      }),
      runs,
    );
  });

  it('changes only what differs', () => {
    const cases: [string, string, Run[]][] = [
      ['same', 'same', []],
      [
        'one\ntwo\nthree\n',
        'one\nTWO\nthree\n',
        [
          [4, 3],
          [4, 'TWO'],
        ],
      ],
      ['a\nb\nc\n', 'a\nx\nb\nc\n', [[2, 'x\n']]],
      [
        'say hello to him and to her',
        'say hi to him and to them',
        [
          [5, 4],
          [5, 'i'],
          [21, 't'],
          [24, 1],
          [24, 'm'],
        ],
      ],
      [
        'x👍y',
        'x👍🏽y',
        [
          [1, 1],
          [1, '👍🏽'],
        ],
      ],
      ['caf', 'café', [[3, 'é']]],
      [
        'cafe',
        'cafe\u0301',
        [
          [3, 1],
          [3, 'e\u0301'],
        ],
      ],
      [
        'a\r\nb',
        'a\nb',
        [
          [1, 2],
          [1, '\n'],
        ],
      ],
      ['🇩🇪🇫🇷', '🇫🇷', [[0, 2]]],
    ];
    for (const [before, after, expected] of cases) {
      assert.deepEqual(diffText(before, after), expected, `${before} → ${after}`);
    }
  });

  it('keeps a line whole that stayed between two edits, however short it is', () => {
    const runs = diffText('x\n', 'a line before it\nx and words behind it\n');
    assert.deepEqual(runs, [
      [0, 'a line before it\n'],
      [18, ' and words behind it'],
    ]);
  });

  it('does not mix two words that share letters', () => {
    assert.deepEqual(diffText('(separate)', '(operating)'), [
      [1, 8],
      [1, 'operating'],
    ]);
  });

  it('keeps what is equal up to the bound of edits, and replaces the hunk past it', () => {
    // One long line whose letters alternate between kept and changed; no line to hold on to.
    const line = (pairs: number, changed: string) => `${'k'.repeat(9)}${changed}`.repeat(pairs);
    const within = diffText(line(DIFF_EDITS_MAX / 2, 'x'), line(DIFF_EDITS_MAX / 2, 'y'));
    assert.equal(within.length, DIFF_EDITS_MAX);
    const past = diffText(line(DIFF_EDITS_MAX / 2 + 2, 'x'), line(DIFF_EDITS_MAX / 2 + 2, 'y'));
    assert.equal(past.length, 2);
  });

  it('holds on to unique lines where too many others differ', () => {
    const before = `${unlike(DIFF_EDITS_MAX, 'a')}anchor\n${unlike(DIFF_EDITS_MAX, 'b')}`;
    const after = `${unlike(DIFF_EDITS_MAX, 'c')}anchor\n${unlike(DIFF_EDITS_MAX, 'd')}`;
    const result = diffText(before, after);
    assert.equal(applyRuns(before, result), after);
    assert.ok(result.every(([, what]) => typeof what !== 'string' || !what.includes('anchor')));
  });

  it('looks at lines up to the bound of their number', () => {
    // The line to keep stands behind more changes than are looked for otherwise.
    const lines = (count: number, from: string) =>
      `${unlike(DIFF_EDITS_MAX, from)}keep\n${unlike(count - DIFF_EDITS_MAX - 1, from)}`;
    for (const count of [DIFF_LINES_MAX, DIFF_LINES_MAX + 1]) {
      const runs = diffText(lines(count, 'a'), lines(count - 1, 'b'));
      const isKept = runs.every(([, what]) => typeof what === 'number' || !what.includes('keep'));
      assert.equal(isKept, count === DIFF_LINES_MAX, `${count} lines`);
    }
  });

  it('keeps the rest of each line where all lines changed', () => {
    const before = unlike(DIFF_EDITS_MAX, 'line');
    const after = before.replaceAll('line', '  line');
    const runs = diffText(before, after);
    assert.equal(applyRuns(before, runs), after);
    assert.equal(runs.length, DIFF_EDITS_MAX);
    assert.ok(runs.every(([, what]) => what === '  '));
  });
});

describe('invertRuns', () => {
  it('undoes any runs on the text that they result in', () => {
    fc.assert(
      fc.property(pairs, ({ before, after }) => {
        const forth = diffText(before, after);
        assert.equal(applyRuns(after, invertRuns(before, forth)), before);
      }),
      runs,
    );
  });
});

describe('diffLines', () => {
  it('gives hunks that, applied, lead from one text to the other', () => {
    fc.assert(
      fc.property(pairs, fc.nat(3), ({ before, after }, context) => {
        const source = before.match(/[^\n]*\n|[^\n]+/g) ?? [];
        const result: string[] = [];
        let at = 0;
        for (const hunk of diffLines(before, after, context)) {
          const start = hunk.oldStart - (hunk.oldCount > 0 ? 1 : 0);
          result.push(...source.slice(at, start));
          assert.equal(result.length, hunk.newStart - (hunk.newCount > 0 ? 1 : 0));
          const old = hunk.lines.filter((line) => line.kind !== 'added').map((line) => line.text);
          const now = hunk.lines.filter((line) => line.kind !== 'removed').map((line) => line.text);
          assert.deepEqual(old, source.slice(start, start + hunk.oldCount));
          assert.equal(now.length, hunk.newCount);
          result.push(...now);
          at = start + hunk.oldCount;
        }
        assert.equal([...result, ...source.slice(at)].join(''), after);
      }),
      runs,
    );
  });

  it('counts and joins hunks as diff -u does', () => {
    const before = Array.from({ length: 20 }, (_, i) => `${i + 1}\n`).join('');
    const after = before.replace('3\n', 'three\n').replace('10\n', '').replace('20\n', '20');
    const heads = diffLines(before, after).map(
      (hunk) => `-${hunk.oldStart},${hunk.oldCount} +${hunk.newStart},${hunk.newCount}`,
    );
    assert.deepEqual(heads, ['-1,13 +1,12', '-17,4 +16,4']);
    assert.deepEqual(diffLines('', 'a\nb'), [
      {
        oldStart: 0,
        oldCount: 0,
        newStart: 1,
        newCount: 2,
        lines: [
          { kind: 'added', text: 'a\n' },
          { kind: 'added', text: 'b' },
        ],
      },
    ]);
  });
});

describe('similarity', () => {
  it('is the share of bytes in common lines', () => {
    assert.equal(similarity('', ''), 1);
    assert.equal(similarity('a\n', ''), 0);
    assert.equal(similarity('a\nb\n', 'b\na\n'), 1);
    assert.equal(similarity('aaa\nbbb\n', 'aaa\nccc\n'), 0.5);
    assert.equal(similarity('aaa\n', 'aaa\naaa\n'), 0.5);
    assert.equal(similarity('漢字\nab\n', '漢字\n'), 0.7);
  });
});
