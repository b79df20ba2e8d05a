/**
 * The only file that touches cryptography: SHA-256 with a domain tag per kind
 * (FIPS 180-4), HMAC, Ed25519 (RFC 8032) over a tagged hash, the checks of public
 * keys that OpenSSL leaves out, X25519 (RFC 7748) and ChaCha20-Poly1305 (RFC 8439). One verifier for the whole program.
 */
import * as crypto from 'node:crypto';
import { fromHex, toHex, utf8 } from './bytes.js';
import { WnError } from './errors.js';

/** Kinds of hashed things; the tag keeps a hash of one kind from passing for another. */
export type HashTag =
  | 'wn/commit/1'
  | 'wn/group/1'
  | 'wn/cap/1'
  | 'wn/log/1'
  | 'wn/node/1'
  | 'wn/root/1'
  | 'wn/blob/1'
  | 'wn/view/1'
  | 'wn/frontier/1'
  | 'wn/file/1'
  | 'wn/relay-listener/1'
  | 'wn/relay-caller/1'
  | 'wn/relay-name/1'
  | 'wn/relay-proof/1'
  | 'wn/relay-veil/1'
  | 'wn/mailbox-key/1'
  | 'wn/mailbox-id/1'
  | 'wn/mailbox-seal/1'
  | 'wn/strong/1'
  | 'wn/strong-config/1'
  | 'wn/request/1'
  | 'wn/requests/1'
  | 'wn/entry/1'
  | 'wn/outcome/1'
  | 'wn/vote/1'
  | 'wn/strong-value/1'
  | 'wn/lan-key/1'
  | 'wn/lan-workspace/1'
  | 'wn/lan-device/1'
  | 'wn/lan-veil/1';

/** Up to here copying the parts together is cheaper than a hash object. */
const ONE_SHOT_BYTES_MAX = 16 * 1024;

const tagBytes = new Map<HashTag, Uint8Array>();

/** SHA-256 of tag, one zero byte, then the parts in order. 32 bytes. */
export function hash(tag: HashTag, ...parts: readonly Uint8Array[]): Uint8Array {
  const joined = joinShort(tag, parts);
  return joined === null ? digest(tag, parts).digest() : crypto.hash('sha256', joined, 'buffer');
}

export function hashHex(tag: HashTag, ...parts: readonly Uint8Array[]): string {
  const joined = joinShort(tag, parts);
  return joined === null ? digest(tag, parts).digest('hex') : crypto.hash('sha256', joined, 'hex');
}

/** Plain SHA-256, for the trees of RFC 6962, which bring marks of their own. 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return crypto.hash('sha256', bytes, 'buffer');
}

/** Tag and parts in one piece; null where that is too long to be worth copying. */
function joinShort(tag: HashTag, parts: readonly Uint8Array[]): Uint8Array | null {
  const prefix = prefixOf(tag);
  let length = prefix.byteLength;
  for (const part of parts) length += part.byteLength;
  if (length > ONE_SHOT_BYTES_MAX) return null;
  const joined = Buffer.allocUnsafe(length);
  joined.set(prefix);
  let at = prefix.byteLength;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

function digest(tag: HashTag, parts: readonly Uint8Array[]): crypto.Hash {
  const state = crypto.createHash('sha256').update(prefixOf(tag));
  for (const part of parts) state.update(part);
  return state;
}

function prefixOf(tag: HashTag): Uint8Array {
  let prefix = tagBytes.get(tag);
  if (prefix === undefined) {
    prefix = utf8(`${tag}\0`);
    tagBytes.set(tag, prefix);
  }
  return prefix;
}

/** HMAC-SHA-256 (RFC 2104) over tag, one zero byte, then the parts in order. 32 bytes. */
export function mac(tag: HashTag, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = crypto.createHmac('sha256', key).update(prefixOf(tag));
  for (const part of parts) state.update(part);
  return state.digest();
}

/** An incremental tagged hash, for content that is read in pieces. */
export function hasher(tag: HashTag): { update(part: Uint8Array): void; hex(): string } {
  const state = crypto.createHash('sha256').update(prefixOf(tag));
  return { update: (part) => void state.update(part), hex: () => state.digest('hex') };
}

/** A device's or ticket's key pair. `publicKey` is hex; the seed never leaves the closure. */
export interface Signer {
  readonly publicKey: string;
  /** 64 bytes over a tagged hash. */
  sign(tagged: Uint8Array): Uint8Array;
}

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** From the 32-byte Ed25519 seed. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.byteLength !== 32) throw new WnError('invalid', 'a key seed has 32 bytes');
  const key = crypto.createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const jwk = crypto.createPublicKey(key).export({ format: 'jwk' });
  const publicKey = toHex(Buffer.from(jwk.x ?? '', 'base64url'));
  return { publicKey, sign: (tagged) => crypto.sign(null, tagged, key) };
}

const FIELD_PRIME = 2n ** 255n - 19n;

/**
 * y-coordinates of the points whose order divides 8 (with the sign bit cleared). With
 * such a key one signature verifies for every message, and OpenSSL accepts it.
 */
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
  FIELD_PRIME - 1n,
]);

/** Why a public key (32 bytes, hex) can't be used; null if it can. */
export function badPublicKey(publicKey: string): string | null {
  if (!/^[0-9a-f]{64}$/.test(publicKey)) return 'not 32 bytes';
  const littleEndian = toHex(fromHex(publicKey).slice().reverse());
  const y = BigInt(`0x${littleEndian}`) & (2n ** 255n - 1n);
  if (y >= FIELD_PRIME) return 'not canonical';
  if (SMALL_ORDER_Y.has(y)) return 'of small order';
  return null;
}

const KEYS_CACHED_MAX = 1_024;
const keys = new Map<string, crypto.KeyObject | null>();

/** The key object; null for a key that must not be used. JWK import is ten times faster than DER. */
function keyObject(publicKey: string): crypto.KeyObject | null {
  const cached = keys.get(publicKey);
  if (cached !== undefined) return cached;
  let key: crypto.KeyObject | null = null;
  if (badPublicKey(publicKey) === null) {
    const x = Buffer.from(publicKey, 'hex').toString('base64url');
    key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  }
  if (keys.size >= KEYS_CACHED_MAX) keys.delete(keys.keys().next().value ?? '');
  keys.set(publicKey, key);
  return key;
}

/** True iff `signature` is `publicKey`'s (hex) over `tagged`. Bad keys verify nothing. */
export function verify(publicKey: string, tagged: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== 64) return false;
  const key = keyObject(publicKey);
  if (key === null) return false;
  try {
    return crypto.verify(null, tagged, key, signature);
  } catch {
    return false; // a key that is no point on the curve
  }
}

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The X25519 secret (32 bytes) that belongs to an Ed25519 seed (RFC 8032, 5.1.5, steps 1 and 2). */
export function exchangeSecret(seed: Uint8Array): Uint8Array {
  return crypto.createHash('sha512').update(seed).digest().subarray(0, 32);
}

/** The X25519 public key of a device's Ed25519 key (hex): u = (1 + y) / (1 - y), RFC 7748, 4.1. */
export function exchangePublic(publicKey: string): Uint8Array | null {
  if (badPublicKey(publicKey) !== null) return null;
  const littleEndian = toHex(fromHex(publicKey).slice().reverse());
  const y = BigInt(`0x${littleEndian}`) & (2n ** 255n - 1n);
  const u = ((1n + y) * inverse(FIELD_PRIME + 1n - y)) % FIELD_PRIME;
  return fromHex(u.toString(16).padStart(64, '0')).reverse();
}

/** By Fermat: a^(p-2). */
function inverse(value: bigint): bigint {
  let [result, base] = [1n, value % FIELD_PRIME];
  for (let power = FIELD_PRIME - 2n; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % FIELD_PRIME;
    base = (base * base) % FIELD_PRIME;
  }
  return result;
}

function exchangeKey(secret: Uint8Array): crypto.KeyObject {
  const key = Buffer.concat([PKCS8_X25519, secret]);
  return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The public key (32 bytes) of an X25519 secret. */
export function exchangePublicOf(secret: Uint8Array): Uint8Array {
  const jwk = crypto.createPublicKey(exchangeKey(secret)).export({ format: 'jwk' });
  return Buffer.from(jwk.x ?? '', 'base64url');
}

/** X25519: 32 bytes that only the holders of the two secrets can compute; null for a bad key. */
export function agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  const x = Buffer.from(publicKey).toString('base64url');
  try {
    const theirs = crypto.createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x },
      format: 'jwk',
    });
    return crypto.diffieHellman({ privateKey: exchangeKey(secret), publicKey: theirs });
  } catch {
    return null; // of small order, or not a key
  }
}

const AEAD = 'chacha20-poly1305';
const AEAD_NONCE = new Uint8Array(12);
export const AEAD_TAG_BYTES = 16;

/** ChaCha20-Poly1305 under a key that is used once, and so needs no nonce. Tag last. */
export function sealOnce(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = crypto.createCipheriv(AEAD, key, AEAD_NONCE, { authTagLength: AEAD_TAG_BYTES });
  const sealed = cipher.update(plain);
  return Buffer.concat([sealed, cipher.final(), cipher.getAuthTag()]);
}

/** Null unless it was sealed with `key` and not a bit has changed since. */
export function openOnce(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  const end = sealed.byteLength - AEAD_TAG_BYTES;
  if (end < 0) return null;
  const cipher = crypto.createDecipheriv(AEAD, key, AEAD_NONCE, { authTagLength: AEAD_TAG_BYTES });
  cipher.setAuthTag(sealed.subarray(end));
  try {
    const plain = cipher.update(sealed.subarray(0, end));
    return Buffer.concat([plain, cipher.final()]);
  } catch {
    return null;
  }
}
