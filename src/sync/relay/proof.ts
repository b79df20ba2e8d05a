/**
 * Keys at a relay, none of which is a device's own: a relay sees public keys that tell
 * nothing to who doesn't know the device and the workspace already. A proof is a signature
 * over the relay's nonce and, where the connection is TLS at both ends, its exporter
 * (RFC 9266), so that a relay can't use a client's proof at another.
 */
import { fromHex, toHex, utf8 } from '../../core/bytes.js';
import { hash, signerFromSeed, verify, type Signer } from '../../core/crypto.js';
import type { DeviceId, WorkspaceId } from '../../core/ids.js';

/** What a proof is bound to: the relay's nonce, and the TLS exporter (32 bytes) or nothing. */
export interface Channel {
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array | null;
}

/**
 * The key under which a device listens for a workspace. Whoever is to reach the device
 * must be able to compute it, so other members have it too: one of them could stand in
 * the device's way, but not in its place, since the pipe's ends prove their devices.
 */
export function listenerKey(device: DeviceId, workspace: WorkspaceId): Signer {
  return signerFromSeed(hash('wn/relay-listener/1', fromHex(device), fromHex(workspace)));
}

/**
 * What hides the handshake within a pipe from the relay: 32 bytes known to whoever knows
 * the device that is called and the workspace.
 */
export function veilKey(device: DeviceId, workspace: WorkspaceId): Uint8Array {
  return hash('wn/relay-veil/1', fromHex(device), fromHex(workspace));
}

/** The key with which a device calls at a relay: its own there, and another at each relay. */
export function callerKey(seed: Uint8Array, relay: string): Signer {
  return signerFromSeed(hash('wn/relay-caller/1', seed, utf8(relay)));
}

/** How one who calls names whom he wants (hex, 32 bytes): a hash of the key listened with. */
export function listenerName(publicKey: string): string {
  return toHex(hash('wn/relay-name/1', fromHex(publicKey)));
}

/** The id of a box (hex, 32 bytes), from the public key that is used for it. */
export function boxId(publicKey: string): string {
  return toHex(hash('wn/mailbox-id/1', fromHex(publicKey)));
}

/** 64 bytes; `fields` are what the record says besides the key. */
export function prove(
  signer: Signer,
  kind: number,
  channel: Channel,
  ...fields: readonly Uint8Array[]
): Uint8Array {
  return signer.sign(transcript(fromHex(signer.publicKey), kind, channel, fields));
}

export function isProven(
  key: Uint8Array,
  signature: Uint8Array,
  kind: number,
  channel: Channel,
  ...fields: readonly Uint8Array[]
): boolean {
  return verify(toHex(key), transcript(key, kind, channel, fields), signature);
}

/** Every part has one length for its kind, so the parts can't be shifted against each other. */
function transcript(
  key: Uint8Array,
  kind: number,
  { nonce, exporter }: Channel,
  fields: readonly Uint8Array[],
): Uint8Array {
  const head = Uint8Array.of(kind, exporter === null ? 0 : 1);
  return hash('wn/relay-proof/1', head, nonce, exporter ?? new Uint8Array(), key, ...fields);
}
