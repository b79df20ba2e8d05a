import assert from 'node:assert/strict';
import { ago } from '../../src/cli/ago.js';
import { complaint, showRemote } from '../../src/cli/lag.js';
import type { RemoteStatus } from '../../src/cli/remotes.js';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;

function remote(ahead: number, behind: number, hoursAgo: number | null): RemoteStatus {
  const lastOkAt = hoursAgo === null ? null : new Date(NOW_MS - hoursAgo * HOUR_MS).toISOString();
  return { name: 'usb', url: '/usb', ahead, behind, lastOkAt };
}

const complain = (remoteStatus: RemoteStatus, maxLagMs?: number): string | null =>
  complaint(remoteStatus, NOW_MS, maxLagMs);

describe('lag of a remote', () => {
  it('without a bound is whatever one side lacks', () => {
    assert.equal(complain(remote(0, 0, 100)), null);
    assert.equal(complain(remote(2, 0, 0)), 'usb: 2 to send, 0 known to receive');
    assert.equal(complain(remote(0, 3, 0)), 'usb: 0 to send, 3 known to receive');
    assert.equal(complain(remote(0, 0, null)), 'usb was never reached');
  });

  it('with a bound is the time since it was last in step', () => {
    assert.equal(complain(remote(2, 1, 1), HOUR_MS), null);
    assert.equal(complain(remote(0, 0, 2), 2 * HOUR_MS), null);
    assert.equal(complain(remote(0, 0, 3), 2 * HOUR_MS), 'usb was last in step 3h ago');
    assert.equal(complain(remote(0, 0, null), 1e9), 'usb was never reached');
  });

  it('is shown with what is lacking', () => {
    assert.equal(showRemote(remote(0, 0, 50), NOW_MS), 'usb: in step 2d ago');
    assert.equal(
      showRemote(remote(1, 2, 0.5), NOW_MS),
      'usb: 1 to send, 2 known to receive; last in step 30m ago',
    );
    assert.equal(showRemote(remote(1, 0, null), NOW_MS), 'usb: never reached, 1 commit to send');
  });

  it('is no time at all where a clock was put back', () => {
    assert.deepEqual([-5 * HOUR_MS, 0, 999, 1_000, 59_999].map(ago), [
      'just now',
      'just now',
      'just now',
      '1s ago',
      '59s ago',
    ]);
  });
});
