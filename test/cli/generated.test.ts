/** Help, manual pages and completion scripts, which are all made from the command classes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { completionScript, SHELLS, type Shell } from '../../src/cli/completion.js';
import { describeAll, type CommandDescription } from '../../src/cli/describe.js';
import { commandHelp, flagLabel } from '../../src/cli/help.js';
import { removeFolder, tempFolder } from '../conform/tempdir.js';
import { skip } from '../support/skip.js';
import { ROOT, wn } from './program.js';

let commands: readonly CommandDescription[] = [];

/** In each suite, because a hook outside of them would belong to all files. */
async function describeCommands(): Promise<void> {
  if (commands.length === 0) commands = await describeAll();
}

function isPresent(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe('commands', () => {
  before(describeCommands);

  it('each say what they are for, in one line without a full stop', () => {
    for (const { id, summary } of commands) {
      assert.match(summary, /^[A-Z][^\n]{3,70}[^.\s]$/, `summary of ${id}`);
    }
  });

  it('each describe their arguments and flags', () => {
    for (const { id, args, flags } of commands) {
      for (const { name, description } of [...args, ...flags]) {
        assert.match(description ?? '', /^\S[^\n]*[.…]$/, `wn ${id}: ${name}`);
      }
    }
  });

  it('each show what they return and an example, unless they are hidden', () => {
    for (const { id, hidden, result, examples } of commands) {
      if (hidden || id === 'help') continue;
      assert.ok(result !== undefined && examples.length > 0, `wn ${id}`);
    }
  });

  it('give no flag the name or letter of a global one', () => {
    for (const { id, flags } of commands) {
      const names = flags
        .flatMap((flag) => [flag.name, flag.char])
        .filter((name) => name !== undefined);
      assert.equal(new Set(names).size, names.length, `wn ${id}: ${names.join(' ')}`);
    }
  });
});

describe('help', () => {
  before(describeCommands);

  it('fits a terminal of 80 columns, but for examples and usage', () => {
    for (const command of commands) {
      const long = commandHelp(command)
        .split('\n')
        .filter((line) => line.length > 80 && !/^ {2}(\$|wn) /.test(line));
      assert.deepEqual(long, [], command.id);
    }
  });
});

describe('manual pages', () => {
  before(describeCommands);
  const pages = readdirSync(join(ROOT, 'man')).map((name) => join(ROOT, 'man', name));

  it('name every command and every flag that help names', () => {
    for (const command of commands.filter(({ hidden }) => !hidden)) {
      const page = readFileSync(join(ROOT, `man/wn-${command.id.replace(' ', '-')}.1`), 'utf8');
      const text = page
        .replace(/\\-/g, '-')
        .replace(/\\\[u(\w+)\]/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)));
      for (const flag of command.flags) assert.ok(text.includes(flagLabel(flag)), flag.name);
    }
  });

  it('pass the lint of mandoc', function () {
    if (spawnSync('mandoc', ['-T', 'lint', ...pages]).error !== undefined) {
      skip(this, 'mandoc is not installed');
    }
    const { stdout } = spawnSync('mandoc', ['-T', 'lint', ...pages], { encoding: 'utf8' });
    assert.equal(stdout, '');
  });
});

/** What bash offers for a line whose last word is being completed. */
function completeInBash(words: readonly string[]): string[] {
  const script = `source <(cat); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wn; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    input: completionScript('bash', commands),
    cwd: ROOT,
    encoding: 'utf8',
  });
  return output.split('\n').filter((line) => line !== '');
}

describe('completion', () => {
  before(describeCommands);

  it('is printed by wn completion for each shell', async () => {
    for (const shell of SHELLS) {
      const { stdout } = await wn(['completion', shell]);
      assert.match(stdout, new RegExp(`(^#compdef wn|^# ${shell} completion for wn)\n`));
    }
  });

  const checks: Readonly<Record<Shell, readonly string[]>> = {
    bash: ['-n'],
    zsh: ['-n'],
    fish: ['--no-execute'],
  };
  for (const shell of SHELLS) {
    it(`is accepted by ${shell}`, function () {
      if (!isPresent(shell)) skip(this, `${shell} is not installed`);
      // fish reads no script from the socket that a child of Node has for its input.
      const folder = tempFolder();
      const script = join(folder, 'completion');
      writeFileSync(script, completionScript(shell, commands));
      const { status, stderr } = spawnSync(shell, [...checks[shell], script], { encoding: 'utf8' });
      removeFolder(folder);
      assert.deepEqual([status, stderr], [0, '']);
    });
  }

  it('offers commands, flags and values in bash', function () {
    if (!isPresent('bash')) skip(this, 'bash is not installed');
    assert.deepEqual(completeInBash(['wn', 'comple']), ['completion']);
    assert.deepEqual(completeInBash(['wn', '-C', '.', 'comple']), ['completion']);
    assert.deepEqual(completeInBash(['wn', 'completion', '']), ['bash', 'zsh', 'fish']);
    assert.deepEqual(completeInBash(['wn', 'completion', '--js']), ['--json']);
    assert.deepEqual(completeInBash(['wn', 'help', 'tsconf']), ['tsconfig.json']);
  });
});
