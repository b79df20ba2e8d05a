/**
 * Ed25519 private keys in OpenSSH's own format (openssh-portable, PROTOCOL.key), so that
 * `ssh-keygen` can show, convert or encrypt a device's key. Writes and reads unencrypted
 * ones; an encrypted one is left to `ssh2`, which has the key derivation and takes long
 * to load.
 */
import { createPrivateKey } from 'node:crypto';
import { concat, equalBytes, fromHex, utf8 } from '../core/bytes.js';
import { signerFromSeed } from '../core/crypto.js';
import { WnError } from '../core/errors.js';

export interface DeviceSecret {
  /** 32 bytes (RFC 8032). */
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';
const END = '-----END OPENSSH PRIVATE KEY-----';
const MAGIC = utf8('openssh-key-v1\0');
const KEY_TYPE = utf8('ssh-ed25519');
const NONE = utf8('none');
const LINE_CHARS = 70;
const BLOCK_BYTES = 8;

export function secretFromSeed(seed: Uint8Array): DeviceSecret {
  const publicKey = fromHex(signerFromSeed(seed).publicKey);
  return { seed: Uint8Array.from(seed), publicKey: Uint8Array.from(publicKey) };
}

/** The key file's text. `check` is any number of 32 bits. */
export function formatKey(secret: DeviceSecret, comment: string, check: number): string {
  const publicPart = concat([field(KEY_TYPE), field(secret.publicKey)]);
  const body = concat([
    uint32(check),
    uint32(check),
    publicPart,
    field(concat([secret.seed, secret.publicKey])),
    field(utf8(comment)),
  ]);
  const missing = (BLOCK_BYTES - (body.byteLength % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = Uint8Array.from({ length: missing }, (_, index) => index + 1);
  const whole = concat([
    ...[MAGIC, field(NONE), field(NONE), field(utf8('')), uint32(1)],
    ...[field(publicPart), field(concat([body, padding]))],
  ]);
  const lines = Buffer.from(whole)
    .toString('base64')
    .match(new RegExp(`.{1,${LINE_CHARS}}`, 'g'));
  return [BEGIN, ...(lines ?? []), END, ''].join('\n');
}

/**
 * The key in a file's text. Throws `invalid` for anything but one Ed25519 key, `denied`
 * for an encrypted key without its passphrase or with a wrong one.
 */
export async function parseKey(
  text: string,
  passphrase: () => string | null,
): Promise<DeviceSecret> {
  const body = new RegExp(`^${BEGIN}\\s+([A-Za-z0-9+/=\\s]+)${END}\\s*$`).exec(text)?.[1];
  if (body === undefined) throw notAKey();
  const reader = new Reader(Buffer.from(body, 'base64'));
  if (!equalBytes(reader.take(MAGIC.byteLength), MAGIC)) throw notAKey();
  const cipher = reader.field();
  reader.field(); // name of the key derivation
  reader.field(); // its options
  if (!equalBytes(cipher, NONE)) return decrypt(text, passphrase());
  if (reader.uint32() !== 1) throw notAKey();
  reader.field(); // the public part, which the private one repeats
  return parseSecret(new Reader(reader.field()));
}

function parseSecret(reader: Reader): DeviceSecret {
  if (reader.uint32() !== reader.uint32()) throw notAKey();
  if (!equalBytes(reader.field(), KEY_TYPE)) throw notAKey();
  const publicKey = reader.field();
  const secret = secretFromSeed(new Reader(reader.field()).take(32));
  if (!equalBytes(secret.publicKey, publicKey)) throw notAKey();
  return secret;
}

async function decrypt(text: string, passphrase: string | null): Promise<DeviceSecret> {
  if (passphrase === null) {
    throw new WnError('denied', 'the device key is encrypted and there is no passphrase', {
      hint: 'put the passphrase in a file and name the file in WN_PASSPHRASE_FILE',
    });
  }
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(text, passphrase);
  if (parsed instanceof Error) {
    throw new WnError('denied', 'the device key could not be decrypted: wrong passphrase?', {
      hint: 'correct the file that WN_PASSPHRASE_FILE names',
      cause: parsed,
    });
  }
  const [key] = [parsed].flat(); // several keys in one file come as an array, whatever its types say
  if (key?.type !== 'ssh-ed25519') throw notAKey();
  const jwk = createPrivateKey(key.getPrivatePEM()).export({ format: 'jwk' });
  return secretFromSeed(Buffer.from(jwk.d ?? '', 'base64url'));
}

function notAKey(): WnError {
  return new WnError('invalid', "the device key file doesn't hold one OpenSSH Ed25519 key", {
    hint: 'restore it from a backup; a new key would be a new device',
  });
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A string of RFC 4251 §5: its length, then its bytes. */
function field(bytes: Uint8Array): Uint8Array {
  return concat([uint32(bytes.byteLength), bytes]);
}

/** Reads such fields; throws `invalid` at the end of the bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.byteLength - this.#at) throw notAKey();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return Buffer.from(this.take(4)).readUInt32BE();
  }

  field(): Uint8Array {
    return this.take(this.uint32());
  }
}
