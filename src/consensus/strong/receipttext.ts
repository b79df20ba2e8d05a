/**
 * A receipt as a file that can be mailed and printed: one word in lines.
 *
 *   text    = "wn-receipt-1." base64url(length(u32 BE) crc32c(u32 BE) payload), in lines
 *   payload = CBOR [1, group, genesis header, proof, [proof…]]
 *   proof   = [index, term, type, data, prev, outcome, [entry hash, outcome hash],
 *              [sibling…], certificate]
 *
 * The checksum tells damage from forgery. Leaves out whether it holds (`receipt.ts`).
 */
import {
  asArray,
  asBytes,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { idBytes, toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { crc32c } from '../../core/frame.js';
import { STRONG_RECEIPT_BYTES_MAX } from '../../core/limits.js';
import { decodeCertificate, encodeCertificate } from './certificate.js';
import { decodeEntry, typeNumber } from './entry.js';
import { HASH_BYTES } from './merkle.js';
import { decodeOutcome, encodeOutcome } from './outcome.js';
import { asHashes } from './request.js';
import type { Proof, Receipt } from './types.js';

const VERSION = 1;
const PREFIX = 'wn-receipt-1.';
const HEAD_BYTES = 8;
const LINE_CHARS = 76;
/** Of a tree of 2^53 leaves. */
const SIBLINGS_MAX = 53;
const AGAIN = 'copy the whole file again, or ask for another receipt';

/** The file's text. Throws `too_large`. */
export function encodeReceipt(receipt: Receipt): string {
  const payload = encodeCanonical([
    VERSION,
    idBytes(receipt.group),
    receipt.genesis,
    encodeProof(receipt.proof),
    receipt.history.map(encodeProof),
  ]);
  if (payload.byteLength > STRONG_RECEIPT_BYTES_MAX) {
    throw new WnError('too_large', `The receipt would have ${payload.byteLength} bytes.`, {
      hint: 'pin a later configuration, so that less history is needed',
    });
  }
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(payload.byteLength, 0);
  head.writeUInt32BE(crc32c(payload), 4);
  const word = PREFIX + Buffer.concat([head, payload]).toString('base64url');
  return `${word.match(new RegExp(`.{1,${LINE_CHARS}}`, 'g'))?.join('\n') ?? ''}\n`;
}

/**
 * Reads a receipt; what a mail program did to its lines doesn't matter. Throws `invalid`,
 * or `unknown_format` for one of a newer version.
 */
export function decodeReceipt(text: string): Receipt {
  if (text.length > 2 * STRONG_RECEIPT_BYTES_MAX) throw notAReceipt('It is too long.');
  const word = text.replace(/\s+/g, '');
  if (!word.startsWith(PREFIX)) {
    if (/^wn-receipt-\d+\./.test(word)) throw newer();
    throw notAReceipt(`A receipt begins with ${PREFIX}`);
  }
  return decodePayload(unwrap(word.slice(PREFIX.length)));
}

function newer(): WnError {
  return new WnError('unknown_format', 'The receipt was made by a newer wn.', {
    hint: 'update wn on this machine, then verify it again',
  });
}

function notAReceipt(why: string, cause?: unknown): WnError {
  return new WnError('invalid', `This is not a receipt. ${why}`, { hint: AGAIN, cause });
}

/** Length first, so that a receipt cut short is called that. */
function unwrap(encoded: string): Uint8Array {
  const bytes = Buffer.from(encoded, 'base64url');
  const length = bytes.byteLength < HEAD_BYTES ? Infinity : bytes.readUInt32BE(0);
  if (bytes.byteLength < HEAD_BYTES + length) {
    throw new WnError('invalid', 'The receipt is cut short.', { hint: AGAIN });
  }
  const payload = bytes.subarray(HEAD_BYTES);
  const isWhole = payload.byteLength === length && bytes.toString('base64url') === encoded;
  if (!isWhole || crc32c(payload) !== bytes.readUInt32BE(4)) {
    throw new WnError('invalid', 'The receipt is damaged.', { hint: AGAIN });
  }
  return payload;
}

function decodePayload(payload: Uint8Array): Receipt {
  try {
    const parts = asArray(decodeCanonical(payload, STRONG_RECEIPT_BYTES_MAX), 'receipt');
    if (parts[0] !== VERSION) throw newer();
    const [, group, genesis, proof, history] = asArray(parts, 'receipt', 5);
    return {
      group: toHex(asBytes(group, 'group', 32)),
      genesis: asBytes(genesis, 'genesis'),
      proof: decodeProof(proof),
      history: asArray(history, 'history').map(decodeProof),
    };
  } catch (error) {
    if (!(error instanceof WnError) || error.code !== 'invalid') throw error;
    throw notAReceipt(`${error.message}.`, error);
  }
}

function encodeProof(proof: Proof): Canonical {
  const { index, term, type, data } = proof.entry;
  return [
    index,
    term,
    typeNumber(type),
    data,
    proof.prev,
    encodeOutcome(proof.outcome),
    [proof.leaf.entry, proof.leaf.outcome],
    proof.siblings,
    encodeCertificate(proof.certificate),
  ];
}

function decodeProof(value: Canonical | undefined): Proof {
  const parts = asArray(value, 'proof', 9);
  const [, , , , prev, outcome, leaf, siblings, certificate] = parts;
  const [entry, outcomeHash] = asArray(leaf, 'leaf', 2);
  return {
    entry: decodeEntry(parts),
    prev: asBytes(prev, 'hash of the entry before', HASH_BYTES),
    outcome: decodeOutcome(outcome),
    leaf: {
      entry: asBytes(entry, 'hash of the entry', HASH_BYTES),
      outcome: asBytes(outcomeHash, 'hash of the outcome', HASH_BYTES),
    },
    siblings: asHashes(siblings, SIBLINGS_MAX),
    certificate: decodeCertificate(certificate),
  };
}
