import assert from 'node:assert/strict';
import { workspaceOfTwo, type Machine } from './machine.js';

const TASK = '---\nstatus: todo\nowner: ann\n---\nRotate the keys.\n';

describe('wn show', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  before(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo({
      'tasks/7.md': TASK,
      'tasks/README.md': '---\nowner: ops\n---\nAll tasks.\n',
      'data.json': '{"a":1}\n',
      'run.sh': 'echo hi\n',
    }));
  });
  after(() => dispose());

  it('tells a file: fields, the body below the front matter, its author', async () => {
    const shown = await desk.ok('show', 'tasks/7.md');
    assert.deepEqual(shown.fields, { owner: 'ann', status: 'todo' });
    assert.equal(shown.body, 'Rotate the keys.\n');
    const { path, type, byName, size } = shown;
    assert.deepEqual([path, type, byName, size], ['tasks/7.md', 'file', 'desk', TASK.length]);
    assert.match(shown.id, /^[0-9a-z]{26}$/);
    assert.match(shown.by, /^did:key:z/);
    assert.match(shown.hlc, /^\d+\.\d+$/);
    assert.equal(new Date(shown.time).toISOString(), shown.time);
    assert.equal(shown.created.byName, 'desk');
  });

  it('shows a file to people', async () => {
    const text = await desk.text('show', 'tasks/7.md');
    assert.match(
      text,
      /^tasks\/7\.md\nowner: ann\nstatus: todo\nchanged .* by desk, made .* by desk\n\nRotate/,
    );
  });

  it("tells a folder with its README's fields and how much it holds", async () => {
    const shown = await desk.ok('show', 'tasks/');
    const { type, fields, children, body } = shown;
    assert.deepEqual([type, fields, children, body], ['folder', { owner: 'ops' }, 2, null]);
    const root = await desk.ok('show');
    assert.deepEqual([root.path, root.type, root.created], ['', 'folder', null]);
  });

  it('shows whole files that are text, and of others size and hash', async () => {
    const json = await desk.ok('show', 'data.json');
    assert.deepEqual([json.body, json.size], ['{"a":1}\n', 8]);
    desk.write('raw.bin', Uint8Array.of(0, 1, 2, 255));
    await desk.ok('commit', 'raw.bin');
    const raw = await desk.ok('show', 'raw.bin');
    assert.deepEqual([raw.body, raw.size], [null, 4]);
    assert.match(raw.hash, /^[0-9a-f]{64}$/);
  });

  it('finds a worknode by the beginning of its id, deleted or not', async () => {
    const { id } = await desk.ok('show', 'run.sh');
    assert.equal((await desk.ok('show', id.slice(0, 8))).path, 'run.sh');
    await desk.ok('rm', 'run.sh');
    const gone = await desk.ok('show', id);
    assert.deepEqual([gone.path, gone.deleted], ['run.sh', true]);
    await desk.ok('undo');
  });

  it('tells a commit by the beginning of its id, its operations with paths', async () => {
    const { commit } = await desk.ok(
      'set',
      'tasks/7.md',
      'status=doing',
      'labels+=c',
      'votes++',
      '-m',
      'go\n\nat once',
    );
    const shown = await desk.ok('show', commit.slice(0, 4));
    const { device: _device, ops, ...rest } = shown;
    assert.deepEqual(
      [rest.commit, rest.deviceName, rest.msg, rest.level, rest.valid],
      [commit, 'desk', 'go\n\nat once', 'local', true],
    );
    const byField = new Map(ops.map((op: { field: string }) => [op.field, op]));
    assert.ok(
      ops.every(
        (op: { op: string; path: string }) => op.op === 'field' && op.path === 'tasks/7.md',
      ),
    );
    assert.deepEqual((byField.get('status') as { value: unknown }).value, 'doing');
    assert.deepEqual((byField.get('votes') as { delta: unknown }).delta, 1);
    assert.equal((await desk.ok('show', '@')).commit, commit);
    assert.equal((await desk.ok('show', '@~0')).commit, commit);
    const text = await desk.text('show', commit);
    assert.match(text, /\n\n {4}go\n {4}\n {4}at once\n\ntasks\/7\.md {2}status = "doing"\n/);
  });

  it('shows what was at a path then: --at a commit, @~N, a stamp, a time', async () => {
    const before = await desk.ok('show', 'tasks/7.md');
    const then = new Date(Date.parse((await desk.ok('show', '@')).time)).toISOString();
    await desk.ok('set', 'tasks/7.md', 'status=done');
    desk.write('tasks/7.md', desk.read('tasks/7.md').replace('Rotate', 'Turn'));
    await desk.ok('commit', '-m', 'reword');
    await desk.ok('mv', 'tasks/7.md', 'tasks/8.md');
    for (const rev of ['@~3', before.hlc, then]) {
      const past = await desk.ok('show', 'tasks/7.md', '--at', rev);
      assert.deepEqual(
        [past.id, past.body, past.fields],
        [before.id, before.body, before.fields],
        rev,
      );
    }
    const between = await desk.ok('show', 'tasks/7.md', '--at', '@~2');
    assert.deepEqual([between.fields.status, between.body], ['done', 'Rotate the keys.\n']);
    assert.equal((await desk.run('show', 'tasks/7.md')).failure?.code, 'not_found');
    assert.equal((await desk.run('show', 'tasks/8.md', '--at', '@~1')).failure?.code, 'not_found');
    assert.equal((await desk.ok('show', 'tasks/8.md')).fields.status, 'done');
  });

  it('names the author who changed it, wherever it is asked', async () => {
    await lap.ok('sync');
    await lap.ok('set', 'tasks/8.md', 'status=todo');
    await lap.ok('sync');
    const shown = await desk.ok('show', 'tasks/8.md');
    assert.deepEqual([shown.byName, shown.created.byName], ['lap', 'desk']);
  });

  it('refuses what is no revision, not here, or several', async () => {
    const code = async (...argv: string[]): Promise<unknown> => {
      const { exit, failure } = await desk.run('show', ...argv);
      return [exit, failure?.code];
    };
    assert.deepEqual(await code('nowhere.md'), [1, 'not_found']);
    assert.deepEqual(await code('tasks', '--at', 'yesterday!'), [2, 'usage']);
    assert.deepEqual(await code('tasks', '--at', '2026-02-30'), [2, 'usage']);
    assert.deepEqual(await code('tasks', '--at', '@~9999'), [1, 'not_found']);
    assert.deepEqual(await code('tasks', '--at', 'zzzzzzzz'), [1, 'not_found']);
    assert.deepEqual(await code('../outside'), [2, 'usage']);
    assert.deepEqual(await code('tasks/8.md', '--at', '2001-01-01'), [1, 'not_found']);
  });

  it('escapes what it shows to people', async () => {
    desk.write('evil.md', '---\ntitle: "\\e[31mred"\n---\n\u001b[2Jgone\n');
    await desk.ok('commit', 'evil.md', '-m', 'a\u001b[31m\nb');
    const shown = (await desk.text('show', 'evil.md')) + (await desk.text('show', '@'));
    assert.ok(!shown.includes('\u001b'), shown);
  });
});
