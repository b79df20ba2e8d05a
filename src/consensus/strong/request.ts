/**
 * Requests: their bytes, their ids, and the signature that an author gives to all that
 * leave together. One signature stands for a batch: it is over the root of the tree of
 * their ids, and each travels with its path in it. Leaves out what they come to
 * (`evaluate.ts`).
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  fromUint64,
  type Canonical,
} from '../../core/canonical.js';
import { equalBytes, idBytes, idHex, toHex } from '../../core/bytes.js';
import { ALGORITHMS, hlcOf } from '../../core/commit.js';
import { hash, verify, type Signer } from '../../core/crypto.js';
import { assert, WnError } from '../../core/errors.js';
import { nodeId, type DeviceId, type NodeId } from '../../core/ids.js';
import {
  HOME_IDS_MAX,
  STRONG_ACTIONS_MAX,
  STRONG_EXPECTS_MAX,
  STRONG_REQUEST_BYTES_MAX,
  STRONG_SIGNATURES_CACHED_MAX,
  STRONG_SIGNED_TOGETHER_MAX,
} from '../../core/limits.js';
import {
  decodeAction,
  decodeCaps,
  decodeExpectation,
  encodeAction,
  encodeCaps,
  encodeExpectation,
} from './actions.js';
import { HASH_BYTES, leafHash, treeOf, wayUp, type PathStep } from './merkle.js';
import type { HomeStep, Request, RequestId, SignedRequest } from './types.js';

export const REQUEST_VERSION = 1;
const PARTS = 11;

/** Throws `invalid` or `too_large` for what no request can hold. */
export function encodeRequest(request: Request): Uint8Array {
  const bytes = encodeCanonical([
    REQUEST_VERSION,
    ALGORITHMS,
    idBytes(request.group),
    idBytes(request.author),
    idBytes(request.cap),
    encodeCaps(request.caps),
    fromUint64(request.hlc),
    request.nonce,
    request.homes.map((home) => home.map(encodeStep)),
    request.actions.map(encodeAction),
    request.expects.map(encodeExpectation),
  ]);
  if (bytes.byteLength > STRONG_REQUEST_BYTES_MAX) {
    throw new WnError(
      'too_large',
      `The request has ${bytes.byteLength} bytes, over ${STRONG_REQUEST_BYTES_MAX}. Nothing was sent.`,
      { hint: 'commit fewer changes at once, or a long body as a file of its own' },
    );
  }
  decodeRequest(bytes); // what is sent must be readable everywhere
  return bytes;
}

/** Throws `invalid`. */
export function decodeRequest(bytes: Uint8Array): Request {
  const [version, alg, group, author, cap, caps, hlc, nonce, homes, actions, expects] = asArray(
    decodeCanonical(bytes, STRONG_REQUEST_BYTES_MAX),
    'request',
    PARTS,
  );
  if (version !== REQUEST_VERSION || alg !== ALGORITHMS) {
    throw new WnError('invalid', 'a request of another version');
  }
  const [actionList, expectList] = [asArray(actions, 'actions'), asArray(expects, 'expectations')];
  if (actionList.length > STRONG_ACTIONS_MAX || expectList.length > STRONG_EXPECTS_MAX) {
    throw new WnError('invalid', 'a request over its bounds');
  }
  const request = {
    group: idHex(asBytes(group, 'group', 32)),
    author: idHex(asBytes(author, 'author', 32)),
    cap: idHex(asBytes(cap, 'capability', 32)),
    caps: decodeCaps(caps),
    hlc: hlcOf(hlc),
    nonce: asBytes(nonce, 'nonce', 16),
    homes: asArray(homes, 'homes').map(decodeHome),
    actions: actionList.map(decodeAction),
    expects: expectList.map(decodeExpectation),
  };
  if (request.actions.length > 1 && configures(request)) {
    throw new WnError('invalid', 'a change of the configuration that is not alone');
  }
  return request;
}

/** Whether it belongs in an entry of Raft's kind for changes of the configuration. */
export function configures({ actions }: Pick<Request, 'actions'>): boolean {
  return actions.some(({ action }) => action === 'configure');
}

function encodeStep({ device, salt, index }: HomeStep): Canonical {
  return [idBytes(device), salt, index];
}

function decodeHome(value: Canonical): readonly HomeStep[] {
  const steps = asArray(value, 'home');
  // With the root, which isn't among them.
  if (steps.length >= HOME_IDS_MAX) throw new WnError('invalid', 'a home over its bound');
  return steps.map((step) => {
    const [device, salt, index] = asArray(step, 'step of a home', 3);
    return {
      device: idHex(asBytes(device, 'device', 32)),
      salt: asBytes(salt, 'salt', 16),
      index: asUint(index, 'index of a create'),
    };
  });
}

export function requestIdBytes(bytes: Uint8Array): Uint8Array {
  return hash('wn/request/1', bytes);
}

export function requestId(bytes: Uint8Array): RequestId {
  return toHex(requestIdBytes(bytes));
}

/** The id of the worknode that action `index` creates. */
export function createdId(
  { author, nonce }: Pick<Request, 'author' | 'nonce'>,
  index: number,
  parent: NodeId,
): NodeId {
  return nodeId(author, nonce, index, parent);
}

/** Signs encoded requests together, with one signature. */
export function signRequests(requests: readonly Uint8Array[], signer: Signer): SignedRequest[] {
  assert(requests.length <= STRONG_SIGNED_TOGETHER_MAX, 'too many requests at once');
  if (requests.length === 0) return [];
  const tree = treeOf(requests.map((bytes) => leafHash(requestIdBytes(bytes))));
  const sig = signer.sign(hash('wn/requests/1', tree.root));
  return requests.map((bytes, leaf) => ({
    bytes,
    leaf,
    leaves: requests.length,
    siblings: tree.path(leaf),
    sig,
  }));
}

/** A signature that was looked at, with the way from one request up to its root. */
interface Checked {
  readonly author: DeviceId;
  readonly sig: Uint8Array;
  readonly good: boolean;
  readonly way: readonly PathStep[];
  readonly siblings: readonly Uint8Array[];
}

/** By the signature's beginning; a batch of an author has one. */
const checked = new Map<number, Checked>();

/**
 * Whether `author` signed the request whose id is `id`. Of a batch the first costs a check
 * of the signature and each other one the hashes up to where its way joins that of the
 * one before.
 */
export function isSignedBy(author: DeviceId, id: Uint8Array, signed: SignedRequest): boolean {
  const { leaf, leaves, sig, siblings } = signed;
  const key = new DataView(sig.buffer, sig.byteOffset).getUint32(0);
  const last = checked.get(key);
  const known = last?.author === author && equalBytes(last.sig, sig) ? last : null;
  let joint = -1;
  const way = wayUp(leafHash(id), leaf, leaves, siblings, (step) => {
    joint = known === null ? -1 : junction(step, siblings, known);
    return joint >= 0;
  });
  if (way === null) return false;
  if (known !== null && joint >= 0) {
    checked.set(key, { ...known, way: [...way, ...known.way.slice(joint + 1)], siblings });
    return known.good;
  }
  const root = way[way.length - 1]?.hash ?? id;
  const good = verify(author, hash('wn/requests/1', root), sig);
  if (checked.size >= STRONG_SIGNATURES_CACHED_MAX) {
    checked.delete(checked.keys().next().value ?? 0);
  }
  checked.set(key, { author, sig, good, way, siblings });
  return good;
}

/** Where a known way goes through this very subtree and on by the same siblings; else -1. */
function junction(step: PathStep, siblings: readonly Uint8Array[], known: Checked): number {
  const { place, last, hash: subtree, left } = step;
  const at = known.way.findIndex(
    (other) =>
      other.left === left &&
      other.place === place &&
      other.last === last &&
      equalBytes(other.hash, subtree),
  );
  if (at < 0) return -1;
  const others = known.siblings.slice(known.siblings.length - left);
  const mine = siblings.slice(siblings.length - left);
  return mine.every((sibling, level) => equalBytes(sibling, others[level] ?? subtree)) ? at : -1;
}

export function encodeSigned({ bytes, leaf, leaves, siblings, sig }: SignedRequest): Canonical {
  return [bytes, leaf, leaves, siblings, sig];
}

const SIBLINGS_MAX = Math.ceil(Math.log2(STRONG_SIGNED_TOGETHER_MAX));

/** Throws `invalid`. */
export function decodeSigned(value: Canonical | undefined): SignedRequest {
  const [bytes, leaf, leaves, siblings, sig] = asArray(value, 'signed request', 5);
  const signed = {
    bytes: asBytes(bytes, 'request'),
    leaf: asUint(leaf, 'place of a request'),
    leaves: asUint(leaves, 'count of requests'),
    siblings: asHashes(siblings, SIBLINGS_MAX),
    sig: asBytes(sig, 'signature', 64),
  };
  if (signed.leaf >= signed.leaves || signed.leaves > STRONG_SIGNED_TOGETHER_MAX) {
    throw new WnError('invalid', 'a request out of its place');
  }
  return signed;
}

/** Throws `invalid`. */
export function asHashes(value: Canonical | undefined, most: number): readonly Uint8Array[] {
  const hashes = asArray(value, 'siblings');
  if (hashes.length > most) throw new WnError('invalid', `${hashes.length} siblings`);
  return hashes.map((sibling) => asBytes(sibling, 'sibling', HASH_BYTES));
}
