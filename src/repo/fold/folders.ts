/**
 * Folder moves of a repository, loaded from the index when the first one is needed. The
 * rule (which move counts where several would make a cycle) is `crdt/tree`.
 */
import { fromHex, toHex } from '../../core/bytes.js';
import { asArray, decodeCanonical, encodeCanonical } from '../../core/canonical.js';
import { stamp, stampLog, stampTime } from '../../core/hlc.js';
import type { NodeId } from '../../core/ids.js';
import { FolderMoves, type FolderMove, type Placement } from '../../crdt/tree.js';
import type { History } from '../history.js';
import { key, parseFolderMove, type Tables } from '../index/tables.js';

export class FolderPlaces {
  private moves: FolderMoves | null = null;

  constructor(
    private readonly tables: Tables,
    private readonly history: History,
    private readonly createdUnder: (node: NodeId) => Placement | null,
  ) {}

  /** Takes in moves of folders, or new verdicts on known ones; returns who is elsewhere now. */
  put(moves: readonly FolderMove[]): ReadonlyMap<NodeId, Placement> {
    const all = this.loaded();
    for (const move of moves) {
      const log = this.history.log(stampLog(move.at))?.number ?? 0;
      this.tables.put(
        key.folderMove(stampTime(move.at), log),
        encodeCanonical([fromHex(move.node), fromHex(move.parent), move.name, move.live]),
      );
    }
    const changed = new Map<NodeId, Placement>();
    for (const node of all.put(moves)) {
      const placement = all.placement(node);
      if (placement !== null) changed.set(node, placement);
    }
    return changed;
  }

  placement(node: NodeId): Placement | null {
    return this.loaded().placement(node);
  }

  /** Live moves without effect: each would have put a folder into itself. */
  skipped(): readonly FolderMove[] {
    return this.loaded().skipped();
  }

  /** Forgets what another process may have changed. */
  refresh(): void {
    this.moves = null;
  }

  private loaded(): FolderMoves {
    if (this.moves !== null) return this.moves;
    const known: FolderMove[] = [];
    for (const [at, bytes] of this.tables.prefix(key.table('folderMove'))) {
      const { time, log } = parseFolderMove(at);
      const [node, parent, name, live] = asArray(decodeCanonical(bytes), 'folder move', 4);
      known.push({
        node: toHex(node as Uint8Array),
        parent: toHex(parent as Uint8Array),
        name: name as string,
        live: live === true,
        at: stamp(time, this.history.logOfNumber(log)),
      });
    }
    this.moves = new FolderMoves(this.createdUnder, known);
    return this.moves;
  }
}
