import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { skip } from '../support/skip.js';
import { workspaceOfOne, type Json, type Machine } from './machine.js';

const FILES = {
  'notes.md': '---\nstatus: todo\n---\nLine one.\nLine two.\nLine three.\n',
  'docs/a.txt': 'a\nb\nc\n',
  'docs/old.txt': 'old\n',
  'data.json': '{"v":1}\n',
};

const only = (result: Json): Json => {
  assert.equal(result.files.length, 1, JSON.stringify(result.files.map((file: Json) => file.path)));
  return result.files[0];
};

describe('wn diff', function () {
  this.timeout(60_000);
  let desk: Machine;
  let dispose = (): void => undefined;

  beforeEach(async () => {
    ({ desk, dispose } = await workspaceOfOne(FILES));
  });
  afterEach(() => dispose());

  it('has nothing to tell where nothing changed', async () => {
    assert.deepEqual(await desk.ok('diff'), { files: [] });
    assert.equal(await desk.text('diff'), '');
  });

  it('tells lines with three of context, and fields of the front matter', async () => {
    desk.write(
      'notes.md',
      FILES['notes.md'].replace('todo', 'done').replace('two', '2').replace(/\n$/, ''),
    );
    const file = only(await desk.ok('diff'));
    assert.deepEqual([file.path, file.change], ['notes.md', 'modified']);
    assert.deepEqual(file.fields, [{ field: 'status', from: 'todo', to: 'done' }]);
    assert.deepEqual(file.hunks, [
      {
        oldStart: 1,
        oldLines: 6,
        newStart: 1,
        newLines: 6,
        lines: [
          ' ---',
          '-status: todo',
          '+status: done',
          ' ---',
          ' Line one.',
          '-Line two.',
          '-Line three.',
          '+Line 2.',
          '+Line three.',
          '\\ No newline at end of file',
        ],
      },
    ]);
  });

  it('makes a patch that git can apply', async function () {
    if (spawnSync('git', ['--version']).status !== 0) skip(this, 'needs git');
    const copy = join(desk.root, 'copy');
    fs.cpSync(desk.folder, copy, { recursive: true, filter: (path) => !path.endsWith('.wn') });
    desk.write('notes.md', FILES['notes.md'].replace('one', '1').replace('three', '3'));
    desk.write('docs/new.txt', 'new\n\twith a tab\n');
    desk.remove('docs/old.txt');
    const patch = await desk.text('diff');
    execFileSync('git', ['apply', '-p1', '--unsafe-paths', '--directory', copy, '-'], {
      input: patch,
      cwd: copy,
    });
    for (const path of ['notes.md', 'docs/new.txt']) {
      assert.equal(fs.readFileSync(join(copy, path), 'utf8'), desk.read(path), path);
    }
    assert.ok(!fs.existsSync(join(copy, 'docs/old.txt')));
  });

  it('tells new, deleted and moved files', async () => {
    desk.write('docs/new.txt', 'new\n');
    desk.remove('docs/old.txt');
    fs.renameSync(join(desk.folder, 'docs/a.txt'), join(desk.folder, 'docs/z.txt'));
    const { files } = await desk.ok('diff');
    assert.deepEqual(
      files.map(({ path, change, from }: Json) => [path, change, from]),
      [
        ['docs/new.txt', 'added', undefined],
        ['docs/old.txt', 'deleted', undefined],
        ['docs/z.txt', 'moved', 'docs/a.txt'],
      ],
    );
    assert.deepEqual(files[0].hunks[0].lines, ['+new']);
    assert.match(await desk.text('diff'), /^moved docs\/a\.txt -> docs\/z\.txt$/m);
  });

  it('compares whole files that are text, and says so of those that are not', async () => {
    desk.write('data.json', '{"v":2}\n');
    desk.write('raw.bin', Uint8Array.of(0, 255));
    const { files } = await desk.ok('diff');
    assert.deepEqual(files[0].hunks[0].lines, ['-{"v":1}', '+{"v":2}']);
    const [, raw] = files;
    assert.deepEqual(
      [raw.path, raw.hunks, raw.binary.from, raw.binary.to.size],
      ['raw.bin', [], null, 2],
    );
    assert.match(await desk.text('diff', 'raw.bin'), /^added raw\.bin\nbinary: none -> 2 bytes\n$/);
  });

  it('tells what is no line: the mode, line ends', async () => {
    fs.chmodSync(join(desk.folder, 'docs/a.txt'), 0o755);
    desk.write('docs/old.txt', 'old\r\n');
    const { files } = await desk.ok('diff');
    assert.deepEqual(files[0].attributes, [{ attribute: 'executable', from: false, to: true }]);
    assert.deepEqual(files[1].attributes, [{ attribute: 'eol', from: 'lf', to: 'crlf' }]);
  });

  it('looks only below the paths given', async () => {
    desk.write('notes.md', 'x\n');
    desk.write('docs/a.txt', 'x\n');
    assert.equal(only(await desk.ok('diff', 'docs')).path, 'docs/a.txt');
    assert.equal((await desk.ok('diff', 'docs', 'notes.md')).files.length, 2);
  });

  it('compares two revisions, and one with the files as they are', async () => {
    await desk.ok('set', 'notes.md', 'status=doing', 'labels+=ci');
    desk.write('docs/a.txt', 'a\nB\nc\n');
    await desk.ok('commit', '-m', 'edit');
    await desk.ok('mv', 'docs', 'texts');
    desk.write('texts/a.txt', 'a\nB\nC\n');
    const one = only(await desk.ok('diff', '--from', '@~3', '--to', '@~2'));
    assert.deepEqual(one.fields, [
      { field: 'labels', from: null, to: ['ci'] },
      { field: 'status', from: 'todo', to: 'doing' },
    ]);
    const moved = only(await desk.ok('diff', '--from', '@~1', '--to', '@'));
    assert.deepEqual([moved.path, moved.change, moved.from], ['texts', 'moved', 'docs']);
    const { files } = await desk.ok('diff', '--from', '@~2', 'texts');
    const a = files.find((file: Json) => file.path === 'texts/a.txt');
    assert.deepEqual([a.change, a.from], ['moved', 'docs/a.txt']);
    assert.deepEqual(a.hunks[0].lines, [' a', '-b', '-c', '+B', '+C']);
    const back = only(await desk.ok('diff', '--from', '@~2', '--to', '@~3'));
    assert.deepEqual(back.fields[1], { field: 'status', from: 'doing', to: 'todo' });
  });

  it('compares with a revision before everything', async () => {
    const { files } = await desk.ok('diff', '--from', '2001-01-01', '--to', '@');
    assert.deepEqual(
      files.map(({ path, change }: Json) => `${change} ${path}`),
      ['added data.json', 'added docs/a.txt', 'added docs/old.txt', 'added notes.md'],
    );
  });

  it('keeps tabs, and no other control character', async () => {
    desk.write('docs/a.txt', 'a\n\tb\u001b[31m\nc\n');
    assert.match(await desk.text('diff'), /^\+\tb\\x1b\[31m$/m);
  });
});
