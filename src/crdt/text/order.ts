/**
 * The order in which the walker replays ops. Any causal order gives the same text; this one
 * follows each branch to where it meets another before it turns to the next, because a change of
 * branch costs as much as the branch is long.
 */
import type { EventGraph } from './graph.js';

/** Ops `from` and later: depth first from the heads, each after its parents. */
export function replayOrder(graph: EventGraph, from: number): number[] {
  const isDone = new Uint8Array(graph.size - from);
  const order: number[] = [];
  const path = [...graph.heads];
  for (let op = path.at(-1); op !== undefined; op = path.at(-1)) {
    const missing = graph.parents(op).find((parent) => parent >= from && !isDone[parent - from]);
    if (missing !== undefined) {
      path.push(missing);
      continue;
    }
    path.pop();
    if (op < from || isDone[op - from]) continue;
    isDone[op - from] = 1;
    order.push(op);
  }
  return order;
}
