/**
 * Verdicts at a test's will. The product asks one function whether a commit counts
 * (`Authority.judge`); here each simulated replica's answer may be overruled for commits
 * that were made void, as a revocation will do it.
 */
import type { Commit, Group } from '../../src/core/commit.js';
import type { CommitId } from '../../src/core/ids.js';
import { Authority, type Judgement } from '../../src/repo/authority.js';
import type { Replica } from '../../src/repo/replica.js';

const NOTHING: ReadonlySet<CommitId> = new Set();
const voidedBy = new WeakMap<Authority, ReadonlySet<CommitId>>();
/** For authorities that nobody has named yet: a replica judges before it is handed out. */
let voidedByNew: ReadonlySet<CommitId> = NOTHING;

const VOID: Judgement = { state: 'dead', why: 'made void by the test' };

const { judge } = Authority.prototype;

Authority.prototype.judge = function (
  this: Authority,
  commit: Commit,
  groups: readonly (Group | null)[],
): Judgement {
  const voided = voidedBy.get(this) ?? voidedByNew;
  return voided.has(commit.id) ? VOID : judge.call(this, commit, groups);
};

/** From now on this replica holds these commits for void when it meets them; it keeps the set. */
export function overrule(replica: Replica, voided: ReadonlySet<CommitId>): void {
  voidedBy.set(replica.authority, voided);
}

/** Opens a replica that judges so from its first commit on. */
export async function openOverruled(
  open: () => Promise<Replica>,
  voided: ReadonlySet<CommitId>,
): Promise<Replica> {
  voidedByNew = voided;
  try {
    const replica = await open();
    overrule(replica, voided);
    return replica;
  } finally {
    voidedByNew = NOTHING;
  }
}
