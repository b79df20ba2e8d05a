/**
 * One worknode as the index keeps it: the fold of the live ops that bear on it. Leaves
 * out the text itself (table `text`) and how names show among siblings (`view`).
 */
import {
  asArray,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { fromHex, toHex } from '../../core/bytes.js';
import { stamp, stampLog, stampTime, type Stamp } from '../../core/hlc.js';
import type { LogId } from '../../core/ids.js';
import type { NodeType } from '../../core/op.js';
import { decodeFields, encodeFields, emptyFields, type FieldsState } from '../../crdt/registry.js';
import type { Head } from '../../crdt/text/op.js';
import type { Placement } from '../../crdt/tree.js';
import type { CommitRef } from '../history.js';
import { decodeStrong, encodeStrong, type StrongNode } from './strong.js';

/** Heads of a document and each log's last op on it. */
export interface DocumentHeads {
  readonly heads: readonly Head[];
  readonly last: ReadonlyMap<LogId, Head>;
  /** Some op on the document is dead: its text is replayed by the walker. */
  readonly whiteout: boolean;
}

export interface NodeRecord {
  /** Null for a worknode whose create op isn't held (of a newer version, or detached). */
  readonly created: (Placement & { readonly type: NodeType }) | null;
  readonly placed: Placement | null;
  /** Live deletes. */
  readonly deletes: readonly CommitRef[];
  /** The newest live op of each log that isn't a delete. */
  readonly touches: ReadonlyMap<LogId, number>;
  readonly fields: FieldsState;
  readonly document: DocumentHeads | null;
  /** Newest live op, deletes included. */
  readonly updated: Stamp | null;
  /** Shown in the tree: touched since every live delete, or with a shown child. */
  readonly shown: boolean;
  /** Has losers among its fields, or a delete that concurrent work undid. */
  readonly conflict: boolean;
  /** Shown children. */
  readonly kids: number;
  /** What the strong log says of it; laid over `fields` already. */
  readonly strong: StrongNode | null;
}

export const EMPTY_NODE: NodeRecord = {
  created: null,
  placed: null,
  deletes: [],
  touches: new Map(),
  fields: emptyFields(),
  document: null,
  updated: null,
  shown: false,
  conflict: false,
  kids: 0,
  strong: null,
};

const TYPES: readonly NodeType[] = ['folder', 'file', 'symlink'];

export function encodeNode(node: NodeRecord): Uint8Array {
  return encodeCanonical([
    node.created === null
      ? null
      : [...placementParts(node.created), TYPES.indexOf(node.created.type)],
    node.placed === null ? null : placementParts(node.placed),
    node.deletes.map((at) => [fromHex(at.log), at.seq]),
    [...node.touches].map(([log, seq]) => [fromHex(log), seq]),
    encodeFields(node.fields),
    node.document === null ? null : documentParts(node.document),
    node.updated === null ? null : stampParts(node.updated),
    node.shown,
    node.conflict,
    node.kids,
    encodeStrong(node.strong),
  ]);
}

export function decodeNode(bytes: Uint8Array): NodeRecord {
  const parts = asArray(decodeCanonical(bytes), 'worknode record', 11);
  const created = parts[0] ?? null;
  const placed = parts[1] ?? null;
  const document = parts[5] ?? null;
  return {
    created:
      created === null
        ? null
        : {
            ...placementOf(created),
            type: TYPES[asUint(asArray(created, 'create')[3], 'type')] ?? 'file',
          },
    placed: placed === null ? null : placementOf(placed),
    deletes: asArray(parts[2], 'deletes').map(refOf),
    touches: new Map(
      asArray(parts[3], 'touches').map((touch) => {
        const { log, seq } = refOf(touch);
        return [log, seq] as const;
      }),
    ),
    fields: decodeFields(parts[4] ?? null),
    document: document === null ? null : documentOf(document),
    updated: parts[6] === null || parts[6] === undefined ? null : stampOf(parts[6]),
    shown: parts[7] === true,
    conflict: parts[8] === true,
    kids: asUint(parts[9], 'kids'),
    strong: decodeStrong(parts[10] ?? null),
  };
}

function stampParts(at: Stamp): Canonical {
  return [stampTime(at), fromHex(stampLog(at))];
}

function stampOf(value: Canonical): Stamp {
  const [time, log] = asArray(value, 'stamp', 2);
  return stamp(BigInt(time as number | bigint), toHex(log as Uint8Array));
}

function placementParts(placement: Placement): Canonical[] {
  return [stampParts(placement.at), fromHex(placement.parent), placement.name];
}

function placementOf(value: Canonical): Placement {
  const [at, parent, name] = asArray(value, 'placement');
  return { at: stampOf(at ?? null), parent: toHex(parent as Uint8Array), name: name as string };
}

function refOf(value: Canonical): CommitRef {
  const [log, seq] = asArray(value, 'commit place', 2);
  return { log: toHex(log as Uint8Array), seq: asUint(seq, 'seq') };
}

function headParts(head: Head): Canonical {
  return [fromHex(head.log), head.seq, head.index];
}

function headOf(value: Canonical): Head {
  const [log, seq, index] = asArray(value, 'head', 3);
  return { log: toHex(log as Uint8Array), seq: asUint(seq, 'seq'), index: asUint(index, 'index') };
}

function documentParts(document: DocumentHeads): Canonical {
  return [
    document.heads.map(headParts),
    [...document.last.values()].map(headParts),
    document.whiteout,
  ];
}

function documentOf(value: Canonical): DocumentHeads {
  const [heads, last, whiteout] = asArray(value, 'document', 3);
  return {
    heads: asArray(heads, 'heads').map(headOf),
    last: new Map(asArray(last, 'last ops').map((part) => [headOf(part).log, headOf(part)])),
    whiteout: whiteout === true,
  };
}
