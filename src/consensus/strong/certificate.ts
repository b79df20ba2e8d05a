/**
 * Certificates: what a voter signs, how votes become a majority's, and whether one holds.
 * A voter signs at most one root for each (configuration, term, index); two of one voter
 * are kept as proof against it (`evidence.ts`). Leaves out when a voter has stored what it
 * signs: that is the driver's.
 */
import { asArray, asBytes, asUint, encodeCanonical, type Canonical } from '../../core/canonical.js';
import { equalBytes, idBytes } from '../../core/bytes.js';
import { hash, verify, type Signer } from '../../core/crypto.js';
import { assert, WnError } from '../../core/errors.js';
import { STRONG_MEMBERS_MAX } from '../../core/limits.js';
import { configurationHash, isMajority, isMajorityOf, voterOf } from './configuration.js';
import { HASH_BYTES } from './merkle.js';
import type { Certificate, Configuration, GroupId, MemberId, Vote } from './types.js';

/** What a vote is for. */
export type Ballot = Pick<Vote, 'configuration' | 'term' | 'index' | 'root'>;

/** What is signed: bound to the whole configuration, not to its index alone. */
export function ballotHash(
  group: GroupId,
  configuration: Configuration,
  { term, index, root }: Ballot,
): Uint8Array {
  const parts = [idBytes(group), configuration.index, configurationHash(configuration)];
  return hash('wn/vote/1', encodeCanonical([...parts, term, index, root]));
}

/**
 * Whether a voter whose last recorded vote is `last` may vote so: only ever further on, so
 * that one record is all it has to keep. The same again is no second vote.
 */
export function mayVoteFor(last: Ballot | null, next: Ballot): boolean {
  if (last === null || next.term > last.term) return true;
  if (next.term < last.term || next.index < last.index) return false;
  if (next.index > last.index) return true;
  return next.configuration === last.configuration && equalBytes(next.root, last.root);
}

/** The vote, which the voter records durably before it lets it go. */
export function castVote(
  group: GroupId,
  configuration: Configuration,
  member: MemberId,
  ballot: Ballot,
  signer: Signer,
): Vote {
  assert(voterOf(configuration, member)?.device === signer.publicKey, 'not a voter of ours');
  assert(ballot.configuration === configuration.index, 'a vote in another configuration');
  return { ...ballot, member, sig: signer.sign(ballotHash(group, configuration, ballot)) };
}

/** Why a certificate doesn't hold. */
export type CertificateFault =
  | 'wrong_configuration'
  | 'duplicate_signer'
  | 'learner_signer'
  | 'unknown_signer'
  | 'minority'
  | 'one_majority'
  | 'forged_signature';

/** Null if it holds under this configuration. Signatures come last: they cost the most. */
export function certificateFault(
  group: GroupId,
  configuration: Configuration,
  certificate: Certificate,
): CertificateFault | null {
  if (certificate.configuration !== configuration.index) return 'wrong_configuration';
  const { signatures } = certificate;
  const signers = new Set(signatures.map(({ member }) => member));
  if (signers.size < signatures.length) return 'duplicate_signer';
  for (const { member } of signatures) {
    if (voterOf(configuration, member) !== null) continue;
    const learns = configuration.learners.some(({ id }) => id === member);
    return learns ? 'learner_signer' : 'unknown_signer';
  }
  const has = (id: MemberId): boolean => signers.has(id);
  if (!isMajority(configuration, has)) {
    const { voters, outgoing } = configuration;
    return isMajorityOf(voters, has) || isMajorityOf(outgoing, has) ? 'one_majority' : 'minority';
  }
  const signed = ballotHash(group, configuration, certificate);
  const isForged = signatures.some(
    ({ member, sig }) => !verify(voterOf(configuration, member)?.device ?? '', signed, sig),
  );
  return isForged ? 'forged_signature' : null;
}

export function encodeCertificate(certificate: Certificate): Canonical {
  const { configuration, term, index, root, signatures } = certificate;
  return [configuration, term, index, root, signatures.map(({ member, sig }) => [member, sig])];
}

/** Throws `invalid`. */
export function decodeCertificate(value: Canonical | undefined): Certificate {
  const [configuration, term, index, root, signatures] = asArray(value, 'certificate', 5);
  const list = asArray(signatures, 'signatures').map((signature) => {
    const [member, sig] = asArray(signature, 'signature', 2);
    return { member: asUint(member, 'signer'), sig: asBytes(sig, 'signature', 64) };
  });
  const ascends = list.every(({ member }, at) => (list[at - 1]?.member ?? 0) <= member);
  if (!ascends || list.length > 2 * STRONG_MEMBERS_MAX) {
    throw new WnError('invalid', 'signers out of order, or too many');
  }
  return {
    configuration: asUint(configuration, 'index of the configuration'),
    term: asUint(term, 'term'),
    index: asUint(index, 'index'),
    root: asBytes(root, 'root', HASH_BYTES),
    signatures: list,
  };
}

export function encodeVote({ member, configuration, term, index, root, sig }: Vote): Canonical {
  return [member, configuration, term, index, root, sig];
}

/** Throws `invalid`. */
export function decodeVote(value: Canonical | undefined): Vote {
  const [member, configuration, term, index, root, sig] = asArray(value, 'vote', 6);
  return {
    member: asUint(member, 'voter'),
    configuration: asUint(configuration, 'index of the configuration'),
    term: asUint(term, 'term'),
    index: asUint(index, 'index'),
    root: asBytes(root, 'root', HASH_BYTES),
    sig: asBytes(sig, 'signature', 64),
  };
}
