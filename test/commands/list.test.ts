import assert from 'node:assert/strict';
import { workspaceOfTwo, type Json, type Machine } from './machine.js';

const SCHEMA = `types:
  task:
    match: "tasks/**/*.md"
    fields:
      status: { type: register, values: [todo, doing, shipped] }
      labels: { type: set }
      due: { type: date }
      blocked_by: { type: refs }
`;
const task = (fields: string, body = ''): string => `---\n${fields}\n---\n${body}`;

const FILES = {
  'wn.yaml': SCHEMA,
  'tasks/1.md': task('status: todo\ndue: 2026-12-03\nlabels: [ci, ops]', 'Rotate the KEYS.\n'),
  'tasks/2.md': task('status: todo\nblocked_by: [tasks/1.md]\ndue: 2026-12-01'),
  'tasks/3.md': task('status: shipped'),
  'tasks/4.md': task('status: todo\nblocked_by: [3.md]'),
  'tasks/5.md': task('status: doing\ndue: 2026-12-02'),
  'tasks/6.md': task('status: todo\nblocked_by: [tasks/none.md]'),
  'tasks/README.md': 'No task.\n',
  'notes/plain.md': task('status: todo', 'About keys, too.\n'),
};

const paths = ({ items }: Json): readonly string[] => items.map((item: Json) => item.path);

describe('wn list', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  before(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo(FILES));
  });
  after(() => dispose());

  it('lists every file by path, with its fields and without its body', async () => {
    const list = await desk.ok('list');
    assert.deepEqual(paths(list), Object.keys(FILES).sort());
    assert.deepEqual([list.total, list.next], [Object.keys(FILES).length, null]);
    const first = list.items.find((item: Json) => item.path === 'tasks/1.md');
    assert.deepEqual(Object.keys(first), ['id', 'path', 'fields']);
    assert.deepEqual(first.fields, { due: '2026-12-03', labels: ['ci', 'ops'], status: 'todo' });
  });

  it('takes a first word that is a path as one, the rest as a query', async () => {
    assert.deepEqual(paths(await desk.ok('list', 'notes')), ['notes/plain.md']);
    assert.deepEqual(paths(await desk.ok('list', 'tasks/5.md')), ['tasks/5.md']);
    const words = ['tasks', 'status=todo', 'and', 'labels~ci'];
    assert.deepEqual(paths(await desk.ok('list', ...words)), ['tasks/1.md']);
    assert.deepEqual(paths(await desk.ok('list', words.slice(1).join(' '))), ['tasks/1.md']);
    assert.deepEqual(paths(await desk.ok('list', '.', 'type=task', 'and', 'status!=todo')), [
      'tasks/3.md',
      'tasks/5.md',
      'tasks/README.md',
    ]);
  });

  it('searches names and bodies', async () => {
    assert.deepEqual(paths(await desk.ok('list', '"keys"')), ['notes/plain.md', 'tasks/1.md']);
    assert.deepEqual(paths(await desk.ok('list', '"readme"')), ['tasks/README.md']);
  });

  it('knows what is ready and what is blocked', async () => {
    assert.deepEqual(paths(await desk.ok('list', 'ready')), [
      'notes/plain.md',
      'tasks/1.md',
      'tasks/4.md',
    ]);
    assert.deepEqual(paths(await desk.ok('list', 'blocked')), ['tasks/2.md', 'tasks/6.md']);
    await desk.ok('set', 'tasks/1.md', 'status=shipped');
    assert.deepEqual(paths(await desk.ok('list', 'tasks', 'ready')), ['tasks/2.md', 'tasks/4.md']);
    await desk.ok('undo');
  });

  it('is blocked by a worknode named by its id, too', async () => {
    const { id } = await desk.ok('show', 'tasks/5.md');
    await desk.ok('set', 'tasks/4.md', `blocked_by+=${id}`);
    assert.deepEqual(paths(await desk.ok('list', 'tasks', 'ready')), ['tasks/1.md']);
    await desk.ok('set', 'tasks/5.md', 'status=shipped');
    assert.deepEqual(paths(await desk.ok('list', 'tasks', 'ready')), ['tasks/1.md', 'tasks/4.md']);
    await desk.ok('undo');
    await desk.ok('undo');
  });

  it('sorts by a field, those without it last, either way', async () => {
    const sorted = async (...flags: string[]): Promise<readonly string[]> =>
      paths(await desk.ok('list', 'tasks', '--sort', 'due', '--limit', '4', ...flags));
    assert.deepEqual(await sorted(), ['tasks/2.md', 'tasks/5.md', 'tasks/1.md', 'tasks/3.md']);
    assert.deepEqual(await sorted('--reverse'), [
      'tasks/1.md',
      'tasks/5.md',
      'tasks/2.md',
      'tasks/3.md',
    ]);
    await desk.ok('set', 'tasks/3.md', 'seen=1');
    assert.equal(paths(await desk.ok('list', '--sort', 'updated', '--reverse'))[0], 'tasks/3.md');
    await desk.ok('undo');
  });

  it('gives all in pages, each once', async () => {
    const whole = paths(await desk.ok('list', '--sort', 'due', '--limit', '0'));
    const seen: string[] = [];
    let after: string[] = [];
    do {
      const page = await desk.ok('list', '--sort', 'due', '--limit', '2', ...after);
      assert.equal(page.total, whole.length);
      seen.push(...paths(page));
      after = page.next === null ? [] : ['--after', page.next];
    } while (after.length > 0);
    assert.deepEqual(seen, whole);
    assert.equal((await desk.run('list', '--after', 'W10')).failure?.code, 'usage');
  });

  it('gives only the fields asked for, and a body only if asked', async () => {
    const { items } = await desk.ok('list', 'tasks/1.md', '--fields', 'status,body');
    assert.deepEqual([items[0].fields, items[0].body], [{ status: 'todo' }, 'Rotate the KEYS.\n']);
  });

  it('finds what has conflicts', async () => {
    assert.deepEqual(paths(await desk.ok('list', 'conflicted')), []);
    await desk.ok('set', 'tasks/5.md', 'status=todo');
    await lap.ok('set', 'tasks/5.md', 'status=shipped');
    await lap.ok('sync');
    assert.deepEqual(paths(await desk.ok('list', 'conflicted')), ['tasks/5.md']);
  });

  it('says where a query goes wrong, and reads a workspace with a broken schema', async () => {
    const { exit, failure } = await desk.run('list', 'status=');
    assert.deepEqual([exit, failure?.code], [2, 'usage']);
    desk.write('wn.yaml', 'types: [');
    assert.equal((await desk.ok('list')).total, Object.keys(FILES).length);
    desk.write('wn.yaml', SCHEMA);
  });
});
