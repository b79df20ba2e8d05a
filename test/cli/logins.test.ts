import assert from 'node:assert/strict';
import { Logins } from '../../src/cli/logins.js';
import { joinedChannels } from '../../src/sync/path.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('logins that may ask', () => {
  /** A login over a channel of its own, which reads until the other side closes. */
  function login(logins: Logins, mayAsk: boolean, begun: string[], name: string) {
    const [near, far] = joinedChannels();
    const done = logins.oneAtATime(mayAsk, async (through) => {
      begun.push(name);
      const heard: string[] = [];
      for await (const frame of through(near).frames()) heard.push(Buffer.from(frame).toString());
      return heard;
    });
    return { far, done };
  }

  it('begin one after the other: when the one before has been let in, or is over', async () => {
    const logins = new Logins();
    const begun: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => login(logins, true, begun, name));
    await settle();
    assert.deepEqual(begun, ['a']);
    await a?.far.send(Buffer.from('hello'));
    await settle();
    assert.deepEqual(begun, ['a', 'b'], 'a is let in, and goes on');
    await b?.far.close();
    await settle();
    assert.deepEqual(begun, ['a', 'b', 'c'], 'b is over');
    await a?.far.send(Buffer.from('more'));
    await Promise.all([a?.far.close(), c?.far.close()]);
    assert.deepEqual(await a?.done, ['hello', 'more']);
    assert.deepEqual([await b?.done, await c?.done], [[], []]);
  });

  it('let the next one begin when they fail', async () => {
    const logins = new Logins();
    const failing = logins.oneAtATime(true, () => Promise.reject(new Error('no route')));
    const next = logins.oneAtATime(true, () => Promise.resolve('in'));
    await assert.rejects(failing, /no route/);
    assert.equal(await next, 'in');
  });

  it('are not waited for by those that ask nothing', async () => {
    const logins = new Logins();
    const begun: string[] = [];
    const all = [true, false, false].map((mayAsk, i) => login(logins, mayAsk, begun, `${i}`));
    await settle();
    assert.deepEqual(begun.sort(), ['0', '1', '2']);
    for (const { far, done } of all) {
      await far.close();
      await done;
    }
  });
});
