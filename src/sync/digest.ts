/**
 * The hashes of a session and a bundle. They aren't signed, since the channel
 * authenticates: they tell that both sides saw the same bytes in the same order.
 */
import { encodeCanonical } from '../core/canonical.js';
import { hash, type HashTag } from '../core/crypto.js';
import { fromHex, utf8 } from '../core/bytes.js';

/** Content that is read in pieces; the domain keeps it apart from every file. */
const TAG: HashTag = 'wn/file/1';
const DOMAIN = utf8('wn/sync/1\0');

/** The digest of a stream before its first frame: 32 zero bytes. */
export const NO_FRAMES: Uint8Array = new Uint8Array(32);

/** The digest of a stream after one more frame. */
export function chained(digest: Uint8Array, frame: Uint8Array): Uint8Array {
  return hash(TAG, DOMAIN, digest, frame);
}

/**
 * What a session chains in the place of a BLOB frame: the receiver holds the bytes against
 * the hash anyway, and hashing them twice would take a third of the time of a large file.
 */
export function blobMark(hash: string, bytes: Uint8Array | null): Uint8Array {
  return encodeCanonical([fromHex(hash), bytes === null ? null : bytes.byteLength]);
}

/**
 * What END and DONE carry: the stream bound to the greetings, that is, to the versions
 * and nonces in them. A stream recorded in one session never ends well in another.
 */
export function bound(greetings: readonly Uint8Array[], stream: Uint8Array): Uint8Array {
  return hash(TAG, DOMAIN, encodeCanonical([...greetings, stream]));
}
