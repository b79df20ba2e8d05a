/**
 * Up to which entry an author had folded the strong log when he made a commit, as his log
 * says (`seen` ops). Such a commit waits until the log is here that far, and of writes to
 * a field that was released it decides which count.
 */
import type { Group } from '../../core/commit.js';
import type { CommitRef, History } from '../history.js';
import { decodeSeq, encodeSeq } from '../index/records.js';
import { key, type Tables } from '../index/tables.js';

/** What a commit itself says; 0 where it says nothing. */
export function seenIn(groups: readonly (Group | null)[]): number {
  let index = 0;
  for (const group of groups) {
    for (const op of group?.ops ?? []) if (op.op === 'seen') index = Math.max(index, op.index);
  }
  return index;
}

export function noteSeen(tables: Tables, history: History, at: CommitRef, index: number): void {
  const number = history.log(at.log)?.number;
  if (number !== undefined) tables.put(key.strongKnowledge(number, at.seq), encodeSeq(index));
}

/** 0 where the author never said. A log that continues another knows what that one knew. */
export function seenBy(tables: Tables, history: History, at: CommitRef): number {
  let place: CommitRef | null = at;
  while (place !== null) {
    const log = history.log(place.log);
    if (log === null) return 0;
    const last = key.strongKnowledge(log.number, place.seq);
    const found = tables.floor(key.strongKnowledgeOf(log.number), last);
    if (found !== undefined) return decodeSeq(found[1]);
    place = log.link;
  }
  return 0;
}
