/** Text documents, one case at a time: the linear path, merging, dead ops, malformed ops. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { WnError } from '../../../src/core/errors.js';
import type { DiamondTypes } from '../../../src/crdt/text/diamond.js';
import { TextDocument } from '../../../src/crdt/text/document.js';
import { MALFORMED } from '../../../src/crdt/text/merged.js';
import type { Head, Run, TextOp } from '../../../src/crdt/text/op.js';

const require = createRequire(import.meta.url);
const diamondTypes = () => require('diamond-types-node') as DiamondTypes;
const never = (): never => assert.fail('a linear document needs neither history nor engine');

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const C = 'c'.repeat(32);

function op(log: string, seq: number, base: readonly Head[], ...runs: Run[]): TextOp {
  return { log, seq, index: 0, base, runs, live: true };
}

function dead(change: TextOp): TextOp {
  return { ...change, live: false };
}

/** The text of ops under either engine, which must agree. */
function textOf(...ops: readonly TextOp[]): string {
  const texts = [{ diamondTypes }, {}].map((engine) => {
    const document = TextDocument.open(engine);
    for (const change of ops) document.add(change);
    const text = document.text();
    document.free();
    return text;
  });
  assert.equal(texts[0], texts[1], 'Diamond Types and the walker agree');
  return texts[0]!;
}

describe('TextDocument, linear', () => {
  it('is empty at first', () => {
    const document = TextDocument.open();
    assert.equal(document.text(), '');
    assert.deepEqual(document.heads(), []);
    assert.deepEqual(document.snapshot(), { text: '', heads: [] });
  });

  it('goes on from a snapshot without history or engine', () => {
    const one = op(A, 1, [], [0, 'héllo']);
    const two = op(B, 7, [one], [5, ' 🙂'], [0, 1], [0, 'H']);
    const document = TextDocument.open({
      snapshot: { text: 'héllo', heads: [one] },
      history: never,
      diamondTypes: never,
    });
    assert.equal(document.text(), 'héllo');
    assert.deepEqual(document.add(two), { ok: true });
    assert.deepEqual(document.add(op(A, 2, [two], [7, '!'])), { ok: true });
    assert.equal(document.text(), 'Héllo 🙂!');
    assert.deepEqual(document.heads(), [{ log: A, seq: 2, index: 0 }]);
    assert.ok(document.isLinear);
  });

  it('is linear again behind an op on all heads, and in a document opened there', () => {
    const root = op(A, 1, [], [0, 'x']);
    const left = op(A, 2, [root], [0, 'l']);
    const right = op(B, 1, [root], [1, 'r']);
    const join = op(B, 2, [right, left], [3, '!']);
    const document = TextDocument.open({ diamondTypes });
    for (const change of [root, left, right, join]) document.add(change);
    assert.equal(document.heads().length, 1);
    const snapshot = document.snapshot()!;
    document.free();
    const next = TextDocument.open({ snapshot, history: never, diamondTypes: never });
    next.add(op(A, 3, [join], [4, '?']));
    assert.equal(next.text(), 'lxr!?');
  });

  it('shows its past without Diamond Types', () => {
    const ops = [op(A, 1, [], [0, 'one'])];
    ops.push(op(A, 2, [ops[0]!], [3, ' two']), op(A, 3, [{ log: A, seq: 2, index: 0 }], [0, 4]));
    const document = TextDocument.open({ history: () => ops, diamondTypes: never });
    assert.equal(document.text(), 'two');
    assert.equal(document.textAt([ops[1]!]), 'one two');
    assert.equal(document.textAt([]), '');
    assert.throws(
      () => document.textAt([{ log: B, seq: 1, index: 0 }]),
      (error) => error instanceof WnError && error.code === 'not_found',
    );
  });

  it('takes several ops of one commit', () => {
    const one = op(A, 4, [], [0, 'ab']);
    const two = { ...op(A, 4, [one], [1, 'x']), index: 3 };
    const document = TextDocument.open({ diamondTypes: never });
    document.add(one);
    document.add(two);
    assert.equal(document.text(), 'axb');
    assert.deepEqual(document.heads(), [{ log: A, seq: 4, index: 3 }]);
  });
});

describe('TextDocument, merging', () => {
  it('loads Diamond Types once, at the first concurrent op', () => {
    let loads = 0;
    const document = TextDocument.open({
      diamondTypes: () => {
        loads += 1;
        return diamondTypes();
      },
    });
    const root = op(A, 1, [], [0, 'ac']);
    document.add(root);
    assert.equal(loads, 0);
    document.add(op(A, 2, [root], [1, 'b']));
    document.add(op(B, 1, [root], [2, 'd']));
    document.add(op(C, 1, [root], [0, '>']));
    assert.equal(document.text(), '>abcd');
    assert.equal(loads, 1);
    document.free();
  });

  it('puts concurrent inserts at one place in the order of their logs', () => {
    const root = op(B, 1, [], [0, '()']);
    const a = op(A, 1, [root], [1, 'aaa']);
    const b = op(B, 2, [root], [1, 'bbb']);
    const c = op(C, 1, [root], [1, 'ccc']);
    assert.equal(textOf(root, a, b, c), '(aaabbbccc)');
    assert.equal(textOf(root, c, b, a), '(aaabbbccc)');
  });

  it('keeps both of two branches that one log typed', () => {
    const root = op(A, 1, [], [0, '()']);
    const one = op(A, 2, [root], [1, 'first']);
    const two = op(A, 3, [root], [1, 'second']);
    assert.equal(textOf(root, one, two), '(firstsecond)');
    assert.equal(textOf(root, one, op(B, 1, [one], [6, '+']), two), '(first+second)');
  });

  it('tells text typed on from text typed behind what arrived meanwhile', () => {
    const root = op(C, 1, [], [0, '()']);
    const theirs = op(B, 1, [root], [1, 'w']);
    const mine = op(A, 1, [root], [1, 'a']);
    const on = op(A, 2, [mine, theirs], [2, 'b']);
    const gone = op(A, 3, [on], [1, 2]);
    const other = op(C, 2, [mine], [2, 'c']);
    assert.equal(textOf(root, theirs, mine, on, other), '(acbw)');
    for (const engine of [{ diamondTypes }, {}]) {
      const document = TextDocument.open(engine);
      for (const change of [root, theirs, mine, on, gone]) document.add(change);
      assert.equal(document.text(), '(w)');
      document.add(other);
      document.add(op(C, 3, [other], [3, 'd']));
      assert.equal(document.text(), '(cdw)');
      assert.equal(document.textAt([other, on]), '(acbw)');
      document.free();
    }
  });

  it('refuses a log id at which Diamond Types would panic', () => {
    for (const [chars, isRefused] of [
      [49, false],
      [50, true],
    ] as const) {
      const log = 'e'.repeat(chars);
      const root = op(A, 1, [], [0, 'x']);
      const document = TextDocument.open({ diamondTypes });
      document.add(root);
      document.add(op(A, 2, [root], [1, 'y']));
      const attempt = () => document.add(op(log, 1, [root], [0, 'w']));
      if (isRefused) assert.throws(attempt, /bug: a log id/);
      else assert.deepEqual(attempt(), { ok: true });
      document.free();
    }
  });

  it('shows the empty text before any op', () => {
    for (const engine of [{ diamondTypes }, {}]) {
      const root = op(A, 1, [], [0, 'x']);
      const document = TextDocument.open(engine);
      for (const change of [root, op(A, 2, [root], [1, 'y']), op(B, 1, [], [0, 'b'])]) {
        document.add(change);
      }
      assert.equal(document.textAt([]), '');
      assert.equal(document.text(), 'xyb');
      document.free();
    }
  });

  it('deletes once what both deleted', () => {
    const root = op(A, 1, [], [0, 'abcdef']);
    const a = op(A, 2, [root], [1, 3]);
    const b = op(B, 1, [root], [2, 3]);
    const join = op(B, 2, [b, a], [1, '|']);
    assert.equal(textOf(root, a, b, join), 'a|f');
  });

  it('reads a base that names an op twice, or one that another covers, as the set it means', () => {
    const root = op(A, 1, [], [0, 'x']);
    const two = op(A, 2, [root], [1, 'y']);
    const wide = op(B, 1, [two, root, two], [2, 'z']);
    assert.equal(textOf(root, two, wide), 'xyz');
    const other = op(C, 1, [root], [0, '-']);
    const twice = op(B, 1, [two, two], [2, 'z']);
    assert.equal(textOf(root, two, other, twice), '-xyz');
  });

  it('takes an op that it knows as nothing new', () => {
    const root = op(A, 1, [], [0, 'x']);
    const two = op(A, 2, [root], [1, 'y']);
    assert.equal(textOf(root, two, root, two, root), 'xy');
  });

  it('tolerates a history that has the op already', () => {
    const root = op(A, 1, [], [0, 'x']);
    const ops = [root, op(A, 2, [root], [1, 'y'])];
    const document = TextDocument.open({ history: () => ops, diamondTypes });
    const late = op(B, 1, [root], [0, 'w']);
    ops.push(late);
    assert.deepEqual(document.add(late), { ok: true });
    assert.equal(document.text(), 'wxy');
    document.free();
  });

  it('merges long branches that arrive in turns', () => {
    const root = op(C, 1, [], [0, '|']);
    const ops = [root];
    let [a, b] = [root, root];
    for (let seq = 1; seq <= 3_000; seq += 1) {
      a = op(A, seq, [a], [seq - 1, 'a']);
      b = op(B, seq, [b], [seq, 'b']);
      ops.push(a, b);
    }
    assert.equal(textOf(...ops), `${'a'.repeat(3_000)}|${'b'.repeat(3_000)}`);
  });

  it('merges branches of thousands of scattered edits', () => {
    const digits = Array.from({ length: 3_000 }, (_, i) => i % 10);
    const ops = [op(C, 1, [], [0, digits.join('')])];
    let [a, b] = [ops[0]!, ops[0]!];
    for (let i = 0; i < 1_500; i += 1) {
      a = op(A, i, [a], [3 * i, 'a']);
      b = op(B, i, [b], [i + 1, 1]);
      ops.push(a, b);
    }
    const kept = digits.filter((_, i) => i % 2 === 0);
    assert.equal(textOf(...ops), kept.map((digit) => `a${digit}`).join(''));
  });
});

describe('TextDocument, dead ops', () => {
  const root = op(A, 1, [], [0, 'abcdef']);

  it('shows once what only a dead op deleted, and not what a live one deleted too', () => {
    const revoked = dead(op(B, 1, [root], [1, 3]));
    const live = op(C, 1, [root], [2, 1]);
    assert.equal(textOf(root, revoked), 'abcdef');
    assert.equal(textOf(root, revoked, live), 'abdef');
    assert.equal(textOf(root, dead(revoked), dead({ ...revoked, log: C })), 'abcdef');
  });

  it('never shows a dead insertion, but what was typed into it', () => {
    const revoked = dead(op(B, 1, [root], [3, 'XYZ']));
    const inside = op(A, 2, [revoked], [5, '+'], [0, 1]);
    assert.equal(textOf(root, revoked, inside), 'bc+def');
    const deletes = op(A, 2, [revoked], [2, 5]);
    assert.equal(textOf(root, revoked, deletes), 'abef');
  });

  it('keeps the order of what shows when verdicts change', () => {
    const revoked = op(B, 1, [root], [1, 4], [1, 'XY']);
    const later = op(A, 2, [revoked], [2, '+']);
    assert.equal(textOf(root, revoked, later), 'aX+Yf');
    assert.equal(textOf(root, dead(revoked), later), 'a+bcdef');
  });

  it('lets an author edit text that is back, and type next to it', () => {
    const revoked = dead(op(B, 1, [root], [1, 4]));
    const document = TextDocument.open({});
    document.add(root);
    document.add(revoked);
    assert.equal(document.text(), 'abcdef');
    assert.equal(document.fullText(), 'af');
    const full = document.toFullRuns(
      [revoked],
      [
        [3, '+'],
        [1, 1],
      ],
    );
    assert.ok(full.tombstones);
    const edit = { ...op(A, 2, [revoked]), ...full };
    document.add(edit);
    assert.equal(document.text(), 'ac+def');
    // The verdict falls: the same op in a document where the deletion counts.
    assert.equal(textOf(root, { ...revoked, live: true }, edit), 'a+f');
  });

  it('edits around dead insertions in plain positions', () => {
    const revoked = dead(op(B, 1, [root], [3, 'XYZ']));
    const document = TextDocument.open({});
    document.add(root);
    document.add(revoked);
    const full = document.toFullRuns(
      [revoked],
      [
        [2, 2],
        [2, '+'],
      ],
    );
    assert.deepEqual(full, {
      runs: [
        [2, 1],
        [5, 1],
        [2, '+'],
      ],
      tombstones: false,
    });
    document.add({ ...op(A, 2, [revoked]), ...full });
    assert.equal(document.text(), 'ab+ef');
  });

  it('refuses an edit outside the text that shows', () => {
    const document = TextDocument.open({});
    document.add(root);
    document.add(dead(op(B, 1, [root], [0, 'X'])));
    for (const run of [[7, 'x'] as const, [5, 2] as const]) {
      assert.throws(
        () => document.toFullRuns(document.heads(), [run]),
        (error) => error instanceof WnError && error.code === 'invalid',
      );
    }
  });

  it('leaves positions of a document without dead ops as they are', () => {
    const document = TextDocument.open({ diamondTypes: never });
    document.add(root);
    const runs: Run[] = [[3, '+']];
    assert.deepEqual(document.toFullRuns([root], runs), { runs, tombstones: false });
  });

  it('turns from Diamond Types to the walker at the first dead op', () => {
    const document = TextDocument.open({ diamondTypes });
    document.add(root);
    document.add(op(A, 2, [root], [6, '!']));
    document.add(op(B, 1, [root], [0, '>']));
    assert.equal(document.text(), '>abcdef!');
    document.add(dead(op(C, 1, [root], [0, 6])));
    assert.equal(document.text(), '>abcdef!');
    assert.equal(document.fullText(), '>!');
    assert.equal(document.snapshot(), undefined);
    document.free();
  });
});

describe('TextDocument, malformed ops', () => {
  const root = op(A, 1, [], [0, 'a🙂']);
  const refused: [string, TextOp, string][] = [
    ['an insertion behind the end', op(B, 1, [root], [0, 'x'], [4, 'y']), MALFORMED.range],
    ['a deletion past the end', op(B, 1, [root], [1, 2]), MALFORMED.range],
    ['a position below zero', op(B, 1, [root], [-1, 'x']), MALFORMED.runs],
    ['a huge position', op(B, 1, [root], [2 ** 32 + 1, 'x']), MALFORMED.range],
    ['a position that is no integer', op(B, 1, [root], [0.5, 'x']), MALFORMED.runs],
    ['an empty insertion', op(B, 1, [root], [0, '']), MALFORMED.runs],
    ['a deletion of nothing', op(B, 1, [root], [0, 0]), MALFORMED.runs],
    ['half a surrogate pair', op(B, 1, [root], [0, '\ud83d']), MALFORMED.runs],
    ['an unknown base', op(B, 1, [root, { log: C, seq: 1, index: 0 }], [0, 'x']), MALFORMED.base],
  ];

  for (const [name, change, why] of refused) {
    it(`change nothing but are heads: ${name}`, () => {
      for (const engine of [{ diamondTypes }, {}]) {
        const concurrent = op(A, 2, [root], [2, '!']);
        for (const before of [[root], [root, concurrent]]) {
          const document = TextDocument.open(engine);
          for (const other of before) document.add(other);
          const text = document.text();
          assert.deepEqual(document.add(change), { ok: false, why });
          assert.equal(document.text(), text);
          const { log, seq, index } = change;
          assert.deepEqual(document.heads().at(-1), { log, seq, index });
          assert.deepEqual(document.add(op(C, 1, [change], [2, '?'])), { ok: true });
          assert.match(document.text(), /^a🙂.*\?/u);
          document.free();
        }
      }
    });
  }

  it('are told by the length where branches met, though both had deleted the same', () => {
    const text = op(A, 1, [], [0, 'abcdef']);
    const a = op(A, 2, [text], [1, 3]);
    const b = op(B, 1, [text], [2, 3]);
    for (const engine of [{ diamondTypes }, {}]) {
      const document = TextDocument.open(engine);
      for (const change of [text, a, b]) document.add(change);
      assert.deepEqual(document.add(op(A, 3, [a, b], [2, '!'])), { ok: true });
      assert.deepEqual(document.add(op(B, 2, [a, b], [3, '?'])), {
        ok: false,
        why: MALFORMED.range,
      });
      assert.equal(document.text(), 'af!');
      document.free();
    }
  });

  it('do not shorten the text twice where they delete what is deleted', () => {
    const text = op(A, 1, [], [0, 'abc']);
    const gone = dead(op(B, 1, [text], [1, 1]));
    const again = { ...op(A, 2, [gone], [0, 3]), tombstones: true };
    const document = TextDocument.open({});
    for (const change of [text, gone, again]) assert.deepEqual(document.add(change), { ok: true });
    assert.equal(document.text(), '');
    const added = document.add(op(A, 3, [again], [1, 'x']));
    assert.deepEqual(added, { ok: false, why: MALFORMED.range });
    assert.deepEqual(document.add(op(A, 4, [again], [0, 'x'])), { ok: true });
    assert.equal(document.text(), 'x');
  });

  it('of a log that comes out of order are our bug', () => {
    const document = TextDocument.open({});
    document.add(root);
    document.add(op(B, 5, [root], [0, 'x']));
    assert.throws(() => document.add(op(B, 4, [root], [0, 'y'])), /bug: the text ops of one log/);
  });
});
