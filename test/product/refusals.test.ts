/** Bad input: each is named with what is safe and what to do, and nothing is lost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { skip } from '../support/skip.js';
import { Device, discard, PRODUCT_TEST_MS, scratch, twoDevices } from './device.js';

interface Named {
  readonly path: string;
  readonly why?: string;
  readonly code?: string;
}

describe('bad input', function () {
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
  const named = (document: { result?: Readonly<Record<string, unknown>> }, key: string) =>
    document.result?.[key] as readonly Named[];

  it('no repository is exit 10', async () => {
    const nowhere = new Device(folder, 'none');
    assert.match(await nowhere.refuses(['status'], 10, 'no_repository'), /wn init.*wn join/);
  });

  it('an unknown format and a damaged configuration leave everything as it is', async () => {
    for (const [file, content, exit, code] of [
      ['format', 'wn repository 99\n', 1, 'unknown_format'],
      ['config', '{', 16, 'damage'],
      ['config', '', 16, 'damage'],
    ] as const) {
      const path = join(a.root, '.wn', file);
      const good = fs.readFileSync(path);
      fs.writeFileSync(path, content);
      for (const line of [['status'], ['commit']]) await a.refuses(line, exit, code);
      assert.equal(fs.readFileSync(path, 'utf8'), content);
      fs.writeFileSync(path, good);
    }
    assert.equal((await a.json(['status'])).result?.['clean'], true);
  });

  it('a data folder or key that others may read is refused with the chmod', async () => {
    for (const [path, good, loose] of [
      [join(a.root, '.wn'), 0o700, 0o755],
      [join(a.home, 'device_ed25519'), 0o600, 0o644],
    ] as const) {
      fs.chmodSync(path, loose);
      const text = await a.refuses(['set', 'a.md', 'x=1'], 1, 'unsafe_mode');
      assert.ok(text.includes(`chmod ${good.toString(8)} '${path}'`), text);
      fs.chmodSync(path, good);
    }
  });

  it('names and things that may not be tracked are left out by name, the rest is taken', async () => {
    const names = ['a\\b', 'CON.md', 'dot.', 'c\u0001', '.GIT', 'git~1'];
    for (const name of names) a.write(name, 'x');
    fs.symlinkSync('/etc/passwd', join(a.root, 'outside'));
    fs.symlinkSync('a.md', join(a.root, 'inside'));
    a.write('fine.md', 'fine\n');
    const left = named(await a.json(['commit'], 3), 'refused').map(({ path }) => path);
    assert.deepEqual([...left].sort(), [...names, 'outside'].sort());
    for (const name of [...names, 'outside']) fs.rmSync(join(a.root, name));
    await b.json(['sync']);
    assert.equal(fs.readFileSync(join(b.root, 'fine.md'), 'utf8'), 'fine\n');
    assert.equal(fs.readlinkSync(join(b.root, 'inside')), 'a.md');
  });

  it('a repository made inside a tracked folder deletes nothing', async () => {
    a.write('sub/kept.md', 'kept\n');
    await a.json(['commit']);
    fs.mkdirSync(join(a.root, 'sub/.git'));
    const { result } = await a.json(['commit'], 3);
    assert.equal(result?.['commit'], null);
    fs.rmdirSync(join(a.root, 'sub/.git'));
    assert.equal((await a.json(['status'])).result?.['clean'], true);
  });

  it('a FIFO in the place of a tracked file deletes nothing', async function () {
    if (process.platform === 'win32') skip(this, 'needs mkfifo');
    const path = join(a.root, 'fine.md');
    fs.rmSync(path);
    execFileSync('mkfifo', [path]);
    assert.equal((await a.json(['commit'], 3)).result?.['commit'], null);
    fs.rmSync(path);
    a.write('fine.md', 'fine\n');
    assert.equal((await a.json(['status'])).result?.['clean'], true);
  });

  it('a large new file waits for --force, and then is equal on the other device', async () => {
    const large = Buffer.alloc(1_500_000, 'wn \xff', 'latin1');
    a.write('large.bin', large);
    assert.equal(named(await a.json(['commit'], 3), 'refused')[0]?.path, 'large.bin');
    await a.json(['commit', '--force']);
    await b.json(['sync']);
    assert.ok(fs.readFileSync(join(b.root, 'large.bin')).equals(large));
  });

  it('front matter that does not parse is told, its text kept, its fields left', async () => {
    a.write('a.md', '---\nstatus: "half\n---\none\n');
    const [invalid] = named(await a.json(['status']), 'invalid');
    assert.deepEqual([invalid?.path, invalid?.code], ['a.md', 'invalid-fields']);
    await a.json(['commit']);
    const { result } = await a.json(['show', 'a.md']);
    assert.deepEqual(result?.['fields'], { status: 'todo' });
    await b.json(['sync']);
    assert.match(fs.readFileSync(join(b.root, 'a.md'), 'utf8'), /"half/);
  });

  it('a value outside the schema, and a broken schema, change nothing and say where', async () => {
    const schema =
      'types:\n  t:\n    match: "t/*.md"\n    fields:\n      s: { type: register, values: [x, y] }\n';
    a.write('wn.yaml', schema);
    await a.json(['new', 't/1.md', '--set', 's=x']);
    assert.match(await a.refuses(['set', 't/1.md', 's=z'], 1, 'invalid'), /one of x, y/);
    a.write('wn.yaml', 'types:\n  t:\n    match: [\n');
    assert.match(await a.refuses(['set', 't/1.md', 's=y'], 1, 'invalid'), /wn\.yaml:\d+:\d+/);
    assert.equal(named(await a.json(['status']), 'invalid')[0]?.code, 'invalid-schema');
    a.write('wn.yaml', schema);
  });

  it('a value outside the schema that was typed is told before and after the commit, on each device', async () => {
    a.write('t/2.md', '---\ns: z\n---\n');
    const why = [
      { path: 't/2.md', code: 'invalid-fields', why: 's is z; wn.yaml allows one of x, y' },
    ];
    const toldBy = async (device: Device): Promise<readonly Named[]> =>
      named(await device.json(['status', 't']), 'invalid');
    assert.deepEqual(await toldBy(a), why);
    await a.json(['commit']);
    assert.deepEqual(await toldBy(a), why);
    await b.json(['sync']);
    assert.deepEqual(await toldBy(b), why);
    // Another schema judges anew, first of all here, where it isn't committed yet.
    const schema = fs.readFileSync(join(b.root, 'wn.yaml'), 'utf8');
    b.write('wn.yaml', schema.replace('[x, y]', '[x, z]'));
    assert.deepEqual(await toldBy(b), []);
    await b.json(['sync', '--commit']);
    assert.deepEqual(await toldBy(a), []);
    await a.json(['set', 't/2.md', 's=x']);
    await b.json(['sync']);
    b.write('wn.yaml', schema.replace('[x, y]', '[w]'));
    await b.json(['commit']);
    assert.deepEqual(
      (await toldBy(b)).map(({ path }) => path),
      ['t/1.md', 't/2.md'],
    );
    b.write('wn.yaml', schema);
    await b.json(['sync', '--commit']);
    assert.deepEqual([await toldBy(a), await toldBy(b)], [[], []]);
  });

  it('K+=V keeps the list that front matter had', async () => {
    a.write('list.md', '---\nlabels: [ci, docs]\n---\n');
    await a.json(['commit']);
    await a.json(['set', 'list.md', 'labels+=new', 'labels-=ci']);
    assert.match(fs.readFileSync(join(a.root, 'list.md'), 'utf8'), /^labels: \[docs, new\]$/m);
  });

  it('K= takes a default of the schema away', async () => {
    const schema = fs.readFileSync(join(a.root, 'wn.yaml'), 'utf8');
    a.write('wn.yaml', schema.replace('[x, y] }', '[x, y], default: x }'));
    await a.json(['new', 't/3.md', '--set', 's=']);
    assert.deepEqual((await a.json(['show', 't/3.md'])).result?.['fields'], {});
    await a.json(['new', 't/4.md']);
    assert.deepEqual((await a.json(['show', 't/4.md'])).result?.['fields'], { s: 'x' });
    a.write('wn.yaml', schema);
  });

  it('names in two spellings, of case or of Unicode, stay two files on every device', async function () {
    const names = ['case.md', 'Case.md', 'u\u0308.md', '\u00fc.md'];
    for (const name of names) a.write(`names/${name}`, `${name}\n`);
    const found = fs.readdirSync(join(a.root, 'names'));
    if (found.length < names.length) skip(this, 'this disk takes two spellings for one name');
    a.write('bad\\name', 'x');
    fs.renameSync(join(a.root, 'bad\\name'), Buffer.from(`${a.root}/names/\xff.md`, 'latin1'));
    const [left] = named(await a.json(['commit'], 3), 'refused');
    assert.match(left?.why ?? '', /not valid UTF-8/);
    await b.json(['sync']);
    for (const name of names) {
      assert.equal(fs.readFileSync(join(b.root, 'names', name), 'utf8'), `${name}\n`);
    }
    fs.rmSync(Buffer.from(`${a.root}/names/\xff.md`, 'latin1'));
  });

  it('a path that nothing is at, and -C on a line of a batch, are refused', async () => {
    for (const command of ['commit', 'status', 'diff']) {
      await a.refuses([command, 'nosuch.md'], 1, 'not_found');
    }
    const { status, stdout } = await a.run(['batch'], '-C t status\n');
    assert.equal(status, 3);
    assert.match(stdout, /wn -C DIR batch/);
  });

  it('takes nothing out of a folder without the right to delete there', async () => {
    a.write('mine/x.md', 'x\n');
    a.write('theirs/y.md', 'y\n');
    await a.json(['commit']);
    await a.json(['mv', 'mine/x.md', 'theirs/x.md']);
    const ticket = join(folder, 'narrow');
    const via = ['--path', 'mine', '--via', a.root, '--out', ticket];
    await a.json(['invite', '--act', 'write', ...via]);
    const d = new Device(join(folder, 'd'), 'd');
    await new Device(folder, 'd', folder).json(['join', ticket, d.root]);
    await d.json(['set', 'theirs/x.md', 'k=1']);
    assert.match(await d.refuses(['mv', 'theirs/x.md', 'mine/x.md'], 12, 'denied'), /nothing was/);
  });

  it('a ticket that expired, is cut short or damaged makes no folder', async () => {
    const ticket = join(folder, 'good');
    await a.json(['invite', '--act', 'write', '--out', ticket]);
    const good = fs.readFileSync(ticket, 'utf8');
    const c = new Device(folder, 'c', folder);
    const tries: [string, RegExp][] = [
      [good.slice(0, 100), /cut short/],
      [`${good.slice(0, 60)}${good[60] === 'A' ? 'B' : 'A'}${good.slice(61)}`, /damaged/],
      ['hello\n', /not a ticket/],
    ];
    for (const [text, why] of tries) {
      fs.writeFileSync(ticket, text);
      assert.match(await c.refuses(['join', 'good', 'new'], 1, 'invalid_ticket'), why);
    }
    await a.json(['invite', '--act', 'write', '--expires', '1ms', '--out', join(folder, 'old')]);
    await c.refuses(['join', 'old', 'new'], 1, 'expired');
    assert.equal(fs.existsSync(join(folder, 'new')), false);
  });

  it('remotes: a bad address 2, an unknown name 1, a vanished folder 15, none 0 with a hint', async () => {
    await b.refuses(['remote', 'add', 'x', 'http://host/x'], 2, 'usage');
    await b.refuses(['sync', 'nobody'], 1, 'not_found');
    await b.json(['remote', 'add', 'gone', join(folder, 'gone')]);
    await b.refuses(['sync', 'gone'], 15, 'unreachable');
    await b.json(['sync'], 3);
    await b.json(['remote', 'remove', 'gone']);
    assert.match(String((await a.json(['sync'])).result?.['note']), /wn remote add/);
  });

  it('a remote whose data is damaged is unreachable, and nothing is wrong here', async () => {
    const config = join(a.root, '.wn/config');
    const good = fs.readFileSync(config);
    fs.writeFileSync(config, '{');
    assert.match(await b.refuses(['sync'], 15, 'unreachable'), /at origin: .*config/);
    fs.writeFileSync(config, good);
    await b.json(['sync']);
  });

  it('an index that was deleted comes back the same', async () => {
    const before = (await a.json(['fsck'])).result?.['viewHash'];
    fs.rmSync(join(a.root, '.wn/index'), { recursive: true });
    assert.equal((await a.json(['fsck'])).result?.['viewHash'], before);
  });
});
