/**
 * From votes to what is certain: casts this member's, counts all, settles in the ledger
 * what a certificate covers once Raft has applied it, and tells those who wait. A member
 * that has missed certificates is handed the ledger's records by the leader. Leaves out
 * Raft, and when a vote may leave (`member.ts`).
 */
import type { Clock } from '../../core/ports.js';
import { STRONG_CERTIFICATES_WAITING_MAX, STRONG_RECORDS_BYTES } from '../../core/limits.js';
import type { Index } from '../raft/types.js';
import type { Settled } from '../strong/aside.js';
import type { Ballot } from '../strong/certificate.js';
import type { Ledger } from '../strong/ledger.js';
import type { Certificate, Effect, Member, Vote } from '../strong/types.js';
import type { Evaluated, Overlay } from './overlay.js';
import type { Reads } from './reads.js';
import type { Voting } from './voting.js';
import type { Waiters } from './waiters.js';
import type { Frame } from './wire.js';

export interface CertifierOptions {
  readonly ledger: Ledger;
  readonly overlay: Overlay;
  readonly voting: Voting;
  readonly waiters: Waiters;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly send: (to: Member, frame: Frame) => void;
  /** All members but this one. */
  readonly others: () => readonly Member[];
  /** Null while nobody leads, or this member does. */
  readonly leader: () => Member | null;
  /** What accepted entries did, in order, as soon as it is certain. */
  readonly observe: (effects: readonly Effect[]) => void;
  readonly settled: (settled: readonly Settled[]) => void;
  readonly failed: (error: unknown) => void;
}

export class Certifier {
  /** Those that came and can't be settled yet. */
  private certificates: Certificate[] = [];
  /** The oldest of them when this member last looked. */
  private stuck: Certificate | null = null;
  private records: Extract<Frame, { frame: 'records' }> | null = null;
  /** The ledger is written behind what is certain already. */
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: CertifierOptions) {}

  /** Resolves when the ledger has caught up. */
  async idle(): Promise<void> {
    await this.writing;
  }

  /** Signs and sends a vote that is on record by now. */
  vote(ballot: Ballot): void {
    const vote = this.options.voting.cast(ballot);
    if (vote === null) return;
    this.count(vote);
    const leader = this.options.leader();
    if (leader !== null) this.options.send(leader, { frame: 'vote', vote });
  }

  /** The vote at `index` again, if it was the last; false: none was cast there. */
  voteAgain(index: Index, to: Member): boolean {
    const vote = this.options.voting.again(index);
    if (vote !== null) this.options.send(to, { frame: 'vote', vote });
    return vote !== null;
  }

  count(vote: Vote): void {
    const made = this.options.voting.take(vote);
    if (made === null) return;
    if ('evidence' in made) {
      this.behind(async () => void (await this.options.ledger.keep(made)));
      return;
    }
    this.take(made);
    for (const member of this.options.others()) {
      this.options.send(member, { frame: 'certificate', certificate: made });
    }
  }

  take(certificate: Certificate): void {
    if (certificate.index <= this.options.overlay.headIndex) return;
    this.certificates.push(certificate);
    this.certificates = this.certificates.slice(-STRONG_CERTIFICATES_WAITING_MAX);
  }

  /** Settles what is certified and applied, in order. Throws `damage` (`Voting.holds`). */
  certify(applied: Index): void {
    if (this.certificates.length === 0) return;
    const { overlay, voting } = this.options;
    const waiting: Certificate[] = [];
    for (const certificate of this.certificates.sort((a, b) => a.index - b.index)) {
      if (certificate.index <= overlay.headIndex) continue;
      if (certificate.index > applied) waiting.push(certificate);
      else if (voting.holds(certificate)) this.settle(certificate);
    }
    this.certificates = waiting;
  }

  private settle(certificate: Certificate): void {
    const { overlay, ledger, waiters, reads, observe } = this.options;
    const evaluated = overlay.settle(certificate.index);
    const settled = evaluated.map(settledOf);
    for (const { request, outcome, ...rest } of settled) {
      if (outcome.outcome === 'accepted') observe(outcome.effects);
      if (request === null) continue;
      if (outcome.outcome === 'repeat') waiters.repeat(request, outcome.first);
      else waiters.answer(request, { request, outcome, ...rest });
    }
    this.behind(async () => {
      await ledger.extend(evaluated, certificate);
      const { index } = ledger.head();
      waiters.inLedger(index, (first) => ledger.settled(first));
      reads.applied(index);
      this.options.settled(settled);
    });
  }

  private behind(work: () => Promise<void>): void {
    this.writing = this.writing.then(work).catch(this.options.failed);
  }

  /** As leader, where votes or the certificate seem to be lost. `last`: of the log. */
  remind(last: Index): void {
    const { overlay, ledger, others, send } = this.options;
    const { certificate } = ledger.head();
    for (const member of others()) {
      if (overlay.headIndex < last) send(member, { frame: 'ballot', index: last });
      else if (certificate !== null) send(member, { frame: 'certificate', certificate });
    }
  }

  // For who has missed certificates

  /** Asks for records where certificates wait for entries that don't come. */
  askIfStuck(): void {
    const [waiting] = this.certificates;
    const isStuck = waiting !== undefined && waiting === this.stuck;
    this.stuck = waiting ?? null;
    const leader = this.options.leader();
    if (!isStuck || leader === null) return;
    this.options.send(leader, { frame: 'ask', after: this.options.ledger.head().index });
  }

  hand(after: Index, to: Member): void {
    this.behind(async () => {
      const records = await this.options.ledger.records(after, STRONG_RECORDS_BYTES);
      if (records.length > 0) this.options.send(to, { frame: 'records', after, records });
    });
  }

  offered(records: Extract<Frame, { frame: 'records' }>): void {
    this.records = records;
  }

  /** Takes in what others certified; true if the ledger has gone on. Throws `invalid`, `damage`. */
  async takeOffered(): Promise<boolean> {
    const { records } = this;
    this.records = null;
    if (records === null) return false;
    await this.writing;
    const { ledger, overlay } = this.options;
    if (records.after > ledger.head().index) return false;
    const settled = await ledger.take(records.after, records.records);
    if (settled.length === 0) return false;
    overlay.restart(ledger.state);
    this.options.settled(settled);
    return true;
  }
}

function settledOf({ entry, evaluation }: Evaluated): Settled {
  const { asked, outcome, state } = evaluation;
  return {
    index: entry.index,
    timeMs: state.timeMs,
    request: asked?.request ?? null,
    author: asked?.author ?? null,
    hlc: asked?.hlc ?? null,
    outcome,
  };
}
