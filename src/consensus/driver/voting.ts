/**
 * A member's votes on what the log comes to, and the certificates that they make. A voter
 * votes where a batch ends, for what it has evaluated itself, once that is durable, and only
 * in the term of the entry; whoever leads counts. Leaves out storing and sending.
 */
import type { Signer } from '../../core/crypto.js';
import { equalBytes } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { STRONG_BALLOTS_PER_BATCH_MAX, STRONG_TALLIES_MAX } from '../../core/limits.js';
import type { Index, Term } from '../raft/types.js';
import { castVote, certificateFault, mayVoteFor, type Ballot } from '../strong/certificate.js';
import { voterOf } from '../strong/configuration.js';
import type { Evidence } from '../strong/evidence.js';
import { rootOf } from '../strong/merkle.js';
import { Tally } from '../strong/tally.js';
import type { Certificate, GroupId, MemberId, Vote } from '../strong/types.js';
import type { Evaluated, Overlay } from './overlay.js';

export class Voting {
  private readonly tallies = new Map<Index, Tally>();
  private last: Vote | null = null;

  constructor(
    private readonly group: GroupId,
    private readonly member: MemberId,
    private readonly signer: Signer,
    private readonly overlay: Overlay,
  ) {}

  /**
   * What to vote for at the ends of batches, of those that are this member's to vote for.
   * `last`: the vote that is on record.
   */
  ballots(ends: readonly Index[], term: Term, last: Ballot | null): readonly Ballot[] {
    const ballots: Ballot[] = [];
    for (const end of [...new Set(ends)].sort((a, b) => a - b)) {
      const ballot = this.ballotAt(end, term);
      if (ballot !== null && mayVoteFor(ballots.at(-1) ?? last, ballot)) ballots.push(ballot);
    }
    return ballots.slice(-STRONG_BALLOTS_PER_BATCH_MAX);
  }

  private ballotAt(index: Index, term: Term): Ballot | null {
    const evaluated = this.overlay.at(index);
    if (evaluated === undefined || evaluated.entry.term !== term) return null;
    const { configuration } = evaluated.before;
    if (voterOf(configuration, this.member) === null) return null;
    const root = rootOf(evaluated.evaluation.state.tree);
    return { configuration: configuration.index, term, index, root };
  }

  /** Signs what is on record by now. */
  cast(ballot: Ballot): Vote | null {
    const evaluated = this.overlay.at(ballot.index);
    if (evaluated === undefined) return null;
    const { configuration } = evaluated.before;
    this.last = castVote(this.group, configuration, this.member, ballot, this.signer);
    return this.last;
  }

  /** The last vote again, where it is for this entry: the first may have got lost. */
  again(index: Index): Vote | null {
    return this.last?.index === index ? this.last : null;
  }

  /** Counts a vote; null while it makes nothing. Evidence of a voter that lies is handed out. */
  take(vote: Vote): Certificate | Evidence | null {
    const evaluated = this.overlay.at(vote.index);
    if (evaluated === undefined) return null;
    const { configuration } = evaluated.before;
    let tally = this.tallies.get(configuration.index);
    if (tally === undefined) {
      tally = new Tally(this.group, configuration);
      this.tallies.set(configuration.index, tally);
      for (const index of this.tallies.keys()) {
        if (this.tallies.size > STRONG_TALLIES_MAX) this.tallies.delete(index);
      }
    }
    const taken = tally.take(vote);
    if (taken.taken === 'certified') return taken.certificate;
    return taken.taken === 'evidence' ? taken.evidence : null;
  }

  /**
   * Whether a certificate that came is of what stands here. Throws `damage` where a majority
   * has evaluated otherwise than this member.
   */
  holds(certificate: Certificate): boolean {
    const evaluated = this.overlay.at(certificate.index);
    if (evaluated === undefined || evaluated.entry.term !== certificate.term) return false;
    const { configuration } = evaluated.before;
    if (certificateFault(this.group, configuration, certificate) !== null) return false;
    if (!agrees(evaluated, certificate)) throw disagreement(certificate.index);
    return true;
  }
}

function agrees({ evaluation }: Evaluated, { root }: Certificate): boolean {
  return equalBytes(rootOf(evaluation.state.tree), root);
}

function disagreement(index: Index): WnError {
  return new WnError(
    'damage',
    `A majority has certified another outcome up to entry ${index} than this voter finds. It votes no more.`,
    {
      hint: 'run the same version of wn on all voters; if they do, remove this one and let it join anew',
      details: { index },
    },
  );
}
