/**
 * Votes of one configuration until they make certificates. Each signature is checked once;
 * a second root of one voter is given out as evidence. Bounded: a voter's latest votes are
 * kept, and none at or before the newest certificate.
 */
import { equalBytes } from '../../core/bytes.js';
import { verify } from '../../core/crypto.js';
import { STRONG_VOTES_KEPT_MAX } from '../../core/limits.js';
import { ballotHash } from './certificate.js';
import { isMajority, voterOf } from './configuration.js';
import { evidenceOfVotes, type Evidence } from './evidence.js';
import type { Certificate, Configuration, GroupId, MemberId, Vote } from './types.js';

export type Taken =
  | { readonly taken: 'counted' }
  /** It settles everything up to its index. */
  | { readonly taken: 'certified'; readonly certificate: Certificate }
  /** Nothing new: the same vote again, or one that a certificate has overtaken. */
  | { readonly taken: 'late' }
  | { readonly taken: 'refused'; readonly why: 'not_a_voter' | 'configuration' | 'signature' }
  | { readonly taken: 'evidence'; readonly evidence: Evidence };

export class Tally {
  /** By voter, oldest first. */
  private readonly votes = new Map<MemberId, Vote[]>();
  private certified: Certificate | null = null;

  constructor(
    private readonly group: GroupId,
    private readonly configuration: Configuration,
  ) {}

  take(vote: Vote): Taken {
    if (vote.configuration !== this.configuration.index) {
      return { taken: 'refused', why: 'configuration' };
    }
    const voter = voterOf(this.configuration, vote.member);
    if (voter === null) return { taken: 'refused', why: 'not_a_voter' };
    const kept = this.votes.get(vote.member) ?? [];
    const same = kept.find(({ term, index }) => term === vote.term && index === vote.index);
    if (same !== undefined && equalBytes(same.root, vote.root)) return { taken: 'late' };
    const signed = ballotHash(this.group, this.configuration, vote);
    if (!verify(voter.device, signed, vote.sig)) return { taken: 'refused', why: 'signature' };
    if (same !== undefined) {
      const evidence = evidenceOfVotes(this.group, this.configuration, same, vote);
      return { taken: 'evidence', evidence };
    }
    if (vote.index <= (this.certified?.index ?? 0)) return { taken: 'late' };
    this.votes.set(vote.member, [...kept, vote].slice(-STRONG_VOTES_KEPT_MAX));
    return this.certify(vote);
  }

  private certify(vote: Vote): Taken {
    const agreeing = [...this.votes.values()].flatMap((votes) =>
      votes.filter(
        ({ term, index, root }) =>
          term === vote.term && index === vote.index && equalBytes(root, vote.root),
      ),
    );
    const members = new Set(agreeing.map(({ member }) => member));
    if (!isMajority(this.configuration, (id) => members.has(id))) return { taken: 'counted' };
    const { configuration, term, index, root } = vote;
    const signatures = agreeing
      .map(({ member, sig }) => ({ member, sig }))
      .sort((a, b) => a.member - b.member);
    this.certified = { configuration, term, index, root, signatures };
    for (const [member, votes] of this.votes) {
      // Those of the certificate stay: another root beside them is still evidence.
      const live = votes.filter((one) => one.index >= index);
      this.votes.set(member, live);
    }
    return { taken: 'certified', certificate: this.certified };
  }
}
