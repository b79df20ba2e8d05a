/**
 * Capabilities: who (`aud`) may do what (`act`), where (`home`) and when, on whose word
 * (`iss`, resting on `prf`); their canonical bytes, ids and signatures, and the root
 * capabilities that genesis implies. Leaves out whether a capability holds good; see
 * `attenuate.ts`.
 *
 *   cap = CBOR [v, alg, ws, iss, aud, [id…], act, nbf | null, exp | null, prf | null, n,
 *               [field…] | null]
 *
 * The signature is the issuer's over the id, which is itself a tagged hash.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  asUint64,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import { fromHex, toHex, utf8 } from '../core/bytes.js';
import { ALGORITHMS } from '../core/commit.js';
import { badPublicKey, hashHex, type Signer } from '../core/crypto.js';
import { assert, WnError } from '../core/errors.js';
import { rootNode, type CapId, type DeviceId, type NodeId, type WorkspaceId } from '../core/ids.js';
import { CAP_BYTES_MAX, CAP_FIELDS_MAX, HOME_IDS_MAX, NAME_BYTES_MAX } from '../core/limits.js';
import { ALL_ACTS } from './acts.js';

export const CAP_VERSION = 1;
const PARTS = 12;

export interface Cap {
  readonly ws: WorkspaceId;
  /** The key that signs: a device's, a ticket's or the recovery key. */
  readonly iss: DeviceId;
  /** The key that may use it. */
  readonly aud: DeviceId;
  /** Creation chain from the root worknode down: `[root]` is everything. Never empty. */
  readonly home: readonly NodeId[];
  /** Bits of `ACT`. Never zero. */
  readonly act: number;
  /** Milliseconds since 1970, inclusive; null is the beginning of time. */
  readonly nbf: number | null;
  /** Milliseconds since 1970, exclusive; null is never. */
  readonly exp: number | null;
  /** The capability that it rests on; null for a root. */
  readonly prf: CapId | null;
  /** 16 random bytes, hex. */
  readonly n: string;
  /** Names of the only fields that may be written, in byte order; null: everything. Never empty. */
  readonly fields: readonly string[] | null;
}

export interface SignedCap {
  readonly id: CapId;
  readonly cap: Cap;
  /** 64 bytes; null for a root, which the signature of the genesis commit stands for. */
  readonly sig: Uint8Array | null;
}

/** A capability as it came: `known` false where a version, bit or field is beyond this program. */
export type CarriedCap =
  ({ readonly known: true } & SignedCap) | { readonly known: false; readonly id: CapId };

export function encodeCap(cap: Cap): Uint8Array {
  assert(cap.home.length > 0 && cap.act > 0, 'a capability for nothing');
  return encodeCanonical([
    CAP_VERSION,
    ALGORITHMS,
    fromHex(cap.ws),
    fromHex(cap.iss),
    fromHex(cap.aud),
    cap.home.map(fromHex),
    cap.act,
    cap.nbf,
    cap.exp,
    cap.prf === null ? null : fromHex(cap.prf),
    fromHex(cap.n),
    cap.fields,
  ]);
}

export function capId(bytes: Uint8Array): CapId {
  return hashHex('wn/cap/1', bytes);
}

/**
 * Reads a capability without judging it. Throws `invalid` for bytes that are no
 * capability of any version, and for a malformed one of this version.
 */
export function decodeCap(bytes: Uint8Array, sig: Uint8Array): CarriedCap {
  const parts = asArray(decodeCanonical(bytes, CAP_BYTES_MAX), 'capability');
  const id = capId(bytes);
  const version = asUint(parts[0], 'version of a capability');
  // Positions mean nothing once a version, algorithm or part is new: so these come first.
  if (version !== CAP_VERSION || parts[1] !== ALGORITHMS || parts.length > PARTS) {
    return { known: false, id };
  }
  const [, , ws, iss, aud, home, acts, nbf, exp, prf, n, fields] = asArray(
    parts,
    'capability',
    PARTS,
  );
  const act = asUint64(acts, 'rights');
  if (act > BigInt(ALL_ACTS)) return { known: false, id };
  if (act === 0n) throw new WnError('invalid', 'a capability without a right');
  const cap: Cap = {
    ws: toHex(asBytes(ws, 'workspace', 32)),
    iss: asKey(iss, 'issuer'),
    aud: asKey(aud, 'holder'),
    home: asHome(home),
    act: Number(act),
    nbf: nbf === null ? null : asUint(nbf, 'beginning'),
    exp: exp === null ? null : asUint(exp, 'expiry'),
    prf: prf === null ? null : toHex(asBytes(prf, 'parent capability', 32)),
    n: toHex(asBytes(n, 'nonce', 16)),
    fields: fields === null ? null : asFields(fields),
  };
  return { known: true, id, cap, sig };
}

function asKey(value: Canonical | undefined, what: string): DeviceId {
  const key = toHex(asBytes(value, what, 32));
  const bad = badPublicKey(key);
  if (bad !== null) throw new WnError('invalid', `the key of the ${what} is ${bad}`);
  return key;
}

function asHome(value: Canonical | undefined): readonly NodeId[] {
  const ids = asArray(value, 'home');
  if (ids.length === 0 || ids.length > HOME_IDS_MAX) {
    throw new WnError('invalid', `a home of ${ids.length} worknodes`);
  }
  return ids.map((id) => toHex(asBytes(id, 'worknode of a home', 16)));
}

/** Strictly ascending, so that one set of fields has one encoding. */
function asFields(value: Canonical | undefined): readonly string[] {
  const names = asArray(value, 'fields').map((name) => asText(name, 'field name'));
  if (names.length === 0 || names.length > CAP_FIELDS_MAX) {
    throw new WnError('invalid', `a restriction to ${names.length} fields`);
  }
  names.forEach((name, index) => {
    if (utf8(name).byteLength > NAME_BYTES_MAX) {
      throw new WnError('invalid', 'a field name over its bound');
    }
    if (index > 0 && Buffer.compare(utf8(names[index - 1] ?? ''), utf8(name)) >= 0) {
      throw new WnError('invalid', 'field names out of order or twice');
    }
  });
  return names;
}

/** Signs with the issuer's key. */
export function signCap(cap: Cap, signer: Signer): SignedCap & { readonly sig: Uint8Array } {
  assert(signer.publicKey === cap.iss, 'a capability signed by another than its issuer');
  const id = capId(encodeCap(cap));
  return { id, cap, sig: signer.sign(fromHex(id)) };
}

/** The creator's capability, which every other one of the workspace rests on. */
export function rootCap(ws: WorkspaceId, creator: DeviceId): SignedCap {
  return impliedCap(ws, creator, creator);
}

/** The capability of the recovery key that genesis names. */
export function recoveryCap(ws: WorkspaceId, creator: DeviceId, recovery: DeviceId): SignedCap {
  return impliedCap(ws, creator, recovery);
}

function impliedCap(ws: WorkspaceId, creator: DeviceId, holder: DeviceId): SignedCap {
  const cap: Cap = {
    ws,
    iss: creator,
    aud: holder,
    home: [rootNode(ws)],
    act: ALL_ACTS,
    nbf: null,
    exp: null,
    prf: null,
    n: '00'.repeat(16),
    fields: null,
  };
  return { id: capId(encodeCap(cap)), cap, sig: null };
}
