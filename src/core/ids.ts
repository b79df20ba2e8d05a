/**
 * Identifiers: what each is, how it is derived, how it is printed. Inside the program
 * an id is lower-case hex, so that string order is byte order.
 */
import { encodeCanonical } from './canonical.js';
import { fromBase32, fromHex, toBase32, toHex } from './bytes.js';
import { hash, hashHex } from './crypto.js';
import { WnError } from './errors.js';

/** 32 bytes: hash of the header. */
export type CommitId = string;
/** 32 bytes: the id of the genesis commit. */
export type WorkspaceId = string;
/** 32 bytes: an Ed25519 public key. */
export type DeviceId = string;
/** 32 bytes: hash of the capability. */
export type CapId = string;
/** 16 bytes: names a log, that is, one device in one epoch. */
export type LogId = string;
/** 16 bytes: names a worknode. */
export type NodeId = string;
/** 8 random bytes, minted with each new log. */
export type Epoch = string;

export const NO_WORKSPACE: WorkspaceId = '';

export function logId(device: DeviceId, epoch: Epoch): LogId {
  const known = logIds.get(epoch);
  if (known?.device === device) return known.id;
  const id = hashHex('wn/log/1', fromHex(device), fromHex(epoch)).slice(0, 32);
  if (logIds.size >= LOG_IDS_CACHED_MAX) logIds.clear();
  logIds.set(epoch, { device, id });
  return id;
}

const LOG_IDS_CACHED_MAX = 4_096;
const logIds = new Map<Epoch, { readonly device: DeviceId; readonly id: LogId }>();

/**
 * A worknode's id: bound to the device, the random salt of the group that creates it, the
 * create op's place in that group, and the parent. Two creators can't meet, and an id
 * commits to its whole home: who reuses a salt can't move what he once created.
 */
export function nodeId(device: DeviceId, salt: Uint8Array, index: number, parent: NodeId): NodeId {
  const bytes = encodeCanonical([fromHex(device), salt, index, fromHex(parent)]);
  return toHex(hash('wn/node/1', bytes)).slice(0, 32);
}

/** The root worknode of a workspace. */
export function rootNode(workspace: WorkspaceId): NodeId {
  if (lastRoot.workspace !== workspace) {
    lastRoot = { workspace, node: hashHex('wn/root/1', fromHex(workspace)).slice(0, 32) };
  }
  return lastRoot.node;
}

/** A process has to do with one workspace, mostly. */
let lastRoot = { workspace: NO_WORKSPACE, node: '' };

/** How an id is printed: base32 of all its bytes. */
export function showId(hex: string): string {
  return toBase32(fromHex(hex));
}

/** The hex of a whole printed id; throws `invalid`. */
export function parseId(text: string): string {
  return toHex(fromBase32(text.toLowerCase()));
}

const DID_PREFIX = 'did:key:z';
const MULTICODEC_ED25519 = [0xed, 0x01];
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** `did:key:z6Mk…` (W3C did:key, Ed25519). */
export function showDevice(device: DeviceId): string {
  let value = BigInt(`0x${toHex(Uint8Array.from(MULTICODEC_ED25519))}${device}`);
  let text = '';
  while (value > 0n) {
    text = (BASE58[Number(value % 58n)] ?? '') + text;
    value /= 58n;
  }
  return DID_PREFIX + text;
}

/** The device of a `did:key`; throws `invalid`. */
export function parseDevice(did: string): DeviceId {
  if (!did.startsWith(DID_PREFIX)) throw new WnError('invalid', 'not a did:key of Ed25519');
  let value = 0n;
  for (const char of did.slice(DID_PREFIX.length)) {
    const digit = BASE58.indexOf(char);
    if (digit < 0) throw new WnError('invalid', 'not a did:key: a foreign character');
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16).padStart(68, '0');
  if (hex.length !== 68 || !hex.startsWith('ed01')) {
    throw new WnError('invalid', 'not a did:key of Ed25519');
  }
  return hex.slice(4);
}
