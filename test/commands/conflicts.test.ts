import assert from 'node:assert/strict';
import { workspaceOfTwo, type Json, type Machine } from './machine.js';

const SCHEMA = `types:
  task:
    match: "t*.md"
    fields:
      status: { type: register, values: [todo, doing, done] }
`;
const FILES = {
  'wn.yaml': SCHEMA,
  't1.md': '---\nstatus: todo\n---\nBody\n',
  't2.md': '---\nstatus: todo\ntag: x\n---\nBody\n',
  'data.json': '{"v":0}\n',
  'f/a.txt': 'a\n',
  'g/b.txt': 'b\n',
};

describe('wn conflicts', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo(FILES));
  });
  afterEach(() => dispose());

  /** What each has, of both, in the same words. */
  async function inStep(): Promise<Json> {
    await lap.ok('sync');
    const conflicts = await desk.ok('conflicts');
    assert.deepEqual(await lap.ok('conflicts'), conflicts);
    return conflicts;
  }

  async function gone(): Promise<void> {
    assert.deepEqual(await inStep(), { items: [], total: 0, next: null });
  }

  async function statuses(): Promise<readonly string[]> {
    const shown = await Promise.all([desk, lap].map((machine) => machine.ok('show', 't1.md')));
    return shown.map(({ fields }) => fields.status);
  }

  async function twoStatuses(): Promise<void> {
    await desk.ok('set', 't1.md', 'status=doing');
    await lap.ok('set', 't1.md', 'status=done');
  }

  it('are none where nobody overlapped', async () => {
    await desk.ok('set', 't1.md', 'status=doing');
    await lap.ok('set', 't2.md', 'status=doing');
    await gone();
    assert.equal(await desk.text('conflicts'), 'no conflicts\n');
  });

  it('of a field tell what shows and what lost, with its author and commit', async () => {
    await twoStatuses();
    const { items, total } = await inStep();
    assert.equal(total, 1);
    const [{ path, field, kind, kept, lost, id }] = items;
    assert.deepEqual([path, field, kind, kept], ['t1.md', 'status', 'field', 'done']);
    assert.equal((await desk.ok('show', id)).path, 't1.md');
    assert.deepEqual([lost.length, lost[0].value, lost[0].byName], [1, 'doing', 'desk']);
    assert.equal((await desk.ok('show', 't1.md', '--at', lost[0].commit)).fields.status, 'doing');
    const text = await desk.text('conflicts');
    assert.match(text, /^t1\.md {2}status\n {2}kept done\n {2}lost doing {2}desk /);
  });

  it('of a field are settled everywhere: mine, theirs, or a value of its type', async () => {
    const settle = async (answer: string): Promise<readonly string[]> => {
      await twoStatuses();
      await lap.ok('sync');
      const { resolved, remaining, ops } = await lap.ok('conflicts', 't1.md', '--resolve', answer);
      assert.deepEqual([resolved, remaining, ops], [1, 0, 1]);
      await gone();
      return statuses();
    };
    assert.deepEqual(await settle('mine'), ['done', 'done']);
    assert.deepEqual(await settle('theirs'), ['doing', 'doing']);
    assert.deepEqual(await settle('todo'), ['todo', 'todo']);
  });

  it('stay, if the value is none that the schema allows', async () => {
    await twoStatuses();
    await lap.ok('sync');
    const refused = await desk.run('conflicts', 't1.md', '--resolve', 'later');
    assert.deepEqual([refused.exit, refused.failure?.code], [1, 'invalid']);
    assert.equal((await desk.ok('conflicts')).total, 1);
  });

  it('are settled one by one, or all below a path', async () => {
    await twoStatuses();
    await desk.ok('set', 't1.md', 'owner=ann');
    await lap.ok('set', 't1.md', 'owner=bob');
    await lap.ok('sync');
    const both = await desk.run('conflicts', 't1.md', '--resolve', 'zoe');
    assert.deepEqual([both.exit, both.failure?.code], [2, 'usage']);
    await desk.ok('conflicts', 't1.md', '--resolve', 'zoe', '--field', 'owner');
    assert.deepEqual(
      (await desk.ok('conflicts')).items.map((item: Json) => item.field),
      ['status'],
    );
    assert.equal((await desk.ok('conflicts', '.', '--resolve', 'mine')).remaining, 0);
    await gone();
    assert.equal((await lap.ok('show', 't1.md')).fields.owner, 'zoe');
    const nothing = await desk.run('conflicts', 't1.md', '--resolve', 'mine');
    assert.deepEqual([nothing.exit, nothing.failure?.code], [1, 'not_found']);
    assert.equal((await desk.run('conflicts', '--resolve', 'mine')).failure?.code, 'usage');
  });

  it('between types of a field keep either, whole', async () => {
    for (const [answer, tag] of [
      ['theirs', 'y'],
      ['mine', ['ci', 'x']],
    ] as const) {
      await desk.ok('set', 't2.md', 'tag=');
      await desk.ok('set', 't2.md', 'tag=x');
      await inStep();
      await desk.ok('set', 't2.md', 'tag=y');
      await lap.ok('set', 't2.md', 'tag+=ci');
      const [conflict] = (await inStep()).items;
      assert.deepEqual(
        [conflict.kind, conflict.kept, conflict.lost[0].value],
        ['type', ['ci', 'x'], 'y'],
      );
      await desk.ok('conflicts', 't2.md', '--resolve', answer);
      await gone();
      assert.deepEqual((await lap.ok('show', 't2.md')).fields.tag, tag);
    }
  });

  it('of whole files keep both, and give back the other', async () => {
    desk.write('data.json', '{"v":1}\n');
    await desk.ok('commit');
    lap.write('data.json', '{"v":22}\n');
    await lap.ok('commit');
    const [conflict] = (await inStep()).items;
    assert.deepEqual(
      [conflict.kind, conflict.kept.size, conflict.lost[0].value.size],
      ['body', 9, 8],
    );
    assert.equal(
      (await lap.ok('show', 'data.json', '--at', conflict.lost[0].commit)).body,
      '{"v":1}\n',
    );
    assert.equal(
      (await lap.run('conflicts', 'data.json', '--resolve', '{}')).failure?.code,
      'usage',
    );
    await lap.ok('conflicts', 'data.json', '--resolve', 'theirs');
    await gone();
    assert.deepEqual([desk.read('data.json'), lap.read('data.json')], ['{"v":1}\n', '{"v":1}\n']);
  });

  it('of a whole file end with the next edit of it', async () => {
    desk.write('data.json', '{"v":1}\n');
    await desk.ok('commit');
    lap.write('data.json', '{"v":22}\n');
    await lap.ok('commit');
    assert.equal((await inStep()).total, 1);
    desk.write('data.json', '{"v":3}\n');
    await desk.ok('commit');
    await gone();
  });

  it('of a delete tell what came back, and keep or delete it', async () => {
    for (const answer of ['mine', 'theirs']) {
      await desk.ok('rm', 'f/a.txt');
      lap.write('f/a.txt', `${answer}\n`);
      await lap.ok('commit');
      const [conflict] = (await inStep()).items;
      assert.deepEqual(
        [conflict.path, conflict.kind, conflict.lost[0].byName],
        ['f/a.txt', 'delete', 'desk'],
      );
      await desk.ok('conflicts', 'f/a.txt', '--resolve', answer);
      await gone();
      assert.deepEqual(
        [desk.has('f/a.txt'), lap.has('f/a.txt')],
        [answer === 'mine', answer === 'mine'],
      );
    }
  });

  it('of a name list both, and give one a name of its own', async () => {
    const collide = async (name: string): Promise<Json> => {
      await desk.ok('new', name, '--body', 'of desk');
      await lap.ok('new', name, '--body', 'of lap');
      const [conflict] = (await inStep()).items;
      assert.deepEqual([conflict.path, conflict.kind, conflict.kept], [name, 'name', name]);
      assert.deepEqual([conflict.lost.length, conflict.lost[0].byName], [1, 'lap']);
      return conflict.lost[0].value;
    };
    const bodies = async (...paths: string[]): Promise<readonly string[]> => {
      const shown = await Promise.all(paths.map((path) => lap.ok('show', path)));
      return shown.map(({ body }) => body);
    };
    const suffixed = await collide('n1.txt');
    assert.match(suffixed, /^n1~[0-9a-z]{10}\.txt$/);
    assert.equal(
      (await desk.run('conflicts', 'n1.txt', '--resolve', 'a/b')).failure?.code,
      'invalid',
    );
    assert.equal(
      (await desk.run('conflicts', 'n1.txt', '--resolve', 't1.md')).failure?.code,
      'exists',
    );
    await desk.ok('conflicts', 'n1.txt', '--resolve', 'laps.txt');
    await gone();
    assert.deepEqual(await bodies('n1.txt', 'laps.txt'), ['of desk\n', 'of lap\n']);

    const other = await collide('n2.txt');
    await desk.ok('conflicts', other, '--resolve', 'mine');
    await gone();
    assert.deepEqual(await bodies('n2.txt', other), ['of desk\n', 'of lap\n']);

    await collide('n3.txt');
    await desk.ok('conflicts', 'n3.txt', '--resolve', 'theirs');
    await gone();
    assert.deepEqual(await bodies('n3.txt'), ['of lap\n']);
  });

  it('of folders moved into each other tell the move that does not count', async () => {
    await desk.ok('mv', 'f', 'g/f');
    await lap.ok('mv', 'g', 'f/g');
    const [conflict] = (await inStep()).items;
    assert.deepEqual([conflict.path, conflict.kind, conflict.lost[0].byName], ['g', 'move', 'lap']);
    const cycle = await desk.run('conflicts', 'g', '--resolve', 'theirs');
    assert.deepEqual([cycle.exit, cycle.failure?.code], [1, 'invalid']);
    await desk.ok('conflicts', 'g', '--resolve', 'mine');
    await gone();
    assert.ok(lap.has('g/f/a.txt'));
  });

  it('come in pages', async () => {
    await twoStatuses();
    await desk.ok('set', 't2.md', 'status=doing', 'tag=y');
    await lap.ok('set', 't2.md', 'status=done', 'tag=z');
    const { total } = await inStep();
    assert.equal(total, 3);
    const first = await desk.ok('conflicts', '--limit', '2');
    assert.deepEqual([first.items.length, first.total], [2, 3]);
    const rest = await desk.ok('conflicts', '--limit', '2', '--after', first.next);
    assert.deepEqual([rest.items.length, rest.next], [1, null]);
    assert.equal((await desk.ok('conflicts', 't1.md')).total, 1);
    assert.equal((await desk.ok('conflicts', '--field', 'tag')).total, 1);
  });
});
