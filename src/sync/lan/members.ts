/** Whom a copy of a workspace may look for, and be found by, in the local network. */
import type { DeviceId } from '../../core/ids.js';
import type { Replica } from '../../repo/replica.js';
import { lanKey } from './announcement.js';

/** Null before the genesis commit is here: nobody could be recognised. */
export function lanKeyOf({ history, ws }: Replica): Uint8Array | null {
  const genesis = history.find(ws);
  const [group] = genesis === null ? [] : history.commit(genesis).groups;
  return group == null ? null : lanKey(group);
}

/** The other devices that have written here and whose right holds now. */
export function lanMembersOf({ history, authority, device, ports }: Replica): readonly DeviceId[] {
  const devices = new Set(history.allLogs().map(({ dev }) => dev));
  devices.delete(device);
  const nowMs = ports.clock.wallMs();
  return [...devices].filter((other) => authority.actingCap(other, nowMs) !== null);
}
