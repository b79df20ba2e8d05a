/**
 * Two stores in one process: the direct path remote (`/path`, `file://`). The session is
 * the one that goes over every other transport; only the channel is short.
 */
import { WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import { SYNC_FRAME_BYTES_MAX } from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';
import { runSync, type SyncOptions, type SyncPorts, type SyncReport } from './driver.js';
import type { SyncMode } from './frames.js';
import type { SyncStore } from './store.js';

/** One direction: frames in order, and a sender that waits while more than one frame's worth is under way. */
class Pipe {
  private readonly queue: Uint8Array[] = [];
  private bytes = 0;
  private ended = false;
  private wakeReader: () => void = () => undefined;
  private wakeSenders: (() => void)[] = [];

  async send(frame: Uint8Array): Promise<void> {
    if (this.ended) throw new WnError('unreachable', 'the channel is closed');
    this.queue.push(frame);
    this.bytes += frame.byteLength;
    this.wakeReader();
    while (this.bytes > SYNC_FRAME_BYTES_MAX && !this.ended) {
      await new Promise<void>((wake) => this.wakeSenders.push(wake));
    }
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.queue.shift();
      if (frame !== undefined) {
        this.bytes -= frame.byteLength;
        this.release();
        yield frame;
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((wake) => (this.wakeReader = wake));
      }
    }
  }

  /** What was sent before still arrives. */
  end(): void {
    this.ended = true;
    this.wakeReader();
    this.release();
  }

  private release(): void {
    for (const wake of this.wakeSenders.splice(0)) wake();
  }
}

/** Two joined channels; each proves to its holder the device given for the other end. */
export function joinedChannels(
  nearPeer: DeviceId | null = null,
  farPeer: DeviceId | null = null,
): readonly [near: SecureChannel, far: SecureChannel] {
  const [out, back] = [new Pipe(), new Pipe()];
  const end = (peer: DeviceId | null, to: Pipe, from: Pipe): SecureChannel => ({
    peer,
    frames: () => from.frames(),
    send: (frame) => to.send(frame),
    close: () => {
      to.end();
      from.end();
      return Promise.resolve();
    },
  });
  return [end(nearPeer, out, back), end(farPeer, back, out)];
}

/**
 * Exchanges between two stores; the near one dials. Both reports, since the far side may need
 * materialising. `shared` makes the near end of the channel one that keeps to turns.
 */
export async function syncStores(
  near: SyncStore,
  far: SyncStore,
  mode: SyncMode,
  ports: SyncPorts,
  options: Omit<SyncOptions, 'mode' | 'expected'> = {},
  shared: (channel: SecureChannel) => SecureChannel = (channel) => channel,
): Promise<{ readonly near: SyncReport; readonly far: SyncReport }> {
  const [dialler, answerer] = joinedChannels();
  const [nearReport, farReport] = await Promise.all([
    runSync(near, shared(dialler), ports, { ...options, mode, expected: far.device }),
    runSync(far, answerer, ports, { ...options, mode: 'answer' }),
  ]);
  return { near: nearReport, far: farReport };
}
