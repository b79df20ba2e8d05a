/**
 * Merging by Diamond Types: our log is the truth, its op log a working copy with explicit
 * parents. Only for documents without dead ops. Positions must be checked before: Diamond Types
 * clamps them silently.
 */
import type { Branch, OpLog } from 'diamond-types-node';
import { assert } from '../../core/errors.js';
import { countCodePoints } from './codepoints.js';
import type { EventGraph, Version } from './graph.js';
import type { MergeEngine } from './merged.js';
import type { TextOp } from './op.js';

/** What is used of the module `diamond-types-node` 1.0.2. */
export interface DiamondTypes {
  readonly OpLog: new () => OpLog;
  readonly Branch: new () => Branch;
}

/** It panics on longer names. */
const AGENT_BYTES_MAX = 49;

export class DiamondEngine implements MergeEngine {
  readonly #graph: EventGraph;
  readonly #module: DiamondTypes;
  readonly #log: OpLog;
  /** The text of all ops, as far as it was asked for. */
  readonly #tip: Branch;
  #agent = '';
  /** Local versions after each op: one, except after an op without runs. */
  readonly #versions: (number | Uint32Array)[] = [];

  constructor(graph: EventGraph, module: DiamondTypes) {
    this.#graph = graph;
    this.#module = module;
    this.#log = new module.OpLog();
    this.#tip = new module.Branch();
  }

  append({ log, runs }: TextOp): void {
    if (log !== this.#agent) {
      assert(log.length <= AGENT_BYTES_MAX, 'a log id is 32 characters');
      this.#log.setAgent(log);
      this.#agent = log;
    }
    // Without parents, Diamond Types takes all heads that it has: the usual case, and faster.
    const isOnAll = this.#graph.heads.length === 1;
    const parents = () => this.#local(this.#graph.parents(this.#versions.length));
    let at = isOnAll ? undefined : parents();
    let last: number | undefined;
    for (const [pos, what] of runs) {
      last = typeof what === 'string' ? this.#log.ins(pos, what, at) : this.#log.del(pos, what, at);
      at = isOnAll ? undefined : Uint32Array.of(last);
    }
    this.#versions.push(last ?? parents());
  }

  text(version?: Version): string {
    if (version !== undefined) return this.#checkout(version);
    this.#tip.merge(this.#log);
    return this.#tip.get();
  }

  fullText(version?: Version): string {
    return this.text(version);
  }

  fullLength(version: Version): number {
    return countCodePoints(this.#checkout(version));
  }

  free(): void {
    this.#tip.free();
    this.#log.free();
  }

  #checkout(version: Version): string {
    const branch = new this.#module.Branch();
    branch.merge(this.#log, this.#local(version));
    const text = branch.get();
    branch.free();
    return text;
  }

  /** Local versions, sorted. */
  #local(version: Version): Uint32Array {
    const locals = version.map((op) => this.#versions[op]!);
    if (locals.every((local): local is number => typeof local === 'number')) {
      return locals.length === 1 ? Uint32Array.of(locals[0]!) : Uint32Array.from(locals).sort();
    }
    // An op without runs stands for what it follows, which may be in the past of another.
    return locals
      .map((local) => (typeof local === 'number' ? Uint32Array.of(local) : local))
      .reduce((a, b) => this.#log.mergeVersions(a, b));
  }
}
