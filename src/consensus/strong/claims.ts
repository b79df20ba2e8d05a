/**
 * Claims: who works on what, until when. A claim is its token, the index of the entry that
 * made it; its lease runs on the leader's own clock, which proposes to end it, and such a
 * proposal is void once the claim was renewed (fencing, as of leases by Gray and Cheriton
 * 1989). Leaves out the clocks (`leases.ts`).
 */
import type { NodeId } from '../../core/ids.js';
import { isAdminOf } from './authority.js';
import type { Claim } from './state.js';
import type { Action, Configuration, Effect, Winner } from './types.js';
import { changedNode, nodeOf, reject, type Acting, type Nodes, type Step } from './worknodes.js';

type ActionOf<Kind extends Action['action']> = Extract<Action, { readonly action: Kind }>;

/** The first worknode that nobody has; rejected with the first's owner where all are taken. */
export function claim(nodes: Nodes, action: ActionOf<'claim'>, acting: Acting): Step {
  let taken: Step | null = null;
  for (const node of action.nodes) {
    const state = nodeOf(nodes, node);
    if (state.deleted !== null) {
      taken ??= reject('deleted', state.deleted);
    } else if (state.claim !== null) {
      taken ??= reject('claimed', claimant(state.claim));
    } else {
      const { index, timeMs, request } = acting;
      const { leaseMs } = action;
      const made = { token: index, owner: request.author, leaseMs, renewal: 0, timeMs };
      return changedNode(nodes, node, { ...state, claim: made }, [claimed(node, made)]);
    }
  }
  return taken ?? reject('claimed');
}

export function renew(nodes: Nodes, action: ActionOf<'renew'>, { request }: Acting): Step {
  const { node, token, leaseMs } = action;
  const current = nodeOf(nodes, node).claim;
  if (current?.token !== token) return reject('fenced', claimant(current));
  if (current.owner !== request.author) return reject('owner', claimant(current));
  const renewed = { ...current, leaseMs, renewal: current.renewal + 1 };
  const state = { ...nodeOf(nodes, node), claim: renewed };
  return changedNode(nodes, node, state, [claimed(node, renewed)]);
}

export function unclaim(nodes: Nodes, { node, token }: ActionOf<'unclaim'>, acting: Acting): Step {
  const current = nodeOf(nodes, node).claim;
  if (current?.token !== token) return reject('fenced', claimant(current));
  const mayEnd = current.owner === acting.request.author || isAdminOf(acting.rights, node);
  return mayEnd ? ended(nodes, node, token) : reject('owner', claimant(current));
}

export function expire(
  nodes: Nodes,
  { node, token, renewal }: ActionOf<'expire'>,
  { request }: Acting,
  { voters, outgoing }: Configuration,
): Step {
  const current = nodeOf(nodes, node).claim;
  if (current?.token !== token || current.renewal !== renewal) {
    return reject('fenced', claimant(current));
  }
  const votes = [...voters, ...outgoing].some(({ device }) => device === request.author);
  return votes ? ended(nodes, node, token) : reject('owner', claimant(current));
}

function ended(nodes: Nodes, node: NodeId, token: number): Step {
  const state = { ...nodeOf(nodes, node), claim: null };
  return changedNode(nodes, node, state, [{ effect: 'ended', node, token }]);
}

function claimed(node: NodeId, { token, owner, leaseMs, renewal }: Claim): Effect {
  return { effect: 'claimed', node, token, owner, leaseMs, renewal };
}

/** Who has the claim, as a rejection names him. */
export function claimant(claim: Claim | null): Winner | null {
  if (claim === null) return null;
  const { token, owner, timeMs } = claim;
  return { index: token, author: owner, value: null, timeMs };
}
