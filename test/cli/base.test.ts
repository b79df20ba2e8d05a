/** What the base class and `main` owe to every command; see probe.ts for the commands. */
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { finished, onlyDocument, probe, startProbe } from './program.js';

describe('a result', () => {
  it('is text, or one JSON document', async () => {
    assert.equal((await probe(['session'])).stdout, 'opened: true\n');
    const { status, stdout } = await probe(['session', '--json']);
    assert.deepEqual([status, onlyDocument(stdout)], [0, { ok: true, result: { opened: true } }]);
  });

  it('holds no type that JSON lacks', async () => {
    const { result } = onlyDocument((await probe(['types', '--json'])).stdout);
    assert.deepEqual(result, {
      small: 7,
      large: '1180591620717411303424',
      bytes: 'cafe',
      buffer: '6f6b',
      set: ['a', 'b'],
      map: { k: 1 },
    });
  });

  it('reaches a pipe whole, ten megabytes of it', async () => {
    const text = (await probe(['big'])).stdout;
    assert.equal(text.length, 200_000 * 53);
    const { result } = onlyDocument((await probe(['big-json', '--json'])).stdout);
    assert.equal(String(result?.['text']).length, 10_000_000);
  });

  it('is escaped on its way to people, and exact in JSON', async () => {
    const { stdout } = await probe(['hostile']);
    assert.equal(stdout, 'name: a\\x1b]0;owned\\x07\\n\\u202egnp.exe\n');
    const { result } = onlyDocument((await probe(['hostile', '--json'])).stdout);
    assert.equal(result?.['name'], 'a\u001b]0;owned\u0007\n\u202egnp.exe');
  });

  it('of a stream is a line each, and nothing at the end', async () => {
    assert.equal((await probe(['stream'])).stdout, 'index: 0\nindex: 1\nindex: 2\n');
    const documents = (await probe(['stream', '--json'])).stdout.trimEnd().split('\n');
    assert.deepEqual(
      documents.map((line) => JSON.parse(line) as unknown),
      [0, 1, 2].map((index) => ({ ok: true, result: { index } })),
    );
  });

  it('is told only after the session is closed', async () => {
    assert.equal((await probe(['session'])).stderr, 'closed\n');
    const { status, stdout } = await probe(['lost', '--json']);
    assert.equal(status, 1);
    const error = { code: 'disk_full', message: 'the disk is full' };
    assert.deepEqual(onlyDocument(stdout), { ok: false, error });
  });

  it('leaves what stands after -- to the command', async () => {
    const { result } = onlyDocument((await probe(['echo', '--json', '--', 'x', '--json'])).stdout);
    assert.deepEqual(result?.['trailing'], ['x', '--json']);
  });
});

describe('a failure', () => {
  it('is a message and a hint on stderr, with its exit code', async () => {
    const { status, stdout, stderr } = await probe(['owned']);
    assert.deepEqual([status, stdout], [14, '']);
    assert.equal(stderr, 'wn: a3 holds it\nhint: claim again\n');
  });

  it('carries its details in JSON', async () => {
    const { status, stdout, stderr } = await probe(['--json', 'owned']);
    assert.deepEqual([status, stderr], [14, '']);
    const error = { owner: 'a3', code: 'fenced', message: 'a3 holds it', hint: 'claim again' };
    assert.deepEqual(onlyDocument(stdout), { ok: false, error });
  });

  it('in part has its result beside it', async () => {
    const { status, stdout, stderr } = await probe(['partly']);
    assert.deepEqual([status, stdout], [3, 'remotes: 2\n']);
    assert.equal(stderr, 'wn: one of 2 remotes failed\n');
    const document = onlyDocument((await probe(['partly', '--json'])).stdout);
    const error = { code: 'partly', message: 'one of 2 remotes failed' };
    assert.deepEqual(document, { ok: false, error, result: { remotes: 2 } });
  });

  it('that carries a result shows it', async () => {
    const { status, stdout } = await probe(['damage']);
    assert.deepEqual([status, stdout], [16, 'problems: 1\n']);
    const document = onlyDocument((await probe(['damage', '--json'])).stdout);
    assert.deepEqual(document.result, { problems: 1 });
  });

  it('is escaped', async () => {
    const { stderr } = await probe(['hostile-error']);
    assert.equal(stderr, 'wn: bad name: \\x1b[2J\\x9b31m\nhint: not\\nthis\n');
  });

  it('of the system has a code', async () => {
    const { error } = onlyDocument((await probe(['system-error', '--json'])).stdout);
    assert.equal(error?.code, 'disk_full');
  });

  it('of ours says how to report it, and shows the stack only then', async () => {
    const { status, stdout, stderr } = await probe(['bug']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^wn: Cannot read prop.+\nhint: this is a bug in wn; .*WN_LOG=debug.*\n$/);
    const debugged = await probe(['bug', '--json'], { env: { WN_LOG: 'debug' } });
    assert.equal(onlyDocument(debugged.stdout).error?.code, 'internal');
    assert.match((await probe(['bug'], { env: { WN_LOG: 'debug' } })).stderr, /\n {4}at .*probe/);
  });

  it('of a flag names the flag', async () => {
    const { status, stderr } = await probe(['echo', '--number', 'x']);
    assert.deepEqual(
      [status, stderr.split('\n')[0]],
      [2, 'wn: --number: Expected an integer but received: x'],
    );
  });
});

describe('a notice', () => {
  it('is escaped, on stderr, and silenced by --quiet', async () => {
    const { stdout, stderr } = await probe(['remark']);
    assert.deepEqual([stdout, stderr], ['done: true\n', 'a remark\\x1b[31m\n']);
    assert.equal((await probe(['remark', '-q'])).stderr, '');
  });
});

describe('an interruption', () => {
  it('ends the command, runs its cleanups, last first, and exits with 130', async () => {
    const child = startProbe(['wait', '--json']);
    const ended = finished(child);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 130);
    assert.equal(stderr, 'cleaned up second\ncleaned up first\n');
    const [ready, last] = stdout.trimEnd().split('\n');
    assert.equal(ready, '{"ready":true}');
    const error = { code: 'interrupted', message: 'interrupted' };
    assert.deepEqual(JSON.parse(last ?? ''), { ok: false, error, result: { waited: true } });
  });

  it('by SIGTERM lets a daemon end well', async () => {
    const child = startProbe(['wait']);
    const ended = finished(child);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    assert.equal((await ended).status, 0);
  });

  it('ends a command that does not listen: at the second signal at once', async () => {
    const child = startProbe(['deaf']);
    const ended = finished(child);
    await once(child.stdout, 'data');
    const again = setInterval(() => child.kill('SIGINT'), 20);
    const { status, signal } = await ended;
    clearInterval(again);
    assert.deepEqual([status, signal], [null, 'SIGINT']);
  });

  it('ends a command that does not listen: in the end also without', async () => {
    const child = startProbe(['deaf']);
    const ended = finished(child);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { status, signal } = await ended;
    assert.ok(status === 130 || signal === 'SIGINT', `${status} ${signal}`);
  });

  it('by a reader that goes away is silent', async () => {
    for (const what of ['forever', 'big']) {
      const child = startProbe([what]);
      child.stdout.once('data', () => child.stdout.destroy());
      const { status, signal, stderr } = await finished(child);
      assert.deepEqual([status, signal, stderr], [0, null, ''], what);
    }
  });
});
