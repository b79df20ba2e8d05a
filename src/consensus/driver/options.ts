/** What a member of a group needs of its surroundings. */
import type { Signer } from '../../core/crypto.js';
import type { Clock, Rng, Storage } from '../../core/ports.js';
import type { Settled } from '../strong/aside.js';
import type { Expired } from '../strong/leases.js';
import type { Ledger } from '../strong/ledger.js';
import type { Member, MemberId, SignedRequest } from '../strong/types.js';

export interface MemberOptions {
  readonly id: MemberId;
  /** Opened for writing. */
  readonly ledger: Ledger;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly signer: Signer;
  /** Length of Raft's tick, milliseconds. */
  readonly tickMs: number;
  /** Hands a frame over to another member, or loses it. Never throws. */
  readonly send: (to: Member, frame: Uint8Array) => void;
  /** Signed requests that end these claims; as leader. */
  readonly expire: (expired: readonly Expired[]) => readonly SignedRequest[];
  /** What became certain, in order; in the ledger. */
  readonly settled: (settled: readonly Settled[]) => void;
  /** It can't go on: a disk that failed, a group that contradicts what is here. */
  readonly failed: (error: unknown) => void;
}
