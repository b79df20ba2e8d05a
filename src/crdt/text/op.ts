/**
 * The text op: what one commit did to one document, and the plain questions that its runs answer
 * without the document. The runs of one op apply in sequence. Encoding is in core/op.ts, merging in
 * merged.ts.
 */
import type { Run } from '../../core/op.js';
import { countWellFormed } from './codepoints.js';

export type { Run };

/** Names one text op: the commit by its log (32 hex characters) and seq, and the op within it. */
export interface Head {
  readonly log: string;
  readonly seq: number;
  readonly index: number;
}

export interface TextOp extends Head {
  /** Heads of this document that it was typed on; empty for the first op of a document. */
  readonly base: readonly Head[];
  readonly runs: readonly Run[];
  /** False: whited out. It still anchors positions and counts as nothing. */
  readonly live: boolean;
  /**
   * True: positions also count code points that ops of its past deleted. Needed, and only
   * written, where a dead op's deletion left text on the screen that no other position can name
   * (translate.ts).
   */
  readonly tombstones?: boolean;
}

export interface RunsExtent {
  /** The least length of a base, in code points, that the runs fit. */
  readonly needs: number;
  readonly inserted: number;
  readonly deleted: number;
}

/** What the runs need and change; undefined if they are not well formed whatever the base. */
export function extentOf(runs: readonly Run[], tombstones = false): RunsExtent | undefined {
  let needs = 0;
  let inserted = 0;
  let deleted = 0;
  for (const [pos, what] of runs) {
    if (!Number.isSafeInteger(pos) || pos < 0) return undefined;
    const grown = inserted - (tombstones ? 0 : deleted);
    if (typeof what === 'string') {
      const length = countWellFormed(what);
      if (length === undefined || length === 0) return undefined;
      needs = Math.max(needs, pos - grown);
      inserted += length;
    } else {
      if (!Number.isSafeInteger(what) || what < 1) return undefined;
      needs = Math.max(needs, pos + what - grown);
      deleted += what;
    }
  }
  return { needs, inserted, deleted };
}

export function sameOp(a: Head, b: Head): boolean {
  return a.seq === b.seq && a.index === b.index && a.log === b.log;
}

/** The order of ops by log, seq and index: the same on every device. */
export function compareHeads(a: Head, b: Head): number {
  if (a.log !== b.log) return a.log < b.log ? -1 : 1;
  return a.seq - b.seq || a.index - b.index;
}

/** Whether both name the same set of ops, however often each is named. */
export function sameHeads(a: readonly Head[], b: readonly Head[]): boolean {
  const [one, other] = [a[0], b[0]];
  if (a.length === 1 && b.length === 1 && one && other) return sameOp(one, other);
  const within = (some: readonly Head[], all: readonly Head[]) =>
    some.every((head) => all.some((other) => sameOp(head, other)));
  return within(a, b) && within(b, a);
}
