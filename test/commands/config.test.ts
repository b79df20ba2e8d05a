import assert from 'node:assert/strict';
import { SETTING_CHARS_MAX } from '../../src/core/limits.js';
import { workspaceOfOne, type Json, type Machine } from './machine.js';

describe('wn config', function () {
  this.timeout(60_000);
  let desk: Machine;
  let dispose = (): void => undefined;

  before(async () => {
    ({ desk, dispose } = await workspaceOfOne({}));
  });
  after(() => dispose());

  it('lists every setting with what it is, may be and is for', async () => {
    const { items, total, next } = await desk.ok('config');
    assert.deepEqual([items.length, next], [total, null]);
    for (const item of items) {
      assert.equal(item.value, item.default, item.key);
      assert.equal(item.set, false);
      assert.ok(item.description.length > 20 && item.allowed.length > 0, item.key);
    }
    assert.ok(items.some((item: Json) => item.key === 'receive.materialise'));
  });

  it('sets, shows and unsets one, typed', async () => {
    const changed = await desk.ok('config', 'receive.materialise', 'false');
    assert.deepEqual(
      [changed.key, changed.value, changed.set],
      ['receive.materialise', false, true],
    );
    assert.equal(await desk.text('config', 'receive.materialise'), 'false\n');
    const settings = JSON.parse(desk.read('.wn/config')).settings;
    assert.deepEqual(settings, { 'receive.materialise': false });
    assert.equal((await desk.ok('config', 'commit.newFileBytesMax', '2048')).value, 2048);
    const unset = await desk.ok('config', 'receive.materialise', '--unset');
    assert.deepEqual([unset.value, unset.set], [true, false]);
    assert.equal((await desk.ok('config', 'commit.newFileBytesMax')).value, 2048);
  });

  it('refuses unknown settings and values that they do not take, and changes nothing', async () => {
    const before = desk.read('.wn/config');
    for (const line of [
      ['no.such', 'x'],
      ['receive.materialise', 'yes'],
      ['commit.newFileBytesMax', '-1'],
      ['commit.newFileBytesMax', '1e3'],
      ['serve.enrol', 'maybe'],
      ['core.sshCommand', ''],
      ['core.sshCommand', 'x'.repeat(SETTING_CHARS_MAX + 1)],
      ['receive.materialise', 'true', '--unset'],
      ['--unset'],
    ]) {
      const { exit, failure } = await desk.run('config', ...line);
      assert.deepEqual([exit, failure?.code], [2, 'usage'], line.join(' '));
    }
    assert.equal(desk.read('.wn/config'), before);
    await desk.ok('config', 'core.sshCommand', 'x'.repeat(SETTING_CHARS_MAX));
  });
});
