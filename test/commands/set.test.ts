import assert from 'node:assert/strict';
import { workspaceOfOne, type Machine } from './machine.js';

const FILES = {
  'task.md': '---\nstatus: todo\nlabels: [ci, ops]\nowner: {name: ann}\n---\nBody.\n',
};

describe('wn set, of what only stands in the text', function () {
  this.timeout(60_000);
  let desk: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, dispose } = await workspaceOfOne(FILES));
  });
  afterEach(() => dispose());

  it('adds to a list that no type claims, and keeps what is in it', async () => {
    await desk.ok('set', 'task.md', 'labels+=urgent');
    assert.match(desk.read('task.md'), /^labels: \[ci, ops, urgent\]$/m);
    await desk.ok('set', 'task.md', 'labels-=ops');
    assert.match(desk.read('task.md'), /^labels: \[ci, urgent\]$/m);
    assert.deepEqual((await desk.ok('show', 'task.md')).fields, {
      status: 'todo',
      labels: ['ci', 'urgent'],
    });
  });

  it('takes a list or mapping away', async () => {
    await desk.ok('set', 'task.md', 'labels=', 'owner=');
    assert.equal(desk.read('task.md'), '---\nstatus: todo\n---\nBody.\n');
    assert.equal((await desk.ok('status')).clean, true);
  });

  it('is undone: the file is what it was, byte for byte', async () => {
    for (const assignment of ['labels+=urgent', 'labels=', 'labels-=ci', 'labels=[a]']) {
      await desk.ok('set', 'task.md', assignment);
      await desk.ok('undo');
      assert.equal(desk.read('task.md'), FILES['task.md'], assignment);
    }
  });

  it('refuses to count or to add to what is a mapping', async () => {
    for (const assignment of ['owner++', 'owner+=bob']) {
      assert.equal((await desk.run('set', 'task.md', assignment)).failure?.code, 'invalid');
    }
    assert.equal(desk.read('task.md'), FILES['task.md']);
  });
});
