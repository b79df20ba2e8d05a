/**
 * Where worknodes are: against the paper's algorithm over the whole tree, and what a move
 * costs. The counters at the end of each property say what its histories met.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Stamp } from '../../src/core/hlc.js';
import type { NodeId } from '../../src/core/ids.js';
import {
  FolderMoves,
  makesCycle,
  newerPlacement,
  type FolderMove,
  type Placement,
} from '../../src/crdt/tree.js';
import {
  arrival,
  at,
  modelMove,
  node,
  playTree,
  ROOT,
  treeSteps,
  type TreeOp,
} from './tree-histories.js';
import { TreeModel } from './tree-model.js';

const RUNS = 300;
const weights = fc.array(fc.nat(1_000), { minLength: 64, maxLength: 64 });

function move(folder: NodeId, parent: NodeId, when: Stamp, live = true): FolderMove {
  return { node: folder, parent, name: 'f', at: when, live };
}

/** The tree as a fold keeps it: files by their newest placement, folders by their moves. */
class Replica {
  newestMove: Stamp = '';
  private readonly created = new Map<NodeId, TreeOp>();
  private readonly files = new Map<NodeId, Placement>();
  readonly folders = new FolderMoves((id) => this.created.get(id) ?? null);

  /** Returns the worknodes that are in another place now. */
  apply(op: TreeOp): ReadonlySet<NodeId> {
    if (op.create) this.created.set(op.node, op);
    if (!op.folder) {
      this.files.set(op.node, newerPlacement(this.files.get(op.node) ?? op, op));
      return new Set([op.node]);
    }
    if (op.create) return new Set([op.node]);
    const changed = this.folders.put([asMove(op, true)]);
    if (op.at > this.newestMove) this.newestMove = op.at;
    return changed;
  }

  places(): ReadonlyMap<NodeId, { parent: NodeId; name: string }> {
    const places = [...this.created.keys()].map((id) => {
      const place = this.files.get(id) ?? this.folders.placement(id);
      assert(place !== null, 'a worknode without a place');
      return [id, { parent: place.parent, name: place.name }] as const;
    });
    return new Map(places);
  }
}

describe('tree', () => {
  it('agrees with the paper on every tree, after every arrival', () => {
    const met = { skipped: 0, late: 0, changedOthers: 0, fileMoves: 0 };
    fc.assert(
      fc.property(treeSteps, weights, (script, order) => {
        const replica = new Replica();
        const model = new TreeModel();
        for (const op of arrival(playTree(script), order)) {
          const before = replica.places();
          model.apply(modelMove(op));
          const changed = replica.apply(op);
          const after = replica.places();
          for (const [id, place] of after) assert.deepEqual(place, model.get(id));
          for (const [id, place] of before) {
            const same = isDeepStrictEqual(after.get(id), place);
            assert(same || changed.has(id), 'a change that was not told');
          }
          if (op.folder && !op.create && op.at < replica.newestMove) met.late++;
          if ([...changed].some((id) => id !== op.node)) met.changedOthers++;
          if (!op.create && !op.folder) met.fileMoves++;
        }
        assert.equal(replica.folders.skipped().length, model.skips());
        met.skipped += model.skips();
      }),
      { numRuns: RUNS },
    );
    for (const [what, count] of Object.entries(met)) assert(count > 50, `only ${count} ${what}`);
  });

  it('is a function of the live moves, however verdicts came and went', () => {
    const met = { killed: 0, revived: 0, skippedThenDone: 0 };
    fc.assert(
      fc.property(treeSteps, fc.array(fc.nat(999), { maxLength: 12 }), (script, toggles) => {
        const ops = playTree(script);
        const created = new Map(ops.filter((op) => op.create).map((op) => [op.node, op]));
        const moves = ops.filter((op) => op.folder && !op.create);
        if (moves.length === 0) return;
        const live = new Map(moves.map((op) => [op, true]));
        const folders = new FolderMoves(
          (id) => created.get(id) ?? null,
          moves.map((op) => asMove(op, true)),
        );
        for (const toggle of toggles) {
          const op = moves[toggle % moves.length];
          assert(op !== undefined, 'there are moves');
          const alive = live.get(op) !== true;
          live.set(op, alive);
          const skipped = new Set(folders.skipped().map((each) => each.at));
          const before = new Map(folders.effective());
          const changed = folders.put([asMove(op, alive)]);
          assert.deepEqual([...changed].sort(), differences(before, folders.effective()));
          if (alive) met.revived++;
          else met.killed++;
          if ([...folders.effective().values()].some((place) => skipped.has(place.at))) {
            met.skippedThenDone++;
          }
        }
        const model = new TreeModel();
        for (const op of created.values()) model.apply(modelMove(op));
        for (const op of moves) if (live.get(op) === true) model.apply(modelMove(op));
        for (const id of [...created.keys()].filter((key) => created.get(key)?.folder === true)) {
          const ours = folders.placement(id);
          assert.deepEqual({ parent: ours?.parent, name: ours?.name }, model.get(id));
        }
      }),
      { numRuns: RUNS },
    );
    for (const [what, count] of Object.entries(met)) assert(count > 30, `only ${count} ${what}`);
  });

  it('converges and keeps every folder under the root, whatever stamps and parents are signed', () => {
    const met = { skipped: 0, twins: 0 };
    const folderCount = 6;
    const created = new Map<NodeId, Placement>();
    for (let each = 1; each <= folderCount; each++) {
      created.set(node(each), {
        parent: node(Math.floor(each / 2)),
        name: `n${each}`,
        at: at(each),
      });
    }
    const anyMove = fc.record({
      node: fc.nat(folderCount).map(node),
      parent: fc.nat(folderCount).map(node),
      name: fc.constantFrom('x', 'y'),
      at: fc.tuple(fc.nat(4), fc.nat(1)).map(([time, device]) => at(time, device)),
      live: fc.boolean(),
    });
    // One op is one key; of equal ones, the verdict could not differ.
    const anyMoves = fc
      .uniqueArray(anyMove, { maxLength: 12, selector: (each) => modelMove(each).time })
      .chain((moves) =>
        fc.tuple(fc.constant(moves), fc.shuffledSubarray(moves, { minLength: moves.length })),
      );
    fc.assert(
      fc.property(anyMoves, fc.nat(12), ([moves, shuffled], cut) => {
        const createdUnder = (id: NodeId): Placement | null => created.get(id) ?? null;
        const one = new FolderMoves(createdUnder);
        for (const each of moves) one.put([each]);
        const other = new FolderMoves(createdUnder, shuffled.slice(0, cut));
        other.put(shuffled.slice(cut));
        const model = new TreeModel();
        // Creates before all moves: a time that no stamp reaches.
        for (const [id, place] of created) {
          model.apply({ time: `!${place.at}`, parent: place.parent, name: place.name, child: id });
        }
        const movable = moves.filter((each) => each.live && created.has(each.node));
        for (const each of movable) model.apply(modelMove(each));
        for (const id of created.keys()) {
          const place = one.placement(id);
          assert.deepEqual(other.placement(id), place);
          assert.deepEqual({ parent: place?.parent, name: place?.name }, model.get(id));
          assert(
            makesCycle(ROOT, id, (each) => one.placement(each)),
            'a folder lost its way up',
          );
        }
        met.skipped += one.skipped().length;
        met.twins += new Set(moves.map((each) => each.at)).size < moves.length ? 1 : 0;
      }),
      { numRuns: RUNS * 2 },
    );
    for (const [what, count] of Object.entries(met)) assert(count > RUNS, `only ${count} ${what}`);
  });

  describe('two folders moved into each other', () => {
    const created = new Map(
      [1, 2, 3].map((each) => [node(each), { ...move(node(each), ROOT, at(each)) }]),
    );
    const createdUnder = (id: NodeId): Placement | null => created.get(id) ?? null;
    const earlier = move(node(1), node(2), at(10, 1));
    const later = move(node(2), node(1), at(10, 2));

    it('the earlier move stands, in either order of arrival', () => {
      for (const order of [
        [earlier, later],
        [later, earlier],
      ]) {
        const folders = new FolderMoves(createdUnder);
        for (const each of order) folders.put([each]);
        assert.equal(folders.placement(node(1))?.parent, node(2));
        assert.equal(folders.placement(node(2))?.parent, ROOT);
        assert.deepEqual(folders.skipped(), [later]);
      }
    });

    it('the later one takes effect when the earlier is dead', () => {
      const folders = new FolderMoves(createdUnder, [earlier, later]);
      const changed = folders.put([{ ...earlier, live: false }]);
      assert.deepEqual([...changed].sort(), [node(1), node(2)]);
      assert.equal(folders.placement(node(1))?.parent, ROOT);
      assert.equal(folders.placement(node(2))?.parent, node(1));
      assert.deepEqual([...folders.put([earlier])].sort(), [node(1), node(2)]);
      assert.equal(folders.placement(node(2))?.parent, ROOT);
    });

    it('a move that is known already changes nothing', () => {
      const folders = new FolderMoves(createdUnder, [earlier, later]);
      assert.equal(folders.put([earlier, later]).size, 0);
      assert.equal(folders.put([]).size, 0);
    });

    it('the root stays where it is, and what was never created is nowhere', () => {
      const stray = [move(ROOT, node(1), at(20)), move(node(9), ROOT, at(21))];
      const folders = new FolderMoves(createdUnder, [...stray, move(ROOT, node(9), at(22))]);
      assert.equal(folders.placement(ROOT), null);
      assert.equal(folders.placement(node(9)), null);
      assert.equal(folders.effective().size, 0);
    });
  });

  describe('costs', () => {
    const WIDE = 20_000;
    const DEPTH = 10;
    let asked = 0;
    // Chains of ten folders under the root.
    const createdUnder = (id: NodeId): Placement | null => {
      asked++;
      const number = Number.parseInt(id, 16);
      if (number === 0) return null;
      const parent = number % DEPTH === 1 ? ROOT : node(number - 1);
      return { parent, name: 'n', at: at(1) };
    };
    const head = (chain: number): NodeId => node(chain * DEPTH + 1);
    const moves = Array.from({ length: 500 }, (_, index) =>
      move(head(index), node((WIDE - index) * DEPTH), at(100 + index)),
    );

    it('a walk to the root, for the newest move', () => {
      const folders = new FolderMoves(createdUnder, moves);
      asked = 0;
      folders.put([move(head(900), node(950 * DEPTH), at(10_000))]);
      assert(asked <= DEPTH + 2, `${asked} look-ups`);
    });

    it('such a walk per newer folder move, for a late one', () => {
      const folders = new FolderMoves(createdUnder, moves);
      asked = 0;
      folders.put([move(head(900), node(950 * DEPTH), at(100 + 489, 1))]);
      assert(asked <= 11 * (DEPTH + 2), `${asked} look-ups for ten newer moves`);
    });
  });

  it('stops at a cycle of creates, which the caller excludes', () => {
    const looped = (id: NodeId): Placement => ({
      parent: id === node(1) ? node(2) : node(1),
      name: 'n',
      at: at(1),
    });
    assert.throws(() => makesCycle(node(3), node(1), looped), /bug: a cycle among folders/);
  });

  it('places leaves by the newest stamp, and by content on one stamp', () => {
    const older = { parent: node(1), name: 'a', at: at(1, 2) };
    const newer = { parent: node(2), name: 'b', at: at(2, 1) };
    const twin = { parent: node(2), name: 'c', at: at(2, 1) };
    assert.equal(newerPlacement(older, newer), newer);
    assert.equal(newerPlacement(newer, older), newer);
    assert.equal(newerPlacement(newer, twin), newerPlacement(twin, newer));
  });
});

function asMove(op: TreeOp, live: boolean): FolderMove {
  const { node: id, parent, name } = op;
  return { node: id, parent, name, at: op.at, live };
}

function differences(
  before: ReadonlyMap<NodeId, Placement>,
  after: ReadonlyMap<NodeId, Placement>,
): readonly NodeId[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const spelled = (place: Placement | undefined): string => JSON.stringify(place) ?? '';
  return keys.filter((key) => spelled(before.get(key)) !== spelled(after.get(key))).sort();
}
