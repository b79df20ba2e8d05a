/**
 * HAVE on the wire: a vector as its difference from a basis that both sides know, in
 * pages of bounded size. No basis: the full vector. No difference: one short frame.
 */
import { equalBytes } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { SYNC_HEADS_MAX, SYNC_HEADS_PER_PAGE } from '../core/limits.js';
import { encodeMessage, type Have } from './frames.js';
import { difference, logKey, vectorHash, weight, type LogHeads, type Vector } from './have.js';

/** The frames that tell `vector`, by whichever is shorter; throws `too_large` over `SYNC_HEADS_MAX`. */
export function havePages(vector: Vector, basis: Vector | null): readonly Uint8Array[] {
  const whole = weight(vector.values());
  if (whole > SYNC_HEADS_MAX) {
    throw new WnError('too_large', `more than ${SYNC_HEADS_MAX} logs: too many to compare`);
  }
  const delta = basis === null ? vector : difference(vector, basis);
  if (basis === null || weight(delta.values()) > whole) return pages(vector, null);
  return pages(delta, vectorHash(basis));
}

function pages(logs: Vector, basis: Uint8Array | null): readonly Uint8Array[] {
  const cut: LogHeads[][] = [[]];
  let room = SYNC_HEADS_PER_PAGE;
  for (const log of logs.values()) {
    room -= weight([log]);
    if (room < 0) {
      cut.push([]);
      room = SYNC_HEADS_PER_PAGE - weight([log]);
    }
    cut.at(-1)?.push(log);
  }
  return cut.map((page, at) =>
    encodeMessage({ type: 'have', basis, logs: page, last: at === cut.length - 1 }),
  );
}

/** A vector as it was told: a difference from the basis of that hash (null: from nothing). */
export interface Told {
  readonly basis: Uint8Array | null;
  readonly delta: Vector;
}

export class HaveReader {
  private readonly logs = new Map<string, LogHeads>();
  private first: Have | null = null;
  private lastKey = '';
  private weight = 0;

  /** The whole, with the last page; null before it. Throws `invalid`. */
  add(page: Have): Told | null {
    this.first ??= page;
    const { basis } = this.first;
    const same =
      basis === null ? page.basis === null : page.basis !== null && equalBytes(basis, page.basis);
    if (!same) throw new WnError('invalid', 'pages on different bases');
    if (!page.last && page.logs.length === 0) throw new WnError('invalid', 'an empty page');
    this.weight += weight(page.logs);
    if (this.weight > SYNC_HEADS_MAX) throw new WnError('invalid', `over ${SYNC_HEADS_MAX} heads`);
    for (const log of page.logs) {
      const key = logKey(log);
      if (key <= this.lastKey) throw new WnError('invalid', 'pages out of order');
      this.lastKey = key;
      this.logs.set(key, log);
    }
    return page.last ? { basis, delta: this.logs } : null;
  }
}
