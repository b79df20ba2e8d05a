/**
 * Random histories of a tree: a few devices make and move files and folders apart from
 * each other, each soundly in the tree as it sees it, so that cycles come only from
 * concurrency.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import type { NodeId } from '../../src/core/ids.js';
import { makesCycle, type Placement } from '../../src/crdt/tree.js';
import { DEVICES, log } from './histories.js';
import { TreeModel, type Move } from './tree-model.js';

export function node(number: number): NodeId {
  return number.toString(16).padStart(32, '0');
}

export const ROOT = node(0);

export function at(time: number, device = 0): Stamp {
  return stamp(BigInt(time), log(device));
}

export interface TreeOp extends Placement {
  readonly node: NodeId;
  readonly create: boolean;
  readonly folder: boolean;
}

interface TreeStep {
  readonly device: number;
  readonly what: 'folder' | 'file' | 'move' | 'pull';
  readonly a: number;
  readonly b: number;
}

export const treeSteps: fc.Arbitrary<readonly TreeStep[]> = fc.array(
  fc.record({
    device: fc.nat(DEVICES - 1),
    what: fc.constantFrom('folder', 'file', 'move', 'move', 'move', 'move', 'pull', 'pull'),
    a: fc.nat(999),
    b: fc.nat(999),
  }),
  { minLength: 10, maxLength: 60 },
);

/**
 * Plays the steps. All begin with the same four folders; each device then makes only
 * moves that are sound in the tree as it sees it. Returns the ops, each after its past.
 */
export function playTree(script: readonly TreeStep[]): readonly TreeOp[] {
  const ops: TreeOp[] = [1, 2, 3, 4].map((number) => ({
    node: node(number),
    parent: ROOT,
    name: `n${number}`,
    at: at(number),
    create: true,
    folder: true,
  }));
  const devices = Array.from({ length: DEVICES }, () => ({ known: new Set(ops), time: 10 }));
  for (const step of script) {
    const self = devices[step.device];
    assert(self !== undefined, 'no such device');
    if (step.what === 'pull') {
      const other = devices[step.a % DEVICES];
      for (const op of other?.known ?? []) self.known.add(op);
      self.time = Math.max(self.time, other?.time ?? 0);
      continue;
    }
    self.time += 1 + (step.b % 3);
    const op = intend(step, self.known, at(self.time, step.device), ops.length);
    if (op === null) continue;
    ops.push(op);
    self.known.add(op);
  }
  return ops;
}

function intend(
  step: TreeStep,
  known: ReadonlySet<TreeOp>,
  when: Stamp,
  count: number,
): TreeOp | null {
  const creates = [...known].filter((op) => op.create);
  const folders = [ROOT, ...creates.filter((op) => op.folder).map((op) => op.node)];
  const parent = folders[step.a % folders.length] ?? ROOT;
  if (step.what !== 'move') {
    const folder = step.what === 'folder';
    const name = `n${step.b % 5}`;
    return { node: node(100 + count), parent, name, at: when, create: true, folder };
  }
  const moved = creates[step.b % creates.length];
  if (moved === undefined) return null;
  const view = new TreeModel();
  for (const op of known) view.apply(modelMove(op));
  if (makesCycle(moved.node, parent, (id) => placed(view.get(id)))) return null;
  const { node: id, folder } = moved;
  return { node: id, parent, name: `m${step.b % 5}`, at: when, create: false, folder };
}

function placed(place: { parent: NodeId; name: string } | null): Placement | null {
  return place === null ? null : { ...place, at: at(0) };
}

export function modelMove(op: Placement & { readonly node: NodeId }): Move {
  const time = op.at + op.node + op.parent + op.name;
  return { time, parent: op.parent, name: op.name, child: op.node };
}

/** A random order in which every op comes after its node's and its parent's create. */
export function arrival(ops: readonly TreeOp[], weights: readonly number[]): readonly TreeOp[] {
  const left = [...ops];
  const created = new Set([ROOT]);
  const order: TreeOp[] = [];
  while (left.length > 0) {
    const ready = left.filter(
      (op) => created.has(op.parent) && (op.create || created.has(op.node)),
    );
    const next = ready[(weights[order.length % weights.length] ?? 0) % ready.length];
    assert(next !== undefined, 'nothing is ready');
    left.splice(left.indexOf(next), 1);
    order.push(next);
    if (next.create) created.add(next.node);
  }
  return order;
}
