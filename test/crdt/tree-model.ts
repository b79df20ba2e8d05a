/**
 * The move operation of Kleppmann, Mulligan, Gomes, Beresford (2021) as the paper has it
 * (section 3.3), over the whole tree: creates, files and folders alike are moves; an op
 * that arrives late undoes every newer one and does them again. What `FolderMoves` must
 * agree with.
 */
import type { NodeId } from '../../src/core/ids.js';

/** `time` orders ops totally. */
export interface Move {
  readonly time: string;
  readonly parent: NodeId;
  readonly name: string;
  readonly child: NodeId;
}

interface LogMove extends Move {
  readonly old: Move | null;
  readonly done: boolean;
}

/** Child to the move that placed it. */
type Tree = Map<NodeId, Move>;

export class TreeModel {
  private readonly tree: Tree = new Map();
  private readonly log: LogMove[] = [];

  /** How many moves had no effect, since they would have made a cycle. */
  skips(): number {
    return this.log.filter((entry) => !entry.done).length;
  }

  apply(move: Move): void {
    const newer: LogMove[] = [];
    for (let last = this.log.at(-1); last !== undefined && last.time > move.time;) {
      this.log.pop();
      this.undo(last);
      newer.unshift(last);
      last = this.log.at(-1);
    }
    this.do(move);
    for (const entry of newer) this.do(entry);
  }

  get(node: NodeId): { parent: NodeId; name: string } | null {
    const move = this.tree.get(node);
    return move === undefined ? null : { parent: move.parent, name: move.name };
  }

  private do({ time, parent, name, child }: Move): void {
    const old = this.tree.get(child) ?? null;
    const done = child !== parent && !this.isAncestor(child, parent);
    this.log.push({ time, parent, name, child, old, done });
    if (done) this.tree.set(child, { time, parent, name, child });
  }

  private undo({ child, old, done }: LogMove): void {
    if (!done) return;
    if (old === null) this.tree.delete(child);
    else this.tree.set(child, old);
  }

  private isAncestor(ancestor: NodeId, node: NodeId): boolean {
    const parent = this.tree.get(node)?.parent;
    if (parent === undefined) return false;
    return parent === ancestor || this.isAncestor(ancestor, parent);
  }
}
