/**
 * The verdict: whether a commit counts (R0 as far as time and homes go, R2). The one
 * function for ingest, folding, local commands before they write, and, through `admit`,
 * sessions. It is a function of the commit and of what the set of commits says about
 * capabilities and homes; it asks neither a clock nor the current tree. Leaves out
 * chaining and authenticity (`core/commit.ts`), and forks and revocation.
 *
 * A move needs `write` at the worknode's home, `delete` at its *creation* parent's home
 * and `create` at the new parent's. Where the worknode shows now doesn't enter: that
 * depends on moves, which depend on verdicts. Nothing is lost by it. A place claimed by
 * the op could be a lie, and one looked up in the op's past could be chosen by leaving
 * out deps; and whoever may delete where a worknode was created may delete the worknode
 * itself, wherever it shows. A rename is a move too: two folders of one name show as
 * one, so a name in another's folder is an entry in it.
 */
import { NO_WORKSPACE, nodeId, rootNode } from '../core/ids.js';
import type { CapId, CommitId, DeviceId, NodeId, WorkspaceId } from '../core/ids.js';
import type { Group, Header } from '../core/commit.js';
import { assert, WnError } from '../core/errors.js';
import { hlcMs } from '../core/hlc.js';
import { CAP_GRANTS_PER_COMMIT_MAX, HOME_IDS_MAX } from '../core/limits.js';
import type { Op } from '../core/op.js';
import { ACT, hasActs, type Act } from './acts.js';
import {
  findCap,
  isWithin,
  verifyChain,
  withCaps,
  type CapView,
  type Chain,
  type ChainResult,
} from './attenuate.js';
import { decodeCap, type Cap, type CarriedCap, type SignedCap } from './cap.js';
import { deny, hold, type Refusal } from './reasons.js';

/** A commit that passed `checkCommit`, with its groups; null for one withheld or sealed. */
export interface CommitFacts {
  readonly id: CommitId;
  readonly header: Header;
  readonly groups: readonly (Group | null)[];
}

/** What the set of commits says, dead commits included: so no answer rests on a verdict. */
export interface AuthorityView extends CapView {
  /**
   * Creation chain of a worknode from the root down, itself at the end; `[root]` for the
   * root. Null where its create, or one above it, is not here, and beyond `HOME_IDS_MAX`.
   */
  homeOf(node: NodeId): readonly NodeId[] | null;
}

export type Verdict = { readonly ok: true } | Refusal;

const LIVE: Verdict = { ok: true };

/** A denial outweighs a hold: no newer version would judge it otherwise. */
export function authorize(commit: CommitFacts, authority: AuthorityView): Verdict {
  const { header, groups } = commit;
  if (header.kind === 'genesis') return authorizeGenesis(commit, authority.ws);
  if (header.ws !== authority.ws) return deny('wrong_workspace');
  const carried = carriedCaps(groups);
  if ('ok' in carried) return carried;
  const view = carried.length === 0 ? authority : withCaps(authority, carried);
  const holder = checkHolder(header.dev, header.cap, view, hlcMs(header.hlc));
  if (!holder.ok) return holder;
  for (const cap of carried) {
    const grant = cap.known ? verifyChain(cap, view) : null;
    if (grant !== null && !grant.ok && !grant.held) return grant;
  }
  return authorizeOps(commit, leafOf(holder.chain), authority);
}

/**
 * Whether `device` may take part in a session at the local time `nowMs`: its capability
 * holds now, and lets it read. `view` has what the peer brought (`withCaps`).
 */
export function admit(device: DeviceId, cap: CapId, view: CapView, nowMs: number): ChainResult {
  const holder = checkHolder(device, cap, view, nowMs);
  if (!holder.ok) return holder;
  return hasActs(leafOf(holder.chain).act, ACT.read) ? holder : deny('right_missing', 'read');
}

/**
 * Whether `cap` has a right over a worknode of home `home`. For a reader's groups, and
 * for what a command checks beyond the verdict (`delete` where a worknode shows now).
 */
export function permits(cap: Cap, act: Act, home: readonly NodeId[]): boolean {
  return hasActs(cap.act, ACT[act]) && isWithin(home, cap.home);
}

/** Holder, time and chain. A child's time lies within its parent's, so the leaf's is enough. */
function checkHolder(device: DeviceId, id: CapId | null, view: CapView, atMs: number): ChainResult {
  const leaf = id === null ? null : findCap(id, view);
  if (leaf === null) return deny('cap_missing', id ?? 'none named');
  if (!leaf.known) return hold('unknown_cap', leaf.id);
  return holderFault(leaf, device, atMs) ?? verifyChain(leaf, view);
}

/** Why `device` can't use the capability at a time, its chain aside; null if it can. */
export function holderFault(
  { id, cap }: SignedCap,
  device: DeviceId,
  atMs: number,
): Refusal | null {
  if (cap.aud !== device) return deny('not_holder', id);
  if (atMs < (cap.nbf ?? 0)) return deny('not_yet_valid', id);
  return atMs >= (cap.exp ?? Infinity) ? deny('expired', id) : null;
}

function leafOf(chain: Chain): Cap {
  const leaf = chain[chain.length - 1];
  assert(leaf !== undefined, 'an empty chain');
  return leaf.cap;
}

function authorizeGenesis({ id, header, groups }: CommitFacts, ws: WorkspaceId): Verdict {
  if (id !== ws || header.ws !== NO_WORKSPACE || header.prev !== null || header.deps.length > 0) {
    return deny('genesis_misplaced');
  }
  const ops = groups.flatMap((group) => group?.ops ?? []);
  const foreign = ops.some((op) => !['genesis', 'device', 'unknown'].includes(op.op));
  if (foreign || ops.filter((op) => op.op === 'genesis').length !== 1) {
    return deny('genesis_misplaced');
  }
  const unknown = ops.find((op) => op.op === 'unknown');
  return unknown === undefined ? LIVE : hold('unknown_op', `kind ${unknown.kind}`);
}

/** Any member may carry any capability: it is judged by its own chain, not by who brings it. */
function carriedCaps(groups: CommitFacts['groups']): readonly CarriedCap[] | Refusal {
  const caps: CarriedCap[] = [];
  for (const group of groups) {
    for (const op of group?.ops ?? []) {
      if (op.op !== 'grant') continue;
      if (caps.length === CAP_GRANTS_PER_COMMIT_MAX) return deny('too_many_grants');
      try {
        caps.push(decodeCap(op.cap, op.sig));
      } catch (error) {
        if (!(error instanceof WnError)) throw error;
        return deny('malformed_cap', error.message);
      }
    }
  }
  return caps;
}

function authorizeOps(commit: CommitFacts, cap: Cap, authority: AuthorityView): Verdict {
  const homes = ownHomes(commit, authority);
  let held: Refusal | null = null;
  for (const group of commit.groups) {
    if (group === null) continue;
    const { scope, ops } = group;
    if (scope !== null && !isWithin(scope, cap.home)) return deny('outside_home', 'its scope');
    const judge = { cap, scope: scope ?? cap.home, homes, root: rootNode(authority.ws) };
    for (const op of ops) {
      const refusal = judgeOp(op, judge);
      if (refusal !== null && !refusal.held) return refusal;
      held ??= refusal;
    }
  }
  return held ?? LIVE;
}

type HomeOf = AuthorityView['homeOf'];

/** Homes with those of the worknodes that the commit itself creates, each after its parent. */
function ownHomes({ header, groups }: CommitFacts, authority: AuthorityView): HomeOf {
  if (!groups.some((group) => group?.ops.some(isCreate) ?? false)) {
    return (node) => authority.homeOf(node);
  }
  const own = new Map<NodeId, readonly NodeId[] | null>();
  const homeOf: HomeOf = (node) =>
    own.has(node) ? (own.get(node) ?? null) : authority.homeOf(node);
  for (const { salt, ops } of groups.filter((group) => group !== null)) {
    ops.forEach((op, index) => {
      if (op.op !== 'create') return;
      const id = nodeId(header.dev, salt, index, op.parent);
      const above = homeOf(op.parent);
      own.set(id, above === null || above.length >= HOME_IDS_MAX ? null : [...above, id]);
    });
  }
  return homeOf;
}

function isCreate(op: Op): boolean {
  return op.op === 'create';
}

interface Judge {
  readonly cap: Cap;
  readonly scope: readonly NodeId[];
  readonly homes: HomeOf;
  readonly root: NodeId;
}

function judgeOp(op: Op, judge: Judge): Refusal | null {
  switch (op.op) {
    case 'grant':
    case 'device':
    case 'seen':
      return null;
    case 'genesis':
      return deny('genesis_misplaced');
    case 'unknown':
      return hold('unknown_op', `kind ${op.kind}`);
    case 'create':
      return judgeCreate(op.parent, judge);
    case 'place':
      return judgePlace(op.node, op.parent, judge);
    case 'delete':
      if (op.node === judge.root) return deny('root_fixed');
      return demand('delete', judge.homes(op.node), judge);
    case 'field':
      return demand('write', judge.homes(op.node), judge, op.path[0]);
    case 'revive':
    case 'text':
      return demand('write', judge.homes(op.node), judge);
  }
}

function judgeCreate(parent: NodeId, judge: Judge): Refusal | null {
  const home = judge.homes(parent);
  if (home !== null && home.length >= HOME_IDS_MAX) return deny('home_too_deep');
  return demand('create', home, judge);
}

function judgePlace(node: NodeId, parent: NodeId, judge: Judge): Refusal | null {
  if (node === judge.root) return deny('root_fixed');
  const home = judge.homes(node);
  const refusals = [
    demand('write', home, judge),
    demand('delete', home === null ? null : home.slice(0, -1), judge),
    demand('create', judge.homes(parent), judge),
  ].filter((refusal) => refusal !== null);
  return refusals.find((refusal) => !refusal.held) ?? refusals[0] ?? null;
}

/** One right over one home, for a change of the field `field` where that is what changes. */
export function demand(
  act: Act,
  home: readonly NodeId[] | null,
  { cap, scope }: Pick<Judge, 'cap' | 'scope'>,
  field?: string | number,
): Refusal | null {
  if (!hasActs(cap.act, ACT[act])) return deny('right_missing', act);
  if (cap.fields !== null && !cap.fields.some((name) => name === field)) {
    return deny('outside_fields', cap.fields.join(', '));
  }
  if (home === null) return hold('unknown_home');
  if (!isWithin(home, cap.home)) return deny('outside_home', act);
  return isWithin(home, scope) ? null : deny('outside_scope');
}
