/**
 * The operations that take a change back. A create becomes a delete, a delete a revive,
 * a move a move back; a field gets what it showed before, where the change is still what
 * shows; text is taken back on the very version that the change left, so it merges with
 * whatever was typed since. What isn't current any more stays, and is told.
 */
import { stampedOps } from '../core/commit.js';
import type { Stamp } from '../core/hlc.js';
import type { NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { makesCycle, type Placement } from '../crdt/tree.js';
import { nodeOf } from '../repo/fold/fold.js';
import { decodeSeq } from '../repo/index/records.js';
import { key, parseTouch } from '../repo/index/tables.js';
import type { CommitRef } from '../repo/history.js';
import type { Replica } from '../repo/replica.js';
import { FieldInverses } from './inversefields.js';
import { inverseText } from './inversetext.js';
import { lastPath } from './lastpath.js';
import { opsOn } from './nodeops.js';

export interface NotUndone {
  readonly path: string;
  /** The field, where it is one. */
  readonly field?: string;
  readonly why: string;
}

export interface Inverse {
  readonly ops: readonly Op[];
  readonly notUndone: readonly NotUndone[];
}

/** An operation of the change. */
export interface ChangeOp<Kind extends Op['op'] = Op['op']> {
  readonly op: Extract<Op, { op: Kind }>;
  readonly node: NodeId;
  readonly at: Stamp;
  readonly ref: CommitRef;
  /** Its index in the commit. */
  readonly index: number;
}
