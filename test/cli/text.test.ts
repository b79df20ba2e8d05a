/** Text on its way to people, and words on their way in. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

import fc from 'fast-check';

import { encodeJson } from '../../src/cli/outcome.js';
import { TextOutput } from '../../src/cli/output.js';
import { progressText } from '../../src/cli/progress.js';
import { nearest } from '../../src/cli/suggest.js';
import { escapeBlock, escapeTerminal } from '../../src/cli/terminal.js';
import { splitWords } from '../../src/cli/words.js';
import { BATCH_LINE_BYTES_MAX } from '../../src/core/limits.js';
import { skip } from '../support/skip.js';

describe('escaping for the terminal', () => {
  it('leaves ordinary text of any script alone', () => {
    for (const text of ['', 'plain', 'Grüße', '漢字', 'שלום', 'e\u0301', '👩\u200d👩\u200d👧']) {
      assert.equal(escapeTerminal(text), text);
    }
  });

  it('shows controls, line ends and direction changes as escapes', () => {
    assert.equal(escapeTerminal('a\tb\r\n\u0000\u001b[2J\u007f'), 'a\\tb\\r\\n\\x00\\x1b[2J\\x7f');
    assert.equal(escapeTerminal('\u009b31m \u0085'), '\\x9b31m \\x85');
    assert.equal(escapeTerminal('\u202e \u2066 \u2028 \ufeff'), '\\u202e \\u2066 \\u2028 \\ufeff');
    assert.equal(escapeTerminal('\ud800'), '\\ud800');
  });

  it('lets nothing through that acts on a terminal', () => {
    // eslint-disable-next-line no-control-regex -- the very characters
    const acting = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(escapeTerminal(text), acting);
        assert.doesNotMatch(escapeBlock(text).replace(/[\n\t]/g, ''), acting);
      }),
    );
  });

  it('of several lines keeps newlines and tabs only', () => {
    assert.equal(escapeBlock('a\tb\nc\r\n'), 'a\tb\nc\\r\n');
  });
});

describe('text output', () => {
  it('escapes what a tag is given, and what a plain call is given', () => {
    const out = new TextOutput();
    out.line`${'a\nb'}: ${7} ${out.style.bold('c\u001b')}`;
    out.line('x\ny');
    out.block('1\n2');
    out.block('');
    assert.equal(out.content(), 'a\\nb: 7 c\\x1b\nx\\ny\n1\n2\n');
  });

  it('aligns columns by what is seen', () => {
    const out = new TextOutput();
    out.table([
      ['ä', 'one'],
      ['long\n', 'two'],
    ]);
    assert.equal(out.content(), 'ä       one\nlong\\n  two\n');
  });

  it('passes bytes that are asked for as they are', () => {
    const out = new TextOutput();
    out.raw(Uint8Array.of(0xff));
    out.line('x');
    assert.deepEqual(out.content(), Buffer.from([0xff, 0x78, 0x0a]));
  });
});

describe('JSON', () => {
  it('of values that JSON has is what JSON.stringify gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.equal(encodeJson(value), JSON.stringify(value));
      }),
    );
  });
});

describe('a guess', () => {
  it('is near, or there is none', () => {
    const words = ['commit', 'status', 'sync', 'show', 'set'];
    assert.equal(nearest('comit', words), 'commit');
    assert.equal(nearest('stauts', words), 'status');
    assert.equal(nearest('xyzzy', words), undefined);
    assert.equal(nearest('s'.repeat(10_000), words), undefined);
  });
});

describe('progress', () => {
  it('is a bar where the end is known', () => {
    assert.equal(progressText(3, 12), `[${'='.repeat(6)}${' '.repeat(18)}] 25% 3/12`);
    assert.equal(progressText(15, 12), `[${'='.repeat(24)}] 100% 15/12`);
    assert.equal(progressText(7), '7');
  });
});

describe('shell words', () => {
  const lines = [
    `set a.md status=done`,
    `set 'a b.md'  title="it's"`,
    `new x --body "a \\"quoted\\" \\$HOME \\n"`,
    `a\\ b '' ""`,
    `  lead\ttab  `,
    `'single \\ "double"'`,
    `joined'parts'"here"\\!`,
    `k=~ not*globbed {a,b}`,
  ];

  it('are split as by sh', function () {
    if (process.platform === 'win32') skip(this, 'needs sh');
    for (const line of lines) {
      // -f: no globbing; sh has neither braces nor, within quotes, anything else of ours.
      const script = `set -f; printf '%s\\0' ${line.replace('=~', "='~'")}`;
      const theirs = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0');
      assert.deepEqual(splitWords(line), theirs.slice(0, -1), line);
    }
  });

  it('come back from any quoting', () => {
    const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        assert.deepEqual(splitWords(words.map(quoted).join(' ')), words);
      }),
    );
  });

  it('need their quotes closed', () => {
    for (const line of [`'`, `a "b`, `a\\`, `"\\"`]) {
      assert.throws(() => splitWords(line), { code: 'usage' }, line);
    }
  });

  it('of the longest line are split, or found to be open, without trying twice', () => {
    const inner = `\\"`.repeat(BATCH_LINE_BYTES_MAX / 2 - 2);
    assert.deepEqual(splitWords(`"${inner}"`), ['"'.repeat(inner.length / 2)]);
    assert.throws(() => splitWords(`"${inner}`), { code: 'usage' });
    assert.equal(splitWords(`'' `.repeat(BATCH_LINE_BYTES_MAX / 3)).length, 349_525);
  });
});
