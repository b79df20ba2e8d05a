/** The contract of the command line, seen from outside, on the built program. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { skip } from '../support/skip.js';
import { onlyDocument, ROOT, wn } from './program.js';

// eslint-disable-next-line no-control-regex -- an escape sequence starts with a control character
const ESCAPE = /\u001b/;

describe('command line', () => {
  it('shows short help when called alone', async () => {
    const { status, stdout, stderr } = await wn([]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^wn \d+\.\d+\.\d+ - /);
    assert.match(stdout, /\n {2}completion {2,}Print a completion script/);
  });

  it('tells its version, also as JSON', async () => {
    assert.match((await wn(['--version'])).stdout, /^wn \d+\.\d+\.\d+\n$/);
    const { result } = onlyDocument((await wn(['--json', '--version'])).stdout);
    assert.match(String(result?.['version']), /^\d+\.\d+\.\d+$/);
  });

  it('says the same with --help, -h, help and whatever else is on the line', async () => {
    const { stdout } = await wn(['help', 'completion']);
    assert.match(stdout, /^USAGE\n {2}wn completion SHELL$/m);
    for (const line of [
      ['completion', '--help'],
      ['completion', '-h'],
      ['completion', '--nonsense', '--help', 'x'],
    ]) {
      assert.equal((await wn(line)).stdout, stdout, line.join(' '));
    }
  });

  it('lists what may follow a first word', async () => {
    const { stdout } = await wn(['help', 'remote']);
    assert.match(stdout, /^wn remote\n {2}wn remote add /);
    assert.equal((await wn(['remote', '--help'])).stdout, stdout);
  });

  it('hides no text of its own behind colours when not on a terminal', async () => {
    const { stdout } = await wn(['help'], { env: { FORCE_COLOR: '1', TERM: 'xterm-256color' } });
    assert.doesNotMatch(stdout, ESCAPE);
  });

  it('answers git habits with one sentence', async () => {
    const added = await wn(['add', '-A', '--intent-to-add', '.']);
    assert.deepEqual([added.status, added.stdout.split('\n').length], [0, 2]);
    for (const habit of ['branch', 'checkout', 'stash', 'merge', 'rebase']) {
      const { status, stdout, stderr } = await wn([habit, '-b', '--onto', 'main']);
      assert.deepEqual([status, stdout], [2, ''], habit);
      assert.match(stderr, /^wn: wn .+\nhint: .+\n$/, habit);
    }
  });

  it("answers Git's words and flags with what does the same here", async () => {
    for (const [line, hint] of [
      [['commit', '-am', 'x'], /takes every change/],
      [['fetch'], /wn pull/],
      [['reset', '--hard'], /wn undo/],
      [['diff', '--cached'], /no staging area/],
      [['log', '-n', '5'], /--limit/],
      [['statsu'], /wn status/],
    ] as const) {
      const { status, stdout, stderr } = await wn(line);
      assert.deepEqual([status, stdout], [2, ''], line.join(' '));
      assert.match(stderr.split('\n')[1] ?? '', hint);
    }
  });

  it('takes -C before and after the command, and refuses what is no folder', async () => {
    for (const line of [
      ['-C', tmpdir(), 'completion', 'bash'],
      [`-C${tmpdir()}`, 'completion', 'bash'],
      ['completion', 'bash', '-C', tmpdir()],
    ]) {
      assert.equal((await wn(line)).status, 0, line.join(' '));
    }
    const { status, stderr } = await wn(['-C', join(ROOT, 'package.json'), 'completion', 'bash']);
    assert.equal(status, 2);
    assert.match(stderr, /^wn: no such folder: /);
  });

  it('never takes an argument from standard input', async () => {
    const { status, stderr } = await wn(['completion'], { input: 'bash\n' });
    assert.deepEqual([status, stderr.split('\n')[0]], [2, 'wn: missing argument: SHELL']);
  });

  it('escapes what it repeats of the line', async () => {
    const { stderr } = await wn(['\u001b[31mred\u202e']);
    assert.match(stderr, /^wn: no command: \\x1b\[31mred\\u202e\n/);
  });

  it('reports a full disk on stdout', async function () {
    if (process.platform !== 'linux') skip(this, 'needs /dev/full');
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [join(ROOT, 'bin/wn.js'), 'help'], {
      stdio: ['ignore', full, 'pipe'] as const,
    });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(status, 1);
    assert.match(stderr, /^wn: cannot write to standard output: .*no space left/);
  });
});

describe('usage errors', () => {
  const lines: readonly (readonly [title: string, line: readonly string[], message: RegExp])[] = [
    ['an unknown command', ['frobnicate'], /^no command: frobnicate$/],
    ['an unknown flag', ['completion', 'bash', '--frob'], /^unknown flag: --frob$/],
    ['an unknown leading flag', ['--frob', 'completion'], /^unknown flag: --frob$/],
    ["a flag that is a property's name", ['completion', '--constructor'], /^unknown flag: --con/],
    ['a missing argument', ['completion'], /^missing argument: SHELL$/],
    ['an argument too many', ['completion', 'bash', 'x'], /^unexpected argument: x$/],
    ['a value outside the set', ['completion', 'csh'], /csh to be one of: bash, zsh, fish$/],
    ['a bad duration', ['completion', 'bash', '--lock-timeout', '5y'], /not a duration: 5y$/],
    ['a flag without its value', ['completion', 'bash', '-C'], /directory expects a value$/],
    ['a leading flag without its value', ['-C'], /^-C expects a value$/],
    ['a first word that needs a second', ['remote'], /^wn remote needs one of: .*add/],
    ['help for no command', ['help', 'frobnicate'], /^no command: frobnicate$/],
  ];
  for (const [title, line, message] of lines) {
    it(`${title}: exit 2, on stderr`, async () => {
      const { status, stdout, stderr } = await wn(line);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^wn: .+\n(hint: .+\n)?$/);
    });
    it(`${title}: one document with --json, wherever it stands`, async () => {
      for (const place of [0, line.length]) {
        // What is last may be the flag whose value is missing.
        if (place > 0 && line.at(-1) === '-C') continue;
        const { status, stdout, stderr } = await wn(line.toSpliced(place, 0, '--json'));
        assert.deepEqual([status, stderr], [2, '']);
        const { ok, error } = onlyDocument(stdout);
        assert.deepEqual([ok, error?.code], [false, 'usage']);
        assert.match(error?.message ?? '', message);
      }
    });
  }

  it('guesses what was meant', async () => {
    assert.match((await wn(['complation', 'bash'])).stderr, /hint: did you mean wn completion\?/);
    assert.match((await wn(['help', 'bacth'])).stderr, /hint: did you mean wn help batch\?/);
    assert.match((await wn(['completion', 'bash', '--jsn'])).stderr, /did you mean --json\?/);
    assert.match((await wn(['qqqqqqqq'])).stderr, /hint: wn help lists the commands/);
  });
});
