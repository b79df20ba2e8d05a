/**
 * Receipts: the proof that an entry had its outcome, for somebody who wasn't there and has
 * no network. Trust begins at the workspace's id (its genesis names the founder) or at a
 * configuration that is pinned, and goes from change to change of the configuration: a
 * joint one holds the majority that was trusted before it, and what a joint one leaves to
 * was agreed on in it. Tells what is wrong with a forged one. Leaves out how a receipt is
 * made (`ledger.ts`) and that the answer is still the latest: that can't be told offline.
 */
import { equalBytes } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import type { WorkspaceId } from '../../core/ids.js';
import { certificateFault, type CertificateFault } from './certificate.js';
import { isJoint, left, sameConfiguration, voterOf } from './configuration.js';
import { encodeLeaf, entryHash } from './entry.js';
import { firstConfiguration, founderOf, groupId } from './group.js';
import { isIncluded, leafHash } from './merkle.js';
import { outcomeHash } from './outcome.js';
import type { Configuration, GroupId, MemberId, Outcome, Proof, Receipt } from './types.js';

/** Where a verifier's trust begins. */
export type Trust =
  | { readonly from: 'workspace'; readonly ws: WorkspaceId }
  | {
      readonly from: 'configuration';
      readonly group: GroupId;
      readonly configuration: Configuration;
    };

export type ReceiptFault =
  | CertificateFault
  | 'wrong_workspace'
  | 'wrong_group'
  /** It votes no more in the configuration that the certificate names. */
  | 'removed_signer'
  /** The certificate is of a term before the entry's. */
  | 'old_term'
  | 'wrong_term'
  | 'not_covered'
  | 'altered_path'
  | 'altered_entry'
  | 'altered_outcome'
  /** A step of the configurations' history doesn't follow from the one before. */
  | 'broken_history';

export type Verdict =
  | {
      readonly ok: true;
      /** The configuration that certifies it: to be pinned for later. */
      readonly configuration: Configuration;
    }
  | { readonly ok: false; readonly fault: ReceiptFault };

/** Whether the receipt proves what it says, to one who trusts no more than `trust`. */
export function verifyReceipt(receipt: Receipt, trust: Trust): Verdict {
  const start = trusted(receipt, trust);
  if (typeof start === 'string') return { ok: false, fault: start };
  const walk: Walk = { group: receipt.group, configuration: start, known: membersOf(start) };
  for (const step of receipt.history) {
    const made = configurationMade(step.outcome);
    // What lies before a pinned configuration is trusted with it.
    if (made !== null && made.index <= walk.configuration.index) continue;
    const fault = takeStep(walk, step, made);
    if (fault !== null) return { ok: false, fault };
  }
  const fault = proofFault(walk, receipt.proof, walk.configuration);
  if (fault !== null) return { ok: false, fault };
  return { ok: true, configuration: walk.configuration };
}

/** How far trust has come. */
interface Walk {
  readonly group: GroupId;
  configuration: Configuration;
  /** Members of any configuration so far. */
  readonly known: Set<MemberId>;
}

function trusted(receipt: Receipt, trust: Trust): Configuration | ReceiptFault {
  if (trust.from === 'configuration') {
    return receipt.group === trust.group ? trust.configuration : 'wrong_group';
  }
  const founder = founderOrNull(receipt.genesis);
  if (founder === null || founder.ws !== trust.ws) return 'wrong_workspace';
  if (receipt.group !== groupId(trust.ws)) return 'wrong_group';
  return firstConfiguration(founder.creator, founder.seat);
}

function founderOrNull(header: Uint8Array): ReturnType<typeof founderOf> | null {
  try {
    return founderOf(header);
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

function membersOf({ voters, outgoing, learners }: Configuration): Set<MemberId> {
  return new Set([...voters, ...outgoing, ...learners].map(({ id }) => id));
}

/** The configuration that an outcome says was made; null for any other. */
export function configurationMade(outcome: Outcome): Configuration | null {
  if (outcome.outcome !== 'accepted') return null;
  const effect = outcome.effects.find((one) => one.effect === 'configured');
  return effect?.configuration ?? null;
}

function takeStep(walk: Walk, step: Proof, made: Configuration | null): ReceiptFault | null {
  if (made === null || made.index !== step.entry.index) return 'broken_history';
  if (!follows(walk.configuration, made)) return 'broken_history';
  // Certified by those trusted so far, or, later, by the configuration itself.
  const isOwn = step.certificate.configuration === made.index;
  const fault = proofFault(walk, step, isOwn ? made : walk.configuration);
  if (fault !== null) return fault;
  walk.configuration = made;
  for (const id of membersOf(made)) walk.known.add(id);
  return null;
}

/** A change begins with the voters of before as its outgoing half, and ends by dropping it. */
export function follows(before: Configuration, made: Configuration): boolean {
  if (isJoint(before)) return sameConfiguration(left(before, made.index), made);
  const outgoing = { ...before, learners: [] };
  const half = { ...before, voters: made.outgoing, learners: [] };
  return isJoint(made) && sameConfiguration(outgoing, half);
}

function proofFault(
  { group, known }: Walk,
  proof: Proof,
  configuration: Configuration,
): ReceiptFault | null {
  const { entry, certificate, leaf } = proof;
  if (entry.index > certificate.index) return 'not_covered';
  if (certificate.term < entry.term) return 'old_term';
  const isLast = entry.index === certificate.index;
  if (isLast && certificate.term !== entry.term) return 'wrong_term';
  const fault = certificateFault(group, configuration, certificate);
  if (fault === 'unknown_signer') {
    const wasMember = certificate.signatures.some(
      ({ member }) => voterOf(configuration, member) === null && known.has(member),
    );
    return wasMember ? 'removed_signer' : fault;
  }
  if (fault !== null) return fault;
  const hash = leafHash(encodeLeaf(leaf));
  const { index, root } = certificate;
  if (!isIncluded(hash, entry.index - 1, index, proof.siblings, root)) return 'altered_path';
  if (!equalBytes(entryHash(group, entry, proof.prev), leaf.entry)) return 'altered_entry';
  return equalBytes(outcomeHash(proof.outcome), leaf.outcome) ? null : 'altered_outcome';
}
