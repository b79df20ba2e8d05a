/**
 * The text of a document whose history has concurrent or dead ops: the event graph, the check of
 * each op against the text that it was typed on, and an engine that merges. Knows nothing of where
 * ops come from, nor of the linear case (document.ts).
 */
import { assert, WnError } from '../../core/errors.js';
import { EventGraph, type Version } from './graph.js';
import { Lengths, type Extent } from './lengths.js';
import { compareHeads, extentOf, type Head, type Run, type TextOp } from './op.js';
import { translateRuns, type FullRuns } from './translate.js';
import { DiamondEngine, type DiamondTypes } from './diamond.js';
import { Walker } from './walker.js';

/** Turns ops, typed on different versions, into texts. */
export interface MergeEngine {
  /** Takes the op that was added to the graph last; its runs fit the text at its parents. */
  append(change: TextOp): void;
  /** The text that shows at a version; without one, that of all ops. */
  text(version?: Version): string;
  /** The text that positions refer to: dead ops count like others. */
  fullText(version?: Version): string;
  /** Code points of the full text. */
  fullLength(version: Version): number;
  free(): void;
}

/** A malformed op is known on every device alike, and has no runs. */
export type Added = { readonly ok: true } | { readonly ok: false; readonly why: string };

export const MALFORMED = {
  base: 'its base names an op that is not in its past',
  runs: 'its runs are not well formed',
  range: 'its runs do not fit the text that it was typed on',
} as const;

const OK: Added = { ok: true };
const NO_CHANGE = { needs: 0, inserted: 0, deleted: 0 };

export class MergedText {
  readonly #graph = new EventGraph();
  readonly #lengths = new Lengths(this.#graph);
  readonly #engine: MergeEngine;
  readonly #dead = new Set<number>();
  readonly #malformed = new Map<number, Added>();

  /** With Diamond Types, every op must be one that it can merge (`needsWalker`). */
  constructor(diamondTypes: DiamondTypes | undefined) {
    this.#engine =
      diamondTypes === undefined
        ? new Walker(this.#graph, (op) => !this.#dead.has(op))
        : new DiamondEngine(this.#graph, diamondTypes);
  }

  /** Whether Diamond Types can't merge this op. */
  static needsWalker(op: TextOp): boolean {
    return !op.live || op.tombstones === true;
  }

  get usesWalker(): boolean {
    return this.#engine instanceof Walker;
  }

  get hasDead(): boolean {
    return this.#dead.size > 0;
  }

  /** Sorted, so that they are the same on every device. */
  heads(): Head[] {
    return this.#graph.heads.map((op) => this.#graph.name(op)).sort(compareHeads);
  }

  /** An op that is known already changes nothing. */
  add(change: TextOp): Added {
    assert(this.usesWalker || !MergedText.needsWalker(change), 'Diamond Types merges live ops');
    const known = this.#graph.find(change);
    if (known !== undefined) return this.#malformed.get(known) ?? OK;

    const found = change.base.map((head) => this.#graph.find(head));
    const parents = this.#graph.version(found.filter((op) => op !== undefined));
    const { base, own, why } = this.#check(change, parents, found.includes(undefined));
    const op = this.#graph.add(change, parents);
    if (!change.live) this.#dead.add(op);
    this.#lengths.add(base, own, change.tombstones === true);
    this.#engine.append(why === undefined ? change : { ...change, runs: [] });
    if (why === undefined) return OK;
    this.#malformed.set(op, { ok: false, why });
    return { ok: false, why };
  }

  text(): string {
    return this.#engine.text();
  }

  fullText(): string {
    return this.#engine.fullText();
  }

  /** Throws WnError `not_found` for a head that is not of this document. */
  textAt(heads: readonly Head[]): string {
    return this.#engine.text(this.#versionAt(heads));
  }

  fullRuns(heads: readonly Head[], runs: readonly Run[]): FullRuns {
    if (!this.hasDead || !(this.#engine instanceof Walker)) return { runs, tombstones: false };
    return translateRuns([...this.#engine.stretches(this.#versionAt(heads))], runs);
  }

  free(): void {
    this.#engine.free();
  }

  /** What an op was typed on and what it changes, or why it changes nothing. */
  #check(change: TextOp, parents: Version, isBaseUnknown: boolean) {
    const base = this.#lengths.at(parents);
    const extent = extentOf(change.runs, change.tombstones);
    if (isBaseUnknown) return { base, own: NO_CHANGE, why: MALFORMED.base };
    if (extent === undefined) return { base, own: NO_CHANGE, why: MALFORMED.runs };
    if (fits(change, extent.needs, base)) return { base, own: extent };
    const isMeasured = base.isExact || change.tombstones === true;
    const visible = isMeasured ? base.visible : this.#engine.fullLength(parents);
    const measured = { ...base, visible, isExact: base.isExact || !isMeasured };
    if (fits(change, extent.needs, measured)) return { base: measured, own: extent };
    return { base: measured, own: NO_CHANGE, why: MALFORMED.range };
  }

  #versionAt(heads: readonly Head[]): Version {
    const ops = heads.map((head) => {
      const op = this.#graph.find(head);
      if (op !== undefined) return op;
      throw new WnError(
        'not_found',
        `no text op ${head.index} of commit ${head.seq} of log ${head.log} is known in this document`,
        { hint: 'Run wn sync, or name a version that this repository holds.' },
      );
    });
    return this.#graph.version(ops);
  }
}

function fits(change: TextOp, needs: number, base: Extent): boolean {
  return needs <= (change.tombstones === true ? base.inserted : base.visible);
}
