/**
 * Operations: the smallest changes, and their canonical form. Each is a list whose
 * first part is the kind. A kind that this version doesn't know is kept as it came
 * (`unknown`): it is held, never rejected. What an op means is the fold's business.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  asUint64,
  fromUint64,
  type Canonical,
} from './canonical.js';
import { fromHex, idBytes, idHex, toHex, utf8 } from './bytes.js';
import { WnError } from './errors.js';
import { stamp, stampLog, stampTime, type Stamp } from './hlc.js';
import type { LogId, NodeId } from './ids.js';
import { FIELD_PATH_PARTS_MAX, NAME_BYTES_MAX } from './limits.js';

export type NodeType = 'folder' | 'file' | 'symlink';
/** By their numbers (format). */
export const NODE_TYPES: readonly NodeType[] = ['folder', 'file', 'symlink'];

/** Text parts are the user's fields; a number as the first part is one of `ATTRIBUTE`. */
export type FieldPath = readonly (string | number)[];

/** Properties of a worknode that aren't the user's fields but merge like them. */
export const ATTRIBUTE = {
  /** Whole content: bytes, or a blob reference, or a symlink's target. */
  body: 0,
  executable: 1,
  /** `crlf` or `raw`; absent is LF. */
  eol: 2,
  /** True where the file starts with a byte order mark. */
  bom: 3,
  /** `text` or `whole`: which of the two contents shows; absent is text. */
  format: 4,
} as const;

/** One run: insert text, or delete `count` code points, at a position in code points. */
export type Run = readonly [pos: number, text: string] | readonly [pos: number, count: number];

/** The last op on a document within the commit `seq` of `log` (null: the op's own log). */
export interface BaseRef {
  readonly log: LogId | null;
  readonly seq: number;
}

/** Another op's stamp as an op carries it; the log is null for the op's own log. */
export interface StampRef {
  readonly log: LogId | null;
  readonly time: bigint;
}

export type Op =
  | {
      readonly op: 'genesis';
      readonly name: string;
      readonly clockAheadMaxMs: number;
      readonly recovery: string | null;
    }
  | {
      readonly op: 'create';
      readonly parent: NodeId;
      readonly name: string;
      readonly type: NodeType;
    }
  | { readonly op: 'place'; readonly node: NodeId; readonly parent: NodeId; readonly name: string }
  | { readonly op: 'delete'; readonly node: NodeId }
  | { readonly op: 'revive'; readonly node: NodeId }
  | {
      readonly op: 'field';
      readonly node: NodeId;
      readonly path: FieldPath;
      /** Number of the field type in the registry of `crdt`. */
      readonly type: number;
      readonly arg: Canonical;
    }
  | {
      readonly op: 'text';
      readonly node: NodeId;
      /** Null: the author's own last run on this document, or its beginning if there is none. */
      readonly base: readonly BaseRef[] | null;
      readonly runs: readonly Run[];
      /** Positions also count code points that ops in its past deleted; see `crdt/text/translate`. */
      readonly tombstones: boolean;
    }
  | { readonly op: 'grant'; readonly cap: Uint8Array; readonly sig: Uint8Array }
  | { readonly op: 'device'; readonly name: string }
  /** Up to which entry the author had folded the strong log. */
  | { readonly op: 'seen'; readonly index: number }
  | { readonly op: 'unknown'; readonly kind: number; readonly raw: Canonical };

/** Numbers of the kinds (format). 7 revoke, 9 resolve, 10 text-reset, 11 purge, 12 minimum are set aside. */
const KIND = {
  create: 0,
  place: 1,
  delete: 2,
  revive: 3,
  field: 4,
  text: 5,
  grant: 6,
  device: 8,
  genesis: 13,
  seen: 14,
} as const;

/** Kinds that say what others count for: they stand in the control group and nowhere else. */
export function isControl(op: Op): boolean {
  return (
    op.op === 'genesis' ||
    op.op === 'grant' ||
    op.op === 'device' ||
    op.op === 'seen' ||
    (op.op === 'unknown' && op.kind === 7)
  );
}

/** The worknode that an op changes; null for control ops, unknown ones and creates. */
export function targetOf(op: Op): NodeId | null {
  return 'node' in op ? op.node : null;
}

export function encodeOp(op: Op): Canonical {
  switch (op.op) {
    case 'genesis':
      return [
        KIND.genesis,
        op.name,
        op.clockAheadMaxMs,
        op.recovery === null ? null : fromHex(op.recovery),
      ];
    case 'create':
      return [KIND.create, idBytes(op.parent), op.name, NODE_TYPES.indexOf(op.type)];
    case 'place':
      return [KIND.place, idBytes(op.node), idBytes(op.parent), op.name];
    case 'delete':
      return [KIND.delete, idBytes(op.node)];
    case 'revive':
      return [KIND.revive, idBytes(op.node)];
    case 'field':
      return [KIND.field, idBytes(op.node), op.path, op.type, op.arg];
    case 'text':
      return [
        KIND.text,
        idBytes(op.node),
        op.base === null ? null : op.base.map(encodeBase),
        op.runs,
        ...(op.tombstones ? [true] : []),
      ];
    case 'grant':
      return [KIND.grant, op.cap, op.sig];
    case 'device':
      return [KIND.device, op.name];
    case 'seen':
      return [KIND.seen, op.index];
    case 'unknown':
      return op.raw;
  }
}

/** Throws `invalid` for a known kind that is malformed. */
export function decodeOp(value: Canonical): Op {
  const parts = asArray(value, 'operation');
  const kind = asUint(parts[0], 'kind of operation');
  switch (kind) {
    case KIND.genesis:
      return decodeGenesis(asArray(parts, 'genesis', 4));
    case KIND.create: {
      const [, parent, name, type] = asArray(parts, 'create', 4);
      const nodeType = NODE_TYPES[asUint(type, 'type of worknode')];
      if (nodeType === undefined) return { op: 'unknown', kind, raw: value };
      return { op: 'create', parent: asNode(parent), name: asName(name), type: nodeType };
    }
    case KIND.place: {
      const [, node, parent, name] = asArray(parts, 'place', 4);
      return { op: 'place', node: asNode(node), parent: asNode(parent), name: asName(name) };
    }
    case KIND.delete:
      return { op: 'delete', node: asNode(asArray(parts, 'delete', 2)[1]) };
    case KIND.revive:
      return { op: 'revive', node: asNode(asArray(parts, 'revive', 2)[1]) };
    case KIND.field: {
      const [, node, path, type, arg] = asArray(parts, 'field', 5);
      return {
        op: 'field',
        node: asNode(node),
        path: asFieldPath(path),
        type: asUint(type, 'type of field'),
        arg: arg ?? null,
      };
    }
    case KIND.text: {
      const tombstones = parts.length === 5 && parts[4] === true;
      const [, node, base, runs] = asArray(parts, 'text', tombstones ? 5 : 4);
      return {
        op: 'text',
        node: asNode(node),
        base: base === null ? null : asArray(base, 'base').map(decodeBase),
        runs: asArray(runs, 'runs').map(decodeRun),
        tombstones,
      };
    }
    case KIND.grant: {
      const [, cap, sig] = asArray(parts, 'grant', 3);
      return { op: 'grant', cap: asBytes(cap, 'capability'), sig: asBytes(sig, 'signature', 64) };
    }
    case KIND.device:
      return { op: 'device', name: asName(asArray(parts, 'device', 2)[1]) };
    case KIND.seen:
      return { op: 'seen', index: asUint(asArray(parts, 'mark', 2)[1], 'index of an entry') };
    default:
      return { op: 'unknown', kind, raw: value };
  }
}

function decodeGenesis(parts: readonly Canonical[]): Op {
  const recovery = parts[3] ?? null;
  return {
    op: 'genesis',
    name: asText(parts[1], 'name of the workspace'),
    clockAheadMaxMs: asUint(parts[2], 'bound on the future'),
    recovery: recovery === null ? null : toHex(asBytes(recovery, 'recovery key', 32)),
  };
}

function encodeBase(base: BaseRef): Canonical {
  return [base.log === null ? 0 : fromHex(base.log), base.seq];
}

function decodeBase(value: Canonical): BaseRef {
  const [log, seq] = asArray(value, 'base', 2);
  return { log: asLogRef(log), seq: asUint(seq, 'seq of a base') };
}

function decodeRun(value: Canonical): Run {
  const [pos, change] = asArray(value, 'run', 2);
  const at = asUint(pos, 'position of a run');
  return typeof change === 'string' ? [at, change] : [at, asUint(change, 'length of a run')];
}

function asLogRef(value: Canonical | undefined): LogId | null {
  return value === 0 ? null : toHex(asBytes(value, 'log', 16));
}

export function asNode(value: Canonical | undefined): NodeId {
  return idHex(asBytes(value, 'worknode', 16));
}

export function asName(value: Canonical | undefined): string {
  const name = asText(value, 'name');
  if (utf8(name).byteLength > NAME_BYTES_MAX) throw new WnError('invalid', 'a name over 255 bytes');
  return name;
}

export function asFieldPath(value: Canonical | undefined): FieldPath {
  const parts = asArray(value, 'field path');
  if (parts.length === 0 || parts.length > FIELD_PATH_PARTS_MAX) {
    throw new WnError('invalid', `a field path of ${parts.length} parts`);
  }
  return parts.map((part, index) =>
    index === 0 && typeof part === 'number'
      ? asUint(part, 'attribute')
      : asText(part, 'field name'),
  );
}

/** How a stamp travels in an op's argument: `time`, or `[log, time]` for another log's. */
export function encodeStampRef(ref: StampRef): Canonical {
  return ref.log === null ? fromUint64(ref.time) : [idBytes(ref.log), fromUint64(ref.time)];
}

export function decodeStampRef(value: Canonical | undefined): StampRef {
  if (!Array.isArray(value)) return { log: null, time: asUint64(value, 'stamp') };
  const [log, time] = asArray(value as Canonical, 'stamp', 2);
  return {
    log: toHex(asBytes(log, 'log of a stamp', 16)),
    time: asUint64(time, 'time of a stamp'),
  };
}

/** The stamp that a reference in an op of `own` means. */
export function resolveStampRef(ref: StampRef, own: LogId): Stamp {
  return stamp(ref.time, ref.log ?? own);
}

/** The shortest reference to `at` for an op of the log `own`. */
export function stampRef(at: Stamp, own: LogId): StampRef {
  const log = stampLog(at);
  return { log: log === own ? null : log, time: stampTime(at) };
}
