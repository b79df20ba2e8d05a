/**
 * Reads which workspace a caller means, for an answerer that has several. The session that
 * follows gets the greeting again, as if nobody had looked.
 */
import { WnError } from '../core/errors.js';
import type { WorkspaceId } from '../core/ids.js';
import { SYNC_ADMISSION_MS, SYNC_UNPROVEN_FRAME_BYTES } from '../core/limits.js';
import type { Clock, SecureChannel } from '../core/ports.js';
import { decodeMessage } from './decode.js';
import { ANY_WORKSPACE, encodeMessage } from './frames.js';
import { notAdmitted } from './greeting.js';
import { refusalOf } from './refusal.js';

export type Greeted =
  | { readonly workspace: WorkspaceId; readonly channel: SecureChannel }
  /** The channel is closed. */
  | { readonly fault: string };

export async function readGreeting(
  channel: SecureChannel,
  clock: Pick<Clock, 'after'>,
): Promise<Greeted> {
  const frames = channel.frames()[Symbol.asyncIterator]();
  const cancel = clock.after(SYNC_ADMISSION_MS, () => void channel.close());
  try {
    const first = await frames.next();
    if (first.done === true) return await refused(channel, 'no greeting');
    const message = decodeMessage(first.value, SYNC_UNPROVEN_FRAME_BYTES);
    if (message?.type !== 'hello') return await refused(channel, 'something before a greeting');
    // Where there are several, who doesn't say which is told nothing.
    if (message.workspace === ANY_WORKSPACE) return await refused(channel, 'no workspace named');
    return { workspace: message.workspace, channel: replayed(channel, first.value, frames) };
  } catch (error) {
    return refused(channel, error instanceof Error ? error.message : String(error));
  } finally {
    cancel();
  }
}

async function refused(channel: SecureChannel, fault: string): Promise<Greeted> {
  await admitNobody(channel);
  return { fault };
}

/** Says what all hear who may not be here, and hangs up. */
export async function admitNobody(channel: SecureChannel): Promise<void> {
  const reason = notAdmitted();
  const frame = encodeMessage({ type: 'error', code: refusalOf(reason), text: reason.message });
  try {
    await channel.send(frame);
  } catch (error) {
    // Who has gone meanwhile need not hear it.
    if (!(error instanceof WnError)) throw error;
  }
  await channel.close();
}

function replayed(
  channel: SecureChannel,
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): SecureChannel {
  return {
    peer: channel.peer,
    send: (frame) => channel.send(frame),
    close: () => channel.close(),
    async *frames() {
      yield first;
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        yield next.value;
      }
    },
  };
}
