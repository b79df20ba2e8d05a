/** TLS between a device and a relay: certificates, and what binds a proof to the session. */
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { WnError } from '../core/errors.js';
import { LOGIN_MS } from '../core/limits.js';
import { worldFault } from './faults.js';

/** Throws `usage` for files that aren't a certificate and its key. */
export function loadCertificate(certFile: string, keyFile: string): SecureContext {
  try {
    const [cert, key] = [certFile, keyFile].map((file) => readFileSync(file));
    return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (cause) {
    const error = worldFault(cause, certFile);
    if (error instanceof WnError) throw error;
    throw new WnError('usage', `no certificate with its key in ${certFile} and ${keyFile}`, {
      hint: 'both are PEM; the certificate first in its file, then those of its issuers',
      cause,
    });
  }
}

/** Throws `unreachable`, also for a certificate that doesn't hold. Closes what failed. */
export function overTls(socket: Socket, host: string): Promise<TLSSocket> {
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const line = connect({ socket, host, ...servername, minVersion: 'TLSv1.2' });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => line.destroy(new Error('no answer in time')), LOGIN_MS);
    line.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(line);
    });
    line.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      socket.destroy();
      reject(noTls(host, cause));
    });
  });
}

function noTls(host: string, cause: NodeJS.ErrnoException): WnError {
  const { code = '', message } = cause;
  const [why, remedy] = FAULTS.find(([codes]) => codes.test(code))?.slice(1) ?? [message];
  const hint = remedy === undefined ? '' : `; ${remedy}`;
  return new WnError('unreachable', `no TLS with ${host}: ${why ?? message}`, {
    hint: `nothing was exchanged${hint}`,
    details: { reason: 'no_tls' },
    cause,
  });
}

/** What is wrong, by the codes of OpenSSL and of Node.js, and what mends it. */
const FAULTS: readonly (readonly [codes: RegExp, why: string, remedy: string])[] = [
  [
    /^ERR_TLS_CERT_ALTNAME/,
    'its certificate is for another name',
    'use the name in the certificate, or have one made for this name',
  ],
  [/^CERT_HAS_EXPIRED/, 'its certificate has expired', 'who runs it must renew it'],
  [
    /^CERT_NOT_YET_VALID/,
    'its certificate is not valid yet',
    'is the clock of this machine right?',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)/,
    'its certificate is from nobody whom this machine trusts',
    'for an authority of your own: NODE_EXTRA_CA_CERTS=FILE, with its certificate (PEM)',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|^EPROTO/,
    'it does not speak TLS there',
    'without TLS its address begins with wn+relay://',
  ],
];

/** 32 bytes that both ends of a session have, and no other session (RFC 9266). */
export function exporterOf(line: TLSSocket): Uint8Array {
  return line.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
}
