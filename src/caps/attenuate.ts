/**
 * Delegation: a capability holds good iff an unbroken chain of signed, never widening
 * capabilities leads down to it from a root of the workspace (UCAN's semantics in a
 * compact form). Leaves out revocation, which concerns commits and not chains.
 */
import { fromHex, toHex } from '../core/bytes.js';
import { verify, type Signer } from '../core/crypto.js';
import { WnError } from '../core/errors.js';
import type { CapId, NodeId, WorkspaceId } from '../core/ids.js';
import { CAP_DEPTH_MAX, CAP_SIGNATURES_CACHED_MAX } from '../core/limits.js';
import type { Rng } from '../core/ports.js';
import { ACT, hasActs } from './acts.js';
import { decodeCap, encodeCap, signCap, type Cap, type CarriedCap, type SignedCap } from './cap.js';
import { DENY, deny, hold, type DenyReason, type Refusal } from './reasons.js';

/** Where chains are looked up. */
export interface CapView {
  readonly ws: WorkspaceId;
  /** The creator's root capability, and the recovery key's where genesis names one. */
  readonly roots: readonly SignedCap[];
  /**
   * A capability that some commit here carries, whatever became of that commit; null if
   * none does. Only with a good signature (`isSigned`): anybody can carry a copy with a bad one.
   */
  capOf(id: CapId): CarriedCap | null;
}

/** Links from the root down to the capability itself. */
export type Chain = readonly SignedCap[];

export type ChainResult = { readonly ok: true; readonly chain: Chain } | Refusal;

/**
 * Whether a worknode of home `home` lies at or below `limit`. By whole ids: `/a` is not
 * `/ab`, and an empty limit contains nothing.
 */
export function isWithin(home: readonly NodeId[], limit: readonly NodeId[]): boolean {
  return limit.length > 0 && limit.every((id, depth) => home[depth] === id);
}

/** How `child` exceeds `parent`, signatures aside; null if it doesn't. */
export function attenuationFault(child: Cap, parent: Cap): DenyReason | null {
  if (child.ws !== parent.ws) return 'wrong_workspace';
  if (child.iss !== parent.aud) return 'wrong_issuer';
  if (!hasActs(parent.act, ACT.delegate)) return 'no_delegate';
  if (!isWithin(child.home, parent.home)) return 'wider_home';
  if (!hasActs(parent.act, child.act)) return 'wider_acts';
  if ((child.nbf ?? 0) < (parent.nbf ?? 0)) return 'wider_time';
  if ((child.exp ?? Infinity) > (parent.exp ?? Infinity)) return 'wider_time';
  return fieldsWithin(child.fields, parent.fields) ? null : 'wider_fields';
}

function fieldsWithin(child: Cap['fields'], parent: Cap['fields']): boolean {
  if (parent === null) return true;
  return child !== null && child.every((name) => parent.includes(name));
}

/**
 * The chain of `leaf`, or why it doesn't hold. Bounded by `CAP_DEPTH_MAX` delegations,
 * whatever `view` answers. Signatures come last and from the root down, so that an
 * outsider's invention costs one check at most.
 */
export function verifyChain(leaf: SignedCap, view: CapView): ChainResult {
  const chain: SignedCap[] = [leaf];
  let child = leaf;
  while (!view.roots.some((root) => root.id === child.id)) {
    if (child.cap.ws !== view.ws) return deny('wrong_workspace');
    if (child.cap.prf === null) return deny('not_rooted');
    if (chain.length > CAP_DEPTH_MAX) return deny('too_deep', `at most ${CAP_DEPTH_MAX}`);
    const parent = findCap(child.cap.prf, view);
    if (parent === null) return deny('cap_missing', child.cap.prf);
    if (!parent.known) return hold('unknown_cap', parent.id);
    const fault = attenuationFault(child.cap, parent.cap);
    if (fault !== null) return deny(fault, child.id);
    chain.unshift(parent);
    child = parent;
  }
  const unsigned = chain.slice(1).find((link) => !isSigned(link));
  return unsigned === undefined ? { ok: true, chain } : deny('bad_signature', unsigned.id);
}

/** A capability by id, roots included; null if it isn't here. */
export function findCap(id: CapId, view: CapView): CarriedCap | null {
  const root = view.roots.find((one) => one.id === id);
  return root === undefined ? view.capOf(id) : { known: true, ...root };
}

/** `view` with more capabilities: those that a commit or a hello brings along. */
export function withCaps(view: CapView, caps: readonly CarriedCap[]): CapView {
  const brought = new Map(caps.map((cap) => [cap.id, cap]));
  const capOf: CapView['capOf'] = (id) => view.capOf(id) ?? brought.get(id) ?? null;
  return { ws: view.ws, roots: view.roots, capOf };
}

const checked = new Map<string, boolean>();

/** Whether the issuer signed. Remembered by id and signature: another signature proves nothing. */
export function isSigned({ id, cap, sig }: SignedCap): boolean {
  if (sig === null) return false;
  const key = id + toHex(sig);
  const known = checked.get(key);
  if (known !== undefined) return known;
  const good = verify(cap.iss, fromHex(id), sig);
  if (checked.size >= CAP_SIGNATURES_CACHED_MAX) checked.delete(checked.keys().next().value ?? '');
  checked.set(key, good);
  return good;
}

/** What an issuer chooses; workspace, issuer, parent and nonce follow. */
export type Terms = Pick<Cap, 'aud' | 'home' | 'act' | 'nbf' | 'exp' | 'fields'>;

/**
 * Issues a capability that rests on `parent`. Throws `denied` where `parent` doesn't
 * allow it, `invalid` for terms that no capability can hold.
 */
export function delegate(parent: SignedCap, terms: Terms, signer: Signer, rng: Rng): SignedCap {
  const cap: Cap = {
    ...terms,
    ws: parent.cap.ws,
    iss: signer.publicKey,
    prf: parent.id,
    n: toHex(rng.bytes(16)),
  };
  const fault = attenuationFault(cap, parent.cap);
  if (fault !== null) {
    throw new WnError('denied', `No capability was issued. ${DENY[fault]}`, {
      hint: 'ask for less, or ask somebody with the right: wn cap list',
    });
  }
  const signed = signCap(cap, signer);
  decodeCap(encodeCap(cap), signed.sig); // what is issued must be readable everywhere
  return signed;
}
