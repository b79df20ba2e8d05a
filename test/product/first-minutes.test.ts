/** The README's first minutes, as a newcomer types them. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Device, discard, PRODUCT_TEST_MS, scratch } from './device.js';

const RUNBOOK = '---\nstatus: todo\n---\n# Backup\n\none\n\ntwo\n';

describe('the first minutes', function () {
  this.timeout(PRODUCT_TEST_MS);
  let folder: string;
  beforeEach(() => void (folder = scratch()));
  afterEach(() => {
    discard(folder);
  });

  it('go from a folder of files to two devices that hold both edits', async () => {
    const desk = new Device(join(folder, 'books'), 'desk');
    mkdirSync(desk.root);
    desk.write('backup.md', RUNBOOK);
    desk.write('.env', 'TOKEN=1\n');
    assert.match((await desk.run(['init'])).stdout, /^books: 1 file, \d+ B; refused: \.env$/m);
    assert.equal((await desk.run(['commit', '-m', 'import'])).status, 3);
    await desk.json(['set', 'backup.md', 'status=doing']);
    assert.match(readFileSync(join(desk.root, 'backup.md'), 'utf8'), /^status: doing$/m);
    await desk.json(['undo']);
    assert.equal(readFileSync(join(desk.root, 'backup.md'), 'utf8'), RUNBOOK);

    const ticket = join(folder, 't');
    await desk.json(['invite', '--act', 'write', '--via', desk.root, '--out', ticket]);
    await new Device(folder, 'lap', folder).json(['join', 't', 'lapbooks']);
    const lap = new Device(join(folder, 'lapbooks'), 'lap');
    lap.write('backup.md', RUNBOOK.replace('one', 'one, of the laptop'));
    desk.write('backup.md', RUNBOOK.replace('two', 'two, of the desk'));
    const { result } = await lap.json(['sync', '-m', 'laptop']);
    assert.equal(result?.['conflicts'], 0);
    const both = RUNBOOK.replace('one', 'one, of the laptop').replace('two', 'two, of the desk');
    assert.equal(readFileSync(join(desk.root, 'backup.md'), 'utf8'), both);
    await desk.json(['commit', '-m', 'desk'], 3);
    await lap.json(['sync']);
    assert.equal(readFileSync(join(lap.root, 'backup.md'), 'utf8'), both);
  });
});
