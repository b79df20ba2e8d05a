/**
 * Shortest edit scripts of two sequences of numbers, given up past a bound. Knows nothing of what
 * the numbers stand for.
 *
 * Source: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986 (the greedy algorithm).
 */
import { DIFF_EDITS_MAX, DIFF_STEPS_MAX } from '../../core/limits.js';

/** Replaces `aStart` to before `aEnd` of one sequence by `bStart` to before `bEnd` of the other. */
export interface Edit {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

export type Sequence = Int32Array | Uint32Array;

/** Comparisons that one diff may still make, all its hunks together. */
export interface Effort {
  stepsLeft: number;
}

export function newEffort(): Effort {
  return { stepsLeft: DIFF_STEPS_MAX };
}

export interface EditScript {
  /** In rising order, with something equal between any two. */
  readonly edits: readonly Edit[];
  /** False where the search was given up: then all between the common ends is one edit. */
  readonly isShortest: boolean;
}

/** Given up where more than `DIFF_EDITS_MAX` elements differ, or the effort is used up. */
export function editScript(a: Sequence, b: Sequence, effort: Effort): EditScript {
  const middle = trimEnds(a, b);
  if (middle === undefined) return { edits: [], isShortest: true };
  const { aStart, aEnd, bStart, bEnd } = middle;
  if (aStart === aEnd || bStart === bEnd) return { edits: [middle], isShortest: true };
  const edits = shortestEdits(a.subarray(aStart, aEnd), b.subarray(bStart, bEnd), effort);
  if (edits === undefined) return { edits: [middle], isShortest: false };
  return { edits: edits.map((edit) => shiftEdit(edit, aStart, bStart)), isShortest: true };
}

function shortestEdits(a: Sequence, b: Sequence, effort: Effort): Edit[] | undefined {
  const max = Math.min(a.length + b.length, DIFF_EDITS_MAX);
  // Furthest place reached in `a` on each diagonal; diagonal 0 is at `zero`.
  const zero = max + 1;
  const furthest = new Int32Array(2 * max + 3);
  const rounds: Int32Array[] = [];
  for (let edits = 0; edits <= max && effort.stepsLeft > 0; edits += 1) {
    rounds.push(furthest.slice(zero - edits - 1, zero + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = zero + diagonal;
      const isInsert = goesDown(diagonal, edits, furthest[at - 1]!, furthest[at + 1]!);
      const from = isInsert ? furthest[at + 1]! : furthest[at - 1]! + 1;
      let x = from;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      furthest[at] = x;
      effort.stepsLeft -= x - from + 1;
      if (x >= a.length && x - diagonal >= b.length) {
        return trace(rounds, a.length, b.length);
      }
    }
  }
  return undefined;
}

function goesDown(diagonal: number, edits: number, left: number, right: number): boolean {
  return diagonal === -edits || (diagonal !== edits && left < right);
}

/** Walks back from both ends through the furthest places before each round. */
function trace(rounds: readonly Int32Array[], aLength: number, bLength: number): Edit[] {
  const edits: Edit[] = [];
  let x = aLength;
  let y = bLength;
  for (let round = rounds.length - 1; round > 0; round -= 1) {
    const furthest = rounds[round]!;
    const diagonal = x - y;
    const at = round + 1 + diagonal;
    const isInsert = goesDown(diagonal, round, furthest[at - 1]!, furthest[at + 1]!);
    x = isInsert ? furthest[at + 1]! : furthest[at - 1]!;
    y = x - diagonal + (isInsert ? -1 : 1);
    const edit = { aStart: x, aEnd: isInsert ? x : x + 1, bStart: y, bEnd: isInsert ? y + 1 : y };
    const next = edits.at(-1);
    if (next?.aStart === edit.aEnd && next.bStart === edit.bEnd) {
      edits[edits.length - 1] = { ...next, aStart: edit.aStart, bStart: edit.bStart };
    } else edits.push(edit);
  }
  return edits.reverse();
}

/** The edit of everything between the common ends; undefined if there is nothing. */
function trimEnds(a: Sequence, b: Sequence): Edit | undefined {
  const max = Math.min(a.length, b.length);
  let start = 0;
  while (start < max && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < max - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  if (start === a.length && start === b.length) return undefined;
  return { aStart: start, aEnd: a.length - end, bStart: start, bEnd: b.length - end };
}

/** Moves an edit of a part to where the part stands in the whole. */
export function shiftEdit(edit: Edit, a: number, b: number): Edit {
  return {
    aStart: edit.aStart + a,
    aEnd: edit.aEnd + a,
    bStart: edit.bStart + b,
    bEnd: edit.bEnd + b,
  };
}
