/** The operations of a commit as `--json` tells them and as people read them. */
import type { Canonical } from '../core/canonical.js';
import { stampedOps, type Commit, type StampedOp } from '../core/commit.js';
import { WnError } from '../core/errors.js';
import { showId } from '../core/ids.js';
import { ATTRIBUTE, type FieldPath, type Op } from '../core/op.js';
import { counter } from '../crdt/counter.js';
import { register } from '../crdt/register.js';
import { fieldType } from '../crdt/registry.js';
import { set } from '../crdt/set.js';
import { countCodePoints } from '../crdt/text/codepoints.js';
import type { Value } from '../crdt/value.js';
import { decodeBlobRef } from '../repo/blobs.js';
import { nodeOf } from '../repo/fold/fold.js';
import type { Replica } from '../repo/replica.js';
import { fromValue, toJson } from '../tree/field.js';
import { lastPath } from '../tree/lastpath.js';
import { joinPath } from '../tree/names.js';
import { fileHash } from '../tree/project.js';

/** One operation. What else it has depends on `op`. */
export interface OpShown {
  readonly op: Op['op'];
  /** Of the worknode: where it is today, or was last; a create or place op's own place. */
  readonly path?: string;
  readonly [fact: string]: unknown;
}

/** What can be read of a commit; sealed or absent groups are left out. */
export function opsShown(replica: Replica, commit: Commit): readonly OpShown[] {
  const groups = replica.fold.groups.of(commit);
  return stampedOps(commit, groups).map((stamped) => opShown(replica, commit, stamped));
}

function opShown({ view }: Replica, commit: Commit, stamped: StampedOp): OpShown {
  const { op } = stamped;
  const node = nodeOf(commit, stamped);
  const place = node === null ? {} : { id: showId(node), path: lastPath(view, node) };
  switch (op.op) {
    case 'create':
      return {
        op: op.op,
        ...place,
        path: joinPath(lastPath(view, op.parent), op.name),
        type: op.type,
      };
    case 'place':
      return { op: op.op, ...place, path: joinPath(lastPath(view, op.parent), op.name) };
    case 'field':
      return { op: op.op, ...place, ...fieldFacts(op, commit.log) };
    case 'text':
      return { op: op.op, ...place, ...textFacts(op) };
    case 'genesis':
    case 'device':
      return { op: op.op, name: op.name };
    case 'seen':
      return { op: op.op, index: op.index };
    case 'unknown':
      return { op: op.op, kind: op.kind };
    case 'delete':
    case 'revive':
    case 'grant':
      return { op: op.op, ...place };
  }
}

const ATTRIBUTE_NAMES = new Map<number, string>(
  Object.entries(ATTRIBUTE).map(([name, number]) => [number, name]),
);

/** `status`, `a.b` of a nested field, `wn:executable` of what isn't the user's. */
export function fieldName(path: FieldPath): string {
  const [first] = path;
  if (typeof first === 'string') return path.join('.');
  return `wn:${ATTRIBUTE_NAMES.get(first ?? -1) ?? String(first)}`;
}

function fieldFacts(op: Extract<Op, { op: 'field' }>, own: string): Record<string, unknown> {
  const type = fieldType(op.type);
  const field = fieldName(op.path);
  if (type === undefined) return { field, type: op.type };
  try {
    return { field, type: type.name, ...argFacts(type.number, op.arg, own) };
  } catch (error) {
    if (error instanceof WnError) return { field, type: type.name, malformed: true };
    throw error;
  }
}

function argFacts(type: number, arg: Canonical, own: string): Record<string, unknown> {
  if (type === register.number) {
    const { value } = register.decode(arg, own);
    return value === undefined ? { unset: true } : { value: valueShown(value) };
  }
  if (type === set.number) {
    const { adds, removes } = set.decode(arg, own);
    return { adds: adds.map(valueShown), removes: removes.map(({ value }) => valueShown(value)) };
  }
  return { delta: counter.decode(arg, own) };
}

/** A value for JSON; whole contents only by size and hash. */
export function valueShown(value: Value): unknown {
  if (value instanceof Uint8Array) return { size: value.byteLength, hash: fileHash(value) };
  const blob = blobOf(value);
  return blob === null ? toJson(fromValue(value)) : { size: blob.size, hash: blob.hash };
}

function blobOf(value: Value): ReturnType<typeof decodeBlobRef> {
  try {
    return decodeBlobRef(value);
  } catch {
    return null; // a list that is no blob reference
  }
}

function textFacts({ runs }: Extract<Op, { op: 'text' }>): Record<string, unknown> {
  let inserted = 0;
  let deleted = 0;
  for (const [, what] of runs) {
    if (typeof what === 'string') inserted += countCodePoints(what);
    else deleted += what;
  }
  return { inserted, deleted };
}

/** What it did, in a few words: `status = "doing"`, `text +12 -3`. */
export function opText(shown: OpShown): string {
  switch (shown.op) {
    case 'create':
      return shown['type'] === 'file' ? 'created' : `created, a ${String(shown['type'])}`;
    case 'place':
      return 'moved here';
    case 'delete':
      return 'deleted';
    case 'revive':
      return 'brought back';
    case 'text':
      return `text +${String(shown['inserted'])} -${String(shown['deleted'])}`;
    case 'field':
      return fieldText(shown);
    case 'genesis':
      return `the workspace ${String(shown['name'])} begins`;
    case 'device':
      return `this device is ${String(shown['name'])}`;
    case 'grant':
      return 'a capability';
    case 'seen':
      return `had seen the strong log up to ${String(shown['index'])}`;
    case 'unknown':
      return 'of a newer wn';
  }
}

function fieldText(shown: OpShown): string {
  const field = String(shown['field']);
  if (shown['unset'] === true) return `${field} taken away`;
  if ('value' in shown) return `${field} = ${JSON.stringify(shown['value'])}`;
  if ('delta' in shown)
    return `${field} ${Number(shown['delta']) < 0 ? '' : '+'}${String(shown['delta'])}`;
  const list = (key: string, sign: string): string[] =>
    ((shown[key] ?? []) as unknown[]).map((value) => `${sign}${JSON.stringify(value)}`);
  return [field, ...list('adds', '+'), ...list('removes', '-')].join(' ');
}
