/**
 * A session that goes on once its exchange is through: each side sends what it comes to
 * hold, as it comes, and says what it has stored. Credit, batches and bounds are those of
 * the exchange; the halves only lose their END. Pure, like the session that it is part of.
 *
 *   RUNS…  WANT  BLOB…  CREDIT  STORED      in any order, either way, until somebody leaves
 *
 * STORED comes too when nothing else has been said for a while, so that a peer that is
 * gone is told from one that has nothing to say; and when something new is here that the
 * peer may have asked for in vain. One that says nothing new lets the peer ask again.
 */
import { WnError } from '../core/errors.js';
import type { SyncEffect } from './effects.js';
import { creditMax, encodeMessage, type Message } from './frames.js';
import { notAdmitted } from './greeting.js';
import { entriesOf, logKey, type Vector } from './have.js';
import type { Incoming } from './incoming.js';
import type { Peer } from './opening.js';
import type { Outgoing } from './outgoing.js';
import { packBlobs, packRuns, type Packed } from './pack.js';
import type { HaveEntry, Run, SyncReads } from './store.js';

export interface LiveConfig {
  readonly store: SyncReads;
  readonly peer: Peer;
  readonly out: Outgoing;
  readonly incoming: Incoming;
  /** What both hold after the exchange. */
  readonly both: Vector;
}

export class Live {
  /** What the peer holds as far as it has been sent or has sent it; a forked log once whole. */
  private readonly theirs: Map<string, HaveEntry>;
  /** Something may be here that the peer lacks. */
  private dirty = true;
  private answering = false;
  private toldStored: number;
  private toldNews: number;
  private toldBlobs: number;
  /** Of what the peer has asked for in vain, how much was so when it was last told of news. */
  private toldAbsent = 0;
  private acknowledged: number;
  private toldAcknowledged: number;

  constructor(private readonly config: LiveConfig) {
    const { out, incoming, both } = config;
    this.theirs = new Map(entriesOf(both).map((entry) => [logKey(entry), entry]));
    this.toldStored = incoming.storedCommits;
    this.toldNews = incoming.storedCommits;
    this.toldBlobs = incoming.blobs;
    this.acknowledged = this.toldAcknowledged = out.commits;
    incoming.follow();
  }

  get peerHave(): readonly HaveEntry[] {
    return [...this.theirs.values()];
  }

  /** Something new is here. */
  news(): void {
    this.dirty = true;
  }

  /** Throws `invalid` for what breaks the rules. */
  take(message: Message, frame: Uint8Array): void {
    const { incoming, out } = this.config;
    switch (message.type) {
      case 'runs':
      case 'part':
      case 'blob':
        for (const run of incoming.take(message, frame)) this.holds(run, '');
        return;
      case 'credit':
        out.grant(message.bytes, creditMax(this.config.peer.version));
        return;
      case 'want':
        if (this.answering) throw new WnError('invalid', 'a want out of turn');
        out.add(this.answer(message.hashes));
        return;
      case 'stored':
        if (message.commits < this.acknowledged || message.commits > out.commits) {
          throw new WnError('invalid', 'a receipt for what was never sent');
        }
        if (message.commits === this.acknowledged) incoming.askAgain();
        this.acknowledged = message.commits;
        return;
      default:
        throw new WnError('invalid', `a message out of place: ${message.type}`);
    }
  }

  /** What to do now. Throws `denied` once the peer has lost its right. */
  effects(): readonly SyncEffect[] {
    const { incoming, out } = this.config;
    const news = this.sendNews();
    const effects: SyncEffect[] = out.frames().map((frame) => ({ do: 'send', frame }));
    effects.push(...incoming.effectsLive());
    const found = news && out.absent > this.toldAbsent;
    if (found) this.toldAbsent = out.absent;
    if (found || incoming.storedCommits > this.toldStored) effects.push(this.stored());
    return [...effects, ...this.moved()];
  }

  /** What has moved since this was last told; of what came, only once its chunks are here too. */
  private moved(): readonly SyncEffect[] {
    const { incoming } = this.config;
    const received = incoming.quiet ? incoming.storedCommits - this.toldNews : 0;
    const chunks = incoming.quiet ? incoming.blobs - this.toldBlobs : 0;
    const acknowledged = this.acknowledged - this.toldAcknowledged;
    if (received === 0 && chunks === 0 && acknowledged === 0) return [];
    this.toldNews += received;
    this.toldBlobs += chunks;
    this.toldAcknowledged = this.acknowledged;
    return [{ do: 'moved', received, chunks, acknowledged }];
  }

  /** Says what is stored here, be it what was said before. */
  stored(): SyncEffect {
    this.toldStored = this.config.incoming.storedCommits;
    const frame = encodeMessage({ type: 'stored', commits: this.toldStored });
    return { do: 'send', frame };
  }

  /** True where there is something new, be it nothing that could be sent unasked. */
  private sendNews(): boolean {
    const { store, peer, out } = this.config;
    if (!this.dirty || !out.drained) return false;
    this.dirty = false;
    const { device, credential } = peer.hello;
    if (!store.admit(device, credential).ok) throw notAdmitted();
    out.add(packRuns(this.noting(store.since(this.peerHave))));
    return true;
  }

  private *noting(runs: Iterable<Run>): Generator<Run> {
    for (const run of runs) {
      const last = run.firstSeq + run.payloads.length - 1;
      this.holds(run, this.config.store.headsAt(run.dev, run.epoch, last)[0] ?? '');
      yield run;
    }
  }

  private holds({ dev, epoch, firstSeq, payloads }: Run, head: string): void {
    const key = logKey({ dev, epoch });
    const seq = firstSeq + payloads.length - 1;
    if ((this.theirs.get(key)?.seq ?? -1) < seq) this.theirs.set(key, { dev, epoch, seq, head });
  }

  private *answer(hashes: readonly string[]): Generator<Packed> {
    this.answering = true;
    yield* packBlobs(this.config.store, hashes);
    this.answering = false;
  }
}
