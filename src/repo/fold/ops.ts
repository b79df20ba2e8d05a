/**
 * Decoded groups of commits, kept for a while: one commit's ops are read by several
 * worknodes' folds.
 */
import { decodeGroup, type Commit, type Group } from '../../core/commit.js';
import type { CommitId } from '../../core/ids.js';
import type { Op } from '../../core/op.js';
import type { CommitRef, History } from '../history.js';

const GROUPS_CACHED_MAX = 256;

export class Groups {
  private readonly cached = new Map<CommitId, readonly (Group | null)[]>();

  /** Null for a group that is absent or sealed. */
  of(commit: Commit): readonly (Group | null)[] {
    const known = this.cached.get(commit.id);
    if (known !== undefined) return known;
    const groups = commit.header.groups.map((ref, index) => {
      const bytes = commit.groups[index] ?? null;
      return bytes === null || ref.form === 'sealed' ? null : decodeGroup(bytes);
    });
    this.keep(commit.id, groups);
    return groups;
  }

  keep(id: CommitId, groups: readonly (Group | null)[]): void {
    if (this.cached.size >= GROUPS_CACHED_MAX) {
      this.cached.delete(this.cached.keys().next().value ?? '');
    }
    this.cached.set(id, groups);
  }
}

/** Where an op stands within its commit. */
export interface OpPlace {
  readonly op: Op;
  readonly group: Group;
  readonly indexInGroup: number;
}

/** The op of a commit by its index over all groups; null if its group isn't readable. */
export function opAt(
  commit: Commit,
  groups: readonly (Group | null)[],
  index: number,
): OpPlace | null {
  let left = index;
  for (const [at, ref] of commit.header.groups.entries()) {
    if (left < ref.ops) {
      const group = groups[at] ?? null;
      const op = group?.ops[left];
      return group === null || op === undefined ? null : { op, group, indexInGroup: left };
    }
    left -= ref.ops;
  }
  return null;
}

export function readOp(history: History, groups: Groups, at: CommitRef, index: number): Op | null {
  const commit = history.commit(at);
  return opAt(commit, groups.of(commit), index)?.op ?? null;
}
