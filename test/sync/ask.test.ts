/** A member asks which workspace is at the other end. */
import assert from 'node:assert/strict';
import { askWorkspace } from '../../src/sync/ask.js';
import { runSync } from '../../src/sync/driver.js';
import { joinedChannels } from '../../src/sync/path.js';
import { rejects } from '../conform/expect.js';
import { seededRng, TestClock } from './channels.js';
import { workspaceOf } from './workspace.js';

const TIMEOUT_MS = 1_000;

describe('asking for the workspace', () => {
  function asked(answers: boolean) {
    const [member] = [...workspaceOf(['a'])];
    assert.ok(member !== undefined);
    const ports = { clock: new TestClock(), rng: seededRng(1) };
    const [near, far] = joinedChannels();
    if (answers) void runSync(member, far, ports, { mode: 'answer' });
    return { member, ports, asking: askWorkspace(near, member.device, ports, TIMEOUT_MS) };
  }

  it('is answered to one whom the other side would admit', async () => {
    const { member, asking } = asked(true);
    member.admit = (device) =>
      device === member.device ? { ok: true } : { ok: false, why: 'a stranger' };
    assert.equal(await asking, member.workspace);
  });

  it('is refused to a stranger in the words that everybody gets', async () => {
    const { member, asking } = asked(true);
    member.admit = () => ({ ok: false, why: 'a stranger' });
    await assert.rejects(asking, {
      code: 'denied',
      message: /no such workspace here, or no right/,
    });
  });

  it('ends where nobody answers in time', async () => {
    const { ports, asking } = asked(false);
    const ended = rejects(asking, 'unreachable');
    ports.clock.advance(TIMEOUT_MS);
    await ended;
    assert.equal(ports.clock.pending, 0);
  });
});
