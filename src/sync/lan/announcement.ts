/**
 * What a device tells the local network, and how members recognise it. The key comes from
 * the genesis commit, which only members are given; the name is a fresh one each time, so
 * that nothing in two announcements is the same. Others can't tell whose an announcement is,
 * of which workspace, or whether two are of one device. A former member still can.
 */
import { fromHex, toHex, utf8 } from '../../core/bytes.js';
import { hash, mac } from '../../core/crypto.js';
import type { DeviceId } from '../../core/ids.js';
import type { Announcement, Rng } from '../../core/ports.js';

const INSTANCE_BYTES = 16;
/** Of each half of a tag. */
const HALF_BYTES = 8;
const INSTANCE = /^[0-9a-f]{32}$/;
const TAG = /^[0-9a-f]{32}$/;

/** 32 bytes, from the content of the genesis commit, which has 16 random bytes in it. */
export function lanKey(genesis: Uint8Array): Uint8Array {
  return hash('wn/lan-key/1', genesis);
}

/** What hides the handshake with a device from those who aren't members: 32 bytes. */
export function lanVeilKey(key: Uint8Array, device: DeviceId): Uint8Array {
  return mac('wn/lan-veil/1', key, fromHex(device));
}

/** A new one, under a name that was never used. */
export function announcementOf(
  key: Uint8Array,
  device: DeviceId,
  port: number,
  rng: Rng,
): Announcement {
  const instance = toHex(rng.bytes(INSTANCE_BYTES));
  const tag = workspaceHalf(key, instance, port) + deviceHalf(key, instance, port, device);
  return { instance, tag, port };
}

/** Whose an announcement says it is. */
export type Recognised =
  | { readonly who: 'member'; readonly device: DeviceId }
  /** Of this workspace, but of a device that isn't known as a member. */
  | { readonly who: 'unknown' }
  /** Of another workspace, or no announcement of ours at all. */
  | { readonly who: 'stranger' };

/**
 * A hint where to look, and no proof: a member can make what it likes, and anyone can repeat
 * what was told.
 */
export function recognise(
  key: Uint8Array,
  members: readonly DeviceId[],
  { instance, tag, port }: Announcement,
): Recognised {
  const good =
    INSTANCE.test(instance) &&
    TAG.test(tag) &&
    Number.isInteger(port) &&
    port > 0 &&
    port < 65_536 &&
    tag.startsWith(workspaceHalf(key, instance, port));
  if (!good) return { who: 'stranger' };
  const half = tag.slice(2 * HALF_BYTES);
  const device = members.find((member) => deviceHalf(key, instance, port, member) === half);
  return device === undefined ? { who: 'unknown' } : { who: 'member', device };
}

/** Tells members from strangers at the cost of one hash, however many devices there are. */
function workspaceHalf(key: Uint8Array, instance: string, port: number): string {
  return toHex(mac('wn/lan-workspace/1', key, place(instance, port)).subarray(0, HALF_BYTES));
}

function deviceHalf(key: Uint8Array, instance: string, port: number, device: DeviceId): string {
  const parts = [place(instance, port), fromHex(device)];
  return toHex(mac('wn/lan-device/1', key, ...parts).subarray(0, HALF_BYTES));
}

/** 34 bytes, so that what follows can't be shifted against it. */
function place(instance: string, port: number): Uint8Array {
  return Buffer.concat([utf8(instance), Uint8Array.of(port >> 8, port & 0xff)]);
}
