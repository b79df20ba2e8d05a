import assert from 'node:assert/strict';
import { workspaceOfTwo, type Machine } from './machine.js';

describe('wn stats', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  before(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo({ 'a.md': 'one\n', 'docs/b.md': 'two\n' }));
    await lap.ok('set', 'a.md', 'x=1', 'y=2');
    await lap.ok('rm', 'docs/b.md');
    await lap.ok('sync');
  });
  after(() => dispose());

  it('counts commits, operations by level, worknodes and bytes', async () => {
    const [own, other] = [await desk.ok('stats'), await lap.ok('stats')];
    const { total } = await desk.ok('log');
    assert.equal(own.commits, total);
    assert.deepEqual(
      [own.logs, own.devices, own.pending, own.held, own.conflicts],
      [2, 2, 0, 0, 0],
    );
    assert.deepEqual(own.worknodes, { files: 1, folders: 1, symlinks: 0, hidden: 1 });
    assert.deepEqual([own.ops.local, own.ops.eventual], [other.ops.eventual, other.ops.local]);
    assert.equal(own.ops.strong, 0);
    assert.ok(own.bytes.logs > 0 && own.bytes.index > 0);
    assert.equal(own.bytes.blobs, 0);
  });

  it('says the same to Prometheus, in its format', async () => {
    const { commits, ops } = await desk.ok('stats');
    const text = await desk.text('stats', '--prometheus');
    assert.match(text, new RegExp(`^wn_commits ${commits}$`, 'm'));
    assert.match(text, new RegExp(`^wn_operations\\{level="local"\\} ${ops.local}$`, 'm'));
    for (const line of text.trimEnd().split('\n')) {
      assert.match(
        line,
        /^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ gauge|[a-z_]+(\{[a-z]+="[a-z]+"\})? \d+)$/,
      );
    }
  });
});
