/**
 * Reads of a leader that wait until a quorum has confirmed that it still leads (ReadIndex,
 * thesis §6.4). Reads are numbered within a term; a heartbeat carries the number of the last
 * one, and its answers confirm all up to it, so a lost answer is made good by the next.
 */
import { quorumCommitted, type Quorum } from './quorum.js';
import type { Index, MemberId, Message } from './types.js';

export interface WaitingRead {
  readonly request: Message;
  /** The commit index when the request came. */
  readonly index: Index;
}

export class Reads {
  readonly #acks = new Map<MemberId, number>();
  #waiting: WaitingRead[] = [];
  #confirmed = 0;

  get count(): number {
    return this.#waiting.length;
  }

  /** The number of the last read that waits, 0 for none: what the next heartbeat asks about. */
  get asked(): number {
    return this.#waiting.length === 0 ? 0 : this.#last;
  }

  get #last(): number {
    return this.#confirmed + this.#waiting.length;
  }

  add(request: Message, index: Index): void {
    this.#waiting.push({ request, index });
  }

  /** A member confirms reads up to number `reads`. */
  acknowledge(from: MemberId, reads: number): void {
    this.#acks.set(from, Math.max(this.#acks.get(from) ?? 0, Math.min(reads, this.#last)));
  }

  /** Takes out the reads that a quorum has confirmed, oldest first. */
  takeConfirmed(quorum: Quorum): readonly WaitingRead[] {
    const confirmed = Math.min(
      quorumCommitted(quorum, (id) => this.#acks.get(id)),
      this.#last,
    );
    if (confirmed <= this.#confirmed) return [];
    const taken = this.#waiting.splice(0, confirmed - this.#confirmed);
    this.#confirmed = confirmed;
    return taken;
  }
}
