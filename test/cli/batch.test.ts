/** `wn batch`: splitting input into lines and groups, durability before answers, bounds. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import fc from 'fast-check';

import { runBatch } from '../../src/cli/batch.js';
import type { Session } from '../../src/cli/context.js';
import { EXIT, WnError } from '../../src/core/errors.js';
import { BATCH_GROUP_LINES_MAX, BATCH_LINE_BYTES_MAX } from '../../src/core/limits.js';
import { memoryContext, type MemoryContext } from './memory.js';
import { finished, startWn, wn } from './program.js';

interface Answer {
  readonly ok: boolean;
  readonly line: number;
  readonly exit: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

function answersOf(context: MemoryContext): Answer[] {
  const lines = context.stdout.text.split('\n');
  assert.equal(lines.pop(), '', 'the last answer has its newline');
  return lines.map((line) => JSON.parse(line) as Answer);
}

async function answers(...parts: readonly (string | Uint8Array)[]): Promise<Answer[]> {
  const context = memoryContext();
  await runBatch(context, chunks(...parts));
  return answersOf(context);
}

/** A session that tells when it is flushed, or synced. */
function sessionOf(context: MemoryContext, flush: () => void, sync: () => void = flush): Session {
  return {
    sync: async () => sync(),
    flush: async () => flush(),
    close: async () => void (context.shared.session = undefined),
  };
}

describe('batch lines', () => {
  it('are shell words or a JSON array, answered in order with their numbers', async () => {
    const all = await answers(`add 'a b'\n["add","-A"]\nadd\n`);
    assert.deepEqual(
      all.map(({ ok, line, exit }) => ({ ok, line, exit })),
      [1, 2, 3].map((line) => ({ ok: true, line, exit: 0 })),
    );
  });

  it('may be blank or comments, and the last may lack its end', async () => {
    const all = await answers('\n# add\n  \r\nadd\r\nadd');
    assert.deepEqual(
      all.map(({ line }) => line),
      [4, 5],
    );
  });

  it('fail one by one, with the exit code each would have', async () => {
    const context = memoryContext();
    const exit = await runBatch(
      context,
      chunks('nonsense\nadd "x\n[1]\n[]\n["add"\ncheckout\nadd\n'),
    );
    assert.equal(exit, EXIT.partly);
    const all = answersOf(context);
    assert.deepEqual(
      all.map((answer) => [answer.ok, answer.exit]),
      [...Array.from({ length: 6 }, () => [false, 2]), [true, 0]],
    );
  });

  it('that are not UTF-8 are refused, not altered', async () => {
    const all = await answers(Buffer.from([0x61, 0x64, 0x64, 0x20, 0xff, 0x0a]), 'add\n');
    assert.deepEqual([all[0]?.error?.message, all[1]?.ok], ['the line is not UTF-8', true]);
  });

  it('that do not end by themselves are refused', async () => {
    const [answer] = await answers('batch\n');
    assert.match(answer?.error?.message ?? '', /cannot run in a batch/);
  });

  it('print nothing of their own', async () => {
    const context = memoryContext();
    await runBatch(context, chunks('completion bash\n'));
    assert.equal(answersOf(context).length, 1);
    assert.equal(context.stderr.text, '');
  });

  it('mean the same however the input is cut', async () => {
    const input = Buffer.from(`add é\n\n["add","ü"]\nnonsense\nadd 'last`);
    const whole = await answers(input);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: input.length - 1 }));
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const edges = [0, ...places.sort((a, b) => a - b), input.length];
        const parts = edges.slice(1).map((end, index) => input.subarray(edges[index], end));
        assert.deepEqual(await answers(...parts), whole);
      }),
      { numRuns: 50 },
    );
  });

  it('may be as long as the bound, and no longer', async () => {
    const fitting = `add ${'x'.repeat(BATCH_LINE_BYTES_MAX - 4)}`;
    const long = `${fitting}x`;
    for (const parts of [
      [`${fitting}\n${long}\nadd\n`],
      [fitting, '\n', long.slice(0, 100), long.slice(100), '\nadd\n'],
      // Longer than the bound before its end is seen: the rest of the line is dropped too.
      [`${fitting}\n`, long, long, '\nadd\n'],
    ]) {
      const all = await answers(...parts);
      assert.deepEqual(
        all.map(({ line, ok, error }) => [line, ok, error?.code]),
        [
          [1, true, undefined],
          [2, false, 'too_large'],
          [3, true, undefined],
        ],
      );
    }
  });
});

describe('batch groups', () => {
  it('are flushed once, before any answer is written', async () => {
    const context = memoryContext();
    const flushedAt: number[] = [];
    context.shared.session = sessionOf(context, () => flushedAt.push(answersOf(context).length));
    await runBatch(context, chunks('add\nadd\nadd\n', 'add\n', 'ad', 'd\n'));
    assert.deepEqual(flushedAt, [0, 3, 4]);
  });

  it('have a bound; all but the last of what has arrived are only synced', async () => {
    const context = memoryContext();
    const ended: [string, number][] = [];
    context.shared.session = sessionOf(
      context,
      () => ended.push(['flush', answersOf(context).length]),
      () => ended.push(['sync', answersOf(context).length]),
    );
    await runBatch(context, chunks('add\n'.repeat(BATCH_GROUP_LINES_MAX), 'add\n'));
    await runBatch(context, chunks('add\n'.repeat(BATCH_GROUP_LINES_MAX + 1)));
    const before = BATCH_GROUP_LINES_MAX + 1;
    assert.deepEqual(ended, [
      ['flush', 0],
      ['flush', BATCH_GROUP_LINES_MAX],
      ['sync', before],
      ['flush', before + BATCH_GROUP_LINES_MAX],
    ]);
  });

  it('are withdrawn as a whole when the flush fails; the next group starts anew', async () => {
    const context = memoryContext();
    context.shared.session = sessionOf(context, () => {
      throw new WnError('disk_full', 'the disk is full');
    });
    const exit = await runBatch(context, chunks('add\nnonsense\n', 'add\n'));
    assert.equal(exit, EXIT.partly);
    assert.deepEqual(
      answersOf(context).map(({ line, ok, error }) => [line, ok, error?.code]),
      [
        [1, false, 'disk_full'],
        [2, false, 'usage'],
        [3, true, undefined],
      ],
    );
    assert.equal(context.shared.session, undefined);
  });

  it('stop at an interruption, and what had run is answered', async () => {
    const context = memoryContext();
    context.shared.session = sessionOf(context, () => context.interruption.interrupt('SIGINT'));
    await runBatch(context, chunks('add\n', 'add\n'));
    assert.equal(answersOf(context).length, 1);
  });
});

describe('wn batch', () => {
  it('answers a line without waiting for the next', async () => {
    const child = startWn(['batch']);
    const ended = finished(child);
    const lines = createInterface({ input: child.stdout });
    for (let line = 1; line <= 3; line++) {
      child.stdin.write('add\n');
      const [answer] = (await once(lines, 'line')) as [string];
      assert.equal((JSON.parse(answer) as Answer).line, line);
    }
    child.stdin.end();
    assert.equal((await ended).status, 0);
  });

  it('ends with 3 if a line failed, and prints nothing else, also with --json', async () => {
    for (const args of [['batch'], ['batch', '--json']]) {
      const { status, stdout, stderr } = await wn(args, { input: 'add\nnonsense\n' });
      assert.deepEqual([status, stdout.split('\n').length, stderr], [3, 3, '']);
    }
  });

  it('answers nothing to nothing', async () => {
    const { status, stdout } = await wn(['batch'], { input: '' });
    assert.deepEqual([status, stdout], [0, '']);
  });

  it('ends at Ctrl-C while it waits for input', async () => {
    const child = startWn(['batch']);
    const ended = finished(child);
    child.stdin.write('add\n');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    assert.deepEqual([status, stderr], [130, 'wn: interrupted\n']);
  });
});
