/**
 * Proof that somebody lied: two votes of one voter for one place, or two certificates for
 * one index. Anybody can check it, with nothing but what is in it. Leaves out who is told.
 */
import {
  asArray,
  asBytes,
  asText,
  decodeCanonical,
  encodeCanonical,
} from '../../core/canonical.js';
import { equalBytes, idBytes, toHex } from '../../core/bytes.js';
import { verify } from '../../core/crypto.js';
import { WnError } from '../../core/errors.js';
import type { DeviceId } from '../../core/ids.js';
import {
  ballotHash,
  certificateFault,
  decodeCertificate,
  decodeVote,
  encodeCertificate,
  encodeVote,
} from './certificate.js';
import { decodeConfiguration, encodeConfiguration, voterOf } from './configuration.js';
import type { Certificate, Configuration, GroupId, Vote } from './types.js';

export type Evidence =
  | {
      readonly evidence: 'votes';
      readonly group: GroupId;
      readonly configuration: Configuration;
      readonly votes: readonly [Vote, Vote];
    }
  /** Each with the configuration that it holds under. */
  | {
      readonly evidence: 'certificates';
      readonly group: GroupId;
      readonly configurations: readonly [Configuration, Configuration];
      readonly certificates: readonly [Certificate, Certificate];
    };

export function evidenceOfVotes(
  group: GroupId,
  configuration: Configuration,
  first: Vote,
  second: Vote,
): Evidence {
  return { evidence: 'votes', group, configuration, votes: [first, second] };
}

/** Whether it proves what it says. Whose configurations those are is for the reader to know. */
export function proves(evidence: Evidence): boolean {
  if (evidence.evidence === 'votes') return liarOf(evidence) !== null;
  const { group, configurations, certificates } = evidence;
  const [first, second] = certificates;
  if (first.index !== second.index || equalBytes(first.root, second.root)) return false;
  return (
    certificateFault(group, configurations[0], first) === null &&
    certificateFault(group, configurations[1], second) === null
  );
}

/** The device that signed two roots for one place; null where that isn't proven. */
export function liarOf(evidence: Evidence): DeviceId | null {
  if (evidence.evidence !== 'votes') return null;
  const { group, configuration, votes } = evidence;
  const [first, second] = votes;
  const isOnePlace =
    first.member === second.member &&
    first.term === second.term &&
    first.index === second.index &&
    first.configuration === configuration.index &&
    second.configuration === configuration.index;
  const voter = voterOf(configuration, first.member);
  if (!isOnePlace || voter === null || equalBytes(first.root, second.root)) return null;
  const areSigned = votes.every((vote) =>
    verify(voter.device, ballotHash(group, configuration, vote), vote.sig),
  );
  return areSigned ? voter.device : null;
}

export function encodeEvidence(evidence: Evidence): Uint8Array {
  const group = idBytes(evidence.group);
  if (evidence.evidence === 'votes') {
    const { configuration, votes } = evidence;
    return encodeCanonical([
      'votes',
      group,
      [encodeConfiguration(configuration)],
      votes.map(encodeVote),
    ]);
  }
  const { configurations, certificates } = evidence;
  return encodeCanonical([
    'certificates',
    group,
    configurations.map(encodeConfiguration),
    certificates.map(encodeCertificate),
  ]);
}

/** Throws `invalid`. */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const [kind, id, configurations, pair] = asArray(decodeCanonical(bytes), 'evidence', 4);
  const group = toHex(asBytes(id, 'group', 32));
  const halves = asArray(pair, 'evidence', 2);
  if (asText(kind, 'kind of evidence') === 'votes') {
    const [configuration] = asArray(configurations, 'configurations', 1);
    return {
      evidence: 'votes',
      group,
      configuration: decodeConfiguration(configuration),
      votes: [decodeVote(halves[0]), decodeVote(halves[1])],
    };
  }
  if (kind !== 'certificates') throw new WnError('invalid', 'evidence of nothing known');
  const [first, second] = asArray(configurations, 'configurations', 2);
  return {
    evidence: 'certificates',
    group,
    configurations: [decodeConfiguration(first), decodeConfiguration(second)],
    certificates: [decodeCertificate(halves[0]), decodeCertificate(halves[1])],
  };
}
