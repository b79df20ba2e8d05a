/** The units for machines that are servers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { ROOT } from '../cli/program.js';
import { skip } from '../support/skip.js';
import { checkLine } from './line.js';

const FOLDER = join(ROOT, 'deploy/systemd');
const PROGRAM = '/usr/local/bin/wn';
/** Of 100; a service that sets nothing has 96. */
const EXPOSURE_MAX = 20;

const units = (): readonly string[] =>
  readdirSync(FOLDER).filter((name) => /\.(service|timer)$/.test(name));
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

/** The units in a folder, where templates have an instance, and the program is one that is here. */
function withUnits(work: (files: readonly string[]) => void): void {
  const folder = tempFolder();
  try {
    const files = units().map((name) => {
      const file = join(folder, name.replace('@', '@srv-notes'));
      writeFileSync(file, read(name).replaceAll(PROGRAM, process.execPath));
      return file;
    });
    work(files);
  } finally {
    removeFolder(folder);
  }
}

function analyse(args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, said: status === 0 ? stderr : `${stdout}${stderr}` };
}

describe('deploy/systemd', () => {
  before(function () {
    if (spawnSync('systemd-analyze', ['--version']).error !== undefined) {
      skip(this, 'systemd-analyze is not installed');
    }
  });

  it('passes systemd-analyze verify', () => {
    withUnits((files) =>
      assert.deepEqual(analyse(['verify', '--man=no', ...files]), { status: 0, said: '' }),
    );
  });

  it('would be refused with a misspelt setting', () => {
    const folder = tempFolder();
    try {
      const file = join(folder, 'wn-x.service');
      const text = read('wn-relay.service').replaceAll(PROGRAM, process.execPath);
      writeFileSync(file, text.replace('NoNewPrivileges', 'NoNewPrivilege'));
      assert.match(analyse(['verify', '--man=no', file]).said, /Unknown key/);
      writeFileSync(file, text.replace(/ExecStart=.*/, 'ExecStart=/nowhere/wn'));
      assert.notEqual(analyse(['verify', '--man=no', file]).said, '');
    } finally {
      removeFolder(folder);
    }
  });

  it('leaves little exposed, by systemd-analyze security', () => {
    withUnits((files) => {
      for (const file of files.filter((each) => each.endsWith('.service'))) {
        const { status, said } = analyse([
          'security',
          '--offline=yes',
          `--threshold=${EXPOSURE_MAX}`,
          file,
        ]);
        assert.equal(status, 0, said);
      }
    });
  });
});

describe('the lines of deploy/systemd', () => {
  it('are what wn takes, as a user that is made', async () => {
    const users = read('wn.sysusers');
    for (const name of units().filter((each) => each.endsWith('.service'))) {
      const [, line = ''] = new RegExp(`^ExecStart=${PROGRAM} (.*)$`, 'm').exec(read(name)) ?? [];
      await checkLine(line.split(' '));
      const user = /^User=(.*)$/m.exec(read(name))?.[1] ?? '';
      assert.match(users, new RegExp(`^u ${user} `, 'm'));
    }
  });
});
