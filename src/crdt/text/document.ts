/**
 * One text document. While every op is typed on all that came before it, the text is a buffer and
 * nothing else is kept; the first concurrent or dead op makes it read its history and merge. The
 * text is a function of the set of ops and their verdicts, whatever order they came in.
 *
 * A verdict that changes is not an update: open the document again.
 */
import { assert } from '../../core/errors.js';
import { TextBuffer } from './buffer.js';
import type { DiamondTypes } from './diamond.js';
import { MALFORMED, MergedText, type Added } from './merged.js';
import { extentOf, sameHeads, type Head, type Run, type TextOp } from './op.js';
import type { FullRuns } from './translate.js';

/** The text at some heads, of a document without dead ops. */
export interface TextSnapshot {
  readonly text: string;
  readonly heads: readonly Head[];
}

export interface TextDocumentOptions {
  /** Where to start without reading the history; wants `history`. */
  readonly snapshot?: TextSnapshot;
  /**
   * All ops of the document so far, in a causal order, dead ones too; called again when needed,
   * and may yield the op that is being added. Without it the document keeps its ops.
   */
  readonly history?: () => Iterable<TextOp>;
  /**
   * Loads the module `diamond-types-node`; called at the first concurrent op. Without it our own
   * walker merges: the same text, more slowly.
   */
  readonly diamondTypes?: () => DiamondTypes;
}

export class TextDocument {
  readonly #options: TextDocumentOptions;
  readonly #kept: TextOp[] = [];
  #heads: readonly Head[];
  /** The text of the linear case, as a string, or as a buffer once it was edited. */
  #text: string | undefined;
  #buffer: TextBuffer | undefined;
  #merged: MergedText | undefined;

  private constructor(options: TextDocumentOptions) {
    const { snapshot, history } = options;
    assert(snapshot === undefined || history !== undefined, 'a snapshot comes with a history');
    this.#options = options;
    this.#heads = snapshot?.heads ?? [];
    this.#text = snapshot?.text ?? '';
  }

  static open(options: TextDocumentOptions = {}): TextDocument {
    const document = new TextDocument(options);
    if (options.snapshot === undefined) {
      for (const op of options.history?.() ?? []) document.add(op);
    }
    return document;
  }

  /** Adds an op whose base has been added. A malformed op becomes a head, but changes no text. */
  add(op: TextOp): Added {
    const isNext =
      this.#merged === undefined && !MergedText.needsWalker(op) && sameHeads(op.base, this.#heads);
    if (isNext) {
      if (this.#options.history === undefined) this.#kept.push(op);
      return this.#append(op);
    }
    const isWrongEngine = this.#merged?.usesWalker === false && MergedText.needsWalker(op);
    if (this.#merged === undefined || isWrongEngine) this.#merge(MergedText.needsWalker(op));
    if (this.#options.history === undefined) this.#kept.push(op);
    return this.#merged!.add(op);
  }

  /** Ops that no other op was typed on. */
  heads(): readonly Head[] {
    return this.#merged?.heads() ?? this.#heads;
  }

  /** Whether all was typed in one line since it was opened, so that no engine is loaded. */
  get isLinear(): boolean {
    return this.#merged === undefined;
  }

  /** The text that shows: all live ops merged. */
  text(): string {
    if (this.#merged !== undefined) return this.#merged.text();
    this.#text ??= this.#buffer?.toString() ?? '';
    return this.#text;
  }

  /** The text that the positions of an op refer to, which counts dead ops too. */
  fullText(): string {
    return this.#merged?.fullText() ?? this.text();
  }

  /**
   * The text that shows at some heads. Throws WnError `not_found` for one that isn't of this
   * document.
   */
  textAt(heads: readonly Head[]): string {
    if (sameHeads(heads, this.heads())) return this.text();
    // The past of a linear document is no reason to load Diamond Types.
    if (this.#merged === undefined) this.#merge(true);
    return this.#merged!.textAt(heads);
  }

  /**
   * What to write into an op for `runs` that were typed on `textAt(heads)` and fit it. The runs
   * themselves, unless an op is dead; then a misfit throws WnError `invalid`, and an unknown head
   * `not_found`.
   */
  toFullRuns(heads: readonly Head[], runs: readonly Run[]): FullRuns {
    return this.#merged?.fullRuns(heads, runs) ?? { runs, tombstones: false };
  }

  /** What to open the document with next time; undefined if an op is dead. */
  snapshot(): TextSnapshot | undefined {
    if (this.#merged?.hasDead === true) return undefined;
    return { text: this.text(), heads: this.heads() };
  }

  /** Releases the engine's memory, which no garbage collector sees. The document is done with. */
  free(): void {
    this.#merged?.free();
    this.#merged = undefined;
  }

  #append(op: TextOp): Added {
    this.#heads = [{ log: op.log, seq: op.seq, index: op.index }];
    const extent = extentOf(op.runs);
    if (extent === undefined) return { ok: false, why: MALFORMED.runs };
    if (op.runs.length === 0) return { ok: true };
    this.#buffer ??= new TextBuffer(this.#text);
    if (extent.needs > this.#buffer.length) return { ok: false, why: MALFORMED.range };
    for (const run of op.runs) this.#buffer.apply(run);
    this.#text = undefined;
    return { ok: true };
  }

  #merge(mustWalk: boolean): void {
    const { history, diamondTypes } = this.#options;
    const ops = () => history?.() ?? this.#kept;
    this.free();
    this.#merged = new MergedText(
      mustWalk || some(ops(), (op) => MergedText.needsWalker(op)) ? undefined : diamondTypes?.(),
    );
    for (const op of ops()) this.#merged.add(op);
    this.#text = undefined;
    this.#buffer = undefined;
  }
}

function some(ops: Iterable<TextOp>, test: (op: TextOp) => boolean): boolean {
  for (const op of ops) if (test(op)) return true;
  return false;
}
