/** The live operations on one worknode, oldest first by stamp. */
import { stamp, type Stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { readOp } from './fold/ops.js';
import type { CommitRef } from './history.js';
import { touchesOf } from './index/touches.js';
import type { Replica } from './replica.js';

export interface OpPlace {
  readonly ref: CommitRef;
  /** Its index in the commit. */
  readonly index: number;
  readonly at: Stamp;
}

export interface NodeOp extends OpPlace {
  readonly op: Op;
}

/** Where they stand; reads none of them. */
export function* placesOn({ tables, history }: Replica, node: NodeId): Iterable<OpPlace> {
  for (const { time, log, seq } of touchesOf(tables, node)) {
    const ref = { log: history.logOfNumber(log), seq };
    const record = history.record(ref);
    if (record?.state !== 'live') continue;
    yield { ref, index: Number(time - record.hlc), at: stamp(time, ref.log) };
  }
}

/** An op that can't be read, being sealed or absent, is left out. */
export function* opsOn(replica: Replica, node: NodeId): Iterable<NodeOp> {
  for (const place of placesOn(replica, node)) {
    const op = readOp(replica.history, replica.fold.groups, place.ref, place.index);
    if (op !== null) yield { ...place, op };
  }
}
