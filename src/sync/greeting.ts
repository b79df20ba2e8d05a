/**
 * HELLO: who speaks, which versions, with what right. The one place where a peer is
 * admitted; `SyncReads.admit` gives the verdict.
 */
import type { DeviceId } from '../core/ids.js';
import { SYNC_CREDENTIAL_BYTES_MAX } from '../core/limits.js';
import { assert, type WnError } from '../core/errors.js';
import { ANY_WORKSPACE, type Hello, type SyncMode } from './frames.js';
import { refusal } from './refusal.js';
import type { SyncReads } from './store.js';

export interface GreetingConfig {
  readonly store: SyncReads;
  /** The peer as the transport proves it; null where it proves nobody. */
  readonly peer: DeviceId | null;
  /** Whom the dialler means to reach; null for whoever answers. */
  readonly expected: DeviceId | null;
  /** Who answered here the last time: a guess, which may be wrong and costs a round trip then. */
  readonly likely: DeviceId | null;
  readonly nonce: Uint8Array;
  readonly versions: readonly number[];
}

/** Says neither whether there is such a workspace nor what the right lacks. */
const NOT_ADMITTED = 'no such workspace here, or no right to it';

/** The one answer to all who may not be here, whatever the reason. */
export function notAdmitted(): WnError {
  return refusal('denied', NOT_ADMITTED);
}

export function makeHello(config: GreetingConfig, mode: SyncMode): Hello {
  const { store, versions, nonce } = config;
  const credential = store.credential();
  assert(credential.byteLength <= SYNC_CREDENTIAL_BYTES_MAX, 'a credential over its bound');
  const { workspace, device } = store;
  return { type: 'hello', versions, workspace, device, mode, credential, nonce };
}

/**
 * The version to speak with this peer. Throws a refusal: `version` where there is none in
 * common or the peer fell below what it spoke before, `denied` for all else, in one and
 * the same words. The store is asked whatever the workspace, so that time tells nothing.
 */
export function admitted(config: GreetingConfig, hello: Hello): number {
  const { store, peer, expected, versions } = config;
  const common = hello.versions.filter((version) => versions.includes(version));
  if (common.length === 0) {
    throw refusal(
      'version',
      `no protocol version in common: ${versions.join(', ')} here`,
      'update wn on the side that has the older one',
    );
  }
  const verdict = store.admit(hello.device, hello.credential);
  const meant = [peer, expected].every((device) => device === null || device === hello.device);
  // A member that wants one more copy may not know which workspace it is; see `ask.ts`.
  const same = hello.workspace === store.workspace || hello.workspace === ANY_WORKSPACE;
  if (!verdict.ok || !meant || !same) {
    throw notAdmitted();
  }
  const version = Math.max(...common);
  const spoken = store.checkpoint(hello.device)?.version ?? 0;
  if (version < Math.min(spoken, Math.max(...versions))) {
    throw refusal(
      'version',
      `version ${version} of the protocol, where this device spoke ${spoken} before`,
      'if that device really went back to an older wn, update it',
    );
  }
  return version;
}

/** Whether the peer may be sent commits before it has answered: it still has the right it showed. */
export function stillAdmitted(config: GreetingConfig, credential: Uint8Array): boolean {
  return config.store.admit(config.peer, credential).ok;
}
