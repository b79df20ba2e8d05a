/** A backup is taken while others write, pack and sync: it holds a moment, whole. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { finished, startWn } from '../cli/program.js';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

const FILES = 150;
const BACKUPS = 4;

describe('wn backup while others write', function () {
  this.timeout(PRODUCT_TEST_MS);

  it('holds everything up to one moment, and what was made of it passes fsck', async () => {
    const folder = scratch();
    try {
      const a = new Device(join(folder, 'a'), 'a');
      mkdirSync(a.root);
      await a.json(['init']);
      const lines = Array.from({ length: FILES }, (_, n) => `new f${n}.md --body text-${n}\n`);
      const env = { WN_HOME: a.home };
      const batch = startWn(['-C', a.root, 'batch'], { env, timeoutMs: PRODUCT_TEST_MS });
      const written = finished(batch);
      const ended = written.then(() => assert.fail('the batch ended before its input'));
      ended.catch(() => undefined);
      let answered = 0;
      batch.stdout.on('data', (chunk: Buffer) => {
        answered += chunk.toString().split('\n').length - 1;
      });
      const feed = async (): Promise<void> => {
        for (const [n, line] of lines.entries()) {
          batch.stdin.write(line);
          while (answered <= n) await Promise.race([once(batch.stdout, 'data'), ended]);
        }
        batch.stdin.end();
      };
      const feeding = feed();
      const seen: number[] = [];
      for (let each = 0; each < BACKUPS; each++) {
        const file = join(folder, `${each}.backup`);
        const sure = answered;
        await a.json(['backup', file]);
        await a.json(['gc']);
        const copy = join(folder, `copy-${each}`);
        await a.json(['restore-backup', file, copy]);
        const there = readdirSync(copy).filter((name) => name.endsWith('.md'));
        const prefix = Array.from({ length: there.length }, (_, n) => `f${n}.md`).sort();
        assert.deepEqual(there.sort(), prefix, 'a prefix of what was written');
        assert.ok(there.length >= sure, `${there.length} files, ${sure} had been acknowledged`);
        const { result } = await a.in(copy).json(['fsck', '--full']);
        assert.equal(result?.['ok'], true);
        seen.push(there.length);
      }
      await feeding;
      const { status, stderr } = await written;
      assert.equal(status, 0, stderr);
      assert.equal(answered, FILES);
      assert.ok(
        (seen[0] ?? 0) < FILES,
        `the first backup began while files were written: ${seen.join()}`,
      );
    } finally {
      discard(folder);
    }
  });
});
