/**
 * TLS 1.3 with a pre-shared key (RFC 8446, 4.2.11) within a relay's pipe, or in a local
 * network, below SSH: an SSH server shows its host key before anything is encrypted, and here
 * that is a device's key, which a relay, or who else is in the network, isn't to learn. Who the peer is proves SSH; the key here only keeps out
 * those who don't know the device and the workspace.
 */
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { WnError } from '../core/errors.js';
import { LOGIN_MS } from '../core/limits.js';

const IDENTITY = 'wn';
const TERMS = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;

/** Both ends give the same 32 bytes; one is `calling`. Throws `unreachable`. Closes what failed. */
export async function veil(
  line: Duplex,
  key: Uint8Array,
  calling: boolean,
  loginMs = LOGIN_MS,
): Promise<Duplex> {
  const secure = calling ? client(line, key) : server(line, key);
  const timer = setTimeout(() => secure.destroy(), loginMs);
  try {
    await new Promise<void>((resolve, reject) => {
      secure.once('secure', resolve);
      secure.once('error', reject);
      secure.once('close', () => reject(new Error('closed')));
    });
    return secure;
  } catch (cause) {
    line.destroy();
    throw new WnError('unreachable', 'something else answers there, or nothing more', {
      hint: 'nothing was exchanged; try again, and check the address if it stays so',
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}

function client(line: Duplex, key: Uint8Array): TLSSocket {
  return connect({
    ...TERMS,
    socket: line,
    pskCallback: () => ({ psk: key, identity: IDENTITY }),
    // There is no certificate whose name could be checked.
    checkServerIdentity: () => undefined,
  });
}

function server(line: Duplex, key: Uint8Array): TLSSocket {
  const options: TLSSocketOptions & { pskCallback: (line: TLSSocket, id: string) => Uint8Array } = {
    ...TERMS,
    isServer: true,
    secureContext: createSecureContext(TERMS),
    pskCallback: () => key,
  };
  return new TLSSocket(line, options);
}
