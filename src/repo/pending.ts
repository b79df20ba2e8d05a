/**
 * Commits that are held and can't be folded yet: stamped beyond what the clock allows,
 * or with a past that isn't here. They are in no frontier, view or deps until they can.
 */
import type { Commit } from '../core/commit.js';
import { WnError } from '../core/errors.js';
import { hlcMs } from '../core/hlc.js';
import type { LogId } from '../core/ids.js';
import { CLOCK_AHEAD_MAX_MS } from '../core/limits.js';
import { checkPast } from './exchange.js';
import { seenIn } from './fold/seen.js';
import type { CommitState } from './index/records.js';
import { key } from './index/tables.js';
import type { Replica } from './replica.js';

/** Folds what has become ready; the caller flushes. True if anything still waits. */
export function settlePending(replica: Replica): boolean {
  for (;;) {
    let progress = false;
    const waiting = [...replica.tables.prefix(key.table('pending'))];
    for (const [at] of waiting) {
      const log = replica.history.logOfNumber(parseInt(at.slice(2), 16));
      if (settleLog(replica, log)) progress = true;
    }
    if (!progress) return waiting.length > 0;
  }
}

function settleLog(replica: Replica, log: LogId): boolean {
  const { history, tables } = replica;
  for (let progress = false; ; progress = true) {
    const record = history.log(log);
    if (record === null) return progress;
    if (record.folded >= record.stored.seq) {
      tables.remove(key.pending(record.number));
      return progress;
    }
    const commit = history.commit({ log, seq: record.folded + 1 });
    if (!isReady(replica, commit)) return progress;
    const state = judgeHeld(replica, commit);
    history.setState({ log, seq: commit.header.seq }, state);
    replica.foldHeld(commit, state);
  }
}

/** Its time has come, and its past is folded, that in the strong log too. */
export function isReady(replica: Replica, commit: Commit): boolean {
  const { hlc, deps } = commit.header;
  const { history, ports } = replica;
  if (hlcMs(hlc) > ports.clock.wallMs() + CLOCK_AHEAD_MAX_MS) return false;
  if (seenIn(replica.fold.groups.of(commit)) > replica.strongIndex) return false;
  return deps.every((dep) => {
    const ref = history.find(dep);
    return ref !== null && ref.seq <= (history.log(ref.log)?.folded ?? -1);
  });
}

/** The verdict on a commit that is stored already: one with a past that can't be is dead. */
export function judgeHeld(replica: Replica, commit: Commit): CommitState {
  try {
    checkPast(replica, commit);
  } catch (error) {
    if (error instanceof WnError) return 'dead';
    throw error;
  }
  return replica.authority.judge(commit, replica.fold.groups.of(commit)).state;
}
