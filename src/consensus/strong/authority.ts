/**
 * Whether a request's author may: homes proven by the ids themselves, the chain of
 * capabilities that the request carries, and the right that each action takes, at the
 * home of its worknode. Rests on the request and the group alone, so every voter and
 * everybody later finds the same. Leaves out who owns a claim.
 */
import { ACT, hasActs, type Act } from '../../caps/acts.js';
import { findCap, isWithin, verifyChain, withCaps, type CapView } from '../../caps/attenuate.js';
import { decodeCap, type Cap, type CarriedCap, type SignedCap } from '../../caps/cap.js';
import { demand, holderFault } from '../../caps/verdict.js';
import { equalBytes } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { nodeId, type CapId, type DeviceId, type NodeId } from '../../core/ids.js';
import {
  HOME_IDS_MAX,
  STRONG_CHAINS_CACHED_MAX,
  STRONG_STEPS_CACHED_MAX,
} from '../../core/limits.js';
import { createdId } from './request.js';
import type { Action, CarriedBytes, Change, Group, HomeStep, Reason, Request } from './types.js';

/** Creation chains from the root down, itself at the end. */
export type Homes = ReadonlyMap<NodeId, readonly NodeId[]>;

/** What the author acts with: his capability, and where each worknode that he names is. */
export interface Rights {
  readonly cap: Cap;
  readonly homes: Homes;
}

/** The capability that `device` may use at a time; null if it may not. */
export function heldCap(
  group: Group,
  device: DeviceId,
  id: CapId,
  caps: readonly CarriedBytes[],
  timeMs: number,
): Cap | null {
  const leaf = chainLeaf(group, id, caps);
  return leaf === null || holderFault(leaf, device, timeMs) !== null ? null : leaf.cap;
}

interface Checked {
  readonly group: Group;
  readonly caps: readonly CarriedBytes[];
  readonly leaf: SignedCap | null;
}

const checked = new Map<CapId, Checked>();

/** What a chain comes to follows from its bytes: an author's next request has the same ones. */
function chainLeaf(group: Group, id: CapId, caps: readonly CarriedBytes[]): SignedCap | null {
  const known = checked.get(id);
  if (known?.group === group && sameCaps(known.caps, caps)) return known.leaf;
  const leaf = checkChain(group, id, caps);
  if (checked.size >= STRONG_CHAINS_CACHED_MAX) checked.delete(checked.keys().next().value ?? '');
  checked.set(id, { group, caps, leaf });
  return leaf;
}

function sameCaps(a: readonly CarriedBytes[], b: readonly CarriedBytes[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ cap, sig }, at) => {
      const other = b[at];
      return other !== undefined && equalBytes(cap, other.cap) && equalBytes(sig, other.sig);
    })
  );
}

function checkChain(group: Group, id: CapId, caps: readonly CarriedBytes[]): SignedCap | null {
  const carried = readCaps(caps);
  if (carried === null) return null;
  const none: CapView = { ws: group.ws, roots: group.roots, capOf: () => null };
  const view = withCaps(none, carried);
  const leaf = findCap(id, view);
  return leaf?.known === true && verifyChain(leaf, view).ok ? leaf : null;
}

function readCaps(caps: readonly CarriedBytes[]): readonly CarriedCap[] | null {
  try {
    return caps.map(({ cap, sig }) => decodeCap(cap, sig));
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

/** Homes that a request proves, of the worknodes that it creates too, each after its parent. */
export function homesOf(group: Group, request: Request): Homes {
  const homes = new Map<NodeId, readonly NodeId[]>([[group.root, [group.root]]]);
  for (const proven of request.homes) {
    const home = [group.root];
    let at = group.root;
    for (const step of proven) {
      at = stepDown(step, at);
      home.push(at);
    }
    homes.set(at, home);
  }
  request.actions.forEach((action, index) => {
    if (action.action !== 'create') return;
    const above = homes.get(action.parent);
    if (above === undefined || above.length >= HOME_IDS_MAX) return;
    const id = createdId(request, index, action.parent);
    homes.set(id, [...above, id]);
  });
  return homes;
}

const steps = new Map<number, { step: HomeStep; parent: NodeId; id: NodeId }>();

/** The worknode that a step leads to. Remembered: the same worknodes are written again and again. */
function stepDown(step: HomeStep, parent: NodeId): NodeId {
  const { device, salt, index } = step;
  const key = new DataView(salt.buffer, salt.byteOffset).getUint32(0) + index;
  const known = steps.get(key);
  if (known?.parent === parent && known.step.device === device && known.step.index === index) {
    if (equalBytes(known.step.salt, salt)) return known.id;
  }
  const id = nodeId(device, salt, index, parent);
  if (steps.size >= STRONG_STEPS_CACHED_MAX) steps.clear();
  steps.set(key, { step, parent, id });
  return id;
}

/** Why the author may not do what he asks; null if he may. */
export function rightsFault(group: Group, rights: Rights, request: Request): Reason | null {
  for (const action of request.actions) {
    const fault = actionFault(group, rights, action);
    if (fault !== null) return fault;
  }
  return null;
}

function actionFault(group: Group, rights: Rights, action: Action): Reason | null {
  // Who has the right to vote ends the claims of those who are gone.
  if (action.action === 'expire') return null;
  if (!hasActs(rights.cap.act, ACT.strong)) return 'right';
  switch (action.action) {
    case 'set':
    case 'release':
      return lacks(rights, 'write', action.node, action.path[0]);
    case 'create':
      return lacks(rights, 'create', action.parent);
    case 'delete':
      return action.node === group.root ? 'right' : lacks(rights, 'delete', action.node);
    case 'claim': {
      const faults = action.nodes.map((node) => lacks(rights, 'write', node));
      return faults.find((fault) => fault !== null) ?? null;
    }
    case 'renew':
    case 'unclaim':
      return null;
    case 'configure':
      return lacks(rights, 'admin', group.root);
  }
}

function lacks(
  { cap, homes }: Rights,
  act: Act,
  node: NodeId,
  field?: string | number,
): Reason | null {
  const home = homes.get(node);
  if (home === undefined) return 'home';
  return demand(act, home, { cap, scope: cap.home }, field) === null ? null : 'right';
}

/** Whether the author is an admin where the worknode's home is; false where that isn't proven. */
export function isAdminOf({ cap, homes }: Rights, node: NodeId): boolean {
  const home = homes.get(node);
  return home !== undefined && hasActs(cap.act, ACT.admin) && isWithin(home, cap.home);
}

/** Whether every new member proves that its device may vote in this group. */
export function mayVote(group: Group, changes: readonly Change[], timeMs: number): boolean {
  return changes.every((change) => {
    if (change.change !== 'add') return true;
    const { member, caps } = change;
    const cap = lastCap(group, caps, member.device, timeMs);
    return cap !== null && hasActs(cap.act, ACT.vote) && isWithin([group.root], cap.home);
  });
}

/** The capability at a chain's end; of no chain the device's root, where it has one. */
function lastCap(
  group: Group,
  caps: readonly CarriedBytes[],
  device: DeviceId,
  timeMs: number,
): Cap | null {
  const last = readCaps(caps.slice(-1))?.[0];
  const id = last?.id ?? group.roots.find(({ cap }) => cap.aud === device)?.id;
  return id === undefined ? null : heldCap(group, device, id, caps, timeMs);
}
