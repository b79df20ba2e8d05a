/** What people do with files, on one device, and what the other then has. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Device, discard, PRODUCT_TEST_MS, scratch, twoDevices } from './device.js';

interface Changed {
  readonly path: string;
  readonly change: string;
  readonly from?: string;
}

/** Every path with its bytes, its link's target or its being a folder; and the run bit. */
function treeOf(root: string): ReadonlyMap<string, string> {
  const tree = new Map<string, string>();
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name === '.wn' || name.startsWith('.wn/')) continue;
    const path = join(root, name);
    const stat = fs.lstatSync(path);
    if (stat.isSymbolicLink()) tree.set(name, `link ${fs.readlinkSync(path)}`);
    else if (stat.isDirectory()) tree.set(name, 'folder');
    else tree.set(name, `${stat.mode & 0o100} ${fs.readFileSync(path).toString('hex')}`);
  }
  return tree;
}

describe('everyday work', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  let a: Device;
  let b: Device;
  before(async () => {
    folder = scratch();
    [a, b] = await twoDevices(folder);
  });
  after(() => {
    discard(folder);
  });

  async function sameOnBoth(line: readonly string[] = ['sync']): Promise<void> {
    await a.json(['commit']);
    await b.json(line);
    assert.deepEqual(treeOf(b.root), treeOf(a.root));
  }

  it('carries all kinds of files byte by byte', async () => {
    a.write('empty.md', '');
    a.write('crlf.md', 'a\r\nb\r\n');
    a.write('bom.md', '\ufeffa\r\nb\r\n');
    a.write('mixed.md', 'a\r\nb\n');
    a.write('bad.md', Buffer.from([0x61, 0xff, 0xfe, 0x0a]));
    a.write('\u00fcn\u00ef \u65e5\u672c \u{1f600}.md', 'u\n');
    a.write(`${'d/'.repeat(60)}deep.md`, 'deep\n');
    a.write('run.sh', '#!/bin/sh\n');
    fs.chmodSync(join(a.root, 'run.sh'), 0o755);
    fs.symlinkSync('a.md', join(a.root, 'link'));
    fs.mkdirSync(join(a.root, 'nothing'));
    await sameOnBoth();
  });

  it('knows a renamed folder of 100 files, and files that become folders and back', async () => {
    for (let i = 0; i < 100; i++) a.write(`many/${i}.md`, `content of ${i}\n`);
    await a.json(['commit']);
    fs.renameSync(join(a.root, 'many'), join(a.root, 'renamed'));
    const changes = (await a.json(['status'])).result?.['changes'] as readonly Changed[];
    assert.deepEqual([...new Set(changes.map(({ change }) => change))], ['moved']);
    assert.equal(changes.find(({ path }) => path === 'renamed')?.from, 'many');
    fs.rmSync(join(a.root, 'empty.md'));
    a.write('empty.md/in.md', 'x\n');
    fs.rmdirSync(join(a.root, 'nothing'));
    a.write('nothing', 'a file\n');
    await sameOnBoth();
  });

  it('shows two files of one name side by side, and equal ones once', async () => {
    a.write('c.md', 'mine\n');
    a.write('e.md', 'same\n');
    b.write('c.md', 'theirs\n');
    b.write('e.md', 'same\n');
    await a.json(['commit']);
    await b.json(['sync', '--commit']);
    assert.deepEqual(treeOf(b.root), treeOf(a.root));
    const names = fs.readdirSync(a.root).filter((name) => /^[ce](~|\.)/.test(name));
    assert.equal(names.length, 3, names.join(' '));
    assert.match(names.join(' '), /c~[0-9a-z]{10}\.md/);
    const texts = names.map((name) => fs.readFileSync(join(a.root, name), 'utf8')).sort();
    assert.deepEqual(texts, ['mine\n', 'same\n', 'theirs\n']);
  });

  it('merges a pull into what is being edited', async () => {
    const text = fs.readFileSync(join(b.root, 'a.md'), 'utf8');
    b.write('a.md', text.replace('three', 'three b'));
    a.write('a.md', text.replace('one', 'one a'));
    await a.json(['commit']);
    assert.deepEqual((await b.json(['pull'])).result?.['merged'], ['a.md']);
    const both = text.replace('three', 'three b').replace('one', 'one a');
    assert.equal(fs.readFileSync(join(b.root, 'a.md'), 'utf8'), both);
    await sameOnBoth(['sync', '--commit']);
  });

  it('moves into folders, and deletes what is asked for with --force, keeping its edits', async () => {
    await a.json(['mv', 'crlf.md', 'renamed']);
    assert.ok(fs.existsSync(join(a.root, 'renamed/crlf.md')));
    a.write('mixed.md', 'edited\n');
    await a.refuses(['rm', 'mixed.md'], 1, 'exists');
    await a.json(['rm', 'mixed.md', '--force']);
    assert.equal(fs.existsSync(join(a.root, 'mixed.md')), false);
    await a.json(['undo']);
    assert.equal(fs.readFileSync(join(a.root, 'mixed.md'), 'utf8'), 'edited\n');
    await sameOnBoth();
  });

  it('answers every line of a batch, the wrong ones too', async () => {
    const lines = 'set a.md n=1\nfrobnicate\nset a.md l+=x l+=y\nset a.md l-=x\n';
    const { status, stdout } = await a.run(['batch'], lines);
    const answers = stdout.trimEnd().split('\n');
    const exits = answers.map((line) => (JSON.parse(line) as { exit: number }).exit);
    assert.deepEqual([status, exits], [3, [0, 2, 0, 0]]);
    const fields = (await a.json(['show', 'a.md'])).result?.['fields'];
    assert.deepEqual(fields, { status: 'todo', n: 1, l: ['y'] });
  });

  it('stops when nobody watches and most files vanish', async () => {
    for (let i = 0; i < 300; i++) a.write(`mass/${i}.md`, `mass ${i}\n`);
    await a.json(['commit']);
    fs.rmSync(join(a.root, 'mass'), { recursive: true });
    await a.refuses(['commit'], 1, 'mass_change');
    await a.json(['commit', '--force']);
  });

  it('lets a copied repository and its original both go on', async () => {
    const copy = new Device(join(folder, 'copy'), 'a');
    fs.cpSync(a.root, copy.root, { recursive: true, verbatimSymlinks: true });
    a.write('original.md', 'original\n');
    copy.write('copy.md', 'copy\n');
    await a.json(['commit']);
    await copy.json(['commit']);
    await copy.json(['remote', 'add', 'origin', a.root]);
    await copy.json(['sync']);
    assert.deepEqual(treeOf(copy.root), treeOf(a.root));
    assert.ok(fs.existsSync(join(a.root, 'copy.md')));
    const hashes = [await a.json(['fsck', '--full']), await copy.json(['fsck', '--full'])];
    assert.equal(hashes[0]?.result?.['viewHash'], hashes[1]?.result?.['viewHash']);
  });
});
