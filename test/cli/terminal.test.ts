/** What happens only at a terminal: prompts, progress and the pager. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { page } from '../../src/cli/pager.js';
import { startProgress } from '../../src/cli/progress.js';
import { ask, confirm } from '../../src/cli/prompt.js';
import { skip } from '../support/skip.js';
import { memoryContext, memorySink } from './memory.js';

describe('a question', () => {
  it('that nobody can answer is an error that names the flag', async () => {
    const question = { text: 'Push to 3 remotes', flag: '--yes' };
    for (const asking of [ask(memoryContext(), question), confirm(memoryContext(), question)]) {
      await assert.rejects(asking, { code: 'usage', hint: /give --yes$/ });
    }
  });
});

describe('progress', () => {
  const terminal = () => memorySink({ isTty: true, columns: 40 });

  it('is drawn on a terminal, within its width, and removed at the end', async () => {
    let nowMs = 0;
    const context = memoryContext({ stderr: terminal() });
    const clock = { ...context.clock, monotonicMs: () => nowMs };
    const progress = startProgress({ ...context, clock }, 'reading\u001b');
    progress.update(1, 2);
    progress.update(2, 2);
    nowMs = 200;
    progress.update(2, 2);
    await progress.end();
    const lines = context.stderr.text.split('\r\u001b[2K');
    const half = `reading\\x1b [${'='.repeat(12)}${' '.repeat(12)}] 50% 1/2`.slice(0, 39);
    const whole = `reading\\x1b [${'='.repeat(24)}] 100% 2/2`.slice(0, 39);
    assert.deepEqual(lines, ['', half, whole, '']);
  });

  it('is silent elsewhere, and with --quiet or --json', async () => {
    for (const context of [
      memoryContext(),
      memoryContext({ stderr: terminal(), quiet: true }),
      memoryContext({ stderr: terminal(), json: true }),
      memoryContext({ stderr: terminal(), inBatch: true }),
    ]) {
      const progress = startProgress(context, 'reading');
      progress.update(1, 2);
      await progress.end();
      assert.equal(context.stderr.text, '');
    }
  });
});

describe('the pager', () => {
  const atTerminal = (pager: string) =>
    memoryContext({
      stdout: memorySink({ isTty: true }),
      interactive: true,
      env: { WN_PAGER: pager },
    });

  it('is given the text', async function () {
    if (process.platform === 'win32') skip(this, 'needs sh');
    const folder = mkdtempSync(join(tmpdir(), 'wn-pager-'));
    const file = join(folder, 'a file');
    const context = atTerminal(`sh -c 'cat > "$0"' '${file}'`);
    await page(context, 'long text\n'.repeat(100_000));
    assert.equal(readFileSync(file, 'utf8').length, 1_000_000);
    assert.equal(context.stdout.text, '');
    rmSync(folder, { recursive: true });
  });

  it('may leave before the end', async function () {
    if (process.platform === 'win32') skip(this, 'needs true');
    await page(atTerminal('true'), 'long text\n'.repeat(100_000));
  });

  it('is done without where there is none, none is wanted, or no terminal', async () => {
    for (const context of [
      atTerminal('no-such-pager-at-all --flag'),
      atTerminal('cat'),
      atTerminal(''),
      memoryContext({ env: { WN_PAGER: 'no-such-pager-at-all' } }),
    ]) {
      await page(context, 'text\n');
      assert.equal(context.stdout.text, 'text\n');
    }
  });
});
