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
