import assert from 'node:assert/strict';
import { graphColumns } from '../../src/cli/graph.js';
import { workspaceOfTwo, type Json, type Machine } from './machine.js';

const messages = ({ items }: Json): readonly (string | null)[] =>
  items.map((item: Json) => item.msg);

describe('wn log', function () {
  this.timeout(60_000);
  let desk: Machine;
  let lap: Machine;
  let dispose = (): void => undefined;
  let middle = '';

  /** Of both devices, in turns: d1 l1 d2 l2 d3 l3, newest last. */
  before(async () => {
    ({ desk, lap, dispose } = await workspaceOfTwo({ 'a.md': 'one\n', 'docs/b.md': 'two\n' }));
    for (const turn of [1, 2, 3]) {
      ({ hlc: middle } = await desk.ok('set', 'a.md', `turn=${turn}`, '-m', `d${turn}`));
      await lap.ok('sync');
      await lap.ok('set', 'docs/b.md', `turn=${turn}`, '-m', `l${turn}\nand more\u001b[31m`);
      await lap.ok('sync');
    }
  });
  after(() => dispose());

  it('lists commits of all devices, newest first, with who, when and what', async () => {
    const log = await desk.ok('log');
    assert.deepEqual(
      messages(log)
        .slice(0, 3)
        .map((msg) => msg?.split('\n')[0]),
      ['l3', 'd3', 'l2'],
    );
    assert.deepEqual([log.total, log.next], [log.items.length, null]);
    const [newest] = log.items;
    assert.deepEqual(
      [newest.deviceName, newest.ops, newest.level, newest.valid, newest.msg],
      ['lap', 1, 'local', true, 'l3\nand more\u001b[31m'],
    );
    assert.match(newest.device, /^did:key:z/);
    assert.equal(typeof newest.seq, 'number');
    assert.deepEqual(await lap.ok('log'), log, 'the same on the other device');
  });

  it('shows the first line of a message only, escaped', async () => {
    const text = await desk.text('log', '--limit', '1');
    assert.match(
      text,
      /^[0-9a-z]{10} {2}\d{4}-\d\d-\d\d \d\d:\d\dZ {2}lap {2}l3\n1 of \d+; more: --after \S+\n$/,
    );
    await desk.ok('set', 'a.md', 'x=1', '-m', 'tab\there \u001b]0;x\u0007');
    assert.match(await desk.text('log', '--limit', '1'), /tab\\there \\x1b\]0;x\\x07\n/);
    await desk.ok('undo');
  });

  it('goes on where a page ended, whatever the page', async () => {
    const whole = await desk.ok('log', '--limit', '0');
    for (const limit of [1, 2, 5]) {
      const seen: string[] = [];
      let after: string[] = [];
      for (;;) {
        const page = await desk.ok('log', '--limit', String(limit), ...after);
        assert.equal(page.total, whole.total);
        seen.push(...page.items.map((item: Json) => item.commit));
        if (page.next === null) break;
        after = ['--after', page.next];
      }
      assert.deepEqual(
        seen,
        whole.items.map((item: Json) => item.commit),
        `limit ${limit}`,
      );
    }
    assert.equal((await desk.run('log', '--after', 'nonsense')).failure?.code, 'usage');
  });

  it('takes only what one device made, by name or key', async () => {
    const own = await desk.ok('log', '--author', 'lap');
    assert.deepEqual(
      messages(own).map((msg) => msg?.split('\n')[0]),
      ['l3', 'l2', 'l1'],
    );
    assert.equal(own.total, 3);
    const { device } = own.items[0];
    assert.deepEqual(await desk.ok('log', '--author', device.slice(0, 24)), own);
    const unknown = await desk.run('log', '--author', 'nobody');
    assert.equal(unknown.failure?.code, 'not_found');
    assert.match(unknown.failure?.hint ?? '', /desk, lap/);
  });

  it('takes only what is not in a revision', async () => {
    const since = await desk.ok('log', '--since', middle);
    assert.deepEqual(messages(since).slice(-1), ['l3\nand more\u001b[31m']);
    assert.equal(since.total, since.items.length);
    assert.equal((await desk.ok('log', '--since', '1h ago')).total, (await desk.ok('log')).total);
    assert.equal((await desk.ok('log', '--since', '@')).total, 0);
    assert.equal(await desk.text('log', '--since', '@'), 'no commits\n');
  });

  it('takes only what touched a path, deleted or moved since or not', async () => {
    const of = async (path: string): Promise<readonly (string | undefined)[]> =>
      messages(await desk.ok('log', path)).map((msg) => msg?.split('\n')[0]);
    assert.deepEqual(await of('docs'), ['l3', 'l2', 'l1', 'import']);
    assert.deepEqual(await of('docs/b.md'), ['l3', 'l2', 'l1', 'import']);
    await desk.ok('new', 'docs/c.md', '-m', 'made');
    await desk.ok('rm', 'docs/c.md', '-m', 'gone');
    assert.deepEqual(await of('docs/c.md'), ['gone', 'made']);
    assert.deepEqual((await of('docs')).slice(0, 3), ['gone', 'made', 'l3']);
    await desk.ok('mv', 'docs/b.md', 'b.md', '-m', 'moved');
    assert.deepEqual((await of('b.md')).slice(0, 2), ['moved', 'l3']);
    const both = await desk.ok('log', 'b.md', '--author', 'lap', '--limit', '2');
    assert.deepEqual([both.items.length, both.total], [2, 3]);
    assert.equal((await desk.run('log', 'never.md')).failure?.code, 'not_found');
  });

  it('tells with --graph which logs had seen which', async () => {
    const { items } = await desk.ok('log', '--graph', '--author', 'lap');
    assert.ok(
      items.every((item: Json) => item.deps.length === 1),
      'lap pulled before each',
    );
    assert.match(await desk.text('log', '--graph', '--limit', '3'), /^\*/);
  });
});

describe('the graph of a log', () => {
  it('has a column for each log and lines to what was seen', () => {
    const row = (log: string, parents: string[] = [], first = false) => ({ log, parents, first });
    const rows = [
      row('a', ['b']),
      row('b'),
      row('a', ['c']),
      row('c', [], true),
      row('b', ['c', 'a']),
      row('a', [], true),
    ];
    assert.deepEqual(graphColumns(rows), ['*-+', '| *', '*-|-+', '| | *', '+-*-+', '* | |']);
  });
});
