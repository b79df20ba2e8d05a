/**
 * Asks which workspace is at the other end: for a member that wants one more copy and knows
 * only where. The answerer tells whom it would admit, and nobody else.
 */
import { encodeCanonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import type { DeviceId, WorkspaceId } from '../core/ids.js';
import { SYNC_UNPROVEN_FRAME_BYTES } from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';
import { decodeMessage } from './decode.js';
import type { SyncPorts } from './driver.js';
import { ANY_WORKSPACE, encodeMessage, NONCE_BYTES, SYNC_VERSIONS } from './frames.js';
import { cutShort, refusedByPeer } from './refusal.js';

/** Closes the channel. Throws `denied`, `unreachable`, `invalid`. */
export async function askWorkspace(
  channel: SecureChannel,
  device: DeviceId,
  { clock, rng }: SyncPorts,
  timeoutMs: number,
): Promise<WorkspaceId> {
  const cancel = clock.after(timeoutMs, () => void channel.close());
  try {
    const hello = {
      type: 'hello',
      versions: SYNC_VERSIONS,
      workspace: ANY_WORKSPACE,
      device,
      mode: 'pull',
      credential: encodeCanonical([]),
      nonce: rng.bytes(NONCE_BYTES),
    } as const;
    await channel.send(encodeMessage(hello));
    for await (const frame of channel.frames()) {
      const message = decodeMessage(frame, SYNC_UNPROVEN_FRAME_BYTES);
      if (message?.type === 'hello') return message.workspace;
      if (message?.type === 'error') throw refusedByPeer(message.code, message.text);
      throw new WnError('invalid', 'something before a greeting');
    }
    throw cutShort(null);
  } finally {
    cancel();
    await channel.close();
  }
}
