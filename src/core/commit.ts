/**
 * Commits: the signed units of a log, and the canonical form of header and group.
 * Frames on disk and on the wire (`frame.ts`) leave out what the log determines; the
 * header built here is what is hashed. Authority is judged in `caps`.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  asUint64,
  decodeCanonical,
  encodeCanonical,
  fromUint64,
  type Canonical,
} from './canonical.js';
import { fromHex, idBytes, toHex, utf8 } from './bytes.js';
import { hash, hashHex, verify, type Signer } from './crypto.js';
import { WnError } from './errors.js';
import type { Hlc, Stamp } from './hlc.js';
import { stamp } from './hlc.js';
import {
  logId,
  NO_WORKSPACE,
  type CapId,
  type CommitId,
  type DeviceId,
  type Epoch,
  type LogId,
  type NodeId,
  type WorkspaceId,
} from './ids.js';
import {
  COMMIT_OPS_MAX,
  DEPS_MAX,
  GROUP_BYTES_MAX,
  GROUPS_MAX,
  MESSAGE_BYTES_MAX,
} from './limits.js';
import { decodeOp, encodeOp, isControl, type Op } from './op.js';

export const HEADER_VERSION = 1;
/** SHA-256 and Ed25519. */
export const ALGORITHMS = 1;

/** `part`: the next commit of this log continues the same change. */
export type CommitKind = 'change' | 'part' | 'genesis';
const KINDS: readonly CommitKind[] = ['change', 'part', 'genesis'];

/** How a group's bytes are to be read. Control groups are never detached or sealed. */
export type GroupForm = 'plain' | 'control' | 'sealed';
const FORMS: readonly GroupForm[] = ['plain', 'control', 'sealed'];

export interface GroupRef {
  readonly hash: string;
  readonly bytes: number;
  readonly ops: number;
  readonly form: GroupForm;
}

export interface Header {
  readonly ws: WorkspaceId;
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly prev: CommitId | null;
  /** Heads of other logs that moved since `prev`, in byte order. */
  readonly deps: readonly CommitId[];
  readonly hlc: Hlc;
  /** The capability that the author acts under; null only in genesis. */
  readonly cap: CapId | null;
  readonly kind: CommitKind;
  readonly groups: readonly GroupRef[];
}

export interface Commit {
  readonly id: CommitId;
  readonly log: LogId;
  readonly header: Header;
  /** The bytes of each group; null where this replica lacks them. */
  readonly groups: readonly (Uint8Array | null)[];
  /** Null where no signature was kept: then a later commit of the log vouches for this one. */
  readonly sig: Uint8Array | null;
}

export interface Group {
  readonly salt: Uint8Array;
  /** Every op of the group has its home under this chain of worknodes; null: under the cap's home. */
  readonly scope: readonly NodeId[] | null;
  readonly msg: string | null;
  readonly ops: readonly Op[];
}

/** Canonical bytes of a header; `commitId` is their tagged hash. */
export function encodeHeader(header: Header): Uint8Array {
  return encodeCanonical([
    HEADER_VERSION,
    ALGORITHMS,
    idBytes(header.ws),
    idBytes(header.dev),
    idBytes(header.epoch),
    header.seq,
    header.prev === null ? null : fromHex(header.prev),
    header.deps.map(fromHex),
    fromUint64(header.hlc),
    header.cap === null ? null : idBytes(header.cap),
    KINDS.indexOf(header.kind),
    header.groups.map((group): Canonical => [
      fromHex(group.hash),
      group.bytes,
      group.ops,
      FORMS.indexOf(group.form),
    ]),
  ]);
}

export function commitId(header: Header): CommitId {
  return hashHex('wn/commit/1', encodeHeader(header));
}

export function groupHash(bytes: Uint8Array): string {
  return hashHex('wn/group/1', bytes);
}

export function encodeGroup(group: Group): Uint8Array {
  return encodeCanonical([
    group.salt,
    group.scope === null ? null : group.scope.map(idBytes),
    group.msg,
    group.ops.map(encodeOp),
  ]);
}

/** Throws `invalid` for bytes that are no group; unknown op kinds pass as such. */
export function decodeGroup(bytes: Uint8Array): Group {
  const [salt, scope, msg, ops] = asArray(decodeCanonical(bytes, GROUP_BYTES_MAX), 'group', 4);
  const message = msg === null ? null : asText(msg, 'message');
  if (message !== null && utf8(message).byteLength > MESSAGE_BYTES_MAX) {
    throw new WnError('invalid', 'a message over its bound');
  }
  return {
    salt: asBytes(salt, 'salt', 16),
    scope:
      scope === null ? null : asArray(scope, 'scope').map((id) => toHex(asBytes(id, 'scope', 16))),
    msg: message,
    ops: asArray(ops, 'operations').map(decodeOp),
  };
}

export function kindNumber(kind: CommitKind): number {
  return KINDS.indexOf(kind);
}

export function kindOf(value: Canonical | undefined): CommitKind {
  const kind = KINDS[asUint(value, 'kind of commit')];
  if (kind === undefined) throw new WnError('invalid', 'a kind of commit that nobody makes');
  return kind;
}

export function formNumber(form: GroupForm): number {
  return FORMS.indexOf(form);
}

export function formOf(value: Canonical | undefined): GroupForm {
  const form = FORMS[asUint(value, 'form of group')];
  if (form === undefined) throw new WnError('invalid', 'a form of group that nobody makes');
  return form;
}

export function hlcOf(value: Canonical | undefined): Hlc {
  return asUint64(value, 'time');
}

/** Signs: Ed25519 over the id, which is itself a tagged hash. */
export function signCommit(id: CommitId, signer: Signer): Uint8Array {
  return signer.sign(fromHex(id));
}

export function verifyCommit(commit: Commit): boolean {
  return commit.sig !== null && verify(commit.header.dev, fromHex(commit.id), commit.sig);
}

/** Makes an unsigned commit of encoded groups. */
export function makeCommit(
  header: Omit<Header, 'groups'>,
  groups: readonly { readonly bytes: Uint8Array; readonly ops: number; readonly form: GroupForm }[],
): Commit {
  const whole: Header = {
    ...header,
    groups: groups.map((group) => ({
      hash: groupHash(group.bytes),
      bytes: group.bytes.byteLength,
      ops: group.ops,
      form: group.form,
    })),
  };
  return {
    id: commitId(whole),
    log: logId(whole.dev, whole.epoch),
    header: whole,
    groups: groups.map((group) => group.bytes),
    sig: null,
  };
}

/**
 * Checks all of a commit that needs no other commit (R0, first half): bounds, order of
 * deps, hashes and counts of its groups, control ops in their place. Throws `invalid`.
 * Returns the decoded groups, null where the bytes are absent or sealed.
 */
export function checkCommit(commit: Commit): readonly (Group | null)[] {
  const { header } = commit;
  if (header.deps.length > DEPS_MAX) throw new WnError('invalid', `${header.deps.length} deps`);
  for (let at = 1; at < header.deps.length; at++) {
    if ((header.deps[at - 1] ?? '') >= (header.deps[at] ?? '')) {
      throw new WnError('invalid', 'deps out of order or twice');
    }
  }
  if (header.groups.length > GROUPS_MAX) throw new WnError('invalid', 'too many groups');
  if ((header.kind === 'genesis') !== (header.ws === NO_WORKSPACE)) {
    throw new WnError('invalid', 'a genesis with a workspace, or another commit without one');
  }
  if ((header.cap === null) !== (header.kind === 'genesis')) {
    throw new WnError('invalid', 'a commit without a capability');
  }
  const ops = header.groups.reduce((sum, group) => sum + group.ops, 0);
  if (ops > COMMIT_OPS_MAX) throw new WnError('invalid', `${ops} operations in one commit`);
  if (commit.groups.length !== header.groups.length) throw new WnError('invalid', 'groups missing');
  return header.groups.map((ref, index) => checkGroup(ref, commit.groups[index] ?? null));
}

function checkGroup(ref: GroupRef, bytes: Uint8Array | null): Group | null {
  if (bytes === null) {
    if (ref.form === 'control') throw new WnError('invalid', 'a detached control group');
    return null;
  }
  if (bytes.byteLength !== ref.bytes || groupHash(bytes) !== ref.hash) {
    throw new WnError('invalid', 'a group that does not match its hash');
  }
  if (ref.form === 'sealed') return null;
  const group = decodeGroup(bytes);
  if (group.ops.length !== ref.ops) throw new WnError('invalid', 'a group that miscounts its ops');
  const control = ref.form === 'control';
  if (group.ops.some((op) => op.op !== 'unknown' && isControl(op) !== control)) {
    throw new WnError('invalid', 'control and ordinary operations in one group');
  }
  return group;
}

/** An op with its stamp and its place: group and index within the group. */
export interface StampedOp {
  readonly op: Op;
  readonly at: Stamp;
  /** The time of `at`, and the op's place among all of the commit's. */
  readonly time: Hlc;
  readonly offset: number;
  readonly group: number;
  readonly index: number;
  readonly salt: Uint8Array;
}

/** All readable ops with stamps: `hlc` plus the op's index over all groups' declared counts. */
export function stampedOps(
  commit: Commit,
  groups: readonly (Group | null)[],
): readonly StampedOp[] {
  const stamped: StampedOp[] = [];
  let first = 0;
  for (const [at, ref] of commit.header.groups.entries()) {
    const group = groups[at] ?? null;
    if (group !== null) stampGroup(stamped, commit, group, at, first);
    first += ref.ops;
  }
  return stamped;
}

function stampGroup(
  stamped: StampedOp[],
  { header, log }: Commit,
  { ops, salt }: Group,
  group: number,
  first: number,
): void {
  let time = header.hlc + BigInt(first);
  for (const [index, op] of ops.entries()) {
    stamped.push({ op, at: stamp(time, log), time, offset: first + index, group, index, salt });
    time += 1n;
  }
}

/** The last time that a commit uses; the next commit's exceeds it. */
export function lastTime(header: Header): Hlc {
  const ops = header.groups.reduce((sum, group) => sum + group.ops, 0);
  return header.hlc + BigInt(Math.max(ops, 1) - 1);
}

/** The tagged hash of a set of heads: equal sets, equal hash. */
export function frontierHash(heads: readonly CommitId[]): string {
  return toHex(hash('wn/frontier/1', ...[...heads].sort().map(fromHex)));
}
