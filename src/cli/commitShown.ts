/** A commit as `--json` tells it, in `log` and in `show`. */
import { showHlc, showTime } from '../core/hlc.js';
import { showId, type CommitId } from '../core/ids.js';
import type { CommitRef } from '../repo/history.js';
import type { Replica } from '../repo/replica.js';
import { authorOf, type Author } from './authorship.js';
import { opsShown, type OpShown } from './operations.js';

interface Common extends Author {
  readonly commit: string;
  readonly seq: number;
  readonly hlc: string;
  readonly time: string;
  readonly msg: string | null;
  readonly level: 'local';
  /** False: its author lacked the right, or it needs a newer wn; it counts for nothing. */
  readonly valid: boolean;
  /** The next commit of the log continues the same change. */
  readonly part?: true;
}

export interface CommitLine extends Common {
  /** How many. */
  readonly ops: number;
}

export interface CommitShown extends Common {
  readonly ops: readonly OpShown[];
  /** Heads of other logs that its author had seen since the commit before. */
  readonly deps: readonly string[];
}

export function commitLine(replica: Replica, ref: CommitRef): CommitLine {
  return { ...common(replica, ref), ops: replica.history.record(ref)?.ops ?? 0 };
}

export function commitShown(replica: Replica, ref: CommitRef): CommitShown {
  const commit = replica.history.commit(ref);
  return {
    ...common(replica, ref),
    ops: opsShown(replica, commit),
    deps: depsOf(replica, ref).map(showId),
  };
}

function common(replica: Replica, ref: CommitRef): Common {
  const commit = replica.history.commit(ref);
  const record = replica.history.record(ref);
  return {
    commit: showId(commit.id),
    ...authorOf(replica, ref.log),
    seq: ref.seq,
    hlc: showHlc(commit.header.hlc),
    time: showTime(commit.header.hlc),
    msg: messageOf(replica, ref),
    level: 'local',
    valid: record?.state === 'live',
    ...(record?.part === true && { part: true as const }),
  };
}

export function depsOf({ history }: Replica, ref: CommitRef): readonly CommitId[] {
  return history.commit(ref).header.deps;
}

/** Null where it has none, or it can't be read. */
export function messageOf({ history, fold }: Replica, ref: CommitRef): string | null {
  const groups = fold.groups.of(history.commit(ref));
  return groups.find((group) => typeof group?.msg === 'string')?.msg ?? null;
}
