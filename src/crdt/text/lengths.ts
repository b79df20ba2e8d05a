/**
 * How long the text was that an op was typed on, without replaying it. Where branches meet, code
 * points that both had deleted are counted twice, so the length is only a lower bound until
 * somebody measures it. Text lengths here are of the full document: dead ops count like others.
 */
import type { EventGraph, Version } from './graph.js';
import type { RunsExtent } from './op.js';

export interface Extent {
  /** At least this many code points show; just as many if `isExact`. */
  readonly visible: number;
  readonly isExact: boolean;
  /** Exactly this many were ever inserted. */
  readonly inserted: number;
}

const EMPTY: Extent = { visible: 0, isExact: true, inserted: 0 };

export class Lengths {
  readonly #graph: EventGraph;
  /** Extent after each op. */
  readonly #visible: number[] = [];
  readonly #isExact: boolean[] = [];
  readonly #inserted: number[] = [];
  /** Own change of each op. */
  readonly #ownInserted: number[] = [];
  readonly #ownDeleted: number[] = [];

  constructor(graph: EventGraph) {
    this.#graph = graph;
  }

  at(version: Version): Extent {
    const [first, ...rest] = version;
    if (first === undefined) return EMPTY;
    let visible = this.#visible[first]!;
    let inserted = this.#inserted[first]!;
    if (rest.length === 0) return { visible, isExact: this.#isExact[first]!, inserted };
    for (const op of this.#graph.diff([first], rest).onlyB) {
      visible += this.#ownInserted[op]! - this.#ownDeleted[op]!;
      inserted += this.#ownInserted[op]!;
    }
    return { visible: Math.max(0, visible), isExact: false, inserted };
  }

  /** Notes the next op, typed on a text of extent `base`. Tombstones can be deleted twice, too. */
  add(base: Extent, own: RunsExtent, tombstones: boolean): void {
    this.#ownInserted.push(own.inserted);
    this.#ownDeleted.push(own.deleted);
    this.#isExact.push(base.isExact && !(tombstones && own.deleted > 0));
    this.#visible.push(Math.max(0, base.visible + own.inserted - own.deleted));
    this.#inserted.push(base.inserted + own.inserted);
  }
}
