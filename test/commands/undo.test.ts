import assert from 'node:assert/strict';
import { workspaceOfOne, workspaceOfTwo, type Json, type Machine } from './machine.js';

const FILES = {
  'task.md': '---\nstatus: todo\n---\nOne.\nTwo.\nThree.\n',
  'docs/a.txt': 'a\n',
};

const whys = ({ notUndone }: Json): readonly unknown[] =>
  notUndone.map(({ path, field, why }: Json) => [path, field, why]);

describe('wn undo, alone', function () {
  this.timeout(60_000);
  let desk: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, dispose } = await workspaceOfOne(FILES));
  });
  afterEach(() => dispose());

  it('takes back fields, and answers like a commit', async () => {
    const { commit } = await desk.ok('set', 'task.md', 'status=doing', 'labels+=ci', 'votes++');
    const undone = await desk.ok('undo');
    assert.deepEqual([undone.undone, undone.notUndone, undone.level], [commit, [], 'local']);
    assert.notEqual(undone.commit, commit);
    assert.match(undone.hlc, /^\d+\.\d+$/);
    assert.equal(desk.read('task.md'), FILES['task.md']);
    assert.deepEqual((await desk.ok('show', 'task.md')).fields, { status: 'todo' });
    assert.equal(
      (await desk.ok('log', '--limit', '1')).items[0].msg,
      `undo ${commit.slice(0, 10)}`,
    );
  });

  it('goes back one change at a time, and says when there is none left', async () => {
    await desk.ok('set', 'task.md', 'status=doing', '-m', 'first');
    await desk.ok('set', 'task.md', 'status=done', '-m', 'second');
    const status = async (): Promise<string> => (await desk.ok('show', 'task.md')).fields.status;
    await desk.ok('undo');
    assert.equal(await status(), 'doing');
    await desk.ok('undo');
    assert.equal(await status(), 'todo');
    await desk.ok('undo');
    assert.equal((await desk.ok('list')).total, 0, 'the import is undone, too');
    const nothing = await desk.run('undo');
    assert.deepEqual([nothing.exit, nothing.failure?.code], [1, 'not_found']);
    for (const expected of ['todo', 'doing', 'done']) {
      await desk.ok('redo');
      assert.equal(await status(), expected);
    }
    assert.equal((await desk.run('redo')).failure?.code, 'not_found');
    assert.equal(desk.read('docs/a.txt'), 'a\n');
  });

  it('takes back a new file, a delete, a move, an edit', async () => {
    const before = await desk.ok('list', '--fields', 'body');
    const steps: (() => Promise<unknown>)[] = [
      () => desk.ok('new', 'docs/b.md', '--set', 'x=1', '--body', 'b'),
      () => desk.ok('rm', 'docs'),
      () => desk.ok('mv', 'task.md', 'docs/moved.md'),
      () => {
        desk.write('task.md', desk.read('task.md').replace('Two', '2'));
        desk.write('new/deep/file.txt', 'new\n');
        desk.remove('docs/a.txt');
        return desk.ok('commit');
      },
    ];
    for (const [index, step] of steps.entries()) {
      await step();
      assert.notDeepEqual(await desk.ok('list', '--fields', 'body'), before);
      assert.deepEqual((await desk.ok('undo')).notUndone, [], `step ${index}`);
      assert.deepEqual(await desk.ok('list', '--fields', 'body'), before, `step ${index}`);
      assert.equal((await desk.ok('status')).clean, true);
    }
    assert.equal(desk.read('docs/a.txt'), 'a\n');
    assert.ok(!desk.has('new'));
  });

  it('takes back an older commit that is named, where it is still current', async () => {
    const { commit: first } = await desk.ok('set', 'task.md', 'status=doing', 'owner=ann');
    await desk.ok('set', 'task.md', 'status=done');
    const partly = await desk.run('undo', first.slice(0, 8));
    assert.equal(partly.exit, 3);
    assert.deepEqual(whys(partly.result), [['task.md', 'status', 'written again since']]);
    assert.deepEqual((await desk.ok('show', 'task.md')).fields, { status: 'done' });
    const again = await desk.run('undo', first);
    assert.deepEqual([again.exit, again.failure?.code], [1, 'invalid']);
  });

  it('takes back an edit on its own base, below later ones', async () => {
    const edit = async (from: string, to: string): Promise<string> => {
      desk.write('task.md', desk.read('task.md').replace(from, to));
      return (await desk.ok('commit')).commit;
    };
    const first = await edit('Two.', 'Zwei.');
    await edit('Three.', 'Drei.');
    await edit('One.', 'Eins.');
    await desk.ok('undo', first);
    assert.equal(
      desk.read('task.md'),
      FILES['task.md'].replace('One', 'Eins').replace('Three', 'Drei'),
    );
  });

  it('leaves edits alone that are not committed', async () => {
    await desk.ok('set', 'task.md', 'status=doing');
    desk.write('task.md', `${desk.read('task.md')}Typing.\n`);
    await desk.ok('undo');
    assert.equal(desk.read('task.md'), `${FILES['task.md']}Typing.\n`);
  });

  it('refuses what is no commit', async () => {
    const codes = await Promise.all(
      ['zzzzzzzz', '2001-01-01', 'x'].map(
        async (word) => (await desk.run('undo', word)).failure?.code,
      ),
    );
    assert.deepEqual(codes, ['not_found', 'usage', 'usage']);
  });

  it('takes a change of several commits back as one', async () => {
    for (let index = 0; index < 40; index++)
      desk.write(`many/${index}.txt`, `${'x'.repeat(15_000)}${index}\n`);
    await desk.ok('commit', '--force');
    const { items } = await desk.ok('log', '--limit', '2');
    assert.equal(items[1].part, true, 'the change is too large for one commit');
    const { undone, notUndone } = await desk.ok('undo');
    assert.deepEqual([undone, notUndone], [items[0].commit, []]);
    assert.ok(!desk.has('many'));
  });
});

describe('wn undo, among others', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo(FILES));
  });
  afterEach(() => dispose());

  it('is of the own newest change, not of what arrived since', async () => {
    const { commit } = await desk.ok('set', 'task.md', 'status=doing');
    await lap.ok('set', 'task.md', 'owner=lap');
    await lap.ok('sync');
    assert.equal((await desk.ok('undo')).undone, commit);
    assert.deepEqual((await desk.ok('show', 'task.md')).fields, { owner: 'lap', status: 'todo' });
  });

  it('keeps what somebody wrote over it, or into it, and tells', async () => {
    await desk.ok('set', 'task.md', 'status=doing');
    await desk.ok('new', 'plan.md', '--body', 'plan');
    await lap.ok('sync');
    await lap.ok('set', 'task.md', 'status=done');
    lap.write('plan.md', 'plan and more\n');
    await lap.ok('commit');
    await lap.ok('sync');
    const plan = await desk.run('undo');
    assert.deepEqual([plan.exit, plan.result.commit], [3, null]);
    assert.deepEqual(whys(plan.result), [['plan.md', undefined, 'changed since']]);
    assert.equal(desk.read('plan.md'), 'plan and more\n');
    const status = await desk.run('undo', '@~1');
    assert.deepEqual(
      [status.exit, whys(status.result)],
      [3, [['task.md', 'status', 'written again since']]],
    );
    assert.equal((await desk.ok('show', 'task.md')).fields.status, 'done');
  });

  it('merges with what others typed meanwhile, and ends the same everywhere', async () => {
    desk.write('task.md', FILES['task.md'].replace('Two.', 'Zwei.'));
    await desk.ok('commit');
    await lap.ok('sync');
    lap.write('task.md', lap.read('task.md').replace('Three.', 'Three, or more.'));
    await lap.ok('commit');
    await desk.ok('undo');
    await lap.ok('sync');
    const merged = FILES['task.md'].replace('Three.', 'Three, or more.');
    assert.deepEqual([desk.read('task.md'), lap.read('task.md')], [merged, merged]);
  });

  it('can be of another device’s commit, if it is named', async () => {
    await desk.ok('rm', 'docs/a.txt');
    await lap.ok('sync');
    const [{ commit }] = (await lap.ok('log', '--author', 'desk', '--limit', '1')).items;
    await lap.ok('undo', commit);
    await lap.ok('sync');
    assert.deepEqual([desk.read('docs/a.txt'), lap.read('docs/a.txt')], ['a\n', 'a\n']);
  });
});
