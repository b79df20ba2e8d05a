/**
 * When a claim may be proposed to expire. Only the leader proposes it, by its own monotonic
 * clock: wall clocks are never compared. A new leader knows nothing of how long a lease
 * has run, and gives each its full time again, so none ends early (Gray and Cheriton
 * 1989). The only voter of a group of one keeps its deadlines with the boot that its clock
 * counts from, and believes them within that boot alone. Leaves out the proposal.
 */
import { asArray, asText, asUint, decodeCanonical, encodeCanonical } from '../../core/canonical.js';
import { idBytes } from '../../core/bytes.js';
import type { NodeId } from '../../core/ids.js';
import { asNode } from '../../core/op.js';
import type { StrongState } from './state.js';
import type { Effect, Token } from './types.js';

interface Deadline {
  readonly token: Token;
  readonly renewal: number;
  /** On the clock of whoever keeps it. */
  readonly endsMs: number;
}

/** A claim that has run out, as an `expire` names it. */
export interface Expired {
  readonly node: NodeId;
  readonly token: Token;
  readonly renewal: number;
}

export class Leases {
  private constructor(private readonly deadlines: Map<NodeId, Deadline>) {}

  /** Every claim with its full time from now on: of a new leader, or after another boot. */
  static restarted(state: StrongState, nowMs: number): Leases {
    const leases = new Leases(new Map());
    for (const [node, { claim }] of state.nodes.entries()) {
      if (claim !== null) leases.start(node, claim, nowMs);
    }
    return leases;
  }

  /**
   * As they were kept (`kept`), where this boot is that one; claims that have changed since
   * and all of another boot start anew.
   */
  static restored(
    bytes: Uint8Array | null,
    state: StrongState,
    boot: string,
    nowMs: number,
  ): Leases {
    const leases = Leases.restarted(state, nowMs);
    if (bytes === null) return leases;
    const [keptBoot, list] = asArray(decodeCanonical(bytes), 'leases', 2);
    if (asText(keptBoot, 'boot') !== boot) return leases;
    for (const item of asArray(list, 'leases')) {
      const [id, token, renewal, ends] = asArray(item, 'lease', 4);
      const node = asNode(id);
      const now = leases.deadlines.get(node);
      const kept = {
        token: asUint(token, 'token'),
        renewal: asUint(renewal, 'count of renewals'),
        endsMs: asUint(ends, 'end of a lease'),
      };
      // A clock of the same boot never goes back; a later end than a full lease is no end of ours.
      if (now?.token !== kept.token || now.renewal !== kept.renewal) continue;
      if (kept.endsMs <= now.endsMs) leases.deadlines.set(node, kept);
    }
    return leases;
  }

  /** What an accepted entry changed, at the time that it was applied here. */
  observe(effects: readonly Effect[], nowMs: number): void {
    for (const effect of effects) {
      if (effect.effect === 'claimed') this.start(effect.node, effect, nowMs);
      else if (effect.effect === 'ended') this.deadlines.delete(effect.node);
    }
  }

  private start(
    node: NodeId,
    { token, renewal, leaseMs }: { token: Token; renewal: number; leaseMs: number },
    nowMs: number,
  ): void {
    this.deadlines.set(node, { token, renewal, endsMs: Math.ceil(nowMs + leaseMs) });
  }

  /** Claims whose time is over, the longest over first. */
  due(nowMs: number): Expired[] {
    return [...this.deadlines]
      .filter(([, { endsMs }]) => endsMs <= nowMs)
      .sort(([, a], [, b]) => a.endsMs - b.endsMs)
      .map(([node, { token, renewal }]) => ({ node, token, renewal }));
  }

  /** When the next one is due; null while nobody claims anything. */
  nextDueMs(): number | null {
    let next: number | null = null;
    for (const { endsMs } of this.deadlines.values()) next = Math.min(next ?? endsMs, endsMs);
    return next;
  }

  /** For `restored`. `boot` names the boot that the clock counts from. */
  kept(boot: string): Uint8Array {
    const list = [...this.deadlines]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([node, { token, renewal, endsMs }]) => [idBytes(node), token, renewal, endsMs]);
    return encodeCanonical([boot, list]);
  }
}
