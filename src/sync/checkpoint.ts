/**
 * What is kept about a peer after a good session. Both sides compute it from the same two
 * vectors, so it can be named by its hash next time.
 */
import { equalBytes } from '../core/bytes.js';
import { covers, entriesOf, merged, vectorHash, vectorOf, type Vector } from './have.js';
import type { Checkpoint } from './store.js';

export interface Agreement {
  readonly ours: Vector;
  readonly theirs: Vector;
  /** The directions in which commits went. */
  readonly sending: boolean;
  readonly receiving: boolean;
  readonly version: number;
  readonly credential: Uint8Array;
}

/** The new checkpoint; null if the two sides don't hold the same now, or `known` says it already. */
export function checkpointOf(agreed: Agreement, known: Checkpoint | null): Checkpoint | null {
  const { ours, theirs, version, credential } = agreed;
  if (!agreed.receiving && !covers(ours, theirs)) return null;
  if (!agreed.sending && !covers(theirs, ours)) return null;
  const both = merged(ours, theirs);
  const same =
    known !== null &&
    known.version === version &&
    equalBytes(known.credential, credential) &&
    equalBytes(vectorHash(vectorOf(known.have)), vectorHash(both));
  return same ? null : { version, credential, have: entriesOf(both) };
}
