/**
 * Why a commit or a capability doesn't count. `denied` is final for a given set of
 * commits; `held` means that this program lacks something it needs to judge, and that
 * more commits or a newer version may settle it.
 */

/** One sentence for each reason of a denial. */
export const DENY = {
  // A capability and its chain
  malformed_cap: 'A capability that it carries is malformed.',
  wrong_workspace: 'It was made for another workspace.',
  cap_missing: 'A capability that it rests on is not here.',
  not_rooted: "Its chain doesn't begin at the workspace's creator or recovery key.",
  too_deep: 'Its chain has more delegations than are allowed.',
  wrong_issuer: "It wasn't issued by the holder of the capability that it rests on.",
  bad_signature: "Its issuer didn't sign it.",
  no_delegate: "The capability that it rests on doesn't have the right to delegate.",
  wider_home: 'It reaches beyond the folder of the capability that it rests on.',
  wider_acts: 'It has rights that the capability that it rests on lacks.',
  wider_time: 'It begins before, or outlives, the capability that it rests on.',
  wider_fields: 'It names fields that the capability that it rests on leaves out.',
  // A commit under a capability
  not_holder: 'The capability belongs to another device.',
  not_yet_valid: "The capability isn't valid yet.",
  expired: 'The capability has expired.',
  right_missing: 'The capability lacks the right.',
  outside_home: "The capability doesn't reach so far.",
  outside_scope: 'The change lies outside the scope that its group declares.',
  outside_fields: 'The capability is for certain fields only.',
  root_fixed: "The workspace's root can't be moved or deleted.",
  home_too_deep: 'The worknode would be nested too deep to be named by a capability.',
  too_many_grants: 'One commit carries too many capabilities.',
  genesis_misplaced: "A genesis can only be the workspace's first commit, and alone.",
} as const;

export type DenyReason = keyof typeof DENY;

export const HELD = {
  unknown_cap: 'It rests on a capability of a kind that needs a newer wn.',
  unknown_op: 'It holds an operation of a kind that needs a newer wn.',
  unknown_home: 'It changes a worknode whose creation is not here.',
} as const;

export type HeldReason = keyof typeof HELD;

export type Refusal =
  | {
      readonly ok: false;
      readonly held: false;
      readonly why: DenyReason;
      /** The sentence for `why`, with the particulars. */
      readonly detail: string;
    }
  | {
      readonly ok: false;
      readonly held: true;
      readonly why: HeldReason;
      readonly detail: string;
    };

export function deny(why: DenyReason, particulars = ''): Refusal {
  return { ok: false, held: false, why, detail: sentence(DENY[why], particulars) };
}

export function hold(why: HeldReason, particulars = ''): Refusal {
  return { ok: false, held: true, why, detail: sentence(HELD[why], particulars) };
}

function sentence(text: string, particulars: string): string {
  return particulars === '' ? text : `${text.slice(0, -1)}: ${particulars}.`;
}
