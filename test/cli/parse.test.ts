/** Parsing a line with only the flags it can mention gives what parsing it with all would. */
import assert from 'node:assert/strict';

import { parse as oclifParse } from '@oclif/core/parser';
import fc from 'fast-check';

import { Args, Flags, parseDuration } from '../../src/cli/flags.js';
import { parseLine } from '../../src/cli/parse.js';
import { WnError } from '../../src/core/errors.js';

const flags = {
  message: Flags.string({ char: 'm' }),
  expect: Flags.string({ multiple: true, multipleNonGreedy: true, char: 'e' }),
  strong: Flags.boolean({ char: 's', exclusive: ['weak'] }),
  weak: Flags.boolean({ char: 'w' }),
  token: Flags.integer({ dependsOn: ['strong'] }),
  level: Flags.string({ options: ['low', 'high'], default: 'low' }),
  colour: Flags.boolean({ allowNo: true, char: 'c', aliases: ['color'] }),
};
const args = {
  path: Args.string({ required: true, ignoreStdin: true }),
  more: Args.string({ multiple: true, ignoreStdin: true }),
};
const command = { id: 'probe', args, flags, baseFlags: {} };

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    assert.ok(error instanceof Error);
    return 'refused';
  }
}

describe('parsing a line', () => {
  it('gives what oclif gives with all flags', async () => {
    const word = fc.constantFrom(
      ...['a.md', 'k=v', 'k-=v', '-', '--', '-m', '-mtext', '-m=text', '--message', '--message=x'],
      ...['-e', '--expect', 'x', '-s', '-w', '-sw', '-sm', '--strong', '--token', '--token=7', '7'],
      ...['--level', 'high', '--colour', '--no-colour', '--no-color', '-c', '-5', '--none', '-z'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (argv) => {
        const ours = await outcome(() => parseLine(command, argv));
        const theirs = await outcome(async () => {
          const parsed = await oclifParse([...argv], { args, flags, strict: true });
          // A boolean flag that isn't given is false with us.
          const absent = { strong: false, weak: false };
          return { args: parsed.args, flags: { ...absent, ...(parsed.flags as object) } };
        });
        assert.deepEqual(ours, theirs);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes one value for each mention of a repeatable flag', async () => {
    const greedy = { ...command, flags: { expect: Flags.string({ multiple: true }) } };
    const parsed = await parseLine(greedy, ['--expect', 'a', 'path', '--expect', 'b']);
    assert.deepEqual([parsed.flags['expect'], parsed.args['path']], [['a', 'b'], 'path']);
  });

  it('refuses flags that are names of properties', async () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      for (const token of [`--${name}`, `--${name}=x`, `--no-${name}`]) {
        await assert.rejects(parseLine(command, ['a', token]), { code: 'usage' }, token);
      }
    }
  });

  it('lets a bug in a flag be a bug', async () => {
    const broken = Flags.custom<string>({
      parse: () => Promise.reject(new TypeError('nothing is undefined')),
    });
    const buggy = { ...command, flags: { broken: broken() } };
    await assert.rejects(parseLine(buggy, ['a', '--broken', 'x']), TypeError);
  });

  it('keeps the hint of a flag that knows better', async () => {
    const timed = { ...command, flags: { for: Flags.duration() } };
    await assert.rejects(parseLine(timed, ['a', '--for', '8']), {
      code: 'usage',
      message: '--for: not a duration: 8',
      hint: /write 500ms/,
    });
  });
});

describe('a duration', () => {
  it('is a sum of amounts with units', () => {
    const values = ['0', '500ms', '5s', '15m', '8h', '7d', '2w', '1h30m', '1.5s'];
    assert.deepEqual(
      values.map(parseDuration),
      [0, 500, 5_000, 900_000, 28_800_000, 604_800_000, 1_209_600_000, 5_400_000, 1_500],
    );
  });

  it('has a unit, and is nothing else', () => {
    for (const text of ['', '5', '-5s', '5 s', 's', '5y', '1e3s', '5s!', '٥s', '9999999999s']) {
      assert.throws(() => parseDuration(text), WnError, text);
    }
  });
});
