/** Repositories as earlier versions wrote them: each opens, says the same, and goes on. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

const ABI = join(import.meta.dirname, '../abi');

interface Expected {
  readonly viewHash: string;
  readonly commits: number;
  readonly task: string;
  readonly conflicts: number;
}

for (const version of readdirSync(ABI)) {
  describe(`a repository of ${version}`, function () {
    this.timeout(PRODUCT_TEST_MS);
    const top = scratch();
    const desk = new Device(join(top, 'desk'), 'desk');
    const expected = JSON.parse(
      readFileSync(join(ABI, version, 'expected.json'), 'utf8'),
    ) as Expected;

    before(() => {
      cpSync(join(ABI, version, 'workspace'), desk.root, { recursive: true });
      cpSync(join(ABI, version, 'repository'), join(desk.root, '.wn'), { recursive: true });
      cpSync(join(ABI, version, 'home'), desk.home, { recursive: true });
      // Git keeps no more of a mode than whether the file can be run.
      for (const folder of [desk.home, join(desk.root, '.wn')]) chmodSync(folder, 0o700);
      chmodSync(join(desk.home, 'device_ed25519'), 0o600);
    });
    after(() => discard(top));

    it('opens, and shows what it showed', async () => {
      const { result } = await desk.json(['fsck', '--full']);
      assert.equal(result?.['viewHash'], expected.viewHash);
      assert.equal(result?.['commits'], expected.commits);
      assert.equal((await desk.json(['conflicts'])).result?.['total'], expected.conflicts);
      assert.equal((await desk.json(['status'])).result?.['clean'], true);
    });

    it('takes new commits', async () => {
      await desk.json(['set', 'tasks/1.md', 'status=todo', 'labels+=later']);
      const task = expected.task.replace('done', 'todo').replace('v1]', 'later, v1]');
      assert.equal(readFileSync(join(desk.root, 'tasks/1.md'), 'utf8'), task);
      const { result } = await desk.json(['fsck', '--full']);
      assert.equal(result?.['commits'], expected.commits + 1);
    });
  });
}
