/**
 * Checkpoints on disk, so that the next session says only what has changed since. Kept for
 * each remote by the side that dials, which may reach several copies of one device, and for
 * each device by the side that answers. A lost or false one costs a round trip.
 */
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import { KEPT_CHECKPOINT_BYTES_MAX } from '../core/limits.js';
import type { Path, Storage } from '../core/ports.js';
import type { Checkpoint, HaveEntry } from './store.js';

export type KeptStorage = Pick<Storage, 'readSync' | 'replace'>;

export class KeptCheckpoints {
  private readonly changed = new Map<DeviceId, Checkpoint>();

  constructor(
    private readonly storage: KeptStorage,
    private readonly pathOf: (peer: DeviceId) => Path,
  ) {}

  get(peer: DeviceId): Checkpoint | null {
    const changed = this.changed.get(peer);
    if (changed !== undefined) return changed;
    const kept = readKept(this.storage, this.pathOf(peer));
    return kept?.device === peer ? kept.checkpoint : null;
  }

  put(peer: DeviceId, checkpoint: Checkpoint): void {
    this.changed.set(peer, checkpoint);
  }

  /** Writes what has changed. */
  async save(): Promise<void> {
    for (const [device, { version, credential, have }] of this.changed) {
      const logs = have.map(({ dev, epoch, seq, head }) => [dev, epoch, seq, head]);
      const text = JSON.stringify({ device, version, credential: toHex(credential), have: logs });
      await this.storage.replace(this.pathOf(device), utf8(`${text}\n`));
    }
    this.changed.clear();
  }
}

/** The file of a remote, for the side that dials. */
export function remoteCheckpointPath(name: string): Path {
  return `remotes/${name}.checkpoint`;
}

/** The file of a device, for the side that answers. */
export function peerCheckpointPath(device: DeviceId): Path {
  return `remotes/peers/${device}`;
}

/** Who answered at a remote the last time; null if nobody did. */
export function lastPeer(storage: KeptStorage, name: string): DeviceId | null {
  return readKept(storage, remoteCheckpointPath(name))?.device ?? null;
}

interface Kept {
  readonly device: DeviceId;
  readonly checkpoint: Checkpoint;
}

/** What can't be read is as good as nothing. */
function readKept(storage: KeptStorage, path: Path): Kept | null {
  const bytes = storage.readSync(path, 0, KEPT_CHECKPOINT_BYTES_MAX);
  if (bytes === null) return null;
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown> | null;
    const { device, version, credential, have } = value ?? {};
    const sound =
      isHex(device, 64) && typeof version === 'number' && isHex(credential) && Array.isArray(have);
    if (!sound) return null;
    const entries = have.map(entryOf);
    return {
      device,
      checkpoint: { version, credential: Uint8Array.from(fromHex(credential)), have: entries },
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WnError) return null;
    throw error;
  }
}

function entryOf(value: unknown): HaveEntry {
  const [dev, epoch, seq, head] = Array.isArray(value) ? (value as unknown[]) : [];
  if (!isHex(dev, 64) || !isHex(epoch, 16) || !isHex(head) || !Number.isSafeInteger(seq)) {
    throw new WnError('invalid', 'an entry of a checkpoint');
  }
  return { dev, epoch, seq: seq as number, head };
}

function isHex(value: unknown, chars?: number): value is string {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/.test(value)) return false;
  return chars === undefined || value.length === chars;
}
